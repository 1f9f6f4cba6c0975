// Who has which item, as sorted rows: what a sampler of negatives asks, and asks exactly.

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../../models/model';

/** The items of every user in ascending order. */
export class Positives {
  private constructor(
    /** The items of user u are items[starts[u]] .. items[starts[u + 1] - 1]; an item that occurs twice is there twice. */
    private readonly starts: Int32Array,
    private readonly items: Int32Array,
  ) {}

  static async of(data: RatingData, users: number, items: number, turns: Turns): Promise<Positives> {
    const byItem = await order(data.items, null, items, data.size, turns);
    // Users in the order of their items: within a user items then ascend.
    const sorted = await order(data.users, byItem, users, data.size, turns);
    const starts = new Int32Array(users + 1);
    const held = new Int32Array(data.size);
    await inTurns(data.size, turns, (from, to) => {
      for (let at = from; at < to; at++) {
        held[at] = data.items[sorted[at]!]!;
        starts[data.users[sorted[at]!]! + 1]!++;
      }
    });
    for (let user = 0; user < users; user++) starts[user + 1]! += starts[user]!;
    return new Positives(starts, held);
  }

  /** Whether a user has an item. Cost: the logarithm of what the user has. */
  has(user: number, item: number): boolean {
    const { items } = this;
    let low = this.starts[user]!;
    let high = this.starts[user + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items[middle]! < item) low = middle + 1;
      else high = middle;
    }
    return low < this.starts[user + 1]! && items[low] === item;
  }
}

/** The places of `keys` in ascending order of their keys, stable; `given`: the order to start from, or null. */
async function order(keys: Int32Array, given: Int32Array | null, count: number, size: number, turns: Turns) {
  const next = new Int32Array(count + 1);
  await inTurns(size, turns, (from, to) => {
    for (let k = from; k < to; k++) next[keys[k]! + 1]!++;
  });
  for (let key = 0; key < count; key++) next[key + 1]! += next[key]!;
  const places = new Int32Array(size);
  await inTurns(size, turns, (from, to) => {
    for (let at = from; at < to; at++) {
      const k = given === null ? at : given[at]!;
      places[next[keys[k]!]!++] = k;
    }
  });
  return places;
}
