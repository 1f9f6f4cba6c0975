// Batches of candidates: every interaction of a batch, followed by sampled items that its user does not have.

import type { Stream } from '../core/random';
import type { Scheduler } from '../core/scheduler';
import type { PairRows } from '../data/pair-features';
import type { Move } from '../kernels/heap';
import type { FeatureBatch } from '../models/feature-models';
import type { RatingBatch, RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import { ItemSampler, type NegativeSampling, Positives } from './negatives';
import type { Batcher, EpochParts } from './rating-batches';

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

  /** The samplers of the epoch's parts, as far as they have been asked for. */
  private samplers: (ItemSampler | undefined)[] = [];
  /** What the draws are of: of an undivided epoch, share 0. */
  private epoch = 0;
  private share = 0;
  private drawing!: ItemSampler;

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

  get parts(): EpochParts | null {
    return this.inner.parts ?? null;
  }

  begin(epoch: number): void {
    this.beginParts(epoch);
    this.enter(0);
  }

  /** Begins an epoch of which somebody else makes the draws. */
  beginParts(epoch: number): void {
    this.inner.begin(epoch);
    this.epoch = epoch;
    this.samplers = [];
  }

  /** The draws of a share of the epoch. */
  streamOf(share: number): Stream {
    const draws = this.stream.fork(this.epoch);
    return this.parts === null ? draws : draws.fork(share);
  }

  /** What draws the items of a part of the epoch. */
  samplerOf(part: number): ItemSampler {
    const { parts, samplers, sampler } = this;
    if (parts === null) return sampler;
    samplers[part] ??= sampler.among((item) => parts.ofItem(item) === part);
    return samplers[part];
  }

  private enter(share: number): void {
    this.share = share;
    this.draws = this.streamOf(share);
    this.drawing = this.samplerOf(this.parts?.ofShare(share) ?? 0);
  }

  next(limit: number): RatingBatch | null {
    const given = this.inner.next(limit);
    if (given === null) return null;
    this.reserve(given.count);
    if (this.parts !== null && given.visit !== this.share) this.enter(given.visit);
    const { batch, drawing: sampler, draws, group } = this;
    const { users, items, targets, weights, logQ } = batch;
    for (let k = 0, at = 0; k < given.count; k++) {
      const user = given.users[k]!;
      const own = given.items[k]!;
      for (let j = 0; j < group; j++, at++) {
        const item = j === 0 ? own : sampler.draw(user, draws, own);
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
