// Schedules by hand-computed values, as curves (monotone, between their ends) and as plain JSON.

import * as fc from 'fast-check';
import type { Factor } from '../../src/optimizers/factor';
import {
  constant,
  cosine,
  curveOf,
  exponential,
  inverse,
  LearningRates,
  linear,
  rateOf,
  type Schedule,
  warmup,
} from '../../src/optimizers/learning-rate';

const at = (schedule: Schedule, progress: number) => new LearningRates(schedule).at(progress);

test.each<[Schedule, at0: number, at05: number, at1: number]>([
  [constant(0.2), 0.2, 0.2, 0.2],
  [exponential(0.2), 0.2, 0.02, 0.002],
  [exponential(0.2, { final: 0.25 }), 0.2, 0.1, 0.05],
  [inverse(0.2), 0.2, 0.2 / 5.5, 0.02],
  [inverse(0.2, { decay: 2 }), 0.2, 0.1, 0.2 / 3],
  [cosine(0.2), 0.2, 0.1, 0],
  [cosine(0.2, { final: 0.5 }), 0.2, 0.15, 0.1],
  [linear(0.2), 0.2, 0.1, 0],
  [linear(0.2, { final: 0.5 }), 0.2, 0.15, 0.1],
  [warmup(0.2), 0, 0.2, 0.2],
  [warmup(linear(0.2), { fraction: 0.25 }), 0, (0.2 * 2) / 3, 0],
  [warmup(cosine(0.2), { fraction: 0 }), 0.2, 0.1, 0],
])('%j at 0, 1/2 and 1', (schedule, at0, at05, at1) => {
  expect(at(schedule, 0)).toBeCloseTo(at0, 15);
  expect(at(schedule, 0.5)).toBeCloseTo(at05, 15);
  expect(at(schedule, 1)).toBeCloseTo(at1, 15);
});

test('cosine at a third and at a quarter', () => {
  expect(at(cosine(1), 1 / 3)).toBeCloseTo(0.75, 15);
  expect(at(cosine(1), 0.25)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 15);
});

test('the rise of a warm-up is a straight line that meets the inner schedule', () => {
  const schedule = warmup(exponential(0.2), { fraction: 0.4 });
  expect(at(schedule, 0.1)).toBeCloseTo(0.05, 15);
  expect(at(schedule, 0.3)).toBeCloseTo(0.15, 15);
  expect(at(schedule, 0.4)).toBeCloseTo(0.2, 15);
  expect(at(schedule, 0.7)).toBeCloseTo(0.02, 15);
});

test('cosine and linear end at exactly 0, and constant is exact', () => {
  expect(at(cosine(0.3), 1)).toBe(0);
  expect(at(linear(0.3), 1)).toBe(0);
  expect(at(constant(0.3), 0.7)).toBe(0.3);
});

const share = fc.double({ min: 0.001, max: 1, noNaN: true });
const rate = fc.oneof(
  fc.double({ min: 1e-6, max: 10, noNaN: true }),
  fc.record(
    { embedding: share, bias: share, map: share, dense: share, linear: share },
    { requiredKeys: ['embedding'] },
  ),
);
const falling: fc.Arbitrary<Schedule> = fc.oneof(
  rate.map((r) => constant(r)),
  fc.tuple(rate, share).map(([r, final]) => exponential(r, { final })),
  fc.tuple(rate, fc.double({ min: 0, max: 100, noNaN: true })).map(([r, decay]) => inverse(r, { decay })),
  fc.tuple(rate, share).map(([r, final]) => cosine(r, { final })),
  fc.tuple(rate, share).map(([r, final]) => linear(r, { final })),
);
const progress = fc.double({ min: 0, max: 1, noNaN: true });

test('without a warm-up a schedule starts at its rate and never rises', () => {
  fc.assert(
    fc.property(falling, progress, progress, (schedule, p, q) => {
      const curve = curveOf(schedule);
      expect(curve(0)).toBe(1);
      expect(curve(Math.max(p, q))).toBeLessThanOrEqual(curve(Math.min(p, q)) + 1e-15);
      expect(curve(p)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('a warm-up never falls before its fraction and never rises after it', () => {
  fc.assert(
    fc.property(
      falling,
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      progress,
      progress,
      (inner, fraction, p, q) => {
        const curve = curveOf(warmup(inner, { fraction }));
        const [low, high] = [Math.min(p, q), Math.max(p, q)];
        if (high < fraction) expect(curve(high)).toBeGreaterThanOrEqual(curve(low));
        if (low >= fraction) expect(curve(high)).toBeLessThanOrEqual(curve(low) + 1e-15);
        expect(curve(p)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

test('a schedule survives JSON, frozen all through, and means the same after it', () => {
  const factor: Factor = { name: 'x', role: 'map', group: 'dense', rows: 1, cols: 1, data: new Float64Array(1) };
  fc.assert(
    fc.property(
      fc.oneof(
        falling,
        falling.map((inner) => warmup(inner)),
      ),
      progress,
      (schedule, p) => {
        const copy = JSON.parse(JSON.stringify(schedule)) as Schedule;
        expect(copy).toEqual(schedule);
        expect(Object.isFrozen(schedule) && Object.isFrozen(rateOf(schedule))).toBe(true);
        const [left, right] = [new LearningRates(schedule), new LearningRates(copy)];
        left.begin(3, p);
        right.begin(3, p);
        expect(right.learningRateOf(factor)).toBe(left.learningRateOf(factor));
      },
    ),
  );
});
