// THE SEAM of the arithmetic: every routine that touches many numbers, on contiguous memory, without words of the
// domain. reference.ts is the definition; a faster twin implements the same signatures. A matrix is row-major; "rows
// named by ids" reads row `ids[i]`, or row i where ids is null. Sums are taken in double, results rounded on store.

/** Memory of either precision; all arrays of one call have the same. */
export type Numbers = Float32Array | Float64Array;

/** The shape of an element-wise product: how the maps lie beside the base. */
export interface ProductShape {
  /** From 1. */
  readonly dim: number;
  /** How many products are summed. */
  readonly width: number;
  /** One number of a map serves a whole vector (true) or one element (false). */
  readonly scalar: boolean;
  /** Every row has maps of its own (true), or all rows share row 0 (false). */
  readonly perRow: boolean;
}

/** One side of the pairs of sgdPairs: rows base_i map_i with a bias each, and their penalties. */
export interface PairSide {
  readonly rank: number;
  /** rows x rank. */
  readonly base: Float32Array;
  /** One number a row that multiplies it, or null for 1. */
  readonly map: Float32Array | null;
  readonly bias: Float32Array | null;
  /** The strength of the penalty on a row, and on its bias. */
  readonly decay: Float64Array;
  readonly biasDecay: Float64Array;
  /** Room for one row. */
  readonly row: Float32Array;
}

/** Learning rates, one of each for every pair. */
export interface PairRates {
  readonly base: Float64Array;
  readonly map: Float64Array;
  readonly bias: Float64Array;
}

/** The routines. */
export interface Kernels {
  /** sum_k a[aStart + k] b[bStart + k], k < n. */
  dot(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number;

  /** out[s] += a[at[s]], s < count. */
  gatherAdd(a: Numbers, at: Int32Array, count: number, out: Numbers): void;

  /** out[slot[s]] += g[s], s < count. */
  scatterAdd(g: Numbers, slot: Int32Array, count: number, out: Numbers): void;

  /** out[s] += <row aAt[s] of a, row bAt[s] of b>, rows of length dim, s < count. */
  rowDots(a: Numbers, aAt: Int32Array, b: Numbers, bAt: Int32Array, dim: number, count: number, out: Numbers): void;

  /** out[slot[s]] += g[s] (row at[s] of a), rows of length dim, s < count. */
  scatterRows(g: Numbers, a: Numbers, at: Int32Array, slot: Int32Array, dim: number, count: number, out: Numbers): void;

  /**
   * Row i of out = sum over j < width of base_j (.) maps[0]_j (.) maps[1]_j ..., for the rows named by ids, i < count.
   * base: rows x (width dim); a map: (rows or 1) x (width, or width dim).
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
   * (count x cols where maps are per row, else 1 x cols, summed over the rows).
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
   * One step of SGD for each pair in turn, on 1/2 weight (score - target)^2 with the penalties of its two rows,
   * score = mean + bias_i + bias_j + <row_i, row_j>. Returns `sum` and the losses added to it one by one, each pair's
   * before its own step.
   */
  sgdPairs(
    left: PairSide,
    right: PairSide,
    leftAt: Int32Array,
    rightAt: Int32Array,
    targets: Float32Array,
    weights: Float32Array | null,
    count: number,
    mean: number,
    rates: PairRates,
    sum: number,
  ): number;

  /** c (m x n) = [rows of a named by ids] (m x k) b (k x n). */
  multiply(a: Numbers, ids: Int32Array | null, b: Numbers, m: number, k: number, n: number, c: Numbers): void;

  /** c (m x k) = a (m x n) b^T, b (k x n). */
  multiplyTransposed(a: Numbers, b: Numbers, m: number, n: number, k: number, c: Numbers): void;

  /** c (k x n) = [rows of a named by ids]^T (m x k) b (m x n). */
  transposedMultiply(a: Numbers, ids: Int32Array | null, b: Numbers, m: number, k: number, n: number, c: Numbers): void;
}
