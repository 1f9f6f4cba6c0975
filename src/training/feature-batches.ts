// Batches of rows of features, in a new random order each epoch. The order is drawn during the epoch, so that no call
// takes time for all rows; it is a function of the stream and the epoch only.

import type { Stream } from '../core/random';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { FeatureRows } from '../data/feature-fields';
import type { Move } from '../kernels/heap';
import type { FeatureBatch } from '../models/feature-models';
import type { Real } from '../optimizers/factor';
import type { Batcher } from './rating-batches';

/** Rows with the targets that the loss wants. */
export interface FeatureData extends Pick<FeatureRows, 'size' | 'starts' | 'indices' | 'values'> {
  readonly targets: Real;
  readonly weights: Real | null;
}

/** Rows read ahead where a batch has fewer. */
const AHEAD = 256;

/** Gives rows in batches. */
export class FeatureBatcher implements Batcher<FeatureBatch> {
  readonly places = null;
  private readonly order: Int32Array;
  private draws: Stream;
  private done = 0;
  /** The rows of the order that are drawn and read ahead. */
  private ready = 0;
  /** Whether all values are 1: those of a batch then stay as they are. */
  isOneHot = true;
  /** A sum of what was read ahead, which nobody wants: an engine would leave the reading out. */
  protected touched = 0;
  /** The features of the longest row. */
  private longest = 0;
  private batch: { -readonly [key in keyof FeatureBatch]: FeatureBatch[key] };

  constructor(
    private readonly data: FeatureData,
    private readonly stream: Stream,
    private readonly shuffle: boolean,
  ) {
    this.order = new Int32Array(data.size);
    this.draws = stream;
    this.batch = this.room(0);
  }

  get size(): number {
    return this.data.size;
  }
  get steps(): number {
    return this.data.size;
  }
  get isWeighted(): boolean {
    return this.data.weights !== null;
  }

  async prepare(scheduler: Scheduler): Promise<void> {
    const { size, starts, values } = this.data;
    await forEachChunk(size, scheduler, (from, to) => {
      for (let s = from; s < to; s++) this.longest = Math.max(this.longest, starts[s + 1]! - starts[s]!);
      for (let p = starts[from]!; p < starts[to]! && this.isOneHot; p++) this.isOneHot = values[p] === 1;
    });
  }

  /** The largest number of features of `rows` rows. */
  featuresIn(rows: number): number {
    const { starts, size } = this.data;
    return Math.min(rows * this.longest, starts[size]! - starts[0]!);
  }

  reserve(limit: number): void {
    if (limit > this.batch.targets.length) this.batch = this.room(limit);
  }

  move(move: Move): void {
    const { batch } = this;
    batch.starts = move(batch.starts);
    batch.indices = move(batch.indices);
    batch.values = move(batch.values);
    batch.targets = move(batch.targets);
    if (batch.weights !== null) batch.weights = move(batch.weights);
  }

  begin(epoch: number): void {
    const { order } = this;
    // From the same order each time: a resumed training does not know earlier epochs.
    for (let s = 0; s < order.length; s++) order[s] = s;
    this.draws = this.stream.fork(epoch);
    this.done = this.ready = 0;
  }

  next(limit: number): FeatureBatch | null {
    const { data, order } = this;
    const count = Math.min(limit, data.size - this.done);
    if (count === 0) return null;
    this.reserve(count);
    const from = this.done;
    this.done += count;
    if (this.done > this.ready) this.readAhead(Math.min(data.size, Math.max(this.done, from + AHEAD)));
    const { batch, isOneHot } = this;
    const { starts, indices, values, targets } = batch;
    const { starts: allStarts, indices: allIndices, values: allValues } = data;
    starts[0] = 0;
    for (let i = 0, to = 0; i < count; i++) {
      const row = order[from + i]!;
      const end = allStarts[row + 1]!;
      for (let p = allStarts[row]!; p < end; p++, to++) {
        indices[to] = allIndices[p]!;
        if (!isOneHot) values[to] = allValues[p]!;
      }
      starts[i + 1] = to;
      targets[i] = data.targets[row]!;
    }
    if (batch.weights !== null) for (let i = 0; i < count; i++) batch.weights[i] = data.weights![order[from + i]!]!;
    batch.count = count;
    return batch;
  }

  /** Settles the rows up to a place of the order, and reads their ends: they then wait for memory together, not one by one. */
  private readAhead(to: number): void {
    const { order, draws, data, ready: from, isOneHot } = this;
    const { starts, indices, values, size } = data;
    this.ready = to;
    // Fisher and Yates, from the front: elements already drawn are final.
    for (let k = from; k < to && this.shuffle; k++) {
      const at = k + draws.below(size - k);
      const held = order[at]!;
      order[at] = order[k]!;
      order[k] = held;
    }
    let touched = 0;
    for (let k = from; k < to; k++) {
      const row = order[k]!;
      const [first, last] = [starts[row]!, starts[row + 1]! - 1];
      touched += indices[first]! + indices[last]! + data.targets[row]!;
      if (!isOneHot) touched += values[first]! + values[last]!;
    }
    this.touched = touched;
  }

  private room(limit: number) {
    const reals = this.data.targets instanceof Float64Array ? Float64Array : Float32Array;
    const features = this.featuresIn(limit);
    return {
      count: 0,
      starts: new Int32Array(limit + 1),
      indices: new Int32Array(features),
      values: new reals(features).fill(1),
      targets: new reals(limit),
      weights: this.data.weights === null ? null : new reals(limit),
    };
  }
}
