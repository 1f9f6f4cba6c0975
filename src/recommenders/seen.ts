// Who has rated what, as compressed rows: the items of user u are items[offsets[u]] .. items[offsets[u + 1] - 1].

import type { Interactions } from '../interactions/interactions';

/** The training history, and how often each user and item occurs in it. */
export class Seen {
  /** Ratings per item: its popularity. */
  readonly itemCounts: Int32Array;

  constructor(
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    itemCount: number,
  ) {
    this.itemCounts = new Int32Array(itemCount);
    for (let k = 0; k < items.length; k++) this.itemCounts[items[k]!]!++;
  }

  /** The history of some interactions. */
  static of(data: Interactions): Seen {
    const offsets = new Int32Array(data.users.size + 1);
    for (let k = 0; k < data.size; k++) offsets[data.userIndex[k]! + 1]!++;
    for (let u = 0; u < data.users.size; u++) offsets[u + 1]! += offsets[u]!;
    const next = offsets.slice();
    const items = new Int32Array(data.size);
    for (let k = 0; k < data.size; k++) items[next[data.userIndex[k]!]!++] = data.itemIndex[k]!;
    return new Seen(offsets, items, data.items.size);
  }

  /** The items that a user has rated. */
  itemsOf(user: number): Int32Array {
    return this.items.subarray(this.offsets[user]!, this.offsets[user + 1]!);
  }

  userCount(user: number): number {
    return this.offsets[user + 1]! - this.offsets[user]!;
  }
}
