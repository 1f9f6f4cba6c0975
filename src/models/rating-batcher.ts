// Batches of (user, item, target): a permutation of the ratings, cut into pieces.

import type { Stream } from '../core/random';
import type { Real } from '../optimizers/factor';
import type { Batch, Batcher, RatingData } from './model';

/** A batch of ratings by index. */
export interface RatingBatch extends Batch {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/** Cuts shuffled ratings into batches. The order of an epoch is a function of the stream and the epoch alone. */
export class RatingBatcher implements Batcher<RatingBatch> {
  private readonly order: Int32Array;
  private position = 0;
  private batch: { count: number; users: Int32Array; items: Int32Array; targets: Real; weights: Real | null };

  constructor(
    private readonly data: RatingData,
    private readonly stream: Stream,
  ) {
    this.order = new Int32Array(data.size);
    this.batch = this.room(1);
  }

  get size(): number {
    return this.data.size;
  }

  begin(epoch: number, shuffle: boolean): void {
    for (let i = 0; i < this.order.length; i++) this.order[i] = i;
    if (shuffle) this.stream.fork(epoch).shuffle(this.order);
    this.position = 0;
  }

  next(limit: number): RatingBatch | null {
    const { data, order } = this;
    const count = Math.min(limit, data.size - this.position);
    if (count <= 0) return null;
    if (count > this.batch.users.length) this.batch = this.room(count);
    const { users, items, targets, weights } = this.batch;
    for (let s = 0; s < count; s++) {
      const at = order[this.position + s]!;
      users[s] = data.users[at]!;
      items[s] = data.items[at]!;
      targets[s] = data.targets[at]!;
      if (weights !== null) weights[s] = data.weights![at]!;
    }
    this.position += count;
    this.batch.count = count;
    return this.batch;
  }

  private room(count: number) {
    const reals = this.data.targets instanceof Float64Array ? Float64Array : Float32Array;
    return {
      count: 0,
      users: new Int32Array(count),
      items: new Int32Array(count),
      targets: new reals(count),
      weights: this.data.weights === null ? null : new reals(count),
    };
  }
}
