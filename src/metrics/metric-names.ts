// The metrics by name: 'rmse', 'ndcg@10', 'auc'. A name is read here, and nowhere else.

import { type Check, nearest, wrong } from '../core/options';
import {
  auc,
  averagePrecision,
  hitRate,
  ndcg,
  precision,
  type RankingMeasure,
  recall,
  reciprocalRank,
} from './ranking-metrics';
import { RATING_METRICS, type RatingMetricName } from './rating-metrics';

/** The ranking metrics, without their cut. */
export const rankingMeasures = {
  precision,
  recall,
  hr: hitRate,
  ndcg,
  map: averagePrecision,
  mrr: reciprocalRank,
  auc,
} as const satisfies Readonly<Record<string, RankingMeasure>>;

/** The name of a ranking metric without its cut. `hr` is the hit rate. */
export type RankingMeasureName = keyof typeof rankingMeasures;

/** The name of a ranking metric: `ndcg@10` looks at the first ten places; `auc` alone looks at all of them. */
export type RankingMetricName = `${RankingMeasureName}@${number}` | 'auc';

/** The name of a metric. Of `rmse` and `mae` less is better, of all others more. */
export type MetricName = RatingMetricName | RankingMetricName;

/** A ranking metric, read. */
export interface RankingMetric {
  readonly name: RankingMetricName;
  readonly measure: RankingMeasure;
  /** The last rank that counts; Infinity for `auc`. */
  readonly k: number;
  /** Whether it has to know how many items could have been listed. */
  readonly needsCandidates: boolean;
}

/** The ranking metric of that name; undefined where there is none. `ndcg` alone is cut at each of `cuts`. */
export function findRankingMetrics(name: string, cuts: readonly number[] = []): readonly RankingMetric[] | undefined {
  const [, measureName = '', cut] = /^([a-z][a-z\d]*)(?:@([1-9]\d*))?$/.exec(name) ?? [];
  if (!Object.hasOwn(rankingMeasures, measureName)) return undefined;
  const measure = rankingMeasures[measureName as RankingMeasureName];
  const needsCandidates = measure === auc;
  if (cut !== undefined) return [{ name: name as RankingMetricName, measure, k: Number(cut), needsCandidates }];
  if (needsCandidates) return [{ name: 'auc', measure, k: Infinity, needsCandidates }];
  if (cuts.length === 0) return undefined;
  return cuts.map((k) => ({ name: `${measureName as RankingMeasureName}@${k}`, measure, k, needsCandidates }));
}

/** Whether a name is one of a rating metric. */
export function isRatingMetric(name: MetricName): name is RatingMetricName {
  return (RATING_METRICS as readonly string[]).includes(name);
}

/** The ranking metrics among some checked names. */
export function rankingMetricsOf(names: readonly MetricName[]): readonly RankingMetric[] {
  return names.flatMap((name) => findRankingMetrics(name) ?? []);
}

/** What error messages say that a ranking metric may be called. */
export const RANKING_NAMES = `${Object.keys(rankingMeasures).join('@K, ')}@K, or auc; K is a whole number of at least 1, as in ndcg@10`;

/** What error messages say that a metric of any kind may be called. */
export const METRIC_NAMES = `${RATING_METRICS.join(', ')}, ${RANKING_NAMES}`;

/** Whether a text is the name of a metric, of any kind. */
export function isMetric(value: string): value is MetricName {
  return isRatingMetric(value as MetricName) || findRankingMetrics(value) !== undefined;
}

/** The name of a metric of any kind. */
export const metricName: Check<MetricName> = (value, name) => {
  if (typeof value === 'string' && isMetric(value)) return value;
  throw wrong(name, value, `${METRIC_NAMES}${slip(value, RATING_METRICS)}`);
};

/** A list of metric names, not empty. */
export const metricList: Check<readonly MetricName[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0)
    throw wrong(name, value, "a list of metrics, as ['rmse', 'ndcg@10']");
  return value.map((one, at) => metricName(one, `${name}[${at}]`));
};

/** The close miss of a name, as the end of a message. */
export function slip(value: unknown, others: readonly string[] = []): string {
  if (typeof value !== 'string') return '';
  const [written = '', cut] = value.split('@');
  const known = Object.keys(rankingMeasures);
  const close = nearest(written, [...others, ...known]);
  if (close === undefined) return '';
  return ` (did you mean '${known.includes(close) ? `${close}@${Number(cut) >= 1 ? cut : 10}` : close}'?)`;
}
