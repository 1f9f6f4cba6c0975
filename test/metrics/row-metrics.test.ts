// AUC and log loss by their definitions.

import fc from 'fast-check';
import { isLessBetter, logloss, rowAuc, rowMetricList } from '../../src/metrics/row-metrics';

test('auc is the share of pairs in order, ties counting half', () => {
  const row = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 30 }), (rows) => {
      const [ones, zeros] = [rows.filter(([, y]) => y === 1), rows.filter(([, y]) => y === 0)];
      let sum = 0;
      for (const [a] of ones) for (const [b] of zeros) sum += a > b ? 1 : a === b ? 0.5 : 0;
      const got = rowAuc(
        rows.map(([p]) => p / 5),
        rows.map(([, y]) => y),
      );
      if (ones.length === 0 || zeros.length === 0) expect(got).toBeNaN();
      else expect(got).toBeCloseTo(sum / (ones.length * zeros.length), 12);
    }),
  );
});

test('log loss by hand; a certain error costs much, but no infinity', () => {
  expect(logloss([0.8, 0.4], [1, 0])).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 12);
  expect(logloss([0], [1])).toBeCloseTo(-Math.log(1e-7), 6);
  expect(logloss([1, 0], [1, 0])).toBeLessThan(1e-6);
});

test('names', () => {
  expect(rowMetricList(['auc', 'rmse'], 'metrics')).toEqual(['auc', 'rmse']);
  expect(() => rowMetricList(['auk'], 'metrics')).toThrow(
    'metrics[0] is "auk"; want one of auc, logloss, rmse (did you mean \'auc\'?)',
  );
  expect(['auc', 'logloss', 'rmse', 'ndcg@10', 'mae'].map((name) => isLessBetter(name as 'auc'))).toEqual([
    false,
    true,
    true,
    false,
    true,
  ]);
});
