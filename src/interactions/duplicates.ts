// What becomes of two rows of the same user and item. Found by a stable counting sort by user and one stamp per item:
// linear in rows + users + items, with no key built per row.

import { DataError } from '../core/errors';
import { field, oneOf } from '../core/options';
import { type Columns, selectColumns } from './row';
import type { Vocabulary } from './vocabulary';

/** `last` and `first` keep that row, `sum` the last with the sum of the values, `keep` all, `error` throws. */
export type DuplicatePolicy = 'last' | 'first' | 'sum' | 'keep' | 'error';

/** The option `duplicates`. */
export const duplicatesField = field<DuplicatePolicy>(oneOf('last', 'first', 'sum', 'keep', 'error'), 'last');

/** The columns after the policy. A row that stays keeps its place among those that stay. */
export function resolveDuplicates(
  columns: Columns,
  policy: DuplicatePolicy,
  users: Vocabulary,
  items: Vocabulary,
): Columns {
  if (policy === 'keep') return columns;
  const previous = previousOfPair(columns, users.size, items.size);
  if (previous === null) return columns;
  if (policy === 'error') throw duplicateError(columns, previous, users, items);
  const dropped = new Uint8Array(previous.length);
  let drops = 0;
  for (let row = 0; row < previous.length; row++) {
    const earlier = previous[row]!;
    if (earlier < 0) continue;
    dropped[policy === 'first' ? row : earlier] = 1;
    drops++;
  }
  const kept = new Int32Array(previous.length - drops);
  for (let row = 0, at = 0; row < previous.length; row++) if (dropped[row] === 0) kept[at++] = row;
  return selectColumns(
    policy === 'sum' ? { ...columns, values: runningSums(columns.values, previous) } : columns,
    kept,
  );
}

/** For each row the nearest earlier row of the same user and item, or -1; null where no pair comes twice. */
function previousOfPair({ userIndex, itemIndex }: Columns, users: number, items: number): Int32Array | null {
  const size = userIndex.length;
  const next = new Int32Array(users + 1);
  for (let row = 0; row < size; row++) next[userIndex[row]! + 1]!++;
  for (let user = 0; user < users; user++) next[user + 1]! += next[user]!;
  const byUser = new Int32Array(size);
  for (let row = 0; row < size; row++) byUser[next[userIndex[row]!]!++] = row;

  const previous = new Int32Array(size).fill(-1);
  const lastOfItem = new Int32Array(items).fill(-1);
  let found = false;
  for (const row of byUser) {
    const item = itemIndex[row]!;
    const earlier = lastOfItem[item]!;
    // A stamp that another user left is stale.
    if (earlier >= 0 && userIndex[earlier] === userIndex[row]) {
      previous[row] = earlier;
      found = true;
    }
    lastOfItem[item] = row;
  }
  return found ? previous : null;
}

/** Each row's value plus those of the earlier rows of its pair, added in double precision. */
function runningSums(values: Float32Array, previous: Int32Array): Float32Array {
  const sums = Float64Array.from(values);
  for (let row = 0; row < sums.length; row++) {
    if (previous[row]! >= 0) sums[row]! += sums[previous[row]!]!;
    if (!Number.isFinite(Math.fround(sums[row]!))) {
      throw new DataError(
        `row ${row + 1} (counting from 1): the sum of its duplicates' values is ${sums[row]}, too large for float32; divide the values by a constant`,
      );
    }
  }
  return Float32Array.from(sums);
}

function duplicateError(
  { userIndex, itemIndex }: Columns,
  previous: Int32Array,
  users: Vocabulary,
  items: Vocabulary,
): DataError {
  const row = previous.findIndex((earlier) => earlier >= 0);
  const user = JSON.stringify(users.idOf(userIndex[row]!));
  const item = JSON.stringify(items.idOf(itemIndex[row]!));
  return new DataError(
    `rows ${previous[row]! + 1} and ${row + 1} (counting from 1) are both of user ${user} and item ${item}; ` +
      "remove one, or set duplicates to 'last', 'first', 'sum' or 'keep'",
  );
}
