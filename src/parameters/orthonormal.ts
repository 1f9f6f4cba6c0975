// The little linear algebra that a dense product needs to start and to grow, in double: it runs once, not per step.

import { doubles } from '../core/allocate';
import { OpmfError } from '../core/errors';
import type { Stream } from '../core/random';

/** A random rows x cols matrix with orthonormal columns (normal draws, Gram and Schmidt twice: exact to rounding). */
export function orthonormalColumns(rows: number, cols: number, stream: Stream): Float64Array {
  const q = doubles(rows * cols, `an orthonormal map of ${rows} x ${cols} numbers`);
  for (let c = 0; c < cols; c++) {
    for (let r = 0; r < rows; r++) q[r * cols + c] = stream.normal();
    for (let pass = 0; pass < 2; pass++) {
      for (let b = 0; b < c; b++) {
        let along = 0;
        for (let r = 0; r < rows; r++) along += q[r * cols + b]! * q[r * cols + c]!;
        for (let r = 0; r < rows; r++) q[r * cols + c]! -= along * q[r * cols + b]!;
      }
    }
    let square = 0;
    for (let r = 0; r < rows; r++) square += q[r * cols + c]! * q[r * cols + c]!;
    const norm = Math.sqrt(square);
    for (let r = 0; r < rows; r++) q[r * cols + c]! /= norm;
  }
  return q;
}

/** Solves A x = b in place for a positive definite A (n x n), by one Cholesky factorization A = L L^T. */
export function solvePositive(a: Float64Array, n: number): (b: Float64Array) => void {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i !== j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 0) l[i * n + i] = Math.sqrt(sum);
      else
        throw new OpmfError(
          'the maps of a dense product have lost rank: new rows cannot be given a value through them',
        );
    }
  }
  return (b) => {
    for (let i = 0; i < n; i++) {
      let sum = b[i]!;
      for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k]!;
      b[i] = sum / l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i]!;
      for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * b[k]!;
      b[i] = sum / l[i * n + i]!;
    }
  };
}
