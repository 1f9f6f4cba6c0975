// Batches of candidates as rows of features: what a user has, followed by items that it does not have.

import type { Scheduler } from '../../core/scheduler';
import type { PairRows } from '../../data/pair-features';
import type { Move } from '../../kernels/move';
import type { FeatureBatch } from '../../models/feature-terms';
import type { RatingBatch } from '../../models/model';
import type { Batcher } from '../rating-batches';

/** Makes rows of the pairs of another batcher. */
export class CandidateRows implements Batcher<FeatureBatch> {
  readonly places = null;
  private starts = new Int32Array(1);
  private indices = new Int32Array(0);
  private values = new Float32Array(0);

  constructor(
    private readonly pairs: Batcher<RatingBatch>,
    /** Of a pair with its candidates. */
    private readonly group: number,
    private readonly rows: PairRows,
  ) {}

  get size(): number {
    return this.pairs.size;
  }
  get steps(): number {
    return this.pairs.steps;
  }

  prepare(scheduler: Scheduler): Promise<void> {
    return this.pairs.prepare(scheduler);
  }

  reserve(limit: number): void {
    this.pairs.reserve(limit);
    const rows = limit * this.group;
    if (rows < this.starts.length) return;
    this.starts = new Int32Array(rows + 1);
    this.indices = new Int32Array(rows * this.rows.longest);
    this.values = new Float32Array(rows * this.rows.longest);
  }

  move(move: Move): void {
    this.pairs.move(move);
    this.starts = move(this.starts);
    this.indices = move(this.indices);
    this.values = move(this.values);
  }

  begin(epoch: number): void {
    this.pairs.begin(epoch);
  }

  next(limit: number): FeatureBatch | null {
    const pairs = this.pairs.next(limit);
    if (pairs === null) return null;
    const { starts, indices, values, rows } = this;
    const { count, users, items } = pairs;
    for (let s = 0; s < count; s++) starts[s + 1] = rows.write(users[s]!, items[s]!, indices, values, starts[s]!);
    return { ...pairs, starts, indices, values };
  }
}
