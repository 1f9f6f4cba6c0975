// What a command of the command line is: how it is called, and what it does. run.ts lists them; arguments.ts reads
// what it was called with.

import type { Arguments } from './arguments';
import type { Io } from './io';

/** A flag. `value` is the placeholder in the help; a flag without one is a switch. */
export interface Flag {
  readonly value?: string;
  readonly about: string;
  /** The flag may be given more than once. */
  readonly repeats?: boolean;
}

/** How a command is called. */
export interface Usage {
  readonly name: string;
  readonly about: string;
  /** The line after `opmf NAME`. */
  readonly form: string;
  /** A whole command line that works. */
  readonly example: string;
  readonly flags: Readonly<Record<string, Flag>>;
  /** The least and the most arguments that are not flags. */
  readonly positionals: readonly [least: number, most: number];
}

/** A command; what `run` rejects with decides the exit code. */
export interface Command {
  readonly usage: Usage;
  run(given: Arguments, io: Io): Promise<void>;
}
