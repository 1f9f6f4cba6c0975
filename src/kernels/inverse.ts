// The inverse of a symmetric positive definite matrix of some thousand rows, in double precision: blocked Gauss-Jordan.
// Nearly all the work is one product of two panels, computed in register tiles. What a step writes for some rows does not
// depend on what it writes for others, so that threads can do some each.
//
// ROUNDING. Each operation rounds to double. An entry less the product of a panel's row and another's subtracts one sum, which
// starts at +0 and adds the products in the order of the block's columns.

import type { ModuleBuilder } from '../wasm/assembler';
import { branch, type Code, f32x4, f64, f64x2, i32, loopWhile, select, sequence, set, v128 } from '../wasm/assembler';
import type { Lengths, Part } from '../wasm/host';
import { factorize, solve } from './cholesky';
import { advance, localsOf, parametersOf } from './walk';

/** Rows per block: two panels of it stay in cache while every tile of the matrix is visited. */
const BLOCK = 64;
/** Rows and columns per tile. */
const TILE = 4;

/** The rows of a matrix with its padding, which has ones on the diagonal and else zeros. */
export const inTiles = (rows: number): number => Math.ceil(rows / TILE) * TILE;

/** The arrays of an inverse of n rows, a multiple of four. */
export interface InverseArrays {
  /** n x n, row-major, of which the lower triangle is read, and overwritten with the inverse. */
  readonly matrix: Float64Array;
  /** n x 64: the columns of a block, and these times the inverse of the block. */
  readonly panel: Float64Array;
  readonly scaled: Float64Array;
  /** 64 x 64: that inverse. */
  readonly pivot: Float64Array;
}

/** How long they are. */
export const inverseLengths = (n: number) =>
  ({
    panel: ['f64', n * BLOCK],
    scaled: ['f64', n * BLOCK],
    pivot: ['f64', BLOCK * BLOCK],
    matrix: ['f64', n * n],
  }) as const satisfies Lengths;

/** The steps, on the rows [from, to) of one block. `start` and `width`: the columns of the block that is swept. */
interface InverseSteps {
  /** Copies the columns, and multiplies them. */
  panel(start: number, width: number, from: number, to: number): void;
  /** Subtracts the products of scaled rows and rows of the panel. */
  update(width: number, from: number, to: number): void;
  /** Writes the rows and columns of the swept block. */
  store(start: number, width: number, from: number, to: number): void;
  /** Turns the sign round, and copies to the upper triangle. */
  mirror(from: number, to: number): void;
}

/** Their names, by which parts call them: from the number `first` on, where a program has others too. */
export const INVERSE_STEPS = ['panel', 'update', 'store', 'mirror'] as const satisfies (keyof InverseSteps)[];

/**
 * Overwrites a matrix with its inverse, both triangles; false, with it partly overwritten, where it is not positive definite.
 * `run` makes calls of the steps, those of a stratum in any order. Cost: n^3 / 2 multiplications.
 * @see Goodnight, "A Tutorial on the SWEEP Operator" (1979); a block of pivots is swept at once
 */
export async function invert(
  { matrix, pivot }: InverseArrays,
  n: number,
  run: (strata: Part[][]) => Promise<void>,
): Promise<boolean> {
  const blocks = (part: (from: number, to: number) => Part) =>
    Array.from({ length: Math.ceil(n / BLOCK) }, (_, b) => part(b * BLOCK, Math.min(n, (b + 1) * BLOCK)));
  for (let start = 0; start < n; start += BLOCK) {
    const width = Math.min(BLOCK, n - start);
    if (!invertBlock(matrix, n, start, width, pivot)) return false;
    await run([
      blocks((from, to) => ({ call: () => [0, start, width, from, to], cost: (16 * BLOCK * BLOCK) >> 3 })),
      blocks((from, to) => ({ call: () => [1, width, from, to, 0], cost: BLOCK * to })),
      blocks((from, to) => ({ call: () => [2, start, width, from, to], cost: (BLOCK * BLOCK) >> 2 })),
    ]);
  }
  await run([blocks((from, to) => ({ call: () => [3, from, to, 0, 0], cost: to * 16 }))]);
  return true;
}

/** The inverse of the diagonal block at `start`, width x width; false where it is not positive definite. */
function invertBlock(a: Float64Array, n: number, start: number, width: number, pivot: Float64Array): boolean {
  const l = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) l[i * width + j] = a[(start + i) * n + start + j]!;
  }
  if (!factorize(l, width)) return false;
  for (let i = 0; i < width; i++) {
    const row = pivot.subarray(i * BLOCK, i * BLOCK + width);
    row.fill(0);
    row[i] = 1;
    solve(l, width, row);
  }
  return true;
}

/** A panel stores its rows in groups of four: where element (row, p) is. */
const place = (row: number, p: number) => (row - (row % TILE)) * BLOCK + p * TILE + (row % TILE);

/** The definition, in JavaScript. */
export function jsInverse({ matrix: a, panel, scaled, pivot }: InverseArrays, n: number): InverseSteps {
  return {
    panel(start, width, from, to) {
      for (let row = from; row < to; row++) {
        for (let p = 0; p < width; p++) {
          // Columns above the diagonal from their mirror images; the block's own rows are not updated.
          if (from === start) panel[place(row, p)] = 0;
          else panel[place(row, p)] = row > start ? a[row * n + start + p]! : a[(start + p) * n + row]!;
        }
      }
      for (let tile = from * BLOCK; tile < to * BLOCK; tile += TILE * BLOCK) {
        for (let p = 0; p < width; p++) {
          let [s0, s1, s2, s3] = [0, 0, 0, 0];
          for (let q = 0; q < width; q++) {
            // The pivot is symmetric: its row p is its column p.
            const factor = pivot[p * BLOCK + q]!;
            const at = tile + q * TILE;
            s0 += panel[at]! * factor;
            s1 += panel[at + 1]! * factor;
            s2 += panel[at + 2]! * factor;
            s3 += panel[at + 3]! * factor;
          }
          const at = tile + p * TILE;
          scaled[at] = s0;
          scaled[at + 1] = s1;
          scaled[at + 2] = s2;
          scaled[at + 3] = s3;
        }
      }
    },
    update(width, from, to) {
      for (let row = from; row < to; row += TILE) {
        for (let column = 0; column <= row; column += TILE) updateTile(a, n, row, column, width, scaled, panel);
      }
    },
    store(start, width, from, to) {
      for (let row = from; row < to; row++) {
        for (let p = 0; p < width; p++) {
          if (from < start) a[(start + p) * n + row] = scaled[place(row, p)]!;
          else if (from > start) a[row * n + start + p] = scaled[place(row, p)]!;
          else a[row * n + start + p] = -pivot[(row - start) * BLOCK + p]!;
        }
      }
    },
    mirror(from, to) {
      for (let i = from; i < to; i++) {
        for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = -a[i * n + j]!;
      }
    },
  };
}

/** Entries above the diagonal may change: nobody reads them. */
function updateTile(
  a: Float64Array,
  n: number,
  row: number,
  column: number,
  width: number,
  scaled: Float64Array,
  panel: Float64Array,
): void {
  let [a00, a01, a02, a03, a10, a11, a12, a13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [a20, a21, a22, a23, a30, a31, a32, a33] = [0, 0, 0, 0, 0, 0, 0, 0];
  const shift = (column - row) * BLOCK;
  const end = row * BLOCK + width * TILE;
  for (let at = row * BLOCK; at < end; at += TILE) {
    const s0 = scaled[at]!;
    const s1 = scaled[at + 1]!;
    const s2 = scaled[at + 2]!;
    const s3 = scaled[at + 3]!;
    const p0 = panel[at + shift]!;
    const p1 = panel[at + shift + 1]!;
    const p2 = panel[at + shift + 2]!;
    const p3 = panel[at + shift + 3]!;
    a00 += s0 * p0;
    a01 += s0 * p1;
    a02 += s0 * p2;
    a03 += s0 * p3;
    a10 += s1 * p0;
    a11 += s1 * p1;
    a12 += s1 * p2;
    a13 += s1 * p3;
    a20 += s2 * p0;
    a21 += s2 * p1;
    a22 += s2 * p2;
    a23 += s2 * p3;
    a30 += s3 * p0;
    a31 += s3 * p1;
    a32 += s3 * p2;
    a33 += s3 * p3;
  }
  const subtract = (at: number, x0: number, x1: number, x2: number, x3: number) => {
    a[at]! -= x0;
    a[at + 1]! -= x1;
    a[at + 2]! -= x2;
    a[at + 3]! -= x3;
  };
  subtract(row * n + column, a00, a01, a02, a03);
  subtract((row + 1) * n + column, a10, a11, a12, a13);
  subtract((row + 2) * n + column, a20, a21, a22, a23);
  subtract((row + 3) * n + column, a30, a31, a32, a33);
}

// The same in WebAssembly, on vectors of two.

/** Bytes of a number, of a vector, and of four rows of a panel. */
const NUMBER = 8;
const VECTOR = 16;
const GROUP = TILE * BLOCK * NUMBER;

/** Writes the steps for matrices of n rows, with the arrays at these addresses. */
export function writeInverse(
  module: ModuleBuilder,
  n: number,
  at: Readonly<Record<keyof InverseArrays, number>>,
): void {
  const bytes = NUMBER * n;
  const scale = (a: Code<'i32'>, by: number) => i32.mul(a, i32.const(by));
  /** The address of number (row, column) of the matrix, and of a group of four rows of a panel. */
  const entry = (row: Code<'i32'>, column: Code<'i32'>) =>
    i32.add(i32.add(scale(row, bytes), i32.const(at.matrix)), scale(column, NUMBER));
  const groupAt = (array: number, row: Code<'i32'>) => i32.add(scale(row, GROUP / TILE), i32.const(array));
  const { panel, scaled, pivot } = at;

  {
    const f = module.function('void', 'panel');
    const [start, width, from, to] = parametersOf(f, 4);
    const [row, p, q, source, target, factor] = localsOf(f, 'i32', 6);
    const [low, high, held] = localsOf(f, 'v128', 3);
    const sums = localsOf(f, 'v128', 2 * TILE);
    const zero = f32x4.zero();
    const eachColumn = (first: Code<'i32'>, step: number, ...body: Code<'void'>[]) =>
      sequence(
        set(p, i32.const(0)),
        set(source, first),
        loopWhile(i32.ltU(p, width), ...body, advance(p, 1), advance(source, step), advance(target, TILE * NUMBER)),
      );
    f.emit(
      set(row, from),
      loopWhile(
        i32.ltU(row, to),
        set(target, groupAt(panel, row)),
        branch(
          i32.ltU(from, start),
          eachColumn(
            entry(start, row),
            bytes,
            v128.store(target, v128.load(source)),
            v128.store(target, v128.load(source, VECTOR), VECTOR),
          ),
          branch(
            i32.ltU(start, from),
            eachColumn(
              entry(row, start),
              NUMBER,
              ...[0, 1, 2, 3].map((r) => f64.store(target, f64.load(source, r * bytes), r * NUMBER)),
            ),
            eachColumn(entry(row, start), NUMBER, v128.store(target, zero), v128.store(target, zero, VECTOR)),
          ),
        ),
        // Four columns of the product at a time.
        set(p, i32.const(0)),
        set(target, groupAt(scaled, row)),
        loopWhile(
          i32.ltU(p, width),
          ...sums.map((sum) => set(sum, zero)),
          set(q, width),
          set(source, groupAt(panel, row)),
          set(factor, i32.add(scale(p, BLOCK * NUMBER), i32.const(pivot))),
          loopWhile(
            q,
            set(low, v128.load(source)),
            set(high, v128.load(source, VECTOR)),
            ...[0, 1, 2, 3].flatMap((c) => [
              set(held, v128.loadSplat64(factor, c * BLOCK * NUMBER)),
              set(sums[2 * c]!, f64x2.add(sums[2 * c]!, f64x2.mul(low, held))),
              set(sums[2 * c + 1]!, f64x2.add(sums[2 * c + 1]!, f64x2.mul(high, held))),
            ]),
            advance(source, TILE * NUMBER),
            advance(factor, NUMBER),
            advance(q, -1),
          ),
          ...sums.map((sum, s) => v128.store(target, sum, s * VECTOR)),
          advance(p, TILE),
          advance(target, TILE * TILE * NUMBER),
        ),
        advance(row, TILE),
      ),
    );
  }
  {
    const f = module.function('void', 'update');
    const [width, from, to] = parametersOf(f, 3);
    const [row, column, left, right, end, tile] = localsOf(f, 'i32', 6);
    const [low, high, held] = localsOf(f, 'v128', 3);
    const sums = localsOf(f, 'v128', 2 * TILE);
    f.emit(
      set(column, i32.const(0)),
      // Rows within columns: four rows of the panel stay in the first-level cache for all rows of the block.
      loopWhile(
        i32.ltU(column, to),
        set(row, select(from, column, i32.ltU(column, from))),
        loopWhile(
          i32.ltU(row, to),
          ...sums.map((sum) => set(sum, f32x4.zero())),
          set(left, groupAt(scaled, row)),
          set(end, i32.add(left, scale(width, TILE * NUMBER))),
          set(right, groupAt(panel, column)),
          loopWhile(
            i32.ltU(left, end),
            set(low, v128.load(right)),
            set(high, v128.load(right, VECTOR)),
            ...[0, 1, 2, 3].flatMap((r) => [
              set(held, v128.loadSplat64(left, r * NUMBER)),
              set(sums[2 * r]!, f64x2.add(sums[2 * r]!, f64x2.mul(held, low))),
              set(sums[2 * r + 1]!, f64x2.add(sums[2 * r + 1]!, f64x2.mul(held, high))),
            ]),
            advance(left, TILE * NUMBER),
            advance(right, TILE * NUMBER),
          ),
          set(tile, entry(row, column)),
          ...sums.map((sum, s) => {
            const offset = (s >> 1) * bytes + (s & 1) * VECTOR;
            return v128.store(tile, f64x2.sub(v128.load(tile, offset), sum), offset);
          }),
          advance(row, TILE),
        ),
        advance(column, TILE),
      ),
    );
  }
  {
    const f = module.function('void', 'store');
    const [start, width, from, to] = parametersOf(f, 4);
    const [row, p, source, target] = localsOf(f, 'i32', 4);
    const eachColumn = (first: Code<'i32'>, step: number, sourceStep: number, body: Code<'void'>) =>
      sequence(
        set(p, width),
        set(target, first),
        loopWhile(p, body, advance(p, -1), advance(target, step), advance(source, sourceStep)),
      );
    const copy = f64.store(target, f64.load(source));
    f.emit(
      set(row, from),
      loopWhile(
        i32.ltU(row, to),
        set(
          source,
          i32.add(groupAt(scaled, i32.and(row, i32.const(-TILE))), scale(i32.and(row, i32.const(TILE - 1)), NUMBER)),
        ),
        branch(
          i32.ltU(from, start),
          eachColumn(entry(start, row), bytes, TILE * NUMBER, copy),
          branch(
            i32.ltU(start, from),
            eachColumn(entry(row, start), NUMBER, TILE * NUMBER, copy),
            sequence(
              set(source, i32.add(scale(i32.sub(row, start), BLOCK * NUMBER), i32.const(pivot))),
              eachColumn(entry(row, start), NUMBER, NUMBER, f64.store(target, f64.neg(f64.load(source)))),
            ),
          ),
        ),
        advance(row, 1),
      ),
    );
  }
  {
    const f = module.function('void', 'mirror');
    const [from, to] = parametersOf(f, 2);
    const [j, lower, upper] = localsOf(f, 'i32', 3);
    const value = f.local('f64');
    f.emit(
      loopWhile(
        i32.ltU(from, to),
        set(j, i32.const(0)),
        set(lower, entry(from, j)),
        set(upper, entry(j, from)),
        loopWhile(
          i32.geU(from, j),
          set(value, f64.neg(f64.load(lower))),
          f64.store(lower, value),
          f64.store(upper, value),
          advance(j, 1),
          advance(lower, NUMBER),
          advance(upper, bytes),
        ),
        advance(from, 1),
      ),
    );
  }
}
