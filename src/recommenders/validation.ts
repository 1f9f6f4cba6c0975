// Validation data as a fit goes on: errors of predictions, and rankings of all items that were not trained on. What stays
// the same from epoch to epoch is looked up once.

import { inTurns, type Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import { isRatingMetric, type MetricName, rankingMetricsOf } from '../metrics/metric-names';
import { ratingMetrics } from '../metrics/rating-metrics';
import type { Answers } from './answers';
import type { ServingOptions } from './factorization-answers';
import type { Fitted } from './fitted';
import { RankValidation } from './rank-validation';
import { type RowCounts, Seen } from './seen';
import { Serving } from './serving';

/** The data of a training, as far as measuring must know them. */
interface Trained {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly counts: RowCounts;
  /** Who has what: asked for where lists are judged. */
  history(): Seen | Promise<Seen>;
}

/** A trained state as measuring asks it. */
export interface Judged {
  /** What writes the predictions of a part of some interactions. */
  predictor(data: Interactions, out: Float32Array): (from: number, to: number) => void;
  readonly best: Answers['best'];
  /** How many times the work of a product of two short vectors a score is. */
  readonly scoreCost: number;
}

/** A factorization as measuring asks it. */
export function judged({ tables, served, seen, users, items }: Fitted, { clip, kernels }: ServingOptions): Judged {
  const serving = new Serving(tables, served, seen, kernels);
  return {
    predictor: (data, out) => served.predictor(users, items, data, clip, out),
    best: (rows, request) => serving.recommend(rows, request),
    scoreCost: 1,
  };
}

/** Measures a trained state on validation data, as often as it is asked. */
export class Validation {
  private constructor(
    private readonly data: Interactions,
    private readonly metrics: readonly MetricName[],
    /** What states to be measured must know of the training: who has what, where lists are judged; else how often. */
    readonly seen: Seen,
    private readonly ranking: RankValidation | undefined,
  ) {}

  /** Looks up what the metrics need to know. */
  static async of(
    data: Interactions,
    metrics: readonly MetricName[],
    train: Trained,
    turns: Turns,
  ): Promise<Validation> {
    const rankings = rankingMetricsOf(metrics);
    if (rankings.length === 0) return new Validation(data, metrics, Seen.counted(train.counts), undefined);
    const seen = await train.history();
    const known = { users: train.users, items: train.items, seen };
    return new Validation(data, metrics, seen, await RankValidation.of(data, rankings, known, turns));
  }

  /** The metrics of a state. */
  async measure(state: Judged, turns: Turns): Promise<Partial<Record<MetricName, number>>> {
    const { data, ranking } = this;
    const values: Partial<Record<MetricName, number>> = {};
    const errors = this.metrics.filter(isRatingMetric);
    if (errors.length > 0) {
      const predictions = new Float32Array(data.size);
      await inTurns(data.size, turns, state.predictor(data, predictions));
      for (const name of errors) values[name] = ratingMetrics[name](predictions, data.values);
    }
    if (ranking === undefined) return values;
    return Object.assign(values, await ranking.measure(state, turns));
  }
}
