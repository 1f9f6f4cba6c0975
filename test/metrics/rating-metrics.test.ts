// RMSE and MAE: values by hand, bounds, and what they do not depend on.

import fc from 'fast-check';
import { mae, RATING_METRICS, ratingMetrics, rmse } from '../../src/metrics/rating-metrics';

test('by hand', () => {
  // Errors 1, -2, 0, 3: squares 14 over 4, absolute values 6 over 4.
  const predictions = [4, 1, 2, 5];
  const ratings = [3, 3, 2, 2];
  expect(rmse(predictions, ratings)).toBe(Math.sqrt(14 / 4));
  expect(mae(predictions, ratings)).toBe(1.5);
  expect(rmse([3.5], [3])).toBe(0.5);
  expect(mae(Float32Array.of(3.5), Float64Array.of(4))).toBe(0.5);
  expect([rmse([1, 2], [1, 2]), mae([1, 2], [1, 2])]).toEqual([0, 0]);
});

test('are known by name', () => {
  expect(RATING_METRICS).toEqual(['rmse', 'mae']);
  expect(ratingMetrics).toEqual({ rmse, mae });
});

const number = fc.double({ min: -10, max: 10, noNaN: true });
const pairs = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 30 });

test('mae <= rmse <= the largest error, and neither depends on the order', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const [p, r] = [list.map(([a]) => a), list.map(([, b]) => b)];
      const largest = Math.max(...list.map(([a, b]) => Math.abs(a - b)));
      expect(mae(p, r)).toBeLessThanOrEqual(rmse(p, r) + 1e-12);
      expect(rmse(p, r)).toBeLessThanOrEqual(largest + 1e-12);
      expect(rmse([...p].reverse(), [...r].reverse())).toBeCloseTo(rmse(p, r), 12);
      expect(mae(r, p)).toBeCloseTo(mae(p, r), 12);
    }),
  );
});

test('a NaN is not hidden', () => {
  expect([rmse([Number.NaN, 1], [1, 1]), mae([Number.NaN, 1], [1, 1])]).toEqual([Number.NaN, Number.NaN]);
});
