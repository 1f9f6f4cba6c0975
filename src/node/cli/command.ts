// What a command of the command line is: how it is called, and what it does. run.ts lists them.

import type { Arguments } from './arguments';
import type { Io } from './io';
import type { Usage } from './usage';

/** A command; what `run` rejects with decides the exit code. */
export interface Command {
  readonly usage: Usage;
  run(given: Arguments, io: Io): Promise<void>;
}
