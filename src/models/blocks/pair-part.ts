// THE SEAM of the parts of a neural model of users and items: from a pair to numbers that an output layer weighs.

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import type { Parameter } from '../../parameters/parameter';

/** Rows of what all parts write: the numbers of row s of this part are rows[s * width + start ..]. */
export interface PartColumns {
  readonly rows: Real;
  readonly width: number;
  readonly start: number;
}

/** One part. */
export interface PairPart {
  readonly user: Parameter;
  readonly item: Parameter;
  /** Its two tables, then those of its layers. */
  readonly parameters: readonly Parameter[];
  /** How many numbers it makes of a pair. */
  readonly outputs: number;
  /** Makes room for steps of up to `count` pairs. */
  reserve(count: number): void;
  /** Names the rows of its layers; those of its tables are named by the model. */
  select(): void;
  /** `step`: the number of the update, from 1; 0 for predictions. */
  forward(count: number, to: PartColumns, step: number): void;
  /** Adds to the gradients of its parameters. */
  backward(count: number, from: PartColumns): void;
  /** Moves the arrays that are not of its parameters, between two steps. */
  move(move: Move): void;
}
