// How much two items have in common: the sum of a weight over the users who have both, one item's row at a time.

import type { Scheduler } from '../../core/scheduler';
import type { Histories } from './histories';

/** Which others an item shares a user with, in no particular order, and their sums; valid until the next row. */
export interface SharedRow {
  /** Places 0 to size - 1 of `others`. */
  readonly size: number;
  readonly others: Int32Array;
  /** By item, the item itself among them; of items that are not in `others`: 0. */
  readonly sums: Float64Array;
}

/**
 * Tells of every item in turn. Cost: the sum over users of the square of how many items each has; memory: O(items).
 */
export async function eachSharedRow(
  { seen, itemOffsets, itemUsers }: Histories,
  weights: Float64Array,
  scheduler: Scheduler,
  tell: (item: number, row: SharedRow) => void,
): Promise<void> {
  const count = seen.itemCounts.length;
  const sums = new Float64Array(count);
  const isMet = new Uint8Array(count);
  const others = new Int32Array(count);
  for (let item = 0; item < count; item++) {
    let size = 0;
    for (let k = itemOffsets[item]!; k < itemOffsets[item + 1]!; k++) {
      const user = itemUsers[k]!;
      const weight = weights[user]!;
      const end = seen.offsets[user + 1]!;
      for (let place = seen.offsets[user]!; place < end; place++) {
        const other = seen.items[place]!;
        if (isMet[other] === 0) {
          isMet[other] = 1;
          others[size++] = other;
        }
        sums[other]! += weight;
      }
      if (scheduler.isDue((end - seen.offsets[user]!) >> 3)) await scheduler.yieldNow();
    }
    tell(item, { size, others, sums });
    for (let place = 0; place < size; place++) {
      sums[others[place]!] = 0;
      isMet[others[place]!] = 0;
    }
  }
}
