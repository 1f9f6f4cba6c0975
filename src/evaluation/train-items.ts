// Who has which items in a training set, asked by user id: compressed rows, as a model keeps them.

import type { Interactions } from '../interactions/interactions';
import type { Id } from '../interactions/vocabulary';

/** The training items of users. */
export class TrainItems {
  private readonly offsets: Int32Array;
  private readonly rows: Int32Array;
  /** Items with at least one row, by number. */
  readonly present: Int32Array;

  constructor(private readonly train: Interactions) {
    const { users, items, userIndex, itemIndex } = train;
    this.offsets = new Int32Array(users.size + 1);
    for (const user of userIndex) this.offsets[user + 1]!++;
    for (let user = 0; user < users.size; user++) this.offsets[user + 1]! += this.offsets[user]!;
    const next = this.offsets.slice();
    this.rows = new Int32Array(train.size);
    const isPresent = new Uint8Array(items.size);
    for (let at = 0; at < train.size; at++) {
      this.rows[next[userIndex[at]!]!++] = itemIndex[at]!;
      isPresent[itemIndex[at]!] = 1;
    }
    this.present = Int32Array.from(isPresent.keys()).filter((item) => isPresent[item] === 1);
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
