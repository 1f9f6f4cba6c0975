// How much the rows of a sparse matrix have in common: products of each row with all others, one row at a time. What is written
// for a row does not depend on other rows, so that threads can do some each.

import type { ModuleBuilder } from '../wasm/assembler';
import { f64, i32, loopWhile, set } from '../wasm/assembler';
import type { Lengths } from '../wasm/host';
import { advance, bytesOf, locals, parameters } from './walk';

/** A sparse matrix of ones, from both sides. */
export interface OnesArrays {
  /** Row r has the columns columns[starts[r]] .. columns[starts[r + 1] - 1]. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  /** Column c has the rows rows[columnStarts[c]] .. rows[columnStarts[c + 1] - 1], in rising order. */
  readonly columnStarts: Int32Array;
  readonly rows: Int32Array;
}

/** How long they are. */
export const onesLengths = (rows: number, columns: number, entries: number) =>
  ({
    starts: ['i32', rows + 1],
    columns: ['i32', entries],
    columnStarts: ['i32', columns + 1],
    rows: ['i32', entries],
  }) as const satisfies Lengths;

/** The pairs that are looked at for each row. Cost: O(entries). */
export function pairsOf({ starts, columns, columnStarts }: OnesArrays, row: number): number {
  let sum = 0;
  for (let k = starts[row]!; k < starts[row + 1]!; k++) {
    const column = columns[k]!;
    sum += columnStarts[column + 1]! - columnStarts[column]!;
  }
  return sum;
}

/** Adds to element (r, s) of a matrix, with rows of n numbers, how many columns the rows r and s share: r in [from, to), s <= r. */
type CountShared = (from: number, to: number) => void;

/** The definition, in JavaScript. */
export function jsCountShared(
  { starts, columns, columnStarts, rows }: OnesArrays,
  n: number,
  matrix: Float64Array,
): CountShared {
  return (from, to) => {
    for (let row = from; row < to; row++) {
      for (let k = starts[row]!; k < starts[row + 1]!; k++) {
        const column = columns[k]!;
        const end = columnStarts[column + 1]!;
        for (let place = columnStarts[column]!; place < end && rows[place]! <= row; place++) {
          matrix[row * n + rows[place]!]!++;
        }
      }
    }
  };
}

/** The same in WebAssembly, with the arrays at these addresses. */
export function writeCountShared(
  module: ModuleBuilder,
  at: Readonly<Record<keyof OnesArrays, number>>,
  n: number,
  matrix: number,
): void {
  const f = module.function('void', 'countShared');
  const [row, to] = parameters(f, 2);
  const [k, end, place, sum, start, element] = locals(f, 'i32', 6);
  f.emit(
    loopWhile(
      i32.ltU(row, to),
      set(start, i32.add(i32.mul(row, i32.const(8 * n)), i32.const(matrix))),
      set(k, i32.add(bytesOf(i32.load(bytesOf(row), at.starts)), i32.const(at.columns))),
      set(end, i32.add(bytesOf(i32.load(bytesOf(row), at.starts + 4)), i32.const(at.columns))),
      loopWhile(
        i32.ltU(k, end),
        set(element, bytesOf(i32.load(k))),
        set(place, i32.add(bytesOf(i32.load(element, at.columnStarts)), i32.const(at.rows))),
        // The column has this row, which is the last: `element` is one more.
        set(element, i32.const(0)),
        loopWhile(
          i32.geU(row, element),
          set(element, i32.load(place)),
          set(sum, i32.add(start, i32.shl(element, i32.const(3)))),
          f64.store(sum, f64.add(f64.load(sum), f64.const(1))),
          advance(place, 4),
          advance(element, 1),
        ),
        advance(k, 4),
      ),
      advance(row, 1),
    ),
  );
}
