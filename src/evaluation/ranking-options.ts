// Reading the options of evaluateRanking.

import { OptionError } from '../core/errors';
import {
  boolean,
  type Check,
  callable,
  seed as checkSeed,
  type Filled,
  field,
  integer,
  oneOf,
  optional,
  readOptions,
  wrong,
} from '../core/options';
import type { Seed } from '../core/random';
import type { Interactions } from '../interactions/interactions';
import type { Id } from '../interactions/vocabulary';
import {
  findRankingMetrics,
  RANKING_NAMES,
  type RankingMeasureName,
  type RankingMetric,
  type RankingMetricName,
  slip,
} from '../metrics/metric-names';
import { GAINS, type GainName } from '../metrics/relevant-items';
import { checkInteractions } from '../recommenders/fit-options';

/** The options of evaluateRanking. */
export interface EvaluateRankingOptions {
  /**
   * What the model was trained on: its items are hidden from the lists of users who have them, and negatives are drawn
   * beside them. Absent: what the model itself keeps of its history is hidden.
   */
  readonly train?: Interactions | undefined;
  /** Where lists are cut. @defaultValue 10 */
  readonly k?: number | readonly number[] | undefined;
  /**
   * Ranks a user's relevant items among these alone: given by user, or `count` of them drawn from the items of `train`
   * that the user has neither in train nor in test. Absent: every item is ranked.
   */
  readonly negatives?: ReadonlyMap<Id, Iterable<Id>> | NegativeDraw | undefined;
  /** Which test values are relevant. @defaultValue all; where scores are probabilities, values above 0 */
  readonly relevant?: ((value: number) => boolean) | undefined;
  /**
   * What a relevant item gains in NDCG: 1, its value ('linear'), or 2^value - 1 ('exponential'); what gains 0 is not
   * relevant. @defaultValue 'binary'
   */
  readonly gains?: GainName | undefined;
  /**
   * `ndcg@10`; `ndcg` is cut at each of `k`. `auc` has no cut unless it is written: `auc@10`.
   * @defaultValue ['precision', 'recall', 'hr', 'ndcg', 'map', 'mrr']
   */
  readonly metrics?: readonly (RankingMetricName | RankingMeasureName)[] | undefined;
  /** Also gives the metrics of each user. @defaultValue false */
  readonly perUser?: boolean | undefined;
}

/** Negatives to be drawn. */
export interface NegativeDraw {
  /** How many a user; all there are where they are fewer. */
  readonly count: number;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/** The options, filled in. */
export interface FilledRankingOptions {
  readonly train?: Interactions;
  readonly negatives?: ReadonlyMap<Id, Iterable<Id>> | Filled<NegativeDraw>;
  readonly relevant?: (value: number) => boolean;
  readonly gains: GainName;
  readonly metrics: readonly RankingMetric[];
  readonly perUser: boolean;
}

const MEASURES = ['precision', 'recall', 'hr', 'ndcg', 'map', 'mrr'] as const;

/** Checks the options of evaluateRanking. */
export function readRankingOptions(given: EvaluateRankingOptions | undefined): FilledRankingOptions {
  const { k, metrics, ...read } = readOptions<
    Omit<FilledRankingOptions, 'metrics'> & { k: readonly number[]; metrics: readonly string[] }
  >('evaluateRanking', given, {
    train: optional(checkInteractions),
    k: field(cuts, [10]),
    negatives: optional(checkNegatives),
    relevant: optional(callable<(value: number) => boolean>()),
    gains: field(oneOf(...GAINS), 'binary'),
    metrics: field(names, MEASURES),
    perUser: field(boolean, false),
  });
  const found = metrics.flatMap((name, at) => readMetric(name, `metrics[${at}]`, k));
  const byName = new Map(found.map((metric) => [metric.name, metric]));
  if (read.train === undefined && needsTrain(read.negatives, found)) {
    throw new OptionError(
      'train',
      undefined,
      'evaluateRanking: train is undefined; want the training Interactions: negatives are drawn from their items, and auc ranks all of them',
    );
  }
  return { ...read, metrics: [...byName.values()] };
}

function needsTrain(negatives: FilledRankingOptions['negatives'], metrics: readonly RankingMetric[]): boolean {
  if (negatives === undefined) return metrics.some(({ needsCandidates }) => needsCandidates);
  return !(negatives instanceof Map);
}

function readMetric(value: string, name: string, k: readonly number[]): readonly RankingMetric[] {
  const found = typeof value === 'string' ? findRankingMetrics(value, k) : undefined;
  if (found !== undefined) return found;
  throw wrong(name, value, `${RANKING_NAMES} (ratings: evaluateRatings)${slip(value)}`);
}

const names: Check<readonly string[]> = (value, name) => {
  if (Array.isArray(value) && value.length > 0) return value;
  throw wrong(name, value, "a list of metrics, as ['ndcg', 'recall@20']");
};

const cuts: Check<readonly number[]> = (value, name) => {
  const cut = integer({ min: 1 });
  if (!Array.isArray(value)) return [cut(value, name)];
  if (value.length > 0) return value.map((one, at) => cut(one, `${name}[${at}]`));
  throw wrong(name, value, 'a whole number of at least 1, or a list of them');
};

const checkNegatives: Check<NonNullable<FilledRankingOptions['negatives']>> = (value, name) => {
  if (value instanceof Map) return value;
  if (typeof value !== 'object' || value === null || !('count' in value)) {
    throw wrong(name, value, 'a Map of item ids by user id, or { count, seed }');
  }
  return readOptions<Filled<NegativeDraw>>(
    'evaluateRanking',
    value,
    { count: field(integer({ min: 1 }), 99), seed: field<Seed>(checkSeed, 1) },
    `${name}.`,
  );
};
