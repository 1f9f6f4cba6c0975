// Batches of candidates: every interaction of a batch, followed by items that its user does not have.

import type { Stream } from '../../core/random';
import type { Turns } from '../../core/turns';
import type { Move } from '../../kernels/move';
import type { Batcher, RatingData } from '../../models/model';
import type { RatingBatch } from '../../models/rating-batcher';
import { ItemSampler, type NegativeSampling } from './item-sampler';
import { Positives } from './positives';

/** Adds negatives to the batches of another. The draws of an epoch are a function of the stream and the epoch. */
export class CandidateBatcher implements Batcher<RatingBatch> {
  private sampler!: ItemSampler;
  private draws: Stream;
  private room: {
    users: Int32Array;
    items: Int32Array;
    targets: Float32Array;
    weights: Float32Array | null;
    logQ: Float32Array;
  };
  private readonly batch: { -readonly [key in keyof RatingBatch]: RatingBatch[key] };

  constructor(
    private readonly inner: Batcher<RatingBatch>,
    private readonly data: RatingData,
    private readonly rows: { readonly users: number; readonly items: number },
    private readonly sampling: NegativeSampling,
    private readonly stream: Stream,
  ) {
    this.draws = stream;
    this.room = this.roomFor(1);
    this.batch = { ...this.room, count: 0, group: this.group, visit: 0, sizes: null };
  }

  private get group(): number {
    return 1 + this.sampling.count;
  }

  get size(): number {
    return this.inner.size;
  }

  get steps(): number {
    return this.inner.steps;
  }

  async prepare(turns: Turns): Promise<void> {
    await this.inner.prepare(turns);
    const { data, rows, sampling } = this;
    const positives = await Positives.of(data, rows.users, rows.items, turns);
    this.sampler = new ItemSampler(data.counts!.items, positives, sampling);
  }

  reserve(limit: number): void {
    this.inner.reserve(limit);
    if (limit * this.group > this.room.users.length) this.room = this.roomFor(limit);
  }

  move(move: Move): void {
    const { room } = this;
    room.users = move(room.users);
    room.items = move(room.items);
    room.logQ = move(room.logQ);
    room.targets = move(room.targets);
    if (room.weights !== null) room.weights = move(room.weights);
  }

  begin(epoch: number): void {
    this.inner.begin(epoch);
    this.draws = this.stream.fork(epoch);
  }

  next(limit: number): RatingBatch | null {
    const given = this.inner.next(limit);
    if (given === null) return null;
    this.reserve(given.count);
    const { room, batch, sampler, draws, group } = this;
    const { users, items, targets, weights, logQ } = room;
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
    return Object.assign(batch, room, { count: given.count * group, visit: given.visit });
  }

  private roomFor(limit: number) {
    const length = limit * this.group;
    return {
      users: new Int32Array(length),
      items: new Int32Array(length),
      targets: new Float32Array(length),
      weights: this.data.weights === null ? null : new Float32Array(length),
      logQ: new Float32Array(length),
    };
  }
}
