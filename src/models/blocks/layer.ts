// THE SEAM of the layers of a network: from rows of numbers to rows of numbers, with the gradients by hand. A stack of
// layers is called from first to last and back; there is no tape.

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import type { Parameter } from '../../parameters/parameter';

/** One layer. What it is given it may change in place, and what it returns is its own until its next call. */
export interface Layer {
  /** Those that are trained, and tables of statistics: no step selects those, so that nothing trains them. */
  readonly parameters: readonly Parameter[];
  /** Makes room for steps of up to `rows` rows, so that no step allocates. */
  reserve(rows: number): void;
  /** Names the rows of its parameters for a step, before their gradients are started. */
  select(): void;
  /** The rows after this layer. `step`: the number of the update, from 1; 0 for predictions. */
  forward(x: Real, count: number, step: number): Real;
  /** Adds to the gradients of its parameters; returns the gradient of what `forward` was given. */
  backward(g: Real, count: number): Real;
  /** Moves all of its arrays, between two steps. */
  move(move: Move): void;
}
