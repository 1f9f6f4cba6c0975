// Who has which items in a training set, asked by user id: compressed rows, as a model keeps them.

import type { Interactions } from '../interactions/interactions';
import { compareIds } from '../interactions/order-ids';
import type { Id } from '../interactions/vocabulary';

/** The training items of users. */
export class TrainItems {
  private readonly offsets: Int32Array;
  private readonly rows: Int32Array;
  private ownPresent: Int32Array | undefined;

  constructor(private readonly train: Interactions) {
    const { users, userIndex, itemIndex } = train;
    this.offsets = new Int32Array(users.size + 1);
    for (const user of userIndex) this.offsets[user + 1]!++;
    for (let user = 0; user < users.size; user++) this.offsets[user + 1]! += this.offsets[user]!;
    const next = this.offsets.slice();
    this.rows = new Int32Array(train.size);
    for (let at = 0; at < train.size; at++) this.rows[next[userIndex[at]!]!++] = itemIndex[at]!;
  }

  /** Items with at least one row, by number, in the order of their ids: that of the rows is to change no draw. */
  get present(): Int32Array {
    this.ownPresent ??= Int32Array.from(new Set(this.rows)).sort((a, b) => compareIds(this.idOf(a), this.idOf(b)));
    return this.ownPresent;
  }

  /** The ids of a user's items. */
  of(userId: Id): Id[] {
    const user = this.train.users.indexOf(userId);
    return Array.from(this.rows.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0), (item) =>
      this.idOf(item),
    );
  }

  /** The id of an item by number. */
  idOf(item: number): Id {
    return this.train.items.idOf(item);
  }
}
