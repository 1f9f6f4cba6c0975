// The reference of the element-wise products, e = sum_j x_j (.) m_1j (.) m_2j ..., and of their pullback.
// No division by a map: a scalar may pass through zero in training, and the gradient must stay right there.

import { dot } from './dot';
import type { Numbers, ProductShape } from './kernels';
import { isSingle, round } from './rounding';

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
