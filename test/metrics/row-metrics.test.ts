// The names of the metrics of rows and lists.

import { featureMetricList, isLessBetter, rowMetrics } from '../../src/metrics/metric-names';

test('each name is its metric', () => {
  const of = (name: keyof typeof rowMetrics) => rowMetrics[name]([0.2, 0.6], [0, 1]);
  expect(of('auc')).toBe(1);
  expect(of('logloss')).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6)) / 2, 12);
  expect(of('rmse')).toBeCloseTo(Math.sqrt((0.04 + 0.16) / 2), 12);
});

test('names', () => {
  expect(featureMetricList(['auc', 'ndcg@10'], 'metrics')).toEqual(['auc', 'ndcg@10']);
  expect(() => featureMetricList(['auk'], 'metrics')).toThrow(
    /^metrics\[0\] is "auk"; want one of auc, logloss, rmse, mae, or of lists .*ndcg@K.* \(did you mean 'auc'\?\)$/,
  );
  expect(['auc', 'logloss', 'rmse', 'ndcg@10', 'mae'].map((name) => isLessBetter(name as 'auc'))).toEqual([
    false,
    true,
    true,
    false,
    true,
  ]);
});
