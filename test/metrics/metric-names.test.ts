// Names of metrics: what is read, what is refused, and in which words.

import {
  findRankingMetrics,
  metricList,
  metricName,
  rankingMeasures,
  rankingMetricsOf,
} from '../../src/metrics/metric-names';
import { auc, ndcg } from '../../src/metrics/ranking-metrics';

test('a name says the measure and its cut', () => {
  expect(findRankingMetrics('ndcg@10')).toEqual([{ name: 'ndcg@10', measure: ndcg, k: 10, needsCandidates: false }]);
  expect(findRankingMetrics('auc')).toEqual([{ name: 'auc', measure: auc, k: Infinity, needsCandidates: true }]);
  expect(findRankingMetrics('auc@5')).toMatchObject([{ name: 'auc@5', k: 5, needsCandidates: true }]);
  expect(findRankingMetrics('ndcg', [5, 20])!.map(({ name, k }) => [name, k])).toEqual([
    ['ndcg@5', 5],
    ['ndcg@20', 20],
  ]);
  expect(rankingMetricsOf(['rmse', 'hr@3', 'mae']).map(({ name }) => name)).toEqual(['hr@3']);
});

test.each(Object.keys(rankingMeasures))('%s is read by its name', (name) => {
  expect(findRankingMetrics(`${name}@10`)).toMatchObject([{ name: `${name}@10`, k: 10 }]);
});

test.each(['ndcg', 'ndcg@', 'ndcg@0', 'ndcg@-1', 'ndcg@1.5', 'ndcg@05', 'NDCG@10', 'rmse@10', 'toString@3', '', 7])(
  '%p is no metric',
  (name) => {
    expect(() => metricName(name, 'metric')).toThrow(
      expect.objectContaining({ name: 'OptionError', option: 'metric', value: name }),
    );
  },
);

test('messages say what there is, and what was meant', () => {
  expect(() => metricName('ndgc@20', 'metric')).toThrow(
    `metric is "ndgc@20"; want rmse, mae, precision@K, recall@K, hr@K, ndcg@K, map@K, mrr@K, auc@K, or auc; K is a whole number of at least 1, as in ndcg@10 (did you mean 'ndcg@20'?)`,
  );
  expect(() => metricName('rsme', 'metric')).toThrow("(did you mean 'rmse'?)");
  expect(() => metricList(['rmse', 'ndcg'], 'metrics')).toThrow('metrics[1] is "ndcg"');
  expect(() => metricList([], 'metrics')).toThrow('a list of metrics');
  expect(metricList(['rmse', 'ndcg@5'], 'metrics')).toEqual(['rmse', 'ndcg@5']);
});
