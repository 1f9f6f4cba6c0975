// Rows of weight 0 are absent: they are taken out before anything looks at the rows, and ids that only they have are
// forgotten, so that every number is what it would be without them.

import { type Pausable, pausable } from '../core/scheduler';
import { type Columns, selectColumns } from './row';
import type { Id, Vocabulary } from './vocabulary';

/** Columns without their absent rows, and which of the given rows they are; null: all of them. */
export interface PresentRows {
  readonly columns: Columns;
  readonly positions: Int32Array | null;
}

/** Takes the rows of weight 0 out. `known`: how many ids the vocabularies had before these rows. */
export function* withoutAbsent(
  columns: Columns,
  users: Vocabulary,
  items: Vocabulary,
  known: { readonly users: number; readonly items: number } = { users: 0, items: 0 },
): Pausable<PresentRows> {
  const { weights } = columns;
  if (weights === undefined) return { columns, positions: null };
  let present = 0;
  yield* pausable(weights.length, (from, to) => {
    for (let row = from; row < to; row++) if (weights[row]! > 0) present++;
  });
  if (present === weights.length) return { columns, positions: null };
  const positions = new Int32Array(present);
  let place = 0;
  for (let row = 0; row < weights.length; row++) if (weights[row]! > 0) positions[place++] = row;
  const kept = selectColumns(columns, positions);
  const [userIds, itemIds] = [[...users], [...items]];
  users.truncate(known.users);
  items.truncate(known.items);
  const { userIndex, itemIndex } = kept;
  yield* pausable(present, (from, to) => {
    for (let row = from; row < to; row++) {
      userIndex[row] = users.add(userIds[userIndex[row]!] as Id);
      itemIndex[row] = items.add(itemIds[itemIndex[row]!] as Id);
    }
  });
  return { columns: kept, positions };
}
