// The port of whoever lets other tasks run: a long loop asks it now and then. training/breather.ts fills it in.

/** Says when a long loop should pause, and pauses it. */
export interface Turns {
  /** What may call the work off. */
  readonly signal?: AbortSignal | undefined;
  /** Counts work done, in steps of some ten nanoseconds; true when a pause is due. */
  isDue(work: number): boolean;
  /** Lets other tasks run. @throws the signal's reason once it is aborted */
  breathe(): Promise<void>;
}

/**
 * Elements that are worked through before others may get a turn. Few, as each may be the first to touch a page of a new
 * array, which takes the system two microseconds.
 */
const PART = 2048;

/** Works through `size` elements in parts, from first to last, letting other tasks run in between. */
export async function inTurns(size: number, turns: Turns, work: (from: number, to: number) => void): Promise<void> {
  for (let from = 0; from < size; from += PART) {
    const to = Math.min(from + PART, size);
    work(from, to);
    if (turns.isDue(to - from)) await turns.breathe();
  }
}
