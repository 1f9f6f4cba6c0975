// Non-negative matrix factorization by the multiplicative rule of Lee and Seung, over known ratings alone (Zhang, Wang,
// Ford, Makedon, SDM 2006): what is above 0 stays so, without a rate.

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../../models/model';
import type { Real } from '../../optimizers/factor';
import type { Solver } from '../solver';

/** One side's rows, and what they are to be multiplied and divided by. */
interface Side {
  readonly rows: Real;
  readonly counts: Int32Array;
  readonly above: Float64Array;
  readonly below: Float64Array;
}

/** Trains tables without biases, changed in place. */
export class MultiplicativeSolver implements Solver {
  private readonly users: Side;
  private readonly items: Side;

  constructor(
    tables: { readonly userEmbedding: Real; readonly itemEmbedding: Real },
    private readonly data: RatingData & { readonly counts: { readonly users: Int32Array; readonly items: Int32Array } },
    private readonly rank: number,
    /** lambda of 1/2 lambda (|p_u|^2 + |q_i|^2) per rating. */
    private readonly regularization: number,
  ) {
    const side = (rows: Real, counts: Int32Array): Side => ({
      rows,
      counts,
      above: new Float64Array(rows.length),
      below: new Float64Array(rows.length),
    });
    this.users = side(tables.userEmbedding, data.counts.users);
    this.items = side(tables.itemEmbedding, data.counts.items);
  }

  /** @returns the mean of 1/2 w error^2 over the ratings, as the pass found them */
  async epoch(_: number, turns: Turns): Promise<number> {
    const { users, items, data, rank } = this;
    for (const { above, below } of [users, items]) {
      await inTurns(above.length, turns, (from, to) => {
        above.fill(0, from, to);
        below.fill(0, from, to);
      });
    }
    let sum = 0;
    const part = Math.max(1, Math.floor(PART / rank));
    for (let from = 0; from < data.size; from += part) {
      const to = Math.min(from + part, data.size);
      sum += this.collect(from, to);
      if (turns.isDue((to - from) * rank)) await turns.breathe();
    }
    for (const side of [users, items]) {
      await inTurns(side.counts.length, turns, (from, to) => this.multiply(side, from, to));
    }
    return sum / data.size;
  }

  /** Adds up what some ratings say of their rows; returns the sum of their losses. */
  private collect(from: number, to: number): number {
    const { rank, users: p, items: q } = this;
    const { users, items, targets, weights } = this.data;
    let sum = 0;
    for (let s = from; s < to; s++) {
      const u = users[s]! * rank;
      const i = items[s]! * rank;
      let score = 0;
      for (let k = 0; k < rank; k++) score += p.rows[u + k]! * q.rows[i + k]!;
      const weight = weights === null ? 1 : weights[s]!;
      const target = targets[s]!;
      sum += 0.5 * weight * (target - score) * (target - score);
      const [wanted, got] = [weight * target, weight * score];
      for (let k = 0; k < rank; k++) {
        const [pk, qk] = [p.rows[u + k]!, q.rows[i + k]!];
        p.above[u + k]! += wanted * qk;
        p.below[u + k]! += got * qk;
        q.above[i + k]! += wanted * pk;
        q.below[i + k]! += got * pk;
      }
    }
    return sum;
  }

  private multiply({ rows, counts, above, below }: Side, from: number, to: number): void {
    const { rank, regularization } = this;
    for (let row = from; row < to; row++) {
      const penalty = counts[row]! * regularization;
      for (let k = row * rank; k < (row + 1) * rank; k++) {
        const divisor = below[k]! + penalty * rows[k]!;
        // 0 by 0 is a number that is 0 already, or a row without ratings.
        if (divisor > 0) rows[k]! *= above[k]! / divisor;
      }
    }
  }
}

/** Numbers that are gone through before others may get a turn. */
const PART = 4096;
