// Matrices as callers see them: ndarray views. In a file of its own, which the build leaves apart: what imports ndarray is
// bundled with it, and most recommenders never show a matrix.

import ndarray, { type NdArray } from 'ndarray';

/** A matrix over the memory of its values, row by row. */
export function matrixView<T extends Float32Array | Float64Array>(
  values: T,
  rows: number,
  columns: number,
): NdArray<T> {
  return ndarray(values, [rows, columns]);
}
