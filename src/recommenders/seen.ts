// Who has rated what, as compressed rows: the items of user u are items[offsets[u]] .. items[offsets[u + 1] - 1].

import type { Interactions } from '../interactions/interactions';

/** The training history, and how often each user and item occurs in it. */
export class Seen {
  constructor(
    /** users + 1 offsets, or none where the history was not kept. */
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    readonly userCounts: Int32Array,
    /** Ratings per item: its popularity. */
    readonly itemCounts: Int32Array,
  ) {}

  /** The history of some interactions. */
  static of(data: Interactions): Seen {
    const offsets = new Int32Array(data.users.size + 1);
    for (let k = 0; k < data.size; k++) offsets[data.userIndex[k]! + 1]!++;
    for (let u = 0; u < data.users.size; u++) offsets[u + 1]! += offsets[u]!;
    const next = offsets.slice();
    const items = new Int32Array(data.size);
    for (let k = 0; k < data.size; k++) items[next[data.userIndex[k]!]!++] = data.itemIndex[k]!;
    const itemCounts = new Int32Array(data.items.size);
    for (let k = 0; k < items.length; k++) itemCounts[items[k]!]!++;
    const userCounts = Int32Array.from({ length: data.users.size }, (_, u) => offsets[u + 1]! - offsets[u]!);
    return new Seen(offsets, items, userCounts, itemCounts);
  }

  /** Whether it is known who has rated what. */
  get isKept(): boolean {
    return this.offsets.length > 0;
  }

  /** The items that a user has rated; none where the history was not kept. */
  itemsOf(user: number): Int32Array {
    return this.items.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0);
  }
}
