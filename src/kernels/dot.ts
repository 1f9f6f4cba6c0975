// The inner product in sixteen lanes (see kernels.ts). The float32 lanes are local variables, unrolled: an array of
// lanes takes twice as long, and a rounding function many times as long.

import type { Numbers } from './kernels';

const fround = Math.fround;

const LANES = 16;

/** @see Kernels.dot */
export function dot(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number {
  return a instanceof Float32Array ? dotSingle(a, aStart, b, bStart, n) : dotDouble(a, aStart, b, bStart, n);
}

const sums = new Float64Array(LANES);

/** The literal definition, in double precision. */
function dotDouble(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number {
  for (let lane = 0; lane < LANES; lane++) sums[lane] = 0;
  for (let k = 0; k < n; k++) sums[k % LANES]! += a[aStart + k]! * b[bStart + k]!;
  const quarter = (i: number) => sums[i]! + sums[i + 4]! + (sums[i + 8]! + sums[i + 12]!);
  return quarter(0) + quarter(2) + (quarter(1) + quarter(3));
}

/** The same, with every operation rounded to float32. */
function dotSingle(a: Numbers, aStart: number, b: Numbers, bStart: number, n: number): number {
  let p = aStart;
  let q = bStart;
  const end = aStart + n;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  let s7 = 0;
  let s8 = 0;
  let s9 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s14 = 0;
  let s15 = 0;
  for (; p + LANES <= end; p += LANES, q += LANES) {
    s0 = fround(s0 + fround(a[p]! * b[q]!));
    s1 = fround(s1 + fround(a[p + 1]! * b[q + 1]!));
    s2 = fround(s2 + fround(a[p + 2]! * b[q + 2]!));
    s3 = fround(s3 + fround(a[p + 3]! * b[q + 3]!));
    s4 = fround(s4 + fround(a[p + 4]! * b[q + 4]!));
    s5 = fround(s5 + fround(a[p + 5]! * b[q + 5]!));
    s6 = fround(s6 + fround(a[p + 6]! * b[q + 6]!));
    s7 = fround(s7 + fround(a[p + 7]! * b[q + 7]!));
    s8 = fround(s8 + fround(a[p + 8]! * b[q + 8]!));
    s9 = fround(s9 + fround(a[p + 9]! * b[q + 9]!));
    s10 = fround(s10 + fround(a[p + 10]! * b[q + 10]!));
    s11 = fround(s11 + fround(a[p + 11]! * b[q + 11]!));
    s12 = fround(s12 + fround(a[p + 12]! * b[q + 12]!));
    s13 = fround(s13 + fround(a[p + 13]! * b[q + 13]!));
    s14 = fround(s14 + fround(a[p + 14]! * b[q + 14]!));
    s15 = fround(s15 + fround(a[p + 15]! * b[q + 15]!));
  }
  if (p < end) s0 = fround(s0 + fround(a[p]! * b[q]!));
  if (p + 1 < end) s1 = fround(s1 + fround(a[p + 1]! * b[q + 1]!));
  if (p + 2 < end) s2 = fround(s2 + fround(a[p + 2]! * b[q + 2]!));
  if (p + 3 < end) s3 = fround(s3 + fround(a[p + 3]! * b[q + 3]!));
  if (p + 4 < end) s4 = fround(s4 + fround(a[p + 4]! * b[q + 4]!));
  if (p + 5 < end) s5 = fround(s5 + fround(a[p + 5]! * b[q + 5]!));
  if (p + 6 < end) s6 = fround(s6 + fround(a[p + 6]! * b[q + 6]!));
  if (p + 7 < end) s7 = fround(s7 + fround(a[p + 7]! * b[q + 7]!));
  if (p + 8 < end) s8 = fround(s8 + fround(a[p + 8]! * b[q + 8]!));
  if (p + 9 < end) s9 = fround(s9 + fround(a[p + 9]! * b[q + 9]!));
  if (p + 10 < end) s10 = fround(s10 + fround(a[p + 10]! * b[q + 10]!));
  if (p + 11 < end) s11 = fround(s11 + fround(a[p + 11]! * b[q + 11]!));
  if (p + 12 < end) s12 = fround(s12 + fround(a[p + 12]! * b[q + 12]!));
  if (p + 13 < end) s13 = fround(s13 + fround(a[p + 13]! * b[q + 13]!));
  if (p + 14 < end) s14 = fround(s14 + fround(a[p + 14]! * b[q + 14]!));
  const q0 = fround(fround(s0 + s4) + fround(s8 + s12));
  const q1 = fround(fround(s1 + s5) + fround(s9 + s13));
  const q2 = fround(fround(s2 + s6) + fround(s10 + s14));
  const q3 = fround(fround(s3 + s7) + fround(s11 + s15));
  return fround(fround(q0 + q2) + fround(q1 + q3));
}
