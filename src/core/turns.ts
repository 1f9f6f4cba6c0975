// The port of whoever lets other tasks run: a long loop asks it now and then. training/breather.ts fills it in.

/** Says when a long loop should pause, and pauses it. */
export interface Turns {
  /** Counts work done, in steps of some ten nanoseconds; true when a pause is due. */
  isDue(work: number): boolean;
  /** Lets other tasks run. @throws the signal's reason once it is aborted */
  breathe(): Promise<void>;
}
