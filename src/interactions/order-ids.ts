// An order of ids that does not depend on the order in which the data name them: for what must be chosen among equals.

import type { Id, Vocabulary } from './vocabulary';

/** Numbers first, ascending; then strings, by their UTF-16 code units. */
export function compareIds(a: Id, b: Id): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The numbers of a vocabulary's ids, in the order of the ids. Cost: a sort. */
export function idOrder(vocabulary: Vocabulary): Int32Array {
  const ids = [...vocabulary];
  return Int32Array.from(ids.keys()).sort((a, b) => compareIds(ids[a]!, ids[b]!));
}
