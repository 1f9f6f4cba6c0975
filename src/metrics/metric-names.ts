// The metrics by name: 'rmse', 'ndcg@10', 'auc'; the only place that parses these names. Also, which metrics suit the
// scores of a recommender.

import { UnsupportedError } from '../core/errors';
import { type Check, nearest, wrong } from '../core/options';
import { logLoss, auc as rowAuc } from './label-metrics';
import type { RankingMeasure } from './ranking-metrics';
import { auc, averagePrecision, hitRate, ndcg, precision, recall, reciprocalRank } from './ranking-metrics';
import { mae, RATING_METRICS, type RatingMetricName, rmse } from './rating-metrics';

/** The ranking metrics, without their cut-off. */
export const rankingMeasures = {
  precision,
  recall,
  hr: hitRate,
  ndcg,
  map: averagePrecision,
  mrr: reciprocalRank,
  auc,
} as const satisfies Readonly<Record<RankingMeasureName, RankingMeasure>>;

/** The name of a ranking metric without its cut. `hr` is the hit rate. */
export type RankingMeasureName = Exclude<RankingMetricName, 'auc'> extends `${infer Name}@${number}` ? Name : never;

/** The name of a ranking metric: `ndcg@10` looks at the first ten places; `auc` alone looks at all of them. */
export type RankingMetricName = `${'precision' | 'recall' | 'hr' | 'ndcg' | 'map' | 'mrr' | 'auc'}@${number}` | 'auc';

/** The name of a metric. For `rmse` and `mae` lower is better, for all others higher. */
export type MetricName = 'rmse' | 'mae' | RankingMetricName;

/** A parsed ranking metric. */
export interface RankingMetric {
  readonly name: RankingMetricName;
  readonly measure: RankingMeasure;
  /** The last rank that counts; Infinity for `auc`. */
  readonly k: number;
  /** Whether it needs the number of candidate items. */
  readonly needsCandidates: boolean;
}

/** The ranking metric of that name; undefined if there is none. `ndcg` alone gives one per cut-off in `cuts`. */
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

/** Whether a name is that of a rating metric. */
export function isRatingMetric(name: MetricName): name is RatingMetricName {
  return (RATING_METRICS as readonly string[]).includes(name);
}

/** The ranking metrics among checked names. */
export function rankingMetricsOf(names: readonly MetricName[]): readonly RankingMetric[] {
  return names.flatMap((name) => findRankingMetrics(name) ?? []);
}

/** The valid names of ranking metrics, in words for error messages. */
export const RANKING_NAMES = `${Object.keys(rankingMeasures).join('@K, ')}@K, or auc; K is a whole number of at least 1, as in ndcg@10`;

/** The valid names of metrics of any kind, in words for error messages. */
export const METRIC_NAMES = `${RATING_METRICS.join(', ')}, ${RANKING_NAMES}`;

/** Whether a text is the name of a metric of any kind. */
export function isMetric(value: string): value is MetricName {
  return isRatingMetric(value as MetricName) || findRankingMetrics(value) !== undefined;
}

/** Checks the name of a metric of any kind. */
export const metricName: Check<MetricName> = (value, name) => {
  if (typeof value === 'string' && isMetric(value)) return value;
  throw wrong(name, value, `${METRIC_NAMES}${slip(value, RATING_METRICS)}`);
};

/** Checks a list of metric names, not empty. */
export const metricList: Check<readonly MetricName[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0)
    throw wrong(name, value, "a list of metrics, as ['rmse', 'ndcg@10']");
  return value.map((one, at) => metricName(one, `${name}[${at}]`));
};

/** Suggests the closest name, as the end of a message. */
export function slip(value: unknown, others: readonly string[] = []): string {
  if (typeof value !== 'string') return '';
  const [written = '', cut] = value.split('@');
  const known = Object.keys(rankingMeasures);
  const close = nearest(written, [...others, ...known]);
  if (close === undefined) return '';
  return ` (did you mean '${known.includes(close) ? `${close}@${Number(cut) >= 1 ? cut : 10}` : close}'?)`;
}

// The metrics monitored while fitting feature models: those of labelled rows, and those of ranked lists.

/** The metrics of predicted rows. For `auc` higher is better, for the others lower. */
export type RowMetricName = 'auc' | 'logloss' | RatingMetricName;

/** Row metrics, and metrics of users' lists such as `ndcg@10`. `auc` is that of rows. */
export type FeatureMetricName = MetricName | 'logloss';

/** The metrics of rows by name. */
export const rowMetrics: Readonly<Record<RowMetricName, typeof rmse>> = { auc: rowAuc, logloss: logLoss, rmse, mae };

/** Whether a metric is one of predicted rows. */
export function isRowMetric(name: FeatureMetricName): name is RowMetricName {
  return Object.hasOwn(rowMetrics, name);
}

/** The metrics of lists among some names. */
export function listMetricsOf(names: readonly FeatureMetricName[]): readonly RankingMetric[] {
  return names.flatMap((name) => (isRowMetric(name) ? [] : (findRankingMetrics(name) ?? [])));
}

/** Checks the name of a metric. */
export const featureMetricName: Check<FeatureMetricName> = (value, name) => {
  const known = value as FeatureMetricName;
  if (typeof value === 'string' && (isRowMetric(known) || findRankingMetrics(value) !== undefined)) return known;
  const names = Object.keys(rowMetrics);
  const close = typeof value === 'string' ? nearest(value, names) : undefined;
  const meant = close === undefined ? slip(value) : ` (did you mean '${close}'?)`;
  throw wrong(name, value, `one of ${names.join(', ')}, or of lists ${RANKING_NAMES}${meant}`);
};

/** Checks a list of names, not empty. */
export const featureMetricList: Check<readonly FeatureMetricName[]> = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw wrong(name, value, "a list of metrics, as ['auc', 'logloss']");
  return value.map((one, at) => featureMetricName(one, `${name}[${at}]`));
};

/** Whether lower is better: for prediction errors, not for rankings. */
export function isLessBetter(name: FeatureMetricName): boolean {
  return name === 'logloss' || isRatingMetric(name);
}

// The meaning of a recommender's scores, and the metrics that suit them.

/**
 * The meaning of predictions: ratings, on the scale of the training values; probabilities that a value is 1; or numbers
 * of which only the order matters. RMSE and MAE are for ratings alone.
 *
 * @example
 * ```ts
 * import { ALS, MF, type Recommender } from 'opmf';
 * const kinds: Recommender['scores'][] = [new MF().scores, new MF({ loss: 'logistic' }).scores, new ALS().scores];
 * console.log(kinds.join(' ')); // rating probability order
 * ```
 */
export type Scores = 'rating' | 'probability' | 'order';

/** The meaning of scores trained with a loss, with or without sampled negatives. */
export function scoresOf(loss: string, hasNegatives: boolean): Scores {
  if (hasNegatives) return 'order';
  return loss === 'logistic' ? 'probability' : 'rating';
}

/** The default metrics. */
export function usualMetrics(scores: Scores): readonly MetricName[] {
  return scores === 'rating' ? RATING_METRICS : ['ndcg@10'];
}

/** Which values are relevant by default: positive labels for probabilities, else all. */
export function usuallyRelevant(scores: Scores | undefined): ((value: number) => boolean) | undefined {
  return scores === 'probability' ? (value) => value > 0 : undefined;
}

/** @throws UnsupportedError for rating metrics of scores that are not ratings; the message suggests other metrics */
export function checkSuits(owner: string, names: readonly string[], scores: Scores | undefined): void {
  if (scores === undefined || scores === 'rating') return;
  const wrong = names.find((name): name is RatingMetricName => isRatingMetric(name as MetricName));
  if (wrong === undefined) return;
  const are = scores === 'order' ? 'mean nothing but their order' : 'are probabilities';
  throw new UnsupportedError(
    `${owner}: ${wrong} compares predictions with ratings, and the scores of this recommender ${are} (scores: '${scores}'); ask for a ranking metric, as 'ndcg@10' (evaluateRanking)`,
  );
}
