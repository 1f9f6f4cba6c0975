// Batches of candidates: every interaction of a batch, followed by sampled items that its user does not have.

import type { Stream } from '../core/random';
import type { Scheduler } from '../core/scheduler';
import type { PairRows } from '../data/pair-features';
import type { Move } from '../kernels/heap';
import type { FeatureBatch } from '../models/feature-models';
import type { RatingBatch, RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import { ItemSampler, type NegativeSampling, Positives } from './negatives';
import type { Batcher } from './rating-batches';

/** A batch, rewritten for each step. */
type Candidates = { -readonly [key in keyof RatingBatch]: RatingBatch[key] } & { logQ: Real };

/** Adds sampled negatives to the batches of another batcher. The draws of an epoch are a function of the stream and the epoch. */
export class CandidateBatcher implements Batcher<RatingBatch> {
  sampler!: ItemSampler;
  positives!: Positives;
  private draws: Stream;
  private batch: Candidates;

  constructor(
    readonly inner: Batcher<RatingBatch>,
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly sampling: NegativeSampling,
    private readonly stream: Stream,
  ) {
    this.draws = stream;
    this.batch = this.room(1);
  }

  /** Items are drawn by their own numbers. */
  get places(): null {
    return null;
  }

  get group(): number {
    return 1 + this.sampling.count;
  }

  get size(): number {
    return this.inner.size;
  }

  get steps(): number {
    return this.inner.steps;
  }

  async prepare(scheduler: Scheduler): Promise<void> {
    await this.inner.prepare(scheduler);
    const { data, rows, sampling } = this;
    this.positives = await Positives.of(data, rows.users, rows.items, scheduler);
    this.sampler = new ItemSampler(data.counts!.items, this.positives, sampling);
  }

  reserve(limit: number): void {
    this.inner.reserve(limit);
    if (limit * this.group > this.batch.users.length) this.batch = this.room(limit);
  }

  move(move: Move): void {
    const { batch } = this;
    batch.users = move(batch.users);
    batch.items = move(batch.items);
    batch.targets = move(batch.targets);
    batch.logQ = move(batch.logQ);
    if (batch.weights !== null) batch.weights = move(batch.weights);
  }

  begin(epoch: number): void {
    this.inner.begin(epoch);
    this.draws = this.streamOf(epoch);
  }

  /** The draws of an epoch. */
  streamOf(epoch: number): Stream {
    return this.stream.fork(epoch);
  }

  next(limit: number): RatingBatch | null {
    const given = this.inner.next(limit);
    if (given === null) return null;
    this.reserve(given.count);
    const { batch, sampler, draws, group } = this;
    const { users, items, targets, weights, logQ } = batch;
    for (let k = 0, at = 0; k < given.count; k++) {
      const user = given.users[k]!;
      for (let j = 0; j < group; j++, at++) {
        const item = j === 0 ? given.items[k]! : sampler.draw(user, draws);
        users[at] = user;
        items[at] = item;
        targets[at] = j === 0 ? 1 : 0;
        logQ[at] = sampler.logChance[item]!;
        if (weights !== null) weights[at] = given.weights![k]!;
      }
    }
    batch.count = given.count * group;
    batch.visit = given.visit;
    return batch;
  }

  private room(limit: number): Candidates {
    const { group } = this;
    const length = limit * group;
    return {
      count: 0,
      group,
      visit: 0,
      sizes: null,
      users: new Int32Array(length),
      items: new Int32Array(length),
      targets: new Float32Array(length),
      weights: this.data.weights === null ? null : new Float32Array(length),
      logQ: new Float32Array(length),
    };
  }
}

/** Builds rows of features for the candidates of another batcher. */
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
