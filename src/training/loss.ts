// THE SEAM of the losses: scores and targets to a summed loss and its derivative by each score.

import type { Real } from '../optimizers/factor';

/** What a loss sees of a batch. Candidates come in groups, what the user has first (1: every one by itself). */
export interface LossBatch {
  readonly scores: Real;
  readonly targets: Real;
  /** Per-example weights, or null for 1. */
  readonly weights: Real | null;
  readonly group?: number;
  /** The log of each candidate's chance to be drawn; null or absent where none was. */
  readonly logQ?: Real | null;
  readonly count: number;
}

/** A loss. `evaluate` returns the sum over the batch and writes d loss / d score to `gScores`. */
export interface Loss {
  readonly name: string;
  evaluate(batch: LossBatch, gScores: Real): number;
}
