// How a command is called, as data: the help prints it, and the words after the command's name are read by it.

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
