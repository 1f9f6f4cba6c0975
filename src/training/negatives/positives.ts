// Who has which item, as sorted rows: what a sampler of negatives asks, and asks exactly.

import type { Scheduler } from '../../core/scheduler';
import { groupRows, transpose } from '../../data/csr';
import type { RatingData } from '../../models/model';

/** The items of every user in ascending order. */
export class Positives {
  private constructor(
    /** The items of user u are items[starts[u]] .. items[starts[u + 1] - 1]; an item that occurs twice is there twice. */
    private readonly starts: Int32Array,
    private readonly items: Int32Array,
  ) {}

  static async of(data: RatingData, users: number, items: number, scheduler: Scheduler): Promise<Positives> {
    const byItem = await groupRows(data.items, items, scheduler);
    await scheduler.yieldNow();
    const columns = byItem.order.map((k) => data.users[k]!);
    // By user, from items in ascending order: within a user they ascend too.
    const { starts, rows } = await transpose(byItem.starts, columns, users, scheduler);
    return new Positives(starts, rows);
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
