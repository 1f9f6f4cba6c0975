// The linear term of a score: the sum of w_i x_i over a row's features, or over those of some fields.

import type { Real } from '../../optimizers/factor';
import type { Parameter } from '../../parameters/parameter';
import type { SparseRows } from '../feature-batch';
import type { ScorePart } from './score-part';

/** sum of w_i x_i. */
export class LinearPart implements ScorePart {
  /** @param counts - which features count, 1 or 0; null: all do */
  constructor(
    private readonly linear: Parameter,
    private readonly counts: Uint8Array | null,
  ) {}

  reserve(): void {}

  forward({ starts, indices, values: x }: SparseRows, count: number, scores: Real): void {
    const { counts } = this;
    const { at, values } = this.linear;
    for (let s = 0; s < count; s++) {
      let sum = scores[s]!;
      for (let p = starts[s]!; p < starts[s + 1]!; p++)
        if (counts === null || counts[indices[p]!] === 1) sum += x[p]! * values[at[p]!]!;
      scores[s] = sum;
    }
  }

  backward({ starts, indices, values: x }: SparseRows, count: number, gScores: Real): void {
    const { counts } = this;
    const { slot, grads } = this.linear;
    for (let s = 0; s < count; s++) {
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const to = slot[p]!;
        if (counts === null || counts[indices[p]!] === 1) grads[to] = grads[to]! + x[p]! * gScores[s]!;
      }
    }
  }

  move(): void {}
}
