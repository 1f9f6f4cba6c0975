// THE SEAM of the parts of a model of features: each adds a term to the scores of sparse rows.

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import type { SparseRows } from '../feature-batch';

/** One term of a score. */
export interface ScorePart {
  /** Makes room for steps of up to `rows` rows that have up to `features` features together. */
  reserve(rows: number, features: number): void;
  /** Names the rows of the parameters that are its own. Tables of features are selected by the model. */
  select?(): void;
  /** Adds to the scores. `step`: the number of the update, from 1; 0 for predictions. */
  forward(rows: SparseRows, count: number, scores: Real, step: number): void;
  /** Adds to the gradients of the parameters it reads. */
  backward(rows: SparseRows, count: number, gScores: Real): void;
  /** Moves its own arrays, between two steps. */
  move(move: Move): void;
}
