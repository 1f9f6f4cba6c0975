// The reference of the slots of the rows that a step names.

import { dot } from './dot';
import type { Kernels, Numbers, ProductShape } from './kernels';
import { isSingle, round } from './rounding';

/** @see Kernels.selectRows */
export function selectRows(
  rows: Int32Array,
  count: number,
  slotOf: Int32Array,
  slot: Int32Array,
  slotRow: Int32Array,
  occurrences: Int32Array,
): number {
  let used = 0;
  for (let s = 0; s < count; s++) {
    const row = rows[s]!;
    let place = slotOf[row]!;
    if (place < 0) {
      place = used++;
      slotOf[row] = place;
      slotRow[place] = row;
      occurrences[place] = 0;
    }
    slot[s] = place;
    occurrences[place]!++;
  }
  for (let u = 0; u < used; u++) slotOf[slotRow[u]!] = -1;
  return used;
}

// The reference of the gathers, scatters and row-by-row dot products. Plain loops: the definition of correct. Where one
// operation is left before a store, the store is what rounds it.

/** @see Kernels.gatherAdd */
export function gatherAdd(a: Numbers, at: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[s]! += a[at[s]!]!;
}

/** @see Kernels.scatterAdd */
export function scatterAdd(g: Numbers, slot: Int32Array, count: number, out: Numbers): void {
  for (let s = 0; s < count; s++) out[slot[s]!]! += g[s]!;
}

/** @see Kernels.divide */
export function divide(x: Numbers, by: number, count: number): void {
  for (let s = 0; s < count; s++) x[s]! /= by;
}

/** @see Kernels.rowDots */
export function rowDots(
  a: Numbers,
  aAt: Int32Array,
  b: Numbers,
  bAt: Int32Array,
  dim: number,
  count: number,
  out: Numbers,
): void {
  for (let s = 0; s < count; s++) out[s]! += dot(a, aAt[s]! * dim, b, bAt[s]! * dim, dim);
}

/** @see Kernels.scatterRows */
export function scatterRows(
  g: Numbers,
  a: Numbers,
  at: Int32Array,
  slot: Int32Array,
  dim: number,
  count: number,
  out: Numbers,
): void {
  const single = isSingle(out);
  for (let s = 0; s < count; s++) {
    const weight = g[s]!;
    const p = at[s]! * dim;
    const q = slot[s]! * dim;
    for (let k = 0; k < dim; k++) out[q + k]! += round(weight * a[p + k]!, single);
  }
}

// The reference of the element-wise products, e = sum_j x_j (.) m_1j (.) m_2j ..., and of their pullback.
// No division by a map: a scalar may pass through zero in training, and the gradient must stay right there.

/** @see Kernels.productForward */
export function productForward(
  base: Numbers,
  maps: readonly Numbers[],
  ids: Int32Array | null,
  count: number,
  shape: ProductShape,
  out: Numbers,
): void {
  const { dim, width, scalar, perRow } = shape;
  const single = isSingle(base);
  const mapCols = scalar ? width : width * dim;
  for (let i = 0; i < count; i++) {
    const row = ids === null ? i : ids[i]!;
    const x = row * width * dim;
    const m = perRow ? row * mapCols : 0;
    if (scalar && width === 1) {
      let scale = 1;
      for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m]!, single);
      for (let k = 0; k < dim; k++) out[i * dim + k] = base[x + k]! * scale;
      continue;
    }
    for (let k = 0; k < dim; k++) {
      let sum = 0;
      for (let j = 0; j < width; j++) {
        const at = m + (scalar ? j : j * dim + k);
        let term = base[x + j * dim + k]!;
        for (let l = 0; l < maps.length; l++) term = round(term * maps[l]![at]!, single);
        sum = j === 0 ? term : round(sum + term, single);
      }
      out[i * dim + k] = sum;
    }
  }
}

/** @see Kernels.productBackward */
export function productBackward(
  g: Numbers,
  base: Numbers,
  maps: readonly Numbers[],
  ids: Int32Array | null,
  count: number,
  shape: ProductShape,
  gBase: Numbers,
  gMaps: readonly Numbers[],
): void {
  const { dim, width, scalar, perRow } = shape;
  const single = isSingle(base);
  const mapCols = scalar ? width : width * dim;
  if (!perRow) for (let l = 0; l < gMaps.length; l++) gMaps[l]!.fill(0, 0, mapCols);
  for (let i = 0; i < count; i++) {
    const row = ids === null ? i : ids[i]!;
    for (let j = 0; j < width; j++) {
      const x = (row * width + j) * dim;
      const m = (perRow ? row * mapCols : 0) + (scalar ? j : j * dim);
      const gm = (perRow ? i * mapCols : 0) + (scalar ? j : j * dim);
      const gx = (i * width + j) * dim;
      if (scalar) scalarBackward(g, i * dim, base, x, dim, maps, m, gBase, gx, gMaps, gm, perRow, single);
      else diagonalBackward(g, i * dim, base, x, dim, maps, m, gBase, gx, gMaps, gm, perRow, single);
    }
  }
}

/** e = x s_1 s_2 ...: gx = (prod s) g, and gs_l = <x, g> times the product of the other scalars. */
function scalarBackward(
  g: Numbers,
  gStart: number,
  base: Numbers,
  x: number,
  dim: number,
  maps: readonly Numbers[],
  m: number,
  gBase: Numbers,
  gx: number,
  gMaps: readonly Numbers[],
  gm: number,
  replace: boolean,
  single: boolean,
): void {
  let scale = 1;
  for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m]!, single);
  const along = dot(g, gStart, base, x, dim);
  for (let k = 0; k < dim; k++) gBase[gx + k] = g[gStart + k]! * scale;
  for (let l = 0; l < maps.length; l++) {
    const value = round(along * productOfOthers(maps, m, l, single), single);
    if (replace) gMaps[l]![gm] = value;
    else gMaps[l]![gm]! += value;
  }
}

/** e = x (.) v_1 (.) v_2 ...: the same, element by element. */
function diagonalBackward(
  g: Numbers,
  gStart: number,
  base: Numbers,
  x: number,
  dim: number,
  maps: readonly Numbers[],
  m: number,
  gBase: Numbers,
  gx: number,
  gMaps: readonly Numbers[],
  gm: number,
  replace: boolean,
  single: boolean,
): void {
  for (let k = 0; k < dim; k++) {
    const gk = g[gStart + k]!;
    let scale = 1;
    for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m + k]!, single);
    gBase[gx + k] = gk * scale;
    const along = round(gk * base[x + k]!, single);
    for (let l = 0; l < maps.length; l++) {
      const value = round(along * productOfOthers(maps, m + k, l, single), single);
      if (replace) gMaps[l]![gm + k] = value;
      else gMaps[l]![gm + k]! += value;
    }
  }
}

function productOfOthers(maps: readonly Numbers[], at: number, without: number, single: boolean): number {
  let product = 1;
  for (let l = 0; l < maps.length; l++) if (l !== without) product = round(product * maps[l]![at]!, single);
  return product;
}

// The reference of the gradient of an L2 penalty on rows.

/** @see Kernels.startPenalty */
export function startPenalty(
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
): void {
  const single = isSingle(grads);
  for (let u = 0; u < count; u++) {
    const lambda = byRow === null ? strength : byRow[rows[u]!]!;
    const weight = round((lambda * occurrences[u]!) / batch, single);
    const from = at[u]! * dim;
    const to = u * dim;
    for (let k = 0; k < dim; k++) grads[to + k] = weight * values[from + k]!;
  }
}

// The reference of the dense matrix products. Each loops along memory; the order within a sum is that of kernels.ts.

/** @see Kernels.multiply */
export function multiply(
  a: Numbers,
  ids: Int32Array | null,
  b: Numbers,
  m: number,
  k: number,
  n: number,
  c: Numbers,
): void {
  const single = isSingle(c);
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let l = 0, q = j; l < k; l++, q += n) {
        const x = a[p + l]!;
        sum0 = round(sum0 + round(x * b[q]!, single), single);
        sum1 = round(sum1 + round(x * b[q + 1]!, single), single);
        sum2 = round(sum2 + round(x * b[q + 2]!, single), single);
        sum3 = round(sum3 + round(x * b[q + 3]!, single), single);
      }
      c[i * n + j] = sum0;
      c[i * n + j + 1] = sum1;
      c[i * n + j + 2] = sum2;
      c[i * n + j + 3] = sum3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum = round(sum + round(a[p + l]! * b[l * n + j]!, single), single);
      c[i * n + j] = sum;
    }
  }
}

/** @see Kernels.multiplyTransposed */
export function multiplyTransposed(a: Numbers, b: Numbers, m: number, n: number, k: number, c: Numbers): void {
  for (let i = 0; i < m; i++) for (let j = 0; j < k; j++) c[i * k + j] = dot(a, i * n, b, j * n, n);
}

/** @see Kernels.transposedMultiply */
export function transposedMultiply(
  a: Numbers,
  ids: Int32Array | null,
  b: Numbers,
  m: number,
  k: number,
  n: number,
  c: Numbers,
): void {
  const single = isSingle(c);
  c.fill(0, 0, k * n);
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    const q = i * n;
    for (let l = 0; l < k; l++) {
      const weight = a[p + l]!;
      for (let j = 0; j < n; j++) c[l * n + j]! += round(weight * b[q + j]!, single);
    }
  }
}

// The kernels in plain JavaScript: the definition of correct, and the fallback everywhere.

/** The reference implementation of the seam. */
export const reference: Kernels = {
  dot,
  gatherAdd,
  scatterAdd,
  divide,
  rowDots,
  scatterRows,
  startPenalty,
  selectRows,
  productForward,
  productBackward,
  multiply,
  multiplyTransposed,
  transposedMultiply,
};
