// The learning rates of an epoch's steps. They stay the same for STEPS_A_RATE steps, so that nobody has to work out a
// cosine for every rating; a fit has thousands of such pieces.

/** STEPS_A_RATE as a shift. */
export const RATE_SHIFT = 8;
/** Learning rates stay the same for this many steps. */
export const STEPS_A_RATE = 1 << RATE_SHIFT;

/** The progress of a whole fit at a step of an epoch, counted from 0: that of the start of its piece. */
export function progressAt(step: number, steps: number, epoch: number, epochs: number): number {
  return (epoch - 1 + (step - (step % STEPS_A_RATE)) / steps) / epochs;
}
