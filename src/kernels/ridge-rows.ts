// Weighted ridge regressions, one for each row of sparse data: with the rows q of the other side fixed, a row x is to solve
// (G + D + sum of w q q^T) x = sum of w t q
// over its entries, D diagonal: a ridge for its vector and one for its bias. Exactly, by some steps of the conjugate gradient
// from where it is, or, without G, by the step of a row of numbers of at least 0 that multiplies each by the right side over the
// left one. No two rows depend on each other, so that threads can solve some each.
//
// ROUNDING. In arrays of float32 each operation rounds to float32, in arrays of float64 to double. Rows are padded with zeros
// to vectors of four. An entry comes as q' = w^(1/2) q and t' = w^(1/2) t. <a, b> adds in eight lanes, lane k mod 8 <- lane
// + a_k b_k from +0, and ends as (f_0 + f_2) + (f_1 + f_3), f_i = l_i + l_(i+4). Sums of rows are one chain for each
// element, in the order of the rows, from what the result holds.

import type { Numbers } from './kernels';

/** What a program is written for. */
export interface RidgeShape {
  /** The numbers of a row, less padding. */
  readonly width: number;
  readonly method: 'cholesky' | 'conjugate-gradient' | 'multiplicative';
  /** Steps of the conjugate gradient. */
  readonly steps: number;
  /** Whether the last number of a row is a bias: that of the other side is taken off the target, and 1 is in its place. */
  readonly hasBias: boolean;
}

/** One side of the data, with the rows that are solved for. */
export interface RidgeSide {
  /** rows x padded width, and zeros up to a multiple of four rows. */
  readonly rows: Numbers;
  /** Row r has the entries starts[r] to starts[r + 1] - 1; without any it stays as it is. */
  readonly starts: Int32Array;
  /** The row of the other side of each entry. */
  readonly others: Int32Array;
  /** t; null: 1. */
  readonly targets: Numbers | null;
  /** w^(1/2); null: 1. */
  readonly roots: Numbers | null;
  /** Of each row that of its vector and, where there are biases, that of its bias. */
  readonly ridges: Numbers;
  /** Of each row, written: the sum of w (<q, x> - t)^2; 'multiplicative': before its step. */
  readonly losses: Float64Array;
}

/** What there is to solve. */
export interface RidgeSize {
  /** The rows of each side. */
  readonly rows: readonly [number, number];
  /** The most entries that a row has. */
  readonly most: number;
  readonly entries: number;
  readonly hasTargets: boolean;
  readonly hasRoots: boolean;
  readonly hasGram: boolean;
  /** Whether numbers are float32, or else float64. */
  readonly single: boolean;
}

/** The arrays of both sides, for the caller to fill. */
export interface RidgeArrays {
  readonly sides: readonly [RidgeSide, RidgeSide];
  /** G, padded x padded; null: 0. */
  readonly gram: Numbers | null;
  /** Sums of outer products of the rows of each block of a side, upper triangles, one after another. */
  readonly sums: Numbers;
}

/** Solves for the rows of either side. */
export interface RidgeRows extends RidgeArrays {
  /**
   * Solves for the rows [from, to) of side 0 or 1, with the other one fixed.
   * @returns `to`, or the first row whose equations have no unique solution
   */
  solve(side: number, from: number, to: number): number;
  /** Adds the outer products of a block of a side to its place in `sums`. */
  addBlock(side: number, block: number): void;
}

/** The ridges of a row. */
export const ridgesOf = (hasBias: boolean): number => (hasBias ? 2 : 1);

/** The length of a row with its padding. */
export const paddedWidth = (width: number): number => inFours(width);

export const inFours = (count: number): number => Math.ceil(count / 4) * 4;

/** At least so many rows have a sum of outer products of their own, and a side so many sums: few, and short for float32. */
const LEAST_ROWS = 1024;
const MOST_BLOCKS = 64;

/** The rows of each block of a side. */
const blockRows = (rows: number): number => Math.max(LEAST_ROWS, inFours(Math.ceil(rows / MOST_BLOCKS)));

/** The blocks of a side. */
export const blocksOf = (rows: number): number => Math.ceil(rows / blockRows(rows));

/** The first number of a block's rows, and how many rows there are. */
export function blockOf(
  rows: number,
  block: number,
  padded: number,
): { readonly start: number; readonly count: number } {
  const each = blockRows(rows);
  return { start: block * each * padded, count: Math.min(each, inFours(rows) - block * each) };
}

/** How arrays are made. */
export interface Allocator {
  numbers(length: number): Numbers;
  integers(length: number): Int32Array;
  doubles(length: number): Float64Array;
}

export function allocate({ width, hasBias }: RidgeShape, size: RidgeSize, make: Allocator): RidgeArrays {
  const padded = paddedWidth(width);
  const side = (rows: number): RidgeSide => ({
    rows: make.numbers(inFours(rows) * padded),
    starts: make.integers(rows + 1),
    others: make.integers(size.entries),
    targets: size.hasTargets ? make.numbers(size.entries) : null,
    roots: size.hasRoots ? make.numbers(size.entries) : null,
    ridges: make.numbers(rows * ridgesOf(hasBias)),
    losses: make.doubles(rows),
  });
  const [users, items] = size.rows;
  return {
    sides: [side(users), side(items)],
    gram: size.hasGram ? make.numbers(padded * padded) : null,
    sums: make.numbers(size.hasGram ? Math.max(blocksOf(users), blocksOf(items)) * padded * padded : 0),
  };
}

/** Where the parts of scratch memory are, for rows of up to so many entries, and its length, in numbers. */
export function scratchParts({ width, method }: RidgeShape, entries: number) {
  const [padded, blocks] = [paddedWidth(width), inFours(entries)];
  let length = 0;
  const take = (numbers: number) => {
    length += numbers;
    return length - numbers;
  };
  return {
    /** The right side, or the residual. */
    right: take(padded),
    /** The solution, or the direction. */
    solution: take(padded),
    /** The matrix of the equations, or its product with the direction. */
    matrix: take(method === 'cholesky' ? padded * padded : padded),
    /** D, and 1 for the padding. */
    diagonal: take(padded),
    targets: take(blocks),
    /** <q', x> of each entry, and <q', direction>. */
    scores: take(blocks),
    products: take(blocks),
    /** q' of each entry. */
    entries: take(blocks * padded),
    length,
  };
}

/** The square of a residual that is nothing: by that of the first, in float32 and in double, and in itself. */
export const NOTHING = 1e-12;
const NOTHING_IN_DOUBLE = 1e-28;
export const LEAST = 1e-30;

// The definition, in JavaScript.

/** In JavaScript, with arrays of either precision. */
export class JsRidgeRows implements RidgeRows {
  readonly sides: RidgeArrays['sides'];
  readonly gram: Numbers | null;
  readonly sums: Numbers;
  private readonly padded: number;
  private readonly parts: ReturnType<typeof scratchParts>;
  private readonly memory: Numbers;
  private readonly o: Vectors;

  constructor(
    private readonly shape: RidgeShape,
    private readonly size: RidgeSize,
  ) {
    const numbers = (length: number) => (size.single ? new Float32Array(length) : new Float64Array(length));
    ({
      sides: this.sides,
      gram: this.gram,
      sums: this.sums,
    } = allocate(shape, size, {
      numbers,
      integers: (length) => new Int32Array(length),
      doubles: (length) => new Float64Array(length),
    }));
    this.padded = paddedWidth(shape.width);
    this.parts = scratchParts(shape, size.most);
    this.memory = numbers(this.parts.length);
    this.o = new Vectors(this.memory, size.single);
  }

  solve(which: number, from: number, to: number): number {
    const { padded, parts, o, shape, gram, sides } = this;
    const side = sides[which]!;
    for (let row = from; row < to; row++) {
      const entries = side.starts[row + 1]! - side.starts[row]!;
      if (entries === 0) continue;
      this.gather(side, sides[1 - which]!.rows, row);
      this.setDiagonal(side.ridges, row);
      const x = side.rows.subarray(row * padded, (row + 1) * padded);
      const count = inFours(entries);
      if (shape.method === 'multiplicative') this.multiply(x, count);
      else if (shape.method === 'cholesky' ? !this.cholesky(x, gram, count) : !this.conjugateGradient(x, gram, count))
        return row;
      side.losses[row] = o.squaredDistance(parts.scores, parts.targets, count);
    }
    return to;
  }

  addBlock(side: number, block: number): void {
    const { padded, size, sides, sums, o } = this;
    const { start, count } = blockOf(size.rows[side]!, block, padded);
    o.addOuterProducts(sides[side]!.rows, start, padded, count, sums, block * padded * padded);
  }

  private setDiagonal(ridges: Numbers, row: number): void {
    const { memory, padded, shape, parts } = this;
    const each = ridgesOf(shape.hasBias);
    memory.fill(ridges[row * each]!, parts.diagonal, parts.diagonal + shape.width);
    memory.fill(1, parts.diagonal + shape.width, parts.diagonal + padded);
    if (shape.hasBias) memory[parts.diagonal + shape.width - 1] = ridges[row * each + 1]!;
  }

  /** Copies q' and t' of a row's entries. */
  private gather({ starts, others, targets, roots }: RidgeSide, fixed: Numbers, row: number): void {
    const { memory, padded, shape, parts, o } = this;
    const bias = shape.width - 1;
    const start = starts[row]!;
    const entries = starts[row + 1]! - start;
    memory.fill(0, parts.entries + entries * padded, parts.entries + inFours(entries) * padded);
    memory.fill(0, parts.targets + entries, parts.targets + inFours(entries));
    for (let k = 0; k < entries; k++) {
      const from = others[start + k]! * padded;
      const to = parts.entries + k * padded;
      const root = roots === null ? 1 : roots[start + k]!;
      const target = targets === null ? 1 : targets[start + k]!;
      for (let j = 0; j < padded; j++) memory[to + j] = root * fixed[from + j]!;
      if (shape.hasBias) memory[to + bias] = root;
      memory[parts.targets + k] = root * (shape.hasBias ? o.round(target - fixed[from + bias]!) : target);
    }
  }

  private conjugateGradient(x: Numbers, gram: Numbers | null, count: number): boolean {
    const { memory, padded, parts, o, shape } = this;
    const { right: residual, solution: direction, matrix: product, diagonal } = parts;
    const { targets, scores, products, entries } = parts;
    o.dots(memory, entries, padded, count, x, 0, scores);
    for (let k = 0; k < count; k++) memory[products + k] = memory[targets + k]! - memory[scores + k]!;
    memory.fill(0, residual, residual + padded);
    o.addRows(memory, entries, padded, count, products, residual);
    if (gram !== null) {
      for (let j = 0; j < padded; j++) memory[product + j] = -x[j]!;
      o.addRows(gram, 0, padded, padded, product, residual);
    }
    for (let j = 0; j < padded; j++) memory[residual + j]! -= o.round(memory[diagonal + j]! * x[j]!);
    memory.copyWithin(direction, residual, residual + padded);
    let length = o.dot(memory, residual, memory, residual, padded);
    const nothing = this.size.single ? o.round(NOTHING) : NOTHING_IN_DOUBLE;
    const least = Math.max(o.round(nothing * length), o.round(LEAST));
    for (let step = 1; step <= shape.steps && length > least; step++) {
      o.dots(memory, entries, padded, count, memory, direction, products);
      for (let j = 0; j < padded; j++) memory[product + j] = memory[diagonal + j]! * memory[direction + j]!;
      if (gram !== null) o.addRows(gram, 0, padded, padded, direction, product);
      const curvature = o.round(
        o.dot(memory, direction, memory, product, padded) + o.dot(memory, products, memory, products, count),
      );
      if (!(curvature > 0)) return false;
      const stride = o.round(length / curvature);
      for (let j = 0; j < padded; j++) x[j]! += o.round(stride * memory[direction + j]!);
      for (let k = 0; k < count; k++) memory[scores + k]! += o.round(stride * memory[products + k]!);
      // The residual after the last step is of no use.
      if (step === shape.steps) break;
      o.addRows(memory, entries, padded, count, products, product);
      for (let j = 0; j < padded; j++) memory[residual + j]! -= o.round(stride * memory[product + j]!);
      const before = length;
      length = o.dot(memory, residual, memory, residual, padded);
      const ratio = o.round(length / before);
      for (let j = 0; j < padded; j++)
        memory[direction + j] = memory[residual + j]! + o.round(ratio * memory[direction + j]!);
    }
    return true;
  }

  private multiply(x: Numbers, count: number): void {
    const { memory, padded, parts, o } = this;
    const { right, matrix: left, diagonal, targets, scores, entries } = parts;
    o.dots(memory, entries, padded, count, x, 0, scores);
    memory.fill(0, right, right + padded);
    o.addRows(memory, entries, padded, count, targets, right);
    for (let j = 0; j < padded; j++) memory[left + j] = memory[diagonal + j]! * x[j]!;
    o.addRows(memory, entries, padded, count, scores, left);
    // 0 / 0 is of a number that is 0 already.
    for (let j = 0; j < padded; j++)
      if (memory[left + j]! > 0) x[j]! *= o.round(memory[right + j]! / memory[left + j]!);
  }

  private cholesky(x: Numbers, gram: Numbers | null, count: number): boolean {
    const { memory, padded, parts, o } = this;
    const { right, solution, matrix, diagonal, targets, scores, entries } = parts;
    memory.fill(0, right, right + padded);
    o.addRows(memory, entries, padded, count, targets, right);
    if (gram === null) memory.fill(0, matrix, matrix + padded * padded);
    else memory.set(gram, matrix);
    // The padding solves to 0.
    for (let j = 0; j < padded; j++) memory[matrix + j * padded + j]! += memory[diagonal + j]!;
    o.addOuterProducts(memory, entries, padded, count, memory, matrix);
    if (!o.factorize(matrix, padded)) return false;
    o.solve(matrix, padded, right, solution);
    for (let j = 0; j < padded; j++) x[j] = memory[solution + j]!;
    o.dots(memory, entries, padded, count, x, 0, scores);
    return true;
  }
}

/** Arithmetic on parts of a memory, rounded to its precision. */
class Vectors {
  constructor(
    private readonly memory: Numbers,
    private readonly single: boolean,
  ) {}

  round(value: number): number {
    return this.single ? Math.fround(value) : value;
  }

  /** <a, b> */
  dot(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number {
    const lanes = this.single ? singleLanes : doubleLanes;
    lanes.fill(0);
    for (let k = 0; k < n; k++) lanes[k & 7]! += this.round(a[aStart + k]! * b[bStart + k]!);
    const four = (i: number) => this.round(lanes[i]! + lanes[i + 4]!);
    return this.round(this.round(four(0) + four(2)) + this.round(four(1) + four(3)));
  }

  /** out = <row, x> of each of some rows. */
  dots(rows: Numbers, at: number, n: number, count: number, x: Numbers, xAt: number, out: number): void {
    for (let k = 0; k < count; k++) this.memory[out + k] = this.dot(rows, at + k * n, x, xAt, n);
  }

  /** out += the sum of rows, each by its coefficient. */
  addRows(rows: Numbers, at: number, n: number, count: number, coefficients: number, out: number): void {
    const { memory } = this;
    for (let k = 0; k < count; k++) {
      const coefficient = memory[coefficients + k]!;
      for (let j = 0; j < n; j++) memory[out + j]! += this.round(coefficient * rows[at + k * n + j]!);
    }
  }

  /** The upper triangle of a += the sum of q q^T. */
  addOuterProducts(rows: Numbers, at: number, n: number, count: number, out: Numbers, a: number): void {
    for (let k = 0; k < count; k++) {
      const row = at + k * n;
      for (let i = 0; i < n; i++) {
        const left = rows[row + i]!;
        for (let j = i; j < n; j++) out[a + i * n + j]! += this.round(left * rows[row + j]!);
      }
    }
  }

  /** Overwrites the upper triangle of a with U, a = U^T U; false where it is not positive definite. */
  factorize(a: number, n: number): boolean {
    const { memory } = this;
    for (let k = 0; k < n; k++) {
      const row = a + k * n;
      const pivot = memory[row + k]!;
      if (!(pivot > 0)) return false;
      const root = this.round(Math.sqrt(pivot));
      for (let j = k; j < n; j++) memory[row + j]! /= root;
      for (let i = k + 1; i < n; i++) {
        const left = memory[row + i]!;
        for (let j = i; j < n; j++) memory[a + i * n + j]! -= this.round(left * memory[row + j]!);
      }
    }
    // What is read of the lower triangle with a vector on the diagonal.
    for (let k = 0; k < n; k++) memory.fill(0, a + k * n + (k & -4), a + k * n + k);
    return true;
  }

  /** x of U^T U x = b; b is overwritten. */
  solve(u: number, n: number, b: number, x: number): void {
    const { memory } = this;
    for (let k = 0; k < n; k++) {
      const row = u + k * n;
      const value = this.round(memory[b + k]! / memory[row + k]!);
      for (let j = k & -4; j < n; j++) memory[b + j]! -= this.round(value * memory[row + j]!);
      memory[b + k] = value;
    }
    memory.fill(0, x, x + n);
    const lanes = this.single ? singleLanes : doubleLanes;
    for (let k = n - 1; k >= 0; k--) {
      // In four lanes: lane j mod 4.
      lanes.fill(0);
      for (let j = k & -4; j < n; j++) lanes[j & 3]! += this.round(memory[u + k * n + j]! * memory[x + j]!);
      const sum = this.round(this.round(lanes[0]! + lanes[2]!) + this.round(lanes[1]! + lanes[3]!));
      memory[x + k] = this.round(memory[b + k]! - sum) / memory[u + k * n + k]!;
    }
  }

  /** The sum of (a - b)^2, in four lanes. */
  squaredDistance(a: number, b: number, count: number): number {
    const { memory } = this;
    const lanes = this.single ? singleLanes : doubleLanes;
    lanes.fill(0);
    for (let k = 0; k < count; k++) {
      const error = this.round(memory[a + k]! - memory[b + k]!);
      lanes[k & 3]! += this.round(error * error);
    }
    return this.round(this.round(lanes[0]! + lanes[2]!) + this.round(lanes[1]! + lanes[3]!));
  }
}

const singleLanes = new Float32Array(8);
const doubleLanes = new Float64Array(8);
