// exp, log, sigmoid, softplus and cosine against the engine's Math, whose own error is below 1 ulp, and against the
// identities that they must keep to the bit.

import fc from 'fast-check';
import {
  cosineOfTurn,
  cosineOfWord,
  exponential,
  logOfWord,
  naturalLog,
  sigmoid,
  softplus,
} from '../../src/core/elementary';
import { ulpDistance } from '../support/ulp';

/** The largest value of a function of the inputs. */
const largest = (inputs: readonly number[], of: (x: number) => number): number =>
  inputs.reduce((most, x) => Math.max(most, of(x)), 0);

/** Points of a range, evenly spaced and not at round numbers. */
const points = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * (i + 0.37)) / count);

/** How many ulp `ours` is from `theirs` at worst. */
const worst = (inputs: readonly number[], ours: (x: number) => number, theirs: (x: number) => number): number =>
  largest(inputs, (x) => ulpDistance(ours(x), theirs(x)));

describe('exponential', () => {
  test('is within 2 ulp of Math.exp over the range of normal results', () => {
    for (const [from, to] of [
      [-708, 709.78],
      [-1, 1],
      [-1e-3, 1e-3],
      [-40, 40],
    ] as const)
      expect(worst(points(from, to, 50_000), exponential, Math.exp)).toBeLessThanOrEqual(2);
  });
  test('is within 2 subnormal steps where results are subnormal', () => {
    expect(worst(points(-745.2, -708, 50_000), exponential, Math.exp)).toBeLessThanOrEqual(2);
  });
  test.each([
    [0, 1],
    [-0, 1],
    [5e-324, 1],
    [-5e-324, 1],
    [Infinity, Infinity],
    [-Infinity, 0],
    [Number.NaN, Number.NaN],
    [709.782712893384, Math.exp(709.782712893384)],
    [709.7827128933841, Infinity],
    [1e308, Infinity],
    [-745.1, 5e-324],
    [-745.2, 0],
    [-746, 0],
    [-1e308, 0],
  ])('of %d is %d', (x, wanted) => {
    expect(ulpDistance(exponential(x), wanted)).toBeLessThanOrEqual(Number.isFinite(wanted) && wanted > 1 ? 2 : 0);
  });
  test('does not fall anywhere near the seams of its argument reduction', () => {
    for (let n = -1070; n <= 1023; n++) {
      const seam = (n + 0.5) * Math.LN2;
      const step = Math.abs(seam) * 2e-13;
      expect(exponential(seam + step)).toBeGreaterThanOrEqual(exponential(seam - step));
    }
  });
});

describe('naturalLog', () => {
  test('is within 3 ulp of Math.log from the smallest normal double to the largest', () => {
    const everywhere = points(-1021.9, 1023.9, 50_000).map((power) => 2 ** power);
    expect(worst(everywhere, naturalLog, Math.log)).toBeLessThanOrEqual(1);
    expect(worst(points(0.5, 2, 50_000), naturalLog, Math.log)).toBeLessThanOrEqual(3);
  });
  test('keeps its relative accuracy at both sides of 1, where the result goes through 0', () => {
    const near = points(-50, -2, 2000).flatMap((power) => [1 - 2 ** power, 1 + 2 ** power]);
    expect(worst(near, naturalLog, Math.log)).toBeLessThanOrEqual(2);
  });
  test('takes subnormal numbers', () => {
    const subnormal = points(-1074, -1022, 5000).map((power) => 2 ** power);
    expect(worst(subnormal, naturalLog, Math.log)).toBeLessThanOrEqual(1);
  });
  test.each([
    [1, 0],
    [0, -Infinity],
    [-0, -Infinity],
    [Infinity, Infinity],
    [-1, Number.NaN],
    [-5e-324, Number.NaN],
    [-Infinity, Number.NaN],
    [Number.NaN, Number.NaN],
    [2, Math.LN2],
    [0.5, -Math.LN2],
    [5e-324, -744.4400719213812],
    [Number.MAX_VALUE, 709.782712893384],
  ])('of %d is %d', (x, wanted) => {
    expect(naturalLog(x)).toBe(wanted);
  });
  test('undoes exponential', () => {
    // An error of 2 ulp in e^x is one of 4.5e-16 in its logarithm.
    const error = (x: number) => Math.abs(naturalLog(exponential(x)) - x) / Math.max(1, Math.abs(x));
    expect(largest(points(-700, 700, 5000), error)).toBeLessThanOrEqual(4 * Number.EPSILON);
  });
});

describe('sigmoid', () => {
  test('is within 4 ulp of 1 / (1 + e^-x) on both sides, also where it is tiny', () => {
    const theirs = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
    expect(worst(points(-708, 40, 50_000), sigmoid, theirs)).toBeLessThanOrEqual(4);
  });
  test.each([
    [0, 0.5],
    [-0, 0.5],
    [1e4, 1],
    [-1e4, 0],
    [Infinity, 1],
    [-Infinity, 0],
    [Number.NaN, Number.NaN],
  ])('of %d is %d', (x, wanted) => {
    expect(sigmoid(x)).toBe(wanted);
  });
  test('of x and of -x sum to 1', () => {
    const error = (x: number) => Math.abs(sigmoid(x) + sigmoid(-x) - 1);
    expect(largest(points(-50, 50, 5000), error)).toBeLessThanOrEqual(2 * Number.EPSILON);
  });
});

describe('softplus', () => {
  test('is log(1 + e^x) within 4 ulp of the larger of the result and 1', () => {
    const theirs = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    const error = (x: number) => Math.abs(softplus(x) - theirs(x)) / Math.max(1, theirs(x));
    expect(largest(points(-60, 60, 20_000), error)).toBeLessThanOrEqual(4 * Number.EPSILON);
  });
  test.each([
    [0, Math.LN2],
    [1e300, 1e300],
    [-1e300, 0],
    [Infinity, Infinity],
    [-Infinity, 0],
    [Number.NaN, Number.NaN],
  ])('of %d is %d', (x, wanted) => {
    expect(softplus(x)).toBe(wanted);
  });
  test('has sigmoid as its slope', () => {
    const slope = (x: number) => (softplus(x + 1e-5) - softplus(x - 1e-5)) / 2e-5;
    expect(largest(points(-20, 20, 500), (x) => Math.abs(slope(x) - sigmoid(x)))).toBeLessThan(1e-9);
  });
});

describe('cosineOfTurn', () => {
  test('is cos(2 pi t) within 4 rounding errors of 1', () => {
    expect(largest(points(0, 1, 50_000), (t) => Math.abs(cosineOfTurn(t) - folded(t)))).toBeLessThanOrEqual(
      4 * Number.EPSILON,
    );
  });
  test.each([
    [0, 1],
    [-0, 1],
    [0.5, -1],
    [1, 1],
    [5e-324, 1],
    [Number.NaN, Number.NaN],
  ])('of %d is %d', (t, wanted) => {
    expect(cosineOfTurn(t)).toBe(wanted);
  });
  test('is even about half a turn and odd about a quarter, to the bit', () => {
    // Multiples of 2^-32, as random draws are: 1 - t and 1/2 - t are then exact.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 30 }), (word) => {
        const t = word * 2 ** -32;
        expect(cosineOfTurn(1 - t)).toBe(cosineOfTurn(t));
        expect(cosineOfTurn(0.5 - t) + (t === 0.25 ? 0 : cosineOfTurn(t))).toBe(t === 0.25 ? cosineOfTurn(0.25) : 0);
      }),
    );
    expect(Math.abs(cosineOfTurn(0.25))).toBeLessThan(1e-16);
    expect(Math.abs(cosineOfTurn(0.75))).toBeLessThan(1e-16);
  });
  test('stays within [-1, 1]', () => {
    expect(largest(points(0, 1, 20_000), (t) => Math.abs(cosineOfTurn(t)))).toBeLessThanOrEqual(1);
  });
});

describe('of random words, without branches', () => {
  const EDGES = [0, 2 ** 30, 2 ** 31, 3 * 2 ** 30, 2 ** 32, 3037000499].flatMap((at) => [at - 2, at - 1, at, at + 1]);
  const words = [...EDGES.filter((word) => word >= 0 && word < 2 ** 32), ...points(0, 2 ** 32, 50_000).map(Math.floor)];
  test('logOfWord has the bits of naturalLog', () => {
    for (const word of words) expect(logOfWord(word)).toBe(naturalLog((word + 1) * 2 ** -32));
  });
  test('cosineOfWord has the bits of cosineOfTurn, and goes on in both directions', () => {
    for (const word of words) {
      expect(cosineOfWord(word)).toBe(cosineOfTurn(word * 2 ** -32));
      expect(cosineOfWord(word - 2 ** 32)).toBe(cosineOfWord(word));
    }
  });
});

/** cos(2 pi t). Math.cos takes a rounded 2 pi t: fold to the first eighth of a turn, where that costs least. */
function folded(t: number): number {
  if (t > 0.5) return folded(1 - t);
  if (t > 0.25) return -folded(0.5 - t);
  return t <= 0.125 ? Math.cos(2 * Math.PI * t) : Math.sin(2 * Math.PI * (0.25 - t));
}
