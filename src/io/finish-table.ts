// From the columns of a table that has been read to Interactions: repeated pairs, and vocabularies of the caller's.

import { type Pausable, pausable } from '../core/scheduler';
import { withoutAbsent } from '../interactions/absent-rows';
import { resolveDuplicates } from '../interactions/duplicates';
import { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import type { Faults } from './fault';
import type { RatingColumns } from './rating-columns';
import type { ReadSettings } from './read-options';

/** The ratings of a table. Vocabularies of the caller's are touched last: whatever has a fault leaves them as they were. */
export function* finishTable(table: RatingColumns, settings: ReadSettings, faults: Faults): Pausable<Interactions> {
  const { users, items, invalid, size } = table;
  invalid.demandRows(size, faults);
  // The table itself refused repeats, because it knows their lines.
  const policy = settings.duplicates === 'error' ? 'keep' : settings.duplicates;
  const present = yield* withoutAbsent(yield* table.takeColumns(), users, items);
  const absent = size - present.columns.userIndex.length;
  const columns = yield* resolveDuplicates(present, policy, users, items);
  // All ids first: nobody else may add any halfway.
  const userNumbers = adopt(users, settings.users);
  const itemNumbers = users === items ? userNumbers : adopt(items, settings.items);
  if (userNumbers !== null) yield* renumber(columns.userIndex, userNumbers);
  if (itemNumbers !== null) yield* renumber(columns.itemIndex, itemNumbers);
  const leftOut = {
    invalid: invalid.count,
    missing: invalid.missing,
    repeated: present.columns.userIndex.length - columns.userIndex.length,
    absent,
    faults: Object.freeze(invalid.first),
  };
  return Interactions.ofIndices(
    { ...columns, users: settings.users ?? users, items: settings.items ?? items },
    Object.freeze(leftOut),
  );
}

/** Adds `own` to the caller's vocabulary; returns the new number of each id, or null where none changes. */
function adopt(own: Vocabulary, callers: Vocabulary | undefined): Int32Array | null {
  if (callers === undefined) return null;
  const numbers = Int32Array.from(own, (id) => callers.add(id));
  return numbers.every((number, at) => number === at) ? null : numbers;
}

function renumber(column: Int32Array, numbers: Int32Array): Pausable<void> {
  return pausable(column.length, (from, to) => {
    for (let row = from; row < to; row++) column[row] = numbers[column[row]!]!;
  });
}
