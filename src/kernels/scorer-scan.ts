// The scan program. It looks for the rows of a table that reach a query's threshold in two stages: a bound of the inner
// product by vectors rounded to 16 bits, of which an instruction multiplies eight where it multiplies four of float32;
// then, for the few rows whose bound reaches the threshold, the score as scorer.ts defines it.
//
// THE BOUND. Q = max(|q|, SHORT) / SCALE, q' = q / Q rounded to whole numbers, and the same of a row x. With e <= 1/2 an element,
// <q', x'> differs from <q, x> / (Q X) by at most SCALE sqrt(dim) + dim / 4 (Cauchy-Schwarz), and the float32 product from
// <q, x> by at most (dim / 16 + 6) 2^-24 |q| |x|. `marginOf` is more than both and the roundings of the bound itself, so that
// (<q', x'> + margin) X Q is no less than the float32 product. What follows of a score (a sum with a float32, a product with
// one that is not negative) is monotonic and rounded alike: the bound of a score is no less than the score.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import {
  branch,
  doWhile,
  f32,
  f32x4,
  i32,
  i32x4,
  loopWhile,
  ModuleBuilder,
  sequence,
  set,
  v128,
} from '../wasm/assembler';
import { type Measure, TILE } from './scorer';
import { advance, LaneDots, READ_AHEAD } from './walk';

/** The most queries that one program scores at once. */
export const MOST_QUERIES = 4;
/** Tiles that are multiplied side by side: what is loaded of a query serves all. With more, sums would not stay in registers. */
const tilesOf = (width: number) => (width === 1 ? 4 : 2);
/** Rows come in tiles of as many as are multiplied side by side. */
const ROWS = TILE * tilesOf(1);
/** Rows per block: the results of a block are taken before the next one. A multiple of ROWS. */
export const BLOCK = 1024;

/** The length of a rounded vector. */
const SCALE = 32_000;
/** Vectors are rounded as if they were no shorter. */
const SHORT = 1e-12;
/** Longer ones have no bound: products might overflow. */
const LONG = 1e18;

/** What is added to a product of rounded vectors. */
function marginOf(dim: number): number {
  return Math.ceil((SCALE + 100) * Math.sqrt(dim) + 6 * dim + 2000);
}

/** The rows from 0 up to `count`, in blocks. The first are small: thresholds rise with what has been found. */
export function* blocksOf(count: number): Generator<{ readonly from: number; readonly to: number }> {
  for (let from = 0, to = 0; from < count; from = to) {
    to = Math.min(from + Math.min(Math.max(from, FIRST), BLOCK), count);
    yield { from, to };
  }
}
const FIRST = 64;

// The memory, in bytes. A head has what one scan at a time works with; tables are anywhere else.

/** The start of a head: the addresses of the parts of a table, how many rows it has, and for lists which rows are allowed, and how many are wanted. */
export const HEAD = { pairs: 0, rows: 4, factors: 8, columns: 12, count: 16, allowed: 20, limit: 24 } as const;
/** For each query of a group its list of [row, score]. */
export const FOUND = 64;
export const FOUND_BYTES = 8 * BLOCK;
/** Groups of queries. */
export const GROUPS = FOUND + MOST_QUERIES * FOUND_BYTES;

/**
 * A query, at the start of its group: its threshold, its term (base or factor) and Q, each in four lanes; the end of what is
 * found; for lists the rows that are not wanted, ascending, up to -1, as far as they have been passed; the list, and its length.
 */
export const STATE = { threshold: 0, term: 16, factor: 32, end: 48, seen: 52, list: 56, length: 60 } as const;
export const STATE_BYTES = 64;

/** Pairs of rounded elements. */
export function pairsOf(dim: number): number {
  return Math.ceil(dim / 2);
}

/** Where in a group are the rounded queries (pair p of query j at 4 (p width + j)) and the queries themselves, one after another. */
export function groupLayout(dim: number, width: number) {
  const rounded = width * STATE_BYTES;
  const numbers = rounded + 4 * width * pairsOf(dim);
  return { rounded, numbers, bytes: aligned(numbers + 4 * width * dim) };
}

/** The bytes of a head for some groups. */
export function headBytes(dim: number, groups: number): number {
  return aligned(GROUPS + groups * groupLayout(dim, MOST_QUERIES).bytes + READ_AHEAD);
}

/** The offsets of the parts of a table, and its size: shifts, inverse lengths, X, the rounded rows in tiles, the rows. */
export function scanLayout(dim: number, count: number) {
  const rows = paddedRows(count);
  const column = aligned(4 * rows);
  const pairs = 3 * column;
  const values = aligned(pairs + 4 * rows * pairsOf(dim));
  return {
    shifts: 0,
    lengths: column,
    factors: 2 * column,
    pairs,
    rows: values,
    bytes: values + 4 * count * dim + READ_AHEAD,
  };
}

/** Rows of the tiles of a table. */
function paddedRows(count: number): number {
  return Math.ceil(count / ROWS) * ROWS;
}

/** The next start of a cache line. */
function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

function lengthOf(values: Float32Array, start: number, dim: number): number {
  let square = 0;
  for (let k = start; k < start + dim; k++) square += values[k]! * values[k]!;
  return Math.sqrt(square);
}

/** Whether a query may be bounded: all of its numbers are finite, and products do not overflow. */
export function isBounded(values: Float32Array, start: number, dim: number): boolean {
  return lengthOf(values, start, dim) <= LONG;
}

/** Writes a rounded vector, pair p at `at` + p `step`; returns X, Infinity where there is no bound. */
export function roundVector(
  values: Float32Array,
  start: number,
  dim: number,
  rounded: Int16Array,
  at: number,
  step: number,
): number {
  const length = lengthOf(values, start, dim);
  const factor = Math.max(length, SHORT) / SCALE;
  // Also of what is no number.
  const hasBound = length <= LONG;
  const inverse = 1 / factor;
  const end = start + dim;
  for (let k = start, to = at; k < end; k += 2, to += step) {
    // Above 0 what is cut off is what is rounded down.
    rounded[to] = hasBound ? ((values[k]! * inverse + (SCALE + 0.5)) | 0) - SCALE : 0;
    rounded[to + 1] = hasBound && k + 1 < end ? ((values[k + 1]! * inverse + (SCALE + 0.5)) | 0) - SCALE : 0;
  }
  return hasBound ? Math.fround(factor) : Infinity;
}

/** The parameters of a program: the row length, how rows are scored, how many queries at once, and where it runs. */
export interface ScanShape {
  readonly dim: number;
  readonly measure: Measure;
  readonly width: number;
  readonly isShared: boolean;
}

/** What a program exports: on a head, for rows from one up to another, of no more than a block. */
export interface ScanProgram {
  /** Lists the rows that reach the thresholds of a group. */
  scan(head: number, group: number, from: number, to: number): void;
  /** Puts them into the lists of some groups, which follow one another, and raises thresholds. */
  best(head: number, groups: number, from: number, to: number): void;
}

/** The program. */
export function encodeScan(shape: ScanShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const offer = emitOffer(module, shape);
  const scan = emitScan(module, shape, offer);
  emitBest(module, shape, scan);
  return module.encode({ pages: 1, isShared: shape.isShared });
}

type Emitted = FunctionBuilder<'void'>;

/** The rows of a tile, or of two, whose bound reaches the threshold: those whose score does too are listed. */
function emitOffer(module: ModuleBuilder, { dim, measure }: ScanShape): Emitted {
  const f = module.function('void');
  const head = f.parameter('i32');
  const state = f.parameter('i32');
  const numbers = f.parameter('i32');
  const first = f.parameter('i32');
  const bits = f.parameter('i32');
  const [row, query, values, to, length] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ];
  const score = f.local('f32');
  const dots = new LaneDots(f, length);
  const term = f32.load(state, STATE.term);
  const column = f32.load(i32.add(i32.load(head, HEAD.columns), i32.shl(row, i32.const(2))));
  f.emit(
    set(length, i32.const(dim)),
    dots.prepare,
    set(to, i32.load(state, STATE.end)),
    loopWhile(
      bits,
      set(row, i32.add(first, i32.ctz(bits))),
      set(bits, i32.and(bits, i32.sub(bits, i32.const(1)))),
      branch(
        i32.ltU(row, i32.load(head, HEAD.count)),
        sequence(
          set(query, numbers),
          set(values, i32.add(i32.load(head, HEAD.rows), i32.mul(row, i32.const(4 * dim)))),
          dots.sum(query, values),
          set(score, finish(f32, measure, dots.total(), term, column)),
          i32.store(to, row),
          f32.store(to, score, 4),
          // Written in any case, and kept where it reaches the threshold.
          set(to, i32.add(to, i32.shl(f32.ge(score, f32.load(state, STATE.threshold)), i32.const(3)))),
        ),
      ),
    ),
    i32.store(state, to, STATE.end),
  );
  return f;
}

/** From an inner product, or its bound, to a score. */
function finish<T extends 'f32' | 'v128'>(
  { add, mul }: Record<'add' | 'mul', (a: Code<T>, b: Code<T>) => Code<T>>,
  measure: Measure,
  product: Code<T>,
  term: Code<T>,
  column: Code<T>,
): Code<T> {
  if (measure === 'dot') return product;
  return measure === 'cosine' ? mul(product, mul(term, column)) : add(add(term, column), product);
}

function emitScan(module: ModuleBuilder, { dim, measure, width }: ScanShape, offer: Emitted): Emitted {
  const f = module.function('void', 'scan');
  const head = f.parameter('i32');
  const group = f.parameter('i32');
  const row = f.parameter('i32');
  const end = f.parameter('i32');
  const [tile, tilesEnd, query, place] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [columns, factors, bits] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const some = (count: number) => Array.from({ length: count }, () => f.local('v128'));
  const tiles = some(tilesOf(width));
  const element = f.local('v128');
  const sums = Array.from({ length: width }, () => some(tiles.length));
  const tileBytes = 16 * pairsOf(dim);
  const rows = TILE * tiles.length;
  const layout = groupLayout(dim, width);
  const margin = marginOf(dim);
  // A round for each pair of elements: engines load all that a round needs first, and that of two overflows registers.
  const products = [
    ...tiles.map((to, t) => set(to, v128.load(tile, t * tileBytes))),
    ...sums.flatMap((ofQuery, j) => [
      set(element, v128.loadSplat(query, layout.rounded + 4 * j)),
      ...ofQuery.map((sum, t) => set(sum, i32x4.add(sum, i32x4.dot(tiles[t]!, element)))),
    ]),
  ];
  const judged = sums.map((ofQuery, j) => {
    const state = j * STATE_BYTES;
    const misses = ofQuery.map((sum, t) => {
      const factor = v128.load(factors, 16 * t);
      const bound = f32x4.mul(f32x4.mul(f32x4.convert(sum), factor), v128.load(group, state + STATE.factor));
      const score = finish(f32x4, measure, bound, v128.load(group, state + STATE.term), v128.load(columns, 16 * t));
      const isLess = i32x4.bitmask(f32x4.lt(score, v128.load(group, state + STATE.threshold)));
      return t === 0 ? isLess : i32.shl(isLess, i32.const(TILE * t));
    });
    return sequence(
      // A bound that is no number says nothing.
      set(bits, i32.xor(misses.reduce(i32.add), i32.const((1 << rows) - 1))),
      branch(
        bits,
        offer.call(
          head,
          i32.add(group, i32.const(state)),
          i32.add(group, i32.const(layout.numbers + 4 * j * dim)),
          row,
          bits,
        ),
      ),
    );
  });
  f.emit(
    ...sums.map((_, j) =>
      i32.store(group, i32.add(head, i32.const(FOUND + j * FOUND_BYTES)), j * STATE_BYTES + STATE.end),
    ),
    set(tile, i32.add(i32.load(head, HEAD.pairs), i32.mul(row, i32.const(tileBytes / TILE)))),
    set(place, i32.shl(row, i32.const(2))),
    set(columns, i32.add(i32.load(head, HEAD.columns), place)),
    set(factors, i32.add(i32.load(head, HEAD.factors), place)),
    loopWhile(
      i32.ltU(row, end),
      ...sums.flatMap((ofQuery) => ofQuery.map((sum) => set(sum, i32x4.const(margin, margin, margin, margin)))),
      set(query, group),
      set(tilesEnd, i32.add(tile, i32.const(tileBytes))),
      doWhile(i32.ltU(tile, tilesEnd), ...products, advance(tile, 16), advance(query, 4 * width)),
      ...judged,
      advance(tile, (tiles.length - 1) * tileBytes),
      advance(row, rows),
      advance(columns, 4 * rows),
      advance(factors, 4 * rows),
    ),
  );
  return f;
}

/** A list is in order, best first; rows come ascending, so that one goes behind those with its score. */
function emitBest(module: ModuleBuilder, { dim, width }: ScanShape, scan: Emitted): void {
  const put = module.function('void');
  const head = put.parameter('i32');
  const state = put.parameter('i32');
  const found = put.parameter('i32');
  const [row, seen, list, at, length, limit] = Array.from({ length: 6 }, () => put.local('i32')) as [
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
    Local<'i32'>,
  ];
  const score = put.local('f32');
  const one = put.local('i32');
  /** The address of a place of the list. */
  const placeOf = (place: Code<'i32'>) => i32.add(list, i32.shl(place, i32.const(3)));
  const last = i32.sub(limit, i32.const(1));
  const isBefore = i32.and(i32.ltU(list, at), f32.gt(score, f32.load(i32.sub(at, i32.const(8)), 4)));
  put.emit(
    set(seen, i32.load(state, STATE.seen)),
    set(list, i32.load(state, STATE.list)),
    set(length, i32.load(state, STATE.length)),
    set(limit, i32.load(head, HEAD.limit)),
    loopWhile(
      i32.ltU(found, i32.load(state, STATE.end)),
      set(row, i32.load(found)),
      set(score, f32.load(found, 4)),
      loopWhile(i32.ltU(i32.load(seen), row), advance(seen, 4)),
      branch(
        i32.and(i32.load8(i32.add(i32.load(head, HEAD.allowed), row)), i32.ne(i32.load(seen), row)),
        sequence(
          set(at, placeOf(length)),
          branch(
            i32.ltU(length, limit),
            advance(length, 1),
            // The last one goes, or this one does not come.
            set(at, i32.add(placeOf(last), i32.shl(i32.eqz(f32.gt(score, f32.load(placeOf(last), 4))), i32.const(3)))),
          ),
          set(one, i32.ltU(at, placeOf(limit))),
          loopWhile(
            i32.and(one, isBefore),
            i32.store(at, i32.load(i32.sub(at, i32.const(8)))),
            f32.store(at, f32.load(i32.sub(at, i32.const(8)), 4), 4),
            advance(at, -8),
          ),
          branch(one, sequence(i32.store(at, row), f32.store(at, score, 4))),
        ),
      ),
      advance(found, 8),
    ),
    i32.store(state, seen, STATE.seen),
    i32.store(state, length, STATE.length),
    branch(
      i32.eqz(i32.ltU(length, limit)),
      v128.store(state, f32x4.splat(f32.load(placeOf(last), 4)), STATE.threshold),
    ),
  );

  const f = module.function('void', 'best');
  const [base, groups, from, to] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const group = f.local('i32');
  f.emit(
    set(group, i32.add(base, i32.const(GROUPS))),
    loopWhile(
      groups,
      scan.call(base, group, from, to),
      ...Array.from({ length: width }, (_, j) =>
        put.call(base, i32.add(group, i32.const(j * STATE_BYTES)), i32.add(base, i32.const(FOUND + j * FOUND_BYTES))),
      ),
      advance(group, groupLayout(dim, width).bytes),
      advance(groups, -1),
    ),
  );
}
