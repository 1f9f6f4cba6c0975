// Batches of the ratings of one user, with the set of its items: what SVD++ pools is then pooled once a step.

import type { Turns } from '../../core/turns';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import type { RatingData } from '../model';
import type { Batcher, OrderOptions } from '../rating-batcher';
import type { UserBatch } from './svdpp';
import { UserOrder } from './user-order';
import { UserRatings } from './user-ratings';

/** Goes from user to user, each in steps of as many ratings as are asked for. */
export class UserBatcher implements Batcher<UserBatch> {
  readonly places = null;
  private order: UserOrder | null = null;
  private user = -1;
  /** Ratings of the user that are done. */
  private done = 0;
  private batch: { count: number; users: Int32Array; items: Int32Array; set: Int32Array; setCount: number } & {
    targets: Real;
    weights: Real | null;
  };

  constructor(
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly options: Pick<OrderOptions, 'stream' | 'shuffle'>,
    /** Told how large a set may be, so that no step allocates. */
    private readonly reserveSets: (most: number) => void,
  ) {
    this.batch = { ...this.room(1), set: new Int32Array(1), setCount: 0 };
  }

  get size(): number {
    return this.data.size;
  }

  get steps(): number {
    return this.data.size;
  }

  async prepare(turns: Turns): Promise<void> {
    const ratings = await UserRatings.of(this.data, this.rows, turns);
    this.order = new UserOrder(ratings, this.options);
    this.batch.set = new Int32Array(ratings.mostRatings());
    this.reserveSets(this.batch.set.length);
  }

  reserve(limit: number): void {
    // No step has more ratings than a user.
    const most = Math.min(limit, this.batch.set.length);
    if (most > this.batch.users.length) Object.assign(this.batch, this.room(most));
  }

  move(move: Move): void {
    const { batch } = this;
    batch.users = move(batch.users);
    batch.items = move(batch.items);
    batch.set = move(batch.set);
    batch.targets = move(batch.targets);
    if (batch.weights !== null) batch.weights = move(batch.weights);
  }

  begin(epoch: number): void {
    this.order!.begin(epoch);
    this.enter();
  }

  next(limit: number): UserBatch | null {
    const { batch, data } = this;
    const order = this.order!;
    if (this.done === order.count) this.enter();
    if (this.user < 0) return null;
    const count = Math.min(limit, order.count - this.done);
    this.reserve(count);
    for (let s = 0; s < count; s++) {
      const k = order.rows[this.done + s]!;
      batch.users[s] = this.user;
      batch.items[s] = data.items[k]!;
      batch.targets[s] = data.targets[k]!;
      if (batch.weights !== null) batch.weights[s] = data.weights![k]!;
    }
    batch.count = count;
    this.done += count;
    return batch;
  }

  private enter(): void {
    const { batch } = this;
    const order = this.order!;
    this.user = order.next();
    this.done = 0;
    if (this.user < 0) return;
    const set = order.ratings.setOf(this.user);
    batch.set.set(set);
    batch.setCount = set.length;
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
