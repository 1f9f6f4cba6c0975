// Per-rating SGD on pairs of rows as one loop: score, error, gradients, penalty and update of a pair before the next.
// It rounds to float32 exactly where the separate routines store, so its bits are those of the steps one by one.

import type { PairRates, PairSide } from './kernels';

/** @see Kernels.sgdPairs */
export function sgdPairs(
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
): number {
  const { rank, base: x, row: a, map: sLeft, bias: bLeft, decay: decayLeft, biasDecay: biasDecayLeft } = left;
  const { base: y, row: b, map: sRight, bias: bRight, decay: decayRight, biasDecay: biasDecayRight } = right;
  let loss = sum;
  for (let n = 0; n < count; n++) {
    const i = leftAt[n]!;
    const j = rightAt[n]!;
    const p = i * rank;
    const q = j * rank;
    const s = sLeft === null ? 1 : sLeft[i]!;
    const t = sRight === null ? 1 : sRight[j]!;
    let dot = 0;
    for (let k = 0; k < rank; k++) {
      const e = Math.fround(x[p + k]! * s);
      const f = Math.fround(y[q + k]! * t);
      a[k] = e;
      b[k] = f;
      dot += e * f;
    }
    let score = Math.fround(mean);
    if (bLeft !== null) score = Math.fround(score + bLeft[i]!);
    if (bRight !== null) score = Math.fround(score + bRight[j]!);
    const error = Math.fround(score + dot) - targets[n]!;
    const weight = weights === null ? 1 : weights[n]!;
    const g = Math.fround(weight * error);
    loss += 0.5 * weight * error * error;

    const rate = rates.base[n]!;
    const lambda = decayLeft[i]!;
    const mu = decayRight[j]!;
    let alongLeft = 0;
    let alongRight = 0;
    for (let k = 0; k < rank; k++) {
      const e = a[k]!;
      const f = b[k]!;
      const gLeft = Math.fround(Math.fround(g * f) + lambda * e);
      const gRight = Math.fround(Math.fround(g * e) + mu * f);
      const u = x[p + k]!;
      const v = y[q + k]!;
      alongLeft += gLeft * u;
      alongRight += gRight * v;
      x[p + k] = u - rate * Math.fround(gLeft * s);
      y[q + k] = v - rate * Math.fround(gRight * t);
    }
    const mapRate = rates.map[n]!;
    if (sLeft !== null) sLeft[i] = s - mapRate * Math.fround(alongLeft);
    if (sRight !== null) sRight[j] = t - mapRate * Math.fround(alongRight);
    const biasRate = rates.bias[n]!;
    if (bLeft !== null) bLeft[i]! -= biasRate * Math.fround(g + biasDecayLeft[i]! * bLeft[i]!);
    if (bRight !== null) bRight[j]! -= biasRate * Math.fround(g + biasDecayRight[j]! * bRight[j]!);
  }
  return loss;
}
