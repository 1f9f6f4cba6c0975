// The order of an epoch that goes from user to user: the users in random order, and the ratings of each in random order. It
// follows from the stream and the epoch alone.

import type { Stream } from '../../core/random';
import type { UserRatings } from './user-ratings';

/** Goes through the users that have ratings. */
export class UserOrder {
  /** The numbers of the user's ratings: the first `count`. */
  readonly rows: Int32Array;
  count = 0;
  private readonly users: Int32Array;
  private left = 0;
  private draws: Stream;

  constructor(
    readonly ratings: UserRatings,
    private readonly options: { readonly stream: Stream; readonly shuffle: boolean },
  ) {
    this.rows = new Int32Array(ratings.mostRatings());
    this.users = new Int32Array(ratings.users);
    this.draws = options.stream;
  }

  /** Starts epoch `epoch` (from 1). */
  begin(epoch: number): void {
    const { users } = this;
    this.left = users.length;
    this.draws = this.options.stream.fork(epoch);
    // From the last to the first they are taken: in the order of their numbers, unless shuffled.
    for (let i = 0; i < users.length; i++) users[i] = users.length - 1 - i;
  }

  /** Moves on to the next user; -1 after the last. */
  next(): number {
    const { ratings, users, rows, draws } = this;
    const { shuffle } = this.options;
    while (this.left > 0) {
      // Fisher and Yates, a user at a time: all at once would be a pause where users are many.
      const last = --this.left;
      const place = shuffle ? draws.below(last + 1) : last;
      const user = users[place]!;
      users[place] = users[last]!;
      const from = ratings.starts[user]!;
      this.count = ratings.starts[user + 1]! - from;
      if (this.count === 0) continue;
      for (let k = 0; k < this.count; k++) rows[k] = ratings.order[from + k]!;
      if (shuffle) draws.shuffle(rows, this.count);
      return user;
    }
    this.count = 0;
    return -1;
  }
}
