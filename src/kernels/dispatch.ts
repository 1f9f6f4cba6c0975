// The entry points of the kernels: WebAssembly if all arrays of a call lie in one heap, else JavaScript, with the same
// bits. Callers need not know where arrays lie. Written out for each kernel: a generic dispatch over lists of operands
// takes twice as long, and some kernels take less time than it. One function per kernel, so that a bundle contains only
// those that are called: `import * as kernels`.

import {
  type HeapCode,
  heapOf,
  heapOfDoubles,
  heapOfIntegers,
  isWhole,
  SHARED,
  type SharedCall,
  WORTH_SHARING,
} from './heap';
import type { Kernels, Numbers, ProductShape } from './kernels';
import * as matrices from './matrix';
import * as products from './products';
import * as rows from './rows';
import * as sparse from './sparse';

/** Rows of a matrix product computed together. */
const ROWS_AT_ONCE = 64;

// Calls that threads share: by rows, or by columns in whole lines of the cache.
type Shared = Pick<SharedCall, 'routine' | 'multiple' | 'most' | 'count'>;
const shared = (name: (typeof SHARED)[number], count: number, multiple: number, most = 1 << 20): Shared => ({
  routine: SHARED.indexOf(name),
  count,
  multiple,
  most,
});
const MULTIPLY = /* @__PURE__ */ shared('multiply', 3, 4, ROWS_AT_ONCE);
const MULTIPLY_SPARSE = /* @__PURE__ */ shared('multiplySparse', 2, 1, ROWS_AT_ONCE);
const TRANSPOSE = /* @__PURE__ */ shared('transpose', 3, 16);
const ADD_ROW = /* @__PURE__ */ shared('addRow', 1, 1);
const ADD_ROWS = /* @__PURE__ */ shared('addRows', 3, 16);
const ADD = /* @__PURE__ */ shared('add', 1, 16);
const START_PENALTY = /* @__PURE__ */ shared('startPenalty', 8, 1);

export const dot: Kernels['dot'] = (a, aStart, b, bStart, n) => {
  const heap = heapOf(a);
  const wasm = heap !== undefined && heapOf(b) === heap && rowsOn(heap);
  if (!wasm) return rows.dot.js(a, aStart, b, bStart, n);
  return wasm.dot(a.byteOffset + 4 * aStart, b.byteOffset + 4 * bStart, n);
};

export const gatherAdd: Kernels['gatherAdd'] = (a, at, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && heapOf(a) === heap && heapOfIntegers(at) === heap && rowsOn(heap);
  if (!wasm) rows.gatherAdd.js(a, at, count, out);
  else wasm.gatherAdd(a.byteOffset, at.byteOffset, count, out.byteOffset);
};

export const scatterAdd: Kernels['scatterAdd'] = (g, slot, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && heapOf(g) === heap && heapOfIntegers(slot) === heap && rowsOn(heap);
  if (!wasm) rows.scatterAdd.js(g, slot, count, out);
  else wasm.scatterAdd(g.byteOffset, slot.byteOffset, count, out.byteOffset);
};

export const add: Kernels['add'] = (x, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && heapOf(x) === heap && rowsOn(heap);
  if (!wasm) rows.add.js(x, count, out);
  else if (heap.team !== null && count >= WORTH_SHARING)
    heap.team.run({ ...ADD, units: count, operands: [x.byteOffset, 0, out.byteOffset], steps: [4, 0, 4] });
  else wasm.add(x.byteOffset, count, out.byteOffset);
};

export const divide: Kernels['divide'] = (x, by, count) => {
  const heap = heapOf(x);
  // A divisor that float32 cannot represent is divided by in double precision.
  const wasm = heap !== undefined && Math.fround(by) === by && rowsOn(heap);
  if (!wasm) rows.divide.js(x, by, count);
  else wasm.divide(x.byteOffset, by, count);
};

export const rowDots: Kernels['rowDots'] = (a, aAt, b, bAt, dim, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && holds(heap, a, b) && holdsIntegers(heap, aAt, bAt) && rowsOn(heap);
  if (!wasm) rows.rowDots.js(a, aAt, b, bAt, dim, count, out);
  else wasm.rowDots(a.byteOffset, aAt.byteOffset, b.byteOffset, bAt.byteOffset, dim, count, out.byteOffset);
};

export const scatterRows: Kernels['scatterRows'] = (g, a, at, slot, dim, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && holds(heap, g, a) && holdsIntegers(heap, at, slot) && rowsOn(heap);
  if (!wasm) rows.scatterRows.js(g, a, at, slot, dim, count, out);
  else wasm.scatterRows(g.byteOffset, a.byteOffset, at.byteOffset, slot.byteOffset, dim, count, out.byteOffset);
};

export const startPenalty: Kernels['startPenalty'] = (
  values,
  at,
  rowNumbers,
  occurrences,
  byRow,
  strength,
  batch,
  dim,
  count,
  grads,
) => {
  const heap = heapOf(grads);
  const wasm =
    heap !== undefined &&
    heapOf(values) === heap &&
    holdsIntegers(heap, at, rowNumbers) &&
    heapOfIntegers(occurrences) === heap &&
    (byRow === null || heapOfDoubles(byRow) === heap) &&
    rowsOn(heap);
  if (!wasm)
    return rows.startPenalty.js(values, at, rowNumbers, occurrences, byRow, strength, batch, dim, count, grads);
  if (heap.team !== null && isWhole(dim) && count * dim >= WORTH_SHARING) {
    const named = [values.byteOffset, at.byteOffset, rowNumbers.byteOffset, occurrences.byteOffset];
    const operands = [...named, addressOf(byRow), strength, batch, dim, count, grads.byteOffset];
    return heap.team.run({ ...START_PENALTY, units: count, operands, steps: [0, 4, 4, 4, 0, 0, 0, 0, 0, 4 * dim] });
  }
  wasm.startPenalty(
    values.byteOffset,
    at.byteOffset,
    rowNumbers.byteOffset,
    occurrences.byteOffset,
    addressOf(byRow),
    strength,
    batch,
    dim,
    count,
    grads.byteOffset,
  );
};

export const selectRows: Kernels['selectRows'] = (rowNumbers, count, slotOf, slot, slotRow, occurrences) => {
  const heap = heapOfIntegers(slot);
  const wasm =
    heap !== undefined &&
    holdsIntegers(heap, rowNumbers, slotOf) &&
    holdsIntegers(heap, slotRow, occurrences) &&
    rowsOn(heap);
  if (!wasm) return rows.selectRows.js(rowNumbers, count, slotOf, slot, slotRow, occurrences);
  return wasm.selectRows(
    rowNumbers.byteOffset,
    count,
    slotOf.byteOffset,
    slot.byteOffset,
    slotRow.byteOffset,
    occurrences.byteOffset,
  );
};

export const productForward: Kernels['productForward'] = (base, maps, ids, count, shape, out) => {
  const heap = heapOf(out);
  const wasm =
    heap !== undefined && heapOf(base) === heap && holdsIds(heap, ids) && fits(heap, maps, []) && productsOn(heap);
  if (!wasm) return products.productForward.js(base, maps, ids, count, shape, out);
  const { dim, width, scalar } = shape;
  const { scaleForward, scalarForward, diagonalForward } = wasm;
  const routine = !scalar ? diagonalForward : width === 1 ? scaleForward : scalarForward;
  routine(
    base.byteOffset,
    heap.list.byteOffset,
    maps.length,
    addressOf(ids),
    count,
    dim,
    width,
    mapStep(shape),
    out.byteOffset,
  );
};

export const productBackward: Kernels['productBackward'] = (g, base, maps, ids, count, shape, gBase, gMaps) => {
  const heap = heapOf(gBase);
  const wasm =
    heap !== undefined && holds(heap, g, base) && holdsIds(heap, ids) && fits(heap, maps, gMaps) && productsOn(heap);
  if (!wasm) return products.productBackward.js(g, base, maps, ids, count, shape, gBase, gMaps);
  const { dim, width, scalar, perRow } = shape;
  if (!perRow) for (let l = 0; l < gMaps.length; l++) gMaps[l]!.fill(0, 0, scalar ? width : width * dim);
  const { scalarBackward, diagonalBackward } = wasm;
  const routine = scalar ? scalarBackward : diagonalBackward;
  const step = mapStep(shape);
  routine(
    base.byteOffset,
    heap.list.byteOffset,
    maps.length,
    addressOf(ids),
    count,
    dim,
    width,
    step,
    g.byteOffset,
    gBase.byteOffset,
    heap.list.byteOffset + 4 * maps.length,
    step,
  );
};

export const sparseSums: Kernels['sparseSums'] = (w, at, x, starts, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && holds(heap, w, x) && holdsIntegers(heap, at, starts) && sparseOn(heap);
  if (!wasm) sparse.sparseSums.js(w, at, x, starts, count, out);
  else wasm.sparseSums(w.byteOffset, at.byteOffset, x.byteOffset, starts.byteOffset, count, out.byteOffset);
};

export const scatterSparse: Kernels['scatterSparse'] = (g, x, slot, starts, count, out) => {
  const heap = heapOf(out);
  const wasm = heap !== undefined && holds(heap, g, x) && holdsIntegers(heap, slot, starts) && sparseOn(heap);
  if (!wasm) sparse.scatterSparse.js(g, x, slot, starts, count, out);
  else wasm.scatterSparse(g.byteOffset, x.byteOffset, slot.byteOffset, starts.byteOffset, count, out.byteOffset);
};

export const pairSums: Kernels['pairSums'] = (v, at, x, starts, dim, count, sums, out) => {
  const heap = heapOf(out);
  const wasm =
    heap !== undefined &&
    holds(heap, v, x) &&
    heapOf(sums) === heap &&
    holdsIntegers(heap, at, starts) &&
    sparseOn(heap);
  if (!wasm) return sparse.pairSums.js(v, at, x, starts, dim, count, sums, out);
  wasm.pairSums(
    v.byteOffset,
    at.byteOffset,
    x.byteOffset,
    starts.byteOffset,
    dim,
    count,
    sums.byteOffset,
    out.byteOffset,
  );
};

export const scatterPairs: Kernels['scatterPairs'] = (g, v, at, x, slot, starts, sums, dim, count, out) => {
  const heap = heapOf(out);
  const wasm =
    heap !== undefined &&
    holds(heap, g, v) &&
    holds(heap, x, sums) &&
    holdsIntegers(heap, at, slot) &&
    heapOfIntegers(starts) === heap &&
    sparseOn(heap);
  if (!wasm) return sparse.scatterPairs.js(g, v, at, x, slot, starts, sums, dim, count, out);
  wasm.scatterPairs(
    g.byteOffset,
    v.byteOffset,
    at.byteOffset,
    x.byteOffset,
    slot.byteOffset,
    starts.byteOffset,
    sums.byteOffset,
    dim,
    count,
    out.byteOffset,
  );
};

export const multiply: Kernels['multiply'] = (a, ids, b, m, k, n, c) => {
  const heap = heapOf(c);
  const wasm = heap !== undefined && holds(heap, a, b) && holdsIds(heap, ids) && matricesOn(heap);
  if (!wasm) return matrices.multiply.js(a, ids, b, m, k, n, c);
  const { team } = heap;
  if (team !== null && m > 4 && isWhole(n) && m * k * n >= 8 * WORTH_SHARING) {
    const operands = [a.byteOffset, addressOf(ids), b.byteOffset, 0, k, n, c.byteOffset];
    const steps = [ids === null ? 4 * k : 0, ids === null ? 0 : 4, 0, 0, 0, 0, 4 * n];
    return team.run({ ...MULTIPLY, units: m, operands, steps });
  }
  // b is traversed in parts, one for each few columns: with all of a it would not stay in the cache.
  for (let row = 0; row < m; row += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, m - row);
    const from = a.byteOffset + (ids === null ? 4 * row * k : 0);
    const named = ids === null ? 0 : ids.byteOffset + 4 * row;
    wasm.multiply(from, named, b.byteOffset, count, k, n, c.byteOffset + 4 * row * n);
  }
};

export const multiplySparse: Kernels['multiplySparse'] = (a, b, m, k, n, c, lists) => {
  const heap = heapOf(c);
  // Rows are of whole vectors here.
  const wasm =
    heap !== undefined && isWhole(n) && holds(heap, a, b) && heapOfIntegers(lists) === heap && matricesOn(heap);
  if (!wasm) return matrices.multiplySparse.js(a, b, m, k, n, c, lists);
  const { team } = heap;
  if (team !== null && m * k * n >= 8 * WORTH_SHARING) {
    const operands = [a.byteOffset, b.byteOffset, 0, k, n, c.byteOffset, lists.byteOffset];
    const steps = [4 * k, 0, 0, 0, 0, 4 * n, 4 * matrices.LIST];
    return team.run({ ...MULTIPLY_SPARSE, units: m, operands, steps });
  }
  for (let row = 0; row < m; row += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, m - row);
    const to = c.byteOffset + 4 * row * n;
    wasm.multiplySparse(a.byteOffset + 4 * row * k, b.byteOffset, count, k, n, to, lists.byteOffset);
  }
};

export const transpose: Kernels['transpose'] = (a, ids, m, n, c) => {
  const heap = heapOf(c);
  const wasm = heap !== undefined && heapOf(a) === heap && holdsIds(heap, ids) && matricesOn(heap);
  if (!wasm) return matrices.transpose.js(a, ids, m, n, c);
  const operands = [a.byteOffset, addressOf(ids), m, n, c.byteOffset, n];
  const { team } = heap;
  if (team !== null && m * n >= WORTH_SHARING)
    team.run({ ...TRANSPOSE, units: n, operands, steps: [4, 0, 0, 0, 4 * m] });
  else wasm.transpose(...operands);
};

export const addRow: Kernels['addRow'] = (row, m, n, relu, c) => {
  const heap = heapOf(c);
  const wasm = heap !== undefined && heapOf(row) === heap && matricesOn(heap);
  if (!wasm) return matrices.addRow.js(row, m, n, relu, c);
  const operands = [row.byteOffset, m, n, relu ? 1 : 0, c.byteOffset];
  const { team } = heap;
  if (team !== null && isWhole(n) && m * n >= WORTH_SHARING)
    team.run({ ...ADD_ROW, units: m, operands, steps: [0, 0, 0, 0, 4 * n] });
  else wasm.addRow(...operands);
};

export const addRows: Kernels['addRows'] = (g, y, m, n, row) => {
  const heap = heapOf(row);
  const wasm = heap !== undefined && holds(heap, g, y ?? g) && matricesOn(heap);
  if (!wasm) return matrices.addRows.js(g, y, m, n, row);
  const operands = [g.byteOffset, addressOf(y), m, n, row.byteOffset, n];
  const { team } = heap;
  if (team !== null && isWhole(n) && m * n >= WORTH_SHARING)
    team.run({ ...ADD_ROWS, units: n, operands, steps: [4, y === null ? 0 : 4, 0, 0, 4] });
  else wasm.addRows(...operands);
};

// The programs of a heap, each instantiated on first use.

const rowsOn = (heap: HeapCode) => (heap.rows === undefined ? heap.setUp('rows', rows.rowProgram) : heap.rows);
const productsOn = (heap: HeapCode) =>
  heap.products === undefined ? heap.setUp('products', products.productProgram) : heap.products;
const matricesOn = (heap: HeapCode) =>
  heap.matrices === undefined ? heap.setUp('matrices', matrices.matrixProgram) : heap.matrices;

const sparseOn = (heap: HeapCode) =>
  heap.sparse === undefined ? heap.setUp('sparse', sparse.sparseProgram) : heap.sparse;

function holds(heap: HeapCode, a: Numbers, b: Numbers): boolean {
  return heapOf(a) === heap && heapOf(b) === heap;
}

function holdsIntegers(heap: HeapCode, a: Int32Array, b: Int32Array): boolean {
  return heapOfIntegers(a) === heap && heapOfIntegers(b) === heap;
}

function holdsIds(heap: HeapCode, ids: Int32Array | null): boolean {
  return ids === null || heapOfIntegers(ids) === heap;
}

/** The address of an array; 0 where there is none. */
function addressOf(array: { readonly byteOffset: number } | null): number {
  return array === null ? 0 : array.byteOffset;
}

/** Lists the addresses of the maps, then those of their gradients; false where not all are in the heap. */
function fits(heap: HeapCode, maps: readonly Numbers[], gMaps: readonly Numbers[]): boolean {
  const { list } = heap;
  if (maps.length + gMaps.length > list.length) return false;
  let at = 0;
  for (let l = 0; l < maps.length; l++) {
    if (heapOf(maps[l]!) !== heap) return false;
    list[at++] = maps[l]!.byteOffset;
  }
  for (let l = 0; l < gMaps.length; l++) {
    if (heapOf(gMaps[l]!) !== heap) return false;
    list[at++] = gMaps[l]!.byteOffset;
  }
  return true;
}

/** The distance in bytes from a row's maps to those of the next row. */
function mapStep({ dim, width, scalar, perRow }: ProductShape): number {
  return perRow ? 4 * width * (scalar ? 1 : dim) : 0;
}
