// The ratings of each user together, and the set N(u) of the items that it has rated, as compressed rows.

import { inTurns, type Turns } from '../../core/turns';
import type { RatingData } from '../model';

/** Ratings by user. */
export class UserRatings {
  private constructor(
    /** The ratings of user u are numbered order[starts[u]] .. order[starts[u + 1] - 1], in the order of the data. */
    readonly starts: Int32Array,
    readonly order: Int32Array,
    private readonly setStarts: Int32Array,
    private readonly sets: Int32Array,
  ) {}

  /** Of some ratings of so many users and items. Cost: O(ratings + users + items). */
  static async of(
    data: Pick<RatingData, 'size' | 'users' | 'items'>,
    rows: { readonly users: number; readonly items: number },
    turns: Turns,
  ): Promise<UserRatings> {
    const starts = new Int32Array(rows.users + 1);
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) starts[data.users[k]! + 1]!++;
    });
    await inTurns(rows.users, turns, (from, to) => {
      for (let user = from; user < to; user++) starts[user + 1]! += starts[user]!;
    });
    const next = starts.slice();
    const order = new Int32Array(data.size);
    await inTurns(data.size, turns, (from, to) => {
      for (let k = from; k < to; k++) order[next[data.users[k]!]!++] = k;
    });
    const setStarts = new Int32Array(rows.users + 1);
    const sets = new Int32Array(data.size);
    /** Of each item the last user (plus one) that is known to have it: of repeats the first counts. */
    const owner = new Int32Array(rows.items);
    let used = 0;
    for (let user = 0; user < rows.users; user++) {
      const [from, to] = [starts[user]!, starts[user + 1]!];
      for (let at = from; at < to; at++) {
        const item = data.items[order[at]!]!;
        if (owner[item] === user + 1) continue;
        owner[item] = user + 1;
        sets[used++] = item;
      }
      setStarts[user + 1] = used;
      if (turns.isDue(1 + to - from)) await turns.breathe();
    }
    return new UserRatings(starts, order, setStarts, sets);
  }

  /** The number of users. */
  get users(): number {
    return this.starts.length - 1;
  }

  /** N(u): each item that the user has rated, once. */
  setOf(user: number): Int32Array {
    return this.sets.subarray(this.setStarts[user]!, this.setStarts[user + 1]!);
  }

  /** The most ratings of a user, which its set cannot exceed. */
  mostRatings(): number {
    let most = 0;
    for (let user = 0; user < this.users; user++) most = Math.max(most, this.starts[user + 1]! - this.starts[user]!);
    return most;
  }
}
