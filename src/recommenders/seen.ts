// Who has rated what and how, as compressed rows: the items of user u are items[offsets[u]] .. items[offsets[u + 1] - 1].

import { inTurns, type Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';

/** How often each user and each item occurs in some interactions. */
export interface RowCounts {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/** Who has what. */
export type Columns = Pick<Interactions, 'size' | 'users' | 'items' | 'userIndex' | 'itemIndex' | 'values'>;

/** Counts users and items. */
export async function countRows(data: Columns, turns: Turns): Promise<RowCounts> {
  const users = new Int32Array(data.users.size);
  const items = new Int32Array(data.items.size);
  await inTurns(data.size, turns, (from, to) => {
    for (let k = from; k < to; k++) {
      users[data.userIndex[k]!]!++;
      items[data.itemIndex[k]!]!++;
    }
  });
  return { users, items };
}

/** The training history, and how often each user and item occurs in it. */
export class Seen {
  constructor(
    /** users + 1 offsets, or none where the history was not kept. */
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    readonly userCounts: Int32Array,
    /** Ratings per item: its popularity. */
    readonly itemCounts: Int32Array,
    /** The ratings, beside `items`; null where they were not kept. */
    readonly values: Float32Array | null,
  ) {}

  /** The history of some interactions, given how often each user and item occurs in them. */
  static async of(data: Columns, { users, items }: RowCounts, turns: Turns): Promise<Seen> {
    const offsets = new Int32Array(users.length + 1);
    for (let u = 0; u < users.length; u++) offsets[u + 1] = offsets[u]! + users[u]!;
    const next = offsets.slice();
    // An array of this size may have the collector give back those that training has left, which takes a turn of its own.
    const history = new Int32Array(data.size);
    await turns.breathe();
    const values = new Float32Array(data.size);
    await turns.breathe();
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) {
        const place = next[data.userIndex[k]!]!++;
        history[place] = data.itemIndex[k]!;
        values[place] = data.values[k]!;
      }
    });
    return new Seen(offsets, history, users, items, values);
  }

  /** The counts alone. */
  static counted({ users, items }: RowCounts): Seen {
    return new Seen(new Int32Array(0), new Int32Array(0), users, items, null);
  }

  /** The same among more users and items, who come after these and have nothing. */
  among(users: number, items: number): Seen {
    const longer = (counts: Int32Array, length: number) => {
      const all = new Int32Array(length);
      all.set(counts);
      return all;
    };
    const { offsets, userCounts, itemCounts, values } = this;
    return new Seen(offsets, this.items, longer(userCounts, users), longer(itemCounts, items), values);
  }

  /** Whether it is known who has rated what. */
  get isKept(): boolean {
    return this.offsets.length > 0;
  }

  /** The items that a user has rated; none where the history was not kept. */
  itemsOf(user: number): Int32Array {
    return this.items.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0);
  }

  /** What the user rated them with, in the same order; null where that was not kept. */
  valuesOf(user: number): Float32Array | null {
    return this.values?.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0) ?? null;
  }
}
