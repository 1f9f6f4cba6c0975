// Non-negative matrix factorization by the multiplicative rule of Lee and Seung, over known ratings only (Zhang, Wang,
// Ford, Makedon, SDM 2006): positive numbers stay positive, without a learning rate.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import type { Training } from './fit';

/** One side's rows, with their numerators and denominators. */
interface Side {
  readonly rows: Real;
  /** The row of each rating, and how many ratings each row has, by weight. */
  readonly of: Int32Array;
  readonly counts: Int32Array | Float64Array;
  readonly above: Float64Array;
  readonly below: Float64Array;
}

/** Trains tables without biases, changed in place: all users by the items as they are, then all items by the new users. */
export class MultiplicativeSolver implements Training {
  private readonly users: Side;
  private readonly items: Side;

  constructor(
    tables: { readonly userEmbedding: Real; readonly itemEmbedding: Real },
    private readonly data: RatingData & { readonly counts: { readonly users: Int32Array; readonly items: Int32Array } },
    private readonly rank: number,
    /** lambda of 1/2 lambda (|p_u|^2 + |q_i|^2) per rating. */
    private readonly regularization: number,
  ) {
    const side = (rows: Real, of: Int32Array, counts: Int32Array): Side => ({
      rows,
      of,
      counts: data.weights === null ? counts : weightOfRows(of, data.weights, counts.length),
      above: new Float64Array(rows.length),
      below: new Float64Array(rows.length),
    });
    this.users = side(tables.userEmbedding, data.users, data.counts.users);
    this.items = side(tables.itemEmbedding, data.items, data.counts.items);
  }

  /** @returns the mean of 1/2 w error^2 over the ratings, before the update of the items */
  async epoch(_: number, scheduler: Scheduler): Promise<number> {
    const { users, items } = this;
    await this.half(users, items, scheduler);
    return (await this.half(items, users, scheduler)) / this.data.size;
  }

  /** Updates one side. Updating both at once would make scores oscillate between twice and half their targets. */
  private async half(side: Side, other: Side, scheduler: Scheduler): Promise<number> {
    const { data, rank } = this;
    const { above, below, counts } = side;
    await forEachChunk(above.length, scheduler, (from, to) => {
      above.fill(0, from, to);
      below.fill(0, from, to);
    });
    let sum = 0;
    const part = Math.max(1, Math.floor(PART / rank));
    for (let from = 0; from < data.size; from += part) {
      const to = Math.min(from + part, data.size);
      sum += this.collect(side, other, from, to);
      if (scheduler.isDue((to - from) * rank)) await scheduler.yieldNow();
    }
    await forEachChunk(counts.length, scheduler, (from, to) => this.multiply(side, from, to));
    return sum;
  }

  /** Accumulates the terms of some ratings for a side; returns the sum of their losses. */
  private collect(
    { rows: own, of, above, below }: Side,
    { rows: others, of: ofOther }: Side,
    from: number,
    to: number,
  ) {
    const { rank } = this;
    const { targets, weights } = this.data;
    let sum = 0;
    for (let s = from; s < to; s++) {
      const at = of[s]! * rank;
      const other = ofOther[s]! * rank;
      let score = 0;
      for (let k = 0; k < rank; k++) score += own[at + k]! * others[other + k]!;
      const weight = weights === null ? 1 : weights[s]!;
      const target = targets[s]!;
      sum += 0.5 * weight * (target - score) * (target - score);
      const wanted = weight * target;
      const got = weight * score;
      for (let k = 0; k < rank; k++) {
        const value = others[other + k]!;
        above[at + k]! += wanted * value;
        below[at + k]! += got * value;
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
        // 0 / 0 occurs for a number that is already 0, or a row without ratings.
        if (divisor > 0) rows[k]! *= above[k]! / divisor;
      }
    }
  }
}

/** The sum of the weights of each row's ratings. */
function weightOfRows(of: Int32Array, weights: Real, rows: number): Float64Array {
  const sums = new Float64Array(rows);
  for (let s = 0; s < of.length; s++) sums[of[s]!]! += weights[s]!;
  return sums;
}

/** Numbers processed between two chances to yield. */
const PART = 4096;
