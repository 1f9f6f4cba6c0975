// Batches of (user, item, target): the ratings in the order of their tiles, each tile gone through in the epoch's stride.

import type { Turns } from '../core/turns';
import type { Real } from '../optimizers/factor';
import { Grid } from './grid/grid';
import { type Layout, layOut } from './grid/lay-out';
import { layOutGroups } from './grid/lay-out-groups';
import { inOrder, type Visit, visitsOf } from './grid/visits';
import type { Batch, Batcher, OrderOptions, RatingData } from './model';

/** A batch of ratings by index, all of one tile. */
export interface RatingBatch extends Batch {
  readonly users: Int32Array;
  readonly items: Int32Array;
  /** Which visit of the epoch it belongs to. */
  readonly visit: number;
  /** At the first rating of each step its number of ratings; null where a step takes one. */
  readonly sizes: Uint8Array | null;
}

/** Gives ratings in batches. The order of an epoch is a function of the data, the stream and the epoch alone. */
export class RatingBatcher implements Batcher<RatingBatch> {
  private readonly order: Int32Array;
  private layout: Layout;
  private blocks = 1;
  private visits: readonly Visit[] = [];
  private visit = 0;
  /** Within the visit: how many ratings are done, and where the next one is. */
  private done = 0;
  private index = 0;
  private batch: {
    count: number;
    visit: number;
    users: Int32Array;
    items: Int32Array;
    sizes: Uint8Array | null;
    targets: Real;
    weights: Real | null;
  };

  constructor(
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly options: OrderOptions,
  ) {
    this.order = new Int32Array(data.size);
    this.layout = { starts: Int32Array.of(0, data.size), groups: null };
    this.batch = this.room(1);
  }

  get size(): number {
    return this.data.size;
  }

  get steps(): number {
    const { starts } = this.layout;
    return starts[starts.length - 1]!;
  }

  async prepare(turns: Turns): Promise<void> {
    const { data, order, rows } = this;
    const { stream, shuffle, blocks, grouping } = this.options;
    if (!shuffle) {
      for (let k = 0; k < order.length; k++) order[k] = k;
      return;
    }
    const grid = await Grid.over(data, rows.users, rows.items, blocks, turns);
    const put = (place: number, k: number) => {
      order[place] = k;
    };
    const swap = (a: number, b: number) => {
      const held = order[a]!;
      order[a] = order[b]!;
      order[b] = held;
    };
    this.blocks = blocks;
    this.layout = await (grouping === 1 ? layOut : layOutGroups)(data, grid, stream, { put, swap }, turns);
  }

  begin(epoch: number): void {
    const { stream, shuffle } = this.options;
    const draws = stream.fork(epoch);
    this.visits = (shuffle ? visitsOf(this.layout.starts, this.blocks, draws) : inOrder(this.size)).flat();
    this.enter(0);
  }

  next(limit: number): RatingBatch | null {
    if (this.done === (this.visits[this.visit]?.count ?? 0)) this.enter(this.visit + 1);
    const visit = this.visits[this.visit];
    if (visit === undefined) return null;
    const { starts, groups } = this.layout;
    const steps = Math.min(limit, visit.count - this.done);
    const most = groups === null ? steps : steps * 4;
    if (most > this.batch.users.length) this.batch = this.room(most);
    const { batch } = this;
    const start = starts[visit.tile]!;
    let count = 0;
    for (let step = 0; step < steps; step++) {
      if (groups === null) this.copy(start + this.index, count++);
      else {
        const group = groups[start + this.index]!;
        const size = (group & 3) + 1;
        batch.sizes![count] = size;
        for (let j = 0; j < size; j++) this.copy((group >> 2) + j, count++);
      }
      this.index += visit.stride;
      if (this.index >= visit.count) this.index -= visit.count;
    }
    this.done += steps;
    batch.count = count;
    batch.visit = this.visit;
    return batch;
  }

  /** Copies the rating of a place to a place in the batch. */
  private copy(place: number, to: number): void {
    const { data, batch } = this;
    const k = this.order[place]!;
    batch.users[to] = data.users[k]!;
    batch.items[to] = data.items[k]!;
    batch.targets[to] = data.targets[k]!;
    if (batch.weights !== null) batch.weights[to] = data.weights![k]!;
  }

  private enter(visit: number): void {
    this.visit = visit;
    this.done = 0;
    this.index = this.visits[visit]?.start ?? 0;
  }

  private room(count: number) {
    const reals = this.data.targets instanceof Float64Array ? Float64Array : Float32Array;
    return {
      count: 0,
      visit: 0,
      users: new Int32Array(count),
      items: new Int32Array(count),
      sizes: this.options.grouping === 1 ? null : new Uint8Array(count),
      targets: new reals(count),
      weights: this.data.weights === null ? null : new reals(count),
    };
  }
}
