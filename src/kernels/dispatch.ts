// The kernels as everybody calls them: in WebAssembly where all arrays of a call lie in one heap, else in JavaScript, with
// the same bits. Nobody who calls needs to know where arrays lie. Written out for each kernel: a dispatch made from lists of
// operands takes twice as long, and some kernels take less time than it.

import { type HeapCode, heapOf, heapOfDoubles, heapOfIntegers } from './heap';
import type { Kernels, Numbers, ProductShape } from './kernels';
import { multiply, multiplyTransposed, transposedMultiply } from './matrix';
import { productBackward, productForward } from './products';
import { divide, dot, gatherAdd, rowDots, scatterAdd, scatterRows, selectRows, startPenalty } from './rows';

/** Rows of a matrix product that are made together. */
const ROWS_AT_ONCE = 64;

/** The kernels of this process. */
export const kernels: Kernels = {
  dot(a, aStart, b, bStart, n) {
    const heap = heapOf(a);
    if (heap === undefined || heapOf(b) !== heap) return dot.js(a, aStart, b, bStart, n);
    return heap.routines.dot(a.byteOffset + 4 * aStart, b.byteOffset + 4 * bStart, n);
  },

  gatherAdd(a, at, count, out) {
    const heap = heapOf(out);
    if (heap === undefined || heapOf(a) !== heap || heapOfIntegers(at) !== heap) gatherAdd.js(a, at, count, out);
    else heap.routines.gatherAdd(a.byteOffset, at.byteOffset, count, out.byteOffset);
  },

  scatterAdd(g, slot, count, out) {
    const heap = heapOf(out);
    if (heap === undefined || heapOf(g) !== heap || heapOfIntegers(slot) !== heap) scatterAdd.js(g, slot, count, out);
    else heap.routines.scatterAdd(g.byteOffset, slot.byteOffset, count, out.byteOffset);
  },

  divide(x, by, count) {
    const heap = heapOf(x);
    // A divisor that float32 does not hold is divided by in double.
    if (heap === undefined || Math.fround(by) !== by) divide.js(x, by, count);
    else heap.routines.divide(x.byteOffset, by, count);
  },

  rowDots(a, aAt, b, bAt, dim, count, out) {
    const heap = heapOf(out);
    if (heap === undefined || !holds(heap, a, b) || !holdsIntegers(heap, aAt, bAt))
      return rowDots.js(a, aAt, b, bAt, dim, count, out);
    heap.routines.rowDots(a.byteOffset, aAt.byteOffset, b.byteOffset, bAt.byteOffset, dim, count, out.byteOffset);
  },

  scatterRows(g, a, at, slot, dim, count, out) {
    const heap = heapOf(out);
    if (heap === undefined || !holds(heap, g, a) || !holdsIntegers(heap, at, slot))
      return scatterRows.js(g, a, at, slot, dim, count, out);
    heap.routines.scatterRows(g.byteOffset, a.byteOffset, at.byteOffset, slot.byteOffset, dim, count, out.byteOffset);
  },

  startPenalty(values, at, rows, occurrences, byRow, strength, batch, dim, count, grads) {
    const heap = heapOf(grads);
    if (
      heap === undefined ||
      heapOf(values) !== heap ||
      !holdsIntegers(heap, at, rows) ||
      heapOfIntegers(occurrences) !== heap ||
      (byRow !== null && heapOfDoubles(byRow) !== heap)
    )
      return startPenalty.js(values, at, rows, occurrences, byRow, strength, batch, dim, count, grads);
    heap.routines.startPenalty(
      values.byteOffset,
      at.byteOffset,
      rows.byteOffset,
      occurrences.byteOffset,
      byRow === null ? 0 : byRow.byteOffset,
      strength,
      batch,
      dim,
      count,
      grads.byteOffset,
    );
  },

  selectRows(rows, count, slotOf, slot, slotRow, occurrences) {
    const heap = heapOfIntegers(slot);
    if (heap === undefined || !holdsIntegers(heap, rows, slotOf) || !holdsIntegers(heap, slotRow, occurrences))
      return selectRows.js(rows, count, slotOf, slot, slotRow, occurrences);
    return heap.routines.selectRows(
      rows.byteOffset,
      count,
      slotOf.byteOffset,
      slot.byteOffset,
      slotRow.byteOffset,
      occurrences.byteOffset,
    );
  },

  productForward(base, maps, ids, count, shape, out) {
    const heap = heapOf(out);
    if (heap === undefined || heapOf(base) !== heap || !holdsIds(heap, ids) || !fits(heap, maps, []))
      return productForward.js(base, maps, ids, count, shape, out);
    const { dim, width, scalar } = shape;
    const { scaleForward, scalarForward, diagonalForward } = heap.routines;
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
  },

  productBackward(g, base, maps, ids, count, shape, gBase, gMaps) {
    const heap = heapOf(gBase);
    if (heap === undefined || !holds(heap, g, base) || !holdsIds(heap, ids) || !fits(heap, maps, gMaps))
      return productBackward.js(g, base, maps, ids, count, shape, gBase, gMaps);
    const { dim, width, scalar, perRow } = shape;
    if (!perRow) for (let l = 0; l < gMaps.length; l++) gMaps[l]!.fill(0, 0, scalar ? width : width * dim);
    const { scalarBackward, diagonalBackward } = heap.routines;
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
  },

  multiply(a, ids, b, m, k, n, c) {
    const heap = heapOf(c);
    if (heap === undefined || !holds(heap, a, b) || !holdsIds(heap, ids)) {
      multiply.js(a, ids, b, m, k, n, c);
      return;
    }
    // A part of b is gone through for each few columns: with all of a it would not stay in the cache.
    for (let row = 0; row < m; row += ROWS_AT_ONCE) {
      const rows = Math.min(ROWS_AT_ONCE, m - row);
      const from = a.byteOffset + (ids === null ? 4 * row * k : 0);
      const named = ids === null ? 0 : ids.byteOffset + 4 * row;
      heap.routines.multiply(from, named, b.byteOffset, rows, k, n, c.byteOffset + 4 * row * n);
    }
  },

  multiplyTransposed(a, b, m, n, k, c) {
    const heap = heapOf(c);
    if (heap === undefined || !holds(heap, a, b)) multiplyTransposed.js(a, b, m, n, k, c);
    else heap.routines.multiplyTransposed(a.byteOffset, b.byteOffset, m, n, k, c.byteOffset);
  },

  transposedMultiply(a, ids, b, m, k, n, c) {
    const heap = heapOf(c);
    if (heap === undefined || !holds(heap, a, b) || !holdsIds(heap, ids)) transposedMultiply.js(a, ids, b, m, k, n, c);
    else heap.routines.transposedMultiply(a.byteOffset, addressOf(ids), b.byteOffset, m, k, n, c.byteOffset);
  },
};

function holds(heap: HeapCode, a: Numbers, b: Numbers): boolean {
  return heapOf(a) === heap && heapOf(b) === heap;
}

function holdsIntegers(heap: HeapCode, a: Int32Array, b: Int32Array): boolean {
  return heapOfIntegers(a) === heap && heapOfIntegers(b) === heap;
}

function holdsIds(heap: HeapCode, ids: Int32Array | null): boolean {
  return ids === null || heapOfIntegers(ids) === heap;
}

/** The address of row numbers; 0 stands for every row. */
function addressOf(ids: Int32Array | null): number {
  return ids === null ? 0 : ids.byteOffset;
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

/** From a row's maps to those of the next row, in bytes. */
function mapStep({ dim, width, scalar, perRow }: ProductShape): number {
  return perRow ? 4 * width * (scalar ? 1 : dim) : 0;
}
