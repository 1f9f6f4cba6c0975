// The history of a new user (or item) as a caller writes it, made into indices that a trained state knows.

import { Interactions } from '../data/interactions';
import type { Interaction, Row } from '../data/rows';
import { refuseStrayNames } from '../data/rows';
import { type Id, Vocabulary } from '../data/vocabulary';
import type { ItemHistoryRow, UserHistoryRow } from './questions';
import { checkList } from './recommend-options';
import type { HistoryEntry } from './trained-state';

/** A history, and how many different ids of it training never saw. */
export interface ReadHistory {
  readonly entries: readonly HistoryEntry[];
  readonly ignored: number;
}

/** Reads rows as Interactions.from does, of one user or item that has no name; of repeats the last counts. */
export function readHistory(
  rows: Iterable<UserHistoryRow | ItemHistoryRow>,
  side: 'itemId' | 'userId',
  indexOf: (id: Id) => number,
): ReadHistory {
  const wanted = `a list of rows: { ${side}, value?, weight? } or [${side}, value?]`;
  const named = Array.from(checkList<unknown>(rows, 'history', wanted), (row, at) => nameless(row, side, at));
  // By its own vocabulary, so that a bad row is told as everywhere, and the model's stay as they are.
  const ids = new Vocabulary();
  const { size, itemIndex, values, weights } = Interactions.from(named, { items: ids });
  const entries: HistoryEntry[] = [];
  for (let k = 0; k < size; k++) {
    const index = indexOf(ids.idOf(itemIndex[k]!));
    if (index >= 0) entries.push({ index, value: values[k]!, weight: weights?.[k] ?? 1 });
  }
  return { entries, ignored: size - entries.length };
}

/** A row of somebody, with what it is about as its item. Misshapen ones are left for Interactions.from to tell. */
function nameless(row: unknown, side: 'itemId' | 'userId', at: number): Row {
  if (Array.isArray(row)) return [0, ...row] as unknown as Row;
  if (typeof row !== 'object' || row === null) return row as Row;
  refuseStrayNames(row, at);
  const { [side]: itemId, value, weight, timestamp } = row as Interaction;
  return { userId: 0, itemId, value, weight, timestamp };
}
