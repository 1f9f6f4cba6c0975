// How much the rows of a sparse matrix have in common: products of each row with all others, one row at a time. What is written
// for a row does not depend on other rows, so that threads can do some each.

import type { ModuleBuilder } from '../wasm/assembler';
import { branch, type Code, f32, f64, i32, i64, type Local, loopWhile, sequence, set } from '../wasm/assembler';
import type { Lengths } from '../wasm/host';
import { advance, bytesOf, localsOf, parametersOf } from './walk';

/** A sparse matrix of ones, from both sides. */
export interface OnesArrays {
  /** Row r has the columns columns[starts[r]] .. columns[starts[r + 1] - 1]. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  /** Column c has the rows rows[columnStarts[c]] .. rows[columnStarts[c + 1] - 1]; to count them, in rising order. */
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
export function pairsOf({ starts, columns, columnStarts }: Omit<OnesArrays, 'rows'>, row: number): number {
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
  const [row, to] = parametersOf(f, 2);
  const [k, end, place, sum, start, element] = localsOf(f, 'i32', 6);
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

// The rows most like each row: of a matrix with row r and column c at x_rc = f_r w_c, where it has one.

/** How alike rows r and s are: their product / (what this says + shrinkage), rounded to float32. */
export interface NeighborRule {
  /** 'cosine': m_r m_s; 'jaccard': m_r + m_s less the product; 'dot': 1. */
  readonly similarity: 'cosine' | 'jaccard' | 'dot';
  readonly shrinkage: number;
  /** How many a row has, at most. */
  readonly limit: number;
}

/** The matrix, and what is found of some rows. */
export interface NeighborArrays extends OnesArrays {
  /** w^2, of columns; those of 0 are passed over. */
  readonly weights: Float64Array;
  /** f and m, of rows. */
  readonly factors: Float64Array;
  readonly measures: Float64Array;
  /** The place of each row among equally alike ones, the first preferred, and the row at each place. */
  readonly places: Int32Array;
  readonly order: Int32Array;
  /** Of each row that is worked on how many were found, and from `limit` times its number on which, in rising order, and how alike. */
  readonly counts: Int32Array;
  readonly found: Int32Array;
  readonly alike: Float32Array;
}

/** How long they are, where `some` rows are worked on at a time. */
export const neighborLengths = (rows: number, columns: number, entries: number, some: number, limit: number) =>
  ({
    ...onesLengths(rows, columns, entries),
    weights: ['f64', columns],
    factors: ['f64', rows],
    measures: ['f64', rows],
    places: ['i32', rows],
    order: ['i32', rows],
    counts: ['i32', some],
    found: ['i32', some * limit],
    alike: ['f32', some * limit],
  }) as const satisfies Lengths;

/** The bytes that each thread has for itself: sums, keys, and which rows have sums. */
export const neighborScratch = (rows: number, limit: number): number =>
  8 * (rows + limit) + 4 * (rows + 2 + (rows & 1));

/** Finds the neighbours of the rows [from, to); `first` is the first that is worked on. */
type FindNeighbors = (from: number, to: number, first: number, scratch: number) => void;

/** Keeps the best so many; of equal scores those with less indices. */
interface Best {
  offer(index: number, score: number): void;
  list(): readonly { readonly index: number; readonly score: number }[];
}

/** The definition, in JavaScript. */
export function jsNeighbors(
  arrays: NeighborArrays,
  { similarity, shrinkage, limit }: NeighborRule,
  best: (limit: number) => Best,
): FindNeighbors {
  const { starts, columns, columnStarts, rows, weights, factors, measures, places, order } = arrays;
  const sums = new Float64Array(factors.length);
  const others = new Int32Array(factors.length);
  return (from, to, first) => {
    for (let row = from; row < to; row++) {
      let size = 0;
      for (let k = starts[row]!; k < starts[row + 1]!; k++) {
        const column = columns[k]!;
        const weight = weights[column]!;
        if (!(weight > 0)) continue;
        for (let at = columnStarts[column]!; at < columnStarts[column + 1]!; at++) {
          const other = rows[at]!;
          if (sums[other] === 0) others[size++] = other;
          sums[other]! += weight;
        }
      }
      const ranking = best(Math.min(limit, size));
      for (let at = 0; at < size; at++) {
        const other = others[at]!;
        const product = sums[other]! * (factors[row]! * factors[other]!);
        sums[other] = 0;
        if (other === row || !(product > 0)) continue;
        const [own, its] = [measures[row]!, measures[other]!];
        const divisor = similarity === 'cosine' ? own * its : similarity === 'jaccard' ? own + its - product : 1;
        // In float32, as it is kept: sums of weights in another order are equal then.
        ranking.offer(places[other]!, Math.fround(product / (divisor + shrinkage)));
      }
      const list = ranking.list().map(({ index, score }) => ({ index: order[index]!, score }));
      list.sort((a, b) => a.index - b.index);
      arrays.counts[row - first] = list.length;
      list.forEach(({ index, score }, at) => {
        arrays.found[(row - first) * limit + at] = index;
        arrays.alike[(row - first) * limit + at] = score;
      });
    }
  };
}

/**
 * The same in WebAssembly. What is kept is a heap of keys, the least at its root: the bits of how alike a row is, which are in the
 * order of numbers, then those of its place, turned round.
 */
export function writeNeighbors(
  module: ModuleBuilder,
  at: Readonly<Record<keyof NeighborArrays, number>>,
  { similarity, shrinkage, limit }: NeighborRule,
  rowCount: number,
): void {
  const sift = writeSift(module);
  const f = module.function('void', 'neighbors');
  const [row, to, first, sums] = parametersOf(f, 4);
  const [k, end, place, last, other, cell, tail] = localsOf(f, 'i32', 7);
  const [others, heap, filled, left, out] = localsOf(f, 'i32', 5);
  const [weight, sum, product, own] = localsOf(f, 'f64', 4);
  const key = f.local('i64');
  const full = i32.const(8 * limit);
  const double = (index: Code<'i32'>) => i32.shl(index, i32.const(3));
  const measure = (index: Code<'i32'>) => f64.load(double(index), at.measures);
  const divisor = {
    cosine: () => f64.mul(measure(row), measure(other)),
    jaccard: () => f64.sub(f64.add(measure(row), measure(other)), product),
    dot: () => f64.const(1),
  }[similarity]();
  const alike = f32.demote(f64.div(product, f64.add(divisor, f64.const(shrinkage))));
  const high = (bits: Code<'i32'>) => i64.shl(i64.extendU(bits), i64.const(32));
  const turned = (bits: Code<'i32'>) => i32.xor(bits, i32.const(-1));
  /** Makes the keys before `size` a heap. */
  const heapify = (size: Local<'i32'>) =>
    sequence(
      set(left, double(i32.shrU(size, i32.const(4)))),
      loopWhile(left, advance(left, -8), sift.call(heap, left, size)),
    );
  f.emit(
    set(heap, i32.add(sums, i32.const(8 * rowCount))),
    set(others, i32.add(heap, full)),
    loopWhile(
      i32.ltU(row, to),
      set(tail, others),
      set(k, i32.add(bytesOf(i32.load(bytesOf(row), at.starts)), i32.const(at.columns))),
      set(end, i32.add(bytesOf(i32.load(bytesOf(row), at.starts + 4)), i32.const(at.columns))),
      loopWhile(
        i32.ltU(k, end),
        set(other, i32.load(k)),
        set(weight, f64.load(double(other), at.weights)),
        branch(
          f64.gt(weight, f64.const(0)),
          sequence(
            set(place, i32.add(bytesOf(i32.load(bytesOf(other), at.columnStarts)), i32.const(at.rows))),
            set(last, i32.add(bytesOf(i32.load(bytesOf(other), at.columnStarts + 4)), i32.const(at.rows))),
            // Each is written to the end of the list, which moves on where it had no sum.
            loopWhile(
              i32.ltU(place, last),
              set(other, i32.load(place)),
              set(cell, i32.add(sums, double(other))),
              set(sum, f64.load(cell)),
              i32.store(tail, other),
              advance(tail, bytesOf(f64.eq(sum, f64.const(0)))),
              f64.store(cell, f64.add(sum, weight)),
              advance(place, 4),
            ),
          ),
        ),
        advance(k, 4),
      ),
      set(filled, i32.const(0)),
      set(place, others),
      set(own, f64.load(double(row), at.factors)),
      loopWhile(
        i32.ltU(place, tail),
        set(other, i32.load(place)),
        set(cell, i32.add(sums, double(other))),
        set(product, f64.mul(f64.load(cell), f64.mul(own, f64.load(double(other), at.factors)))),
        f64.store(cell, f64.const(0)),
        branch(
          i32.sub(other, row),
          branch(
            f64.gt(product, f64.const(0)),
            sequence(
              set(key, i64.or(high(i32.reinterpret(alike)), i64.extendU(turned(i32.load(bytesOf(other), at.places))))),
              branch(
                i32.ltU(filled, full),
                sequence(
                  i64.store(i32.add(heap, filled), key),
                  advance(filled, 8),
                  branch(i32.eqz(i32.sub(filled, full)), heapify(filled)),
                ),
                branch(
                  i64.ltU(i64.load(heap), key),
                  sequence(i64.store(heap, key), sift.call(heap, i32.const(0), full)),
                ),
              ),
            ),
          ),
        ),
        advance(place, 4),
      ),
      // In rising order of rows.
      set(cell, heap),
      set(end, i32.add(heap, filled)),
      loopWhile(
        i32.ltU(cell, end),
        set(key, i64.load(cell)),
        set(other, i32.load(bytesOf(turned(i64.wrap(key))), at.order)),
        i64.store(cell, i64.or(high(other), i64.shrU(key, i64.const(32)))),
        advance(cell, 8),
      ),
      heapify(filled),
      set(out, i32.sub(row, first)),
      i32.store(bytesOf(out), i32.shrU(filled, i32.const(3)), at.counts),
      set(out, i32.mul(out, i32.const(4 * limit))),
      loopWhile(
        filled,
        set(key, i64.load(heap)),
        i32.store(out, i64.wrap(i64.shrU(key, i64.const(32))), at.found),
        i32.store(out, i64.wrap(key), at.alike),
        advance(filled, -8),
        i64.store(heap, i64.load(i32.add(heap, filled))),
        sift.call(heap, i32.const(0), filled),
        advance(out, 4),
      ),
      advance(row, 1),
    ),
  );
}

/** sift(heap, at, end): moves the key that is `at` bytes from the start of a heap of `end` bytes down to its place. */
function writeSift(module: ModuleBuilder) {
  const f = module.function('void');
  const [heap, at, end] = parametersOf(f, 3);
  const child = f.local('i32');
  const [key, least] = localsOf(f, 'i64', 2);
  const keyAt = (offset: Code<'i32'>, more = 0) => i64.load(i32.add(heap, offset), more);
  const next = set(child, i32.add(i32.shl(at, i32.const(1)), i32.const(8)));
  f.emit(
    set(key, keyAt(at)),
    next,
    loopWhile(
      i32.ltU(child, end),
      set(least, keyAt(child)),
      branch(
        i32.ltU(i32.add(child, i32.const(8)), end),
        branch(i64.ltU(keyAt(child, 8), least), sequence(advance(child, 8), set(least, keyAt(child)))),
      ),
      branch(i64.ltU(least, key), sequence(i64.store(i32.add(heap, at), least), set(at, child), next), set(child, end)),
    ),
    i64.store(i32.add(heap, at), key),
  );
  return f;
}
