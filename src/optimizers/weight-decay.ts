// Weight decay in the gradient of one number.

import { round } from '../kernels/rounding';

/** g + weightDecay x. Without decay g is left as it is, its sign of zero too. */
export function decayed(g: number, weightDecay: number, x: number, single: boolean): number {
  return weightDecay === 0 ? g : round(g + round(weightDecay * x, single), single);
}
