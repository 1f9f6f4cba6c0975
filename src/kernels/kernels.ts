// THE SEAM of the arithmetic: every routine that touches many numbers, on contiguous memory, without terms of the
// domain. Each is defined in JavaScript; WebAssembly beside it does the same, to the bit. A matrix is
// row-major; "rows named by ids" reads row `ids[i]`, or row i where ids is null.
//
// ROUNDING. Arrays of float32: every +, -, *, / and square root rounds to float32 by itself. Arrays of float64: the same
// operations in the same order, in double. x y z means (x y) z, and a + b + c means (a + b) + c.
// INNER PRODUCTS (marked <a, b>) add in sixteen lanes, which start at +0: lane k mod 16 <- lane + a_k b_k, k from 0 up.
// Then q_i = (l_i + l_(i+4)) + (l_(i+8) + l_(i+12)), i < 4, and the result is (q_0 + q_2) + (q_1 + q_3): four vectors of
// four lanes, added two and two. Zeros at the end of both rows change nothing.
// OTHER SUMS are one chain, from what the result holds or from +0, in the order of the index written under the sum.

import type { ModuleBuilder } from '../wasm/assembler';

/** Memory of either precision; all arrays of one call have the same. */
export type Numbers = Float32Array | Float64Array;

/** The shape of an element-wise product: how the maps lie beside the base. */
export interface ProductShape {
  /** From 1. */
  readonly dim: number;
  /** How many products are summed. */
  readonly width: number;
  /** Whether one number of a map applies to a whole vector (true) or to one element (false). */
  readonly scalar: boolean;
  /** Every row has maps of its own (true), or all rows share row 0 (false). */
  readonly perRow: boolean;
}

/** The routines. */
export interface Kernels {
  /** <a from aStart, b from bStart>, of n numbers. */
  dot(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number;

  /** out[s] += a[at[s]], s < count. */
  gatherAdd(a: Numbers, at: Int32Array, count: number, out: Numbers): void;

  /** out[slot[s]] += g[s], s < count, in this order. */
  scatterAdd(g: Numbers, slot: Int32Array, count: number, out: Numbers): void;

  /** out[s] += x[s], s < count. */
  add(x: Numbers, count: number, out: Numbers): void;

  /** x[s] /= by, s < count. */
  divide(x: Numbers, by: number, count: number): void;

  /** out[s] += <row aAt[s] of a, row bAt[s] of b>, rows of length dim, s < count. */
  rowDots(a: Numbers, aAt: Int32Array, b: Numbers, bAt: Int32Array, dim: number, count: number, out: Numbers): void;

  /** out[slot[s]] += g[s] (row at[s] of a), rows of length dim, s < count, in this order. */
  scatterRows(g: Numbers, a: Numbers, at: Int32Array, slot: Int32Array, dim: number, count: number, out: Numbers): void;

  /**
   * Row i of out = sum over j < width of base_j (.) maps[0]_j (.) maps[1]_j ..., for the rows named by ids, i < count.
   * base: rows x (width dim); a map: (rows or 1) x (width, or width dim). The sum starts at its first term. One scalar a
   * row (scalar, width 1): base (maps[0] maps[1] ...), the product of the maps first.
   */
  productForward(
    base: Numbers,
    maps: readonly Numbers[],
    ids: Int32Array | null,
    count: number,
    shape: ProductShape,
    out: Numbers,
  ): void;

  /**
   * The pullback of productForward: from g (count x dim) writes gBase (count x (width dim)) and gMaps[l]
   * (count x cols where maps are per row, else 1 x cols, summed over the rows: a chain from +0).
   * gBase = g (maps[0] maps[1] ...). gMaps[l] = a (the product of the other maps), in the order of the maps, where a is
   * <g, base_j> for a scalar map, else g base element by element. Where width is 1, gBase may be g.
   */
  productBackward(
    g: Numbers,
    base: Numbers,
    maps: readonly Numbers[],
    ids: Int32Array | null,
    count: number,
    shape: ProductShape,
    gBase: Numbers,
    gMaps: readonly Numbers[],
  ): void;

  /**
   * Initializes gradients to that of a penalty: row u of grads = weight_u (row at[u] of values), rows of length dim, u
   * < count, weight_u = lambda occurrences[u] / batch, computed in double precision and rounded once. lambda is
   * byRow[rows[u]], or `strength` where byRow is null.
   */
  startPenalty(
    values: Numbers,
    at: Int32Array,
    rows: Int32Array,
    occurrences: Int32Array,
    byRow: Float64Array | null,
    strength: number,
    batch: number,
    dim: number,
    count: number,
    grads: Numbers,
  ): void;

  /**
   * Gives each different row of rows[s], s < count, a slot in the order of their first occurrence, and returns how many
   * there are: slot[s] is that of rows[s], slotRow[u] the row of slot u, occurrences[u] how often it comes. slotOf has a
   * place for every row of the table: -1 in all of them, before and after.
   */
  selectRows(
    rows: Int32Array,
    count: number,
    slotOf: Int32Array,
    slot: Int32Array,
    slotRow: Int32Array,
    occurrences: Int32Array,
  ): number;

  /** out[s] += sum over p of x_p w[at[p]], starts[s] <= p < starts[s + 1], s < count: a chain from what is there. */
  sparseSums(w: Numbers, at: Int32Array, x: Numbers, starts: Int32Array, count: number, out: Numbers): void;

  /** out[slot[p]] += g[s] x_p, starts[s] <= p < starts[s + 1], s < count, in this order. */
  scatterSparse(g: Numbers, x: Numbers, slot: Int32Array, starts: Int32Array, count: number, out: Numbers): void;

  /**
   * out[s] += the sum over pairs o < p, starts[s] <= o < p < starts[s + 1], of <x_o v_o, x_p v_p>, v_p being row at[p] of v, of
   * length dim, s < count. With t_p = x_p v_pk, column k of row s of sums = sum over p of t_p, and c_k = sum over p of (the
   * sum before p) t_p; c_k are added up as the products of an inner product are.
   */
  pairSums(
    v: Numbers,
    at: Int32Array,
    x: Numbers,
    starts: Int32Array,
    dim: number,
    count: number,
    sums: Numbers,
    out: Numbers,
  ): void;

  /**
   * The pullback of pairSums: row slot[p] of out += (g[s] x_p) (row s of sums - x_p (row at[p] of v)), rows of length dim,
   * starts[s] <= p < starts[s + 1], s < count, in this order, but for s where g[s] is 0.
   */
  scatterPairs(
    g: Numbers,
    v: Numbers,
    at: Int32Array,
    x: Numbers,
    slot: Int32Array,
    starts: Int32Array,
    sums: Numbers,
    dim: number,
    count: number,
    out: Numbers,
  ): void;

  /** c (m x n) = [rows of a named by ids] (m x k) b (k x n); c_ij = sum_l a_il b_lj. */
  multiply(a: Numbers, ids: Int32Array | null, b: Numbers, m: number, k: number, n: number, c: Numbers): void;

  /**
   * c (m x n) = a (m x k) b (k x n), where terms of a_il = 0 are left out: c_ij as by multiply, if b is finite. lists: room for
   * LIST numbers a row of a.
   */
  multiplySparse(a: Numbers, b: Numbers, m: number, k: number, n: number, c: Numbers, lists: Int32Array): void;

  /** c (n x m) = [rows of a named by ids]^T (m x n). */
  transpose(a: Numbers, ids: Int32Array | null, m: number, n: number, c: Numbers): void;

  /** Adds a row to each of the first m rows of c (m x n); then, with relu, c = max(c, 0), +0 where c is -0. */
  addRow(row: Numbers, m: number, n: number, relu: boolean, c: Numbers): void;

  /** Where y is given, g = 0 except where y > 0, both m x n. Then row += each row of g, from the first to the last. */
  addRows(g: Numbers, y: Numbers | null, m: number, n: number, row: Numbers): void;
}

/** A kernel: its definition, and its WebAssembly on addresses, under its name or under several names for its cases. */
export interface Kernel<Name extends keyof Kernels> {
  readonly js: Kernels[Name];
  wasm(module: ModuleBuilder): void;
}

/** The routines of a product: one per kind of maps. */
type ProductRoutine = 'scaleForward' | 'scalarForward' | 'diagonalForward' | 'scalarBackward' | 'diagonalBackward';

/** Kernels on a heap, with addresses instead of arrays: those of one program. */
export type Routines = Readonly<
  Record<
    Exclude<keyof Kernels, 'productForward' | 'productBackward'> | ProductRoutine,
    (...operands: number[]) => number
  >
>;

// Rounding to the precision of the memory at work: to float32 after every operation, or not at all. A flag and not a
// function, because engines turn a branch that always goes one way into next to nothing, and a changing call into a call.

/** Whether arithmetic on these numbers rounds to float32. */
export function isSingle(numbers: Numbers): boolean {
  return numbers instanceof Float32Array;
}

/** The value in the precision of the memory. */
export function round(value: number, single: boolean): number {
  return single ? Math.fround(value) : value;
}

/** Sums of sizes up to here stay finite in float32, whatever their order. */
export const MOST = 1e38;
