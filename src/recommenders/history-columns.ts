// A history as columns of numbers. Loops, as `from` with a function takes ten times as long, and rows are many.

import type { HistoryEntry } from '../serving/trained-state';

/** A number of each entry. */
export function columnOf(history: readonly HistoryEntry[], read: (entry: HistoryEntry) => number): Float64Array {
  const column = new Float64Array(history.length);
  for (let k = 0; k < column.length; k++) column[k] = read(history[k]!);
  return column;
}

/** The rows that a history names. */
export function indicesOf(history: readonly HistoryEntry[]): Int32Array {
  const indices = new Int32Array(history.length);
  for (let k = 0; k < indices.length; k++) indices[k] = history[k]!.index;
  return indices;
}

/** What the score of each row is without the one that is sought: mu, and its bias where there are biases. */
export function basesOf(rows: Int32Array, globalMean: number, biases: ArrayLike<number>): Float64Array {
  const bases = new Float64Array(rows.length).fill(globalMean);
  if (biases.length > 0) for (let k = 0; k < bases.length; k++) bases[k] = globalMean + biases[rows[k]!]!;
  return bases;
}
