// What every pointwise loss must keep, alone or behind a link: the slope is the derivative of the value, a batch is the
// sum of its ratings, weights multiply, and no score overflows.

import fc from 'fast-check';
import type { Loss, LossBatch } from '../../src/training/losses';

/** A loss as the contract sees it. */
export interface LossUnderTest {
  readonly name: string;
  readonly loss: Loss;
  /** The range of the targets. */
  readonly targets: readonly [number, number];
  /** How far a score is from the nearest one at which the value has no (or a jumping) derivative; absent: smooth. */
  readonly kinkDistance?: (score: number, target: number) => number;
  /** A score with the least loss for a target. */
  readonly best: (target: number) => number;
}

const STEP = 1e-5;

/** Runs the contract over a loss. */
export function lossContract({ name, loss, targets: [low, high], kinkDistance, best }: LossUnderTest): void {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const ratings = fc.array(fc.record({ score: number(-6, 6), target: number(low, high), weight: number(0, 3) }), {
    minLength: 1,
    maxLength: 9,
  });
  type Ratings = readonly { score: number; target: number; weight: number }[];

  const batchOf = (list: Ratings, weighted: boolean): LossBatch => ({
    scores: Float64Array.from(list, ({ score }) => score),
    targets: Float64Array.from(list, ({ target }) => target),
    weights: weighted ? Float64Array.from(list, ({ weight }) => weight) : null,
    count: list.length,
  });
  const one = (score: number, target: number) => {
    const slope = new Float64Array(1);
    const value = loss.evaluate(batchOf([{ score, target, weight: 1 }], false), slope);
    return { value, slope: slope[0]! };
  };

  describe(`${name} keeps the contract of a loss`, () => {
    test('the slope is the derivative of the value', () => {
      fc.assert(
        fc.property(number(-6, 6), number(low, high), (score, target) => {
          fc.pre((kinkDistance?.(score, target) ?? Infinity) > 2 * STEP);
          const difference = (one(score + STEP, target).value - one(score - STEP, target).value) / (2 * STEP);
          expect(Math.abs(difference - one(score, target).slope)).toBeLessThan(
            1e-6 * Math.max(1, Math.abs(difference)),
          );
        }),
        { numRuns: 300 },
      );
    });

    test('a batch is the sum of its ratings, and weights multiply value and slope', () => {
      fc.assert(
        fc.property(ratings, fc.boolean(), (list, weighted) => {
          const slopes = new Float64Array(list.length);
          const sum = loss.evaluate(batchOf(list, weighted), slopes);
          let expected = 0;
          for (const [s, { score, target, weight }] of list.entries()) {
            const alone = one(score, target);
            const factor = weighted ? weight : 1;
            expected += factor * alone.value;
            expect(slopes[s]).toBeCloseTo(factor * alone.slope, 12);
          }
          expect(Math.abs(sum - expected)).toBeLessThanOrEqual(1e-12 * Math.max(1, expected));
        }),
      );
    });

    test('only the first `count` entries are read and written', () => {
      const batch = batchOf(
        [0.1, 0.4, 0.7].map((score) => ({ score, target: high, weight: 2 })),
        true,
      );
      const slopes = new Float64Array(3).fill(7);
      const two = loss.evaluate({ ...batch, count: 2 }, slopes);
      expect(slopes[2]).toBe(7);
      batch.scores[2] = 1e6;
      expect(loss.evaluate({ ...batch, count: 2 }, slopes)).toBe(two);
    });

    test('the batch is left as it was', () => {
      const batch = batchOf([{ score: 0.3, target: low, weight: 2 }], true);
      const copy = structuredClone(batch);
      loss.evaluate(batch, new Float64Array(1));
      expect([...batch.scores, ...batch.targets, ...batch.weights!]).toEqual([
        ...copy.scores,
        ...copy.targets,
        ...copy.weights!,
      ]);
    });

    test('the value is never below 0, and least at the best score, where a smooth one has slope 0', () => {
      const inside = number(low + 0.05 * (high - low), high - 0.05 * (high - low));
      fc.assert(
        fc.property(number(-6, 6), inside, (score, target) => {
          const least = one(best(target), target);
          expect(least.value).toBeGreaterThanOrEqual(-1e-15);
          if ((kinkDistance?.(best(target), target) ?? Infinity) > STEP) {
            expect(Math.abs(least.slope)).toBeLessThan(1e-9 * Math.max(1, high - low));
          }
          expect(one(score, target).value).toBeGreaterThanOrEqual(least.value - 1e-12);
        }),
      );
    });

    test('the slope has the sign of the error', () => {
      const middle = (low + high) / 2;
      expect(one(best(middle) + 1, middle).slope).toBeGreaterThan(0);
      expect(one(best(middle) - 1, middle).slope).toBeLessThan(0);
    });

    test.each([-1000, 1000])('score %p gives finite numbers at every target', (score) => {
      for (const target of [low, (low + high) / 2, high]) {
        const { value, slope } = one(score, target);
        expect([Number.isFinite(value), Number.isFinite(slope)]).toEqual([true, true]);
      }
    });

    test('float32 slopes are the float64 ones, rounded', () => {
      const list = [0.25, -1.5, 2].map((score) => ({ score, target: Math.fround(low), weight: 0.5 }));
      const single = new Float32Array(3);
      const double = new Float64Array(3);
      const { scores, targets, weights, count } = batchOf(list, true);
      loss.evaluate({ scores, targets, weights, count }, double);
      const [s, t, w] = [scores, targets, weights!].map((array) => Float32Array.from(array)) as Float32Array[];
      loss.evaluate({ scores: s!, targets: t!, weights: w!, count }, single);
      for (let i = 0; i < 3; i++)
        expect(Math.abs(single[i]! - double[i]!)).toBeLessThan(1e-6 * Math.max(1, Math.abs(double[i]!)));
    });
  });
}
