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

/** Gives rows in batches. */
export class FeatureBatcher implements Batcher<FeatureBatch> {
  readonly places = null;
  private readonly order: Int32Array;
  private draws: Stream;
  private done = 0;
  /** Whether all values are 1: those of a batch then stay as they are. */
  private isOneHot = true;
  /** What was read ahead: kept, or an engine would leave the reading out. */
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
    this.done = 0;
  }

  next(limit: number): FeatureBatch | null {
    const { data, order } = this;
    const count = Math.min(limit, data.size - this.done);
    if (count === 0) return null;
    this.reserve(count);
    const from = this.done;
    if (this.shuffle) this.draw(from + count);
    this.done += count;
    const { batch, isOneHot } = this;
    const { starts, indices, values, targets } = batch;
    const { starts: allStarts, indices: allIndices, values: allValues, targets: allTargets } = data;
    starts[0] = 0;
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const row = order[from + i]!;
      const [first, end] = [allStarts[row]!, allStarts[row + 1]!];
      starts[i + 1] = starts[i]! + end - first;
      targets[i] = allTargets[row]!;
      // Nobody wants the sum: rows read ahead of the loop below wait for memory together and not one by one.
      touched += allIndices[first]! + allIndices[end - 1]!;
      if (!isOneHot) touched += allValues[first]! + allValues[end - 1]!;
    }
    this.touched = touched;
    for (let i = 0; i < count; i++) {
      const end = starts[i + 1]!;
      for (let to = starts[i]!, p = allStarts[order[from + i]!]!; to < end; to++, p++) indices[to] = allIndices[p]!;
    }
    if (!isOneHot)
      for (let i = 0; i < count; i++) {
        const end = starts[i + 1]!;
        for (let to = starts[i]!, p = allStarts[order[from + i]!]!; to < end; to++, p++) values[to] = allValues[p]!;
      }
    if (batch.weights !== null) for (let i = 0; i < count; i++) batch.weights[i] = data.weights![order[from + i]!]!;
    batch.count = count;
    return batch;
  }

  /** Fisher and Yates, from the front: elements already drawn are final. */
  private draw(end: number): void {
    const { order, draws } = this;
    const { size } = this.data;
    for (let k = this.done; k < end; k++) {
      const at = k + draws.below(size - k);
      const held = order[at]!;
      order[at] = order[k]!;
      order[k] = held;
    }
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
