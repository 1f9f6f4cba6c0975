// The ranking losses: slopes are derivatives, groups add up, and cases worked out by hand.

import fc from 'fast-check';
import type { Loss, LossBatch } from '../../src/training/losses';
import { bpr, softmax, Warp } from '../../src/training/losses';

const STEP = 1e-6;
const score = fc.double({ min: -5, max: 5, noNaN: true });

function batch(scores: readonly number[], group: number, extra: Partial<LossBatch> = {}): LossBatch {
  const targets = Float64Array.from(scores, (_, s) => (s % group === 0 ? 1 : 0));
  const count = scores.length;
  return { scores: Float64Array.from(scores), targets, weights: null, logQ: null, group, count, ...extra };
}

function evaluate(loss: Loss, given: LossBatch): { value: number; slopes: number[] } {
  const slopes = new Float64Array(given.count);
  return { value: loss.evaluate(given, slopes), slopes: [...slopes] };
}

const LOSSES: readonly [string, Loss, (scores: readonly number[]) => boolean][] = [
  ['bpr', bpr, () => true],
  // The hinge has kinks where a negative is exactly 1 behind.
  [
    'warp',
    new Warp(1000),
    ([positive, ...others]) => others.every((other) => Math.abs(1 - positive! + other) > 10 * STEP),
  ],
  ['softmax', softmax, () => true],
];

describe.each(LOSSES)('%s', (_, loss, isSmooth) => {
  test('slopes are the derivatives of the value, and add up to 0', () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 2, maxLength: 7 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        (scores, weight) => {
          fc.pre(isSmooth(scores));
          const group = scores.length;
          const extra = {
            weights: new Float64Array(group).fill(weight),
            logQ: Float64Array.from(scores, (_, s) => -s),
          };
          const { slopes } = evaluate(loss, batch(scores, group, extra));
          for (let s = 0; s < group; s++) {
            const at = (by: number) =>
              evaluate(
                loss,
                batch(
                  scores.map((x, k) => (k === s ? x + by : x)),
                  group,
                  extra,
                ),
              ).value;
            expect(slopes[s]).toBeCloseTo((at(STEP) - at(-STEP)) / (2 * STEP), 5);
          }
          expect(slopes.reduce((a, b) => a + b)).toBeCloseTo(0, 10);
        },
      ),
    );
  });

  test('groups do not know of each other', () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 3, maxLength: 3 }),
        fc.array(score, { minLength: 3, maxLength: 3 }),
        (a, b) => {
          const [one, two, both] = [a, b, [...a, ...b]].map((scores) => evaluate(loss, batch(scores, 3)));
          expect(both!.value).toBeCloseTo(one!.value + two!.value, 12);
          expect(both!.slopes).toEqual([...one!.slopes, ...two!.slopes]);
        },
      ),
    );
  });
});

test('bpr by hand: the mean over the negatives', () => {
  const { value, slopes } = evaluate(bpr, batch([2, 2, 2], 3));
  expect(value).toBeCloseTo(Math.LN2, 12);
  expect(slopes.map((slope) => Math.round(slope * 1e12) / 1e12)).toEqual([-0.5, 0.25, 0.25]);
});

test('warp by hand: the first violator counts, by the rank that it tells of', () => {
  // The first negative is 2 behind, the second only 0.5: two tries among 100 others tell of rank 50.
  const { value, slopes } = evaluate(new Warp(101), batch([1, -1, 0.5, 9], 4));
  const weight = Math.log(50);
  expect(value).toBeCloseTo(weight * 0.5, 12);
  expect(slopes[0]).toBeCloseTo(-weight, 12);
  expect(slopes.slice(1)).toEqual([0, -slopes[0]!, 0]);
  expect(evaluate(new Warp(101), batch([3, 1, 1.5], 3))).toEqual({ value: 0, slopes: [0, 0, 0] });
});

test('softmax by hand, and the correction by the chance of being drawn', () => {
  expect(evaluate(softmax, batch([1, 1, 1, 1], 4)).value).toBeCloseTo(Math.log(4), 12);
  // A negative that is e times as likely to be drawn counts as much as one with a score that is 1 less.
  const corrected = evaluate(softmax, batch([0, 1], 2, { logQ: Float64Array.of(0, 1) }));
  expect(corrected.value).toBeCloseTo(Math.LN2, 12);
});

test('no score overflows', () => {
  for (const [, loss] of LOSSES) {
    for (const scores of [
      [1000, -1000, 0],
      [-1000, 1000, 0],
    ]) {
      const { value, slopes } = evaluate(loss, batch(scores, 3));
      expect([value, ...slopes].every(Number.isFinite)).toBe(true);
    }
  }
});
