// Validation data as a fit goes on: errors of predictions, and rankings of all items that were not trained on. What stays
// the same from epoch to epoch is looked up once.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Vocabulary } from '../data/vocabulary';
import { isRatingMetric, type MetricName, rankingMetricsOf } from '../metrics/metric-names';
import { ratingMetrics } from '../metrics/rating-metrics';
import { indexMap } from '../serving/index-map';
import { InteractionHistory, type RowCounts } from '../serving/interaction-history';
import type { TrainedState } from '../serving/trained-state';
import type { FilledFitOptions } from './fit-options';
import { RankValidation } from './rank-validation';

/** The data of a training, as far as measuring must know them. */
interface Trained {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly counts: RowCounts;
  /** Who has what: asked for where lists are evaluated. */
  history(): InteractionHistory | Promise<InteractionHistory>;
}

/** A trained state as measuring asks it. */
export interface Evaluable {
  /** What writes the predictions of a part of some interactions. */
  predictor(data: Interactions, out: Float32Array): (from: number, to: number) => void;
  readonly best: TrainedState['best'];
  /** How many times the work of a product of two short vectors a score is. */
  readonly scoreCost: number;
}

/** Measures a trained state on validation data, as often as it is asked. */
export class Validation {
  private constructor(
    private readonly data: Interactions,
    private readonly metrics: readonly MetricName[],
    /** What states to be measured must know of the training: who has what, where lists are evaluated; else how often. */
    readonly seen: InteractionHistory,
    private readonly ranking: RankValidation | undefined,
    /** How many of its rows are of a user or an item that training never saw. */
    readonly cold: number,
  ) {}

  /** Looks up what the metrics need to know. @throws DataError where nobody and nothing in it is known */
  static async of(
    data: Interactions,
    { metrics, relevant }: Pick<FilledFitOptions, 'metrics' | 'relevant'>,
    train: Trained,
    scheduler: Scheduler,
  ): Promise<Validation> {
    const rankings = rankingMetricsOf(metrics);
    const cold = await countCold(data, train, scheduler);
    if (rankings.length === 0)
      return new Validation(data, metrics, InteractionHistory.counted(train.counts), undefined, cold);
    const seen = await train.history();
    const known = { users: train.users, items: train.items, seen };
    return new Validation(
      data,
      metrics,
      seen,
      await RankValidation.of(data, rankings, known, scheduler, relevant),
      cold,
    );
  }

  /** The metrics of a state. */
  async measure(state: Evaluable, scheduler: Scheduler): Promise<Partial<Record<MetricName, number>>> {
    const { data, ranking } = this;
    const values: Partial<Record<MetricName, number>> = {};
    const errors = this.metrics.filter(isRatingMetric);
    if (errors.length > 0) {
      const predictions = new Float32Array(data.size);
      await forEachChunk(data.size, scheduler, state.predictor(data, predictions));
      for (const name of errors) values[name] = ratingMetrics[name](predictions, data.values);
    }
    if (ranking === undefined) return values;
    return Object.assign(values, await ranking.measure(state, scheduler));
  }
}

/**
 * How many rows of a validation set are of a user or an item that training never saw: they are predicted by what is known
 * of the other. @throws DataError where no row has either, as with ids of another type
 */
export async function countCold(
  data: Interactions,
  { users, items, counts }: Pick<Trained, 'users' | 'items' | 'counts'>,
  scheduler: Scheduler,
  /** Whether ids without a training row may be known otherwise: by a table of features. */
  areIdsEnough = false,
): Promise<number> {
  const least = areIdsEnough ? 0 : 1;
  const userOf = indexMap(data.users, users);
  const itemOf = indexMap(data.items, items);
  let [cold, strange] = [0, 0];
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const [user, item] = [data.userIndex[k]!, data.itemIndex[k]!];
      const ofUser = counts.users[userOf?.[user] ?? user] ?? -1;
      const ofItem = counts.items[itemOf?.[item] ?? item] ?? -1;
      if (ofUser <= 0 || ofItem <= 0) cold++;
      if (ofUser < least && ofItem < least) strange++;
    }
  });
  if (strange < data.size) return cold;
  const [one] = data;
  throw new DataError(
    `validation: none of its ${data.size} rows has a user or an item of the training data (the first: user ${show(one!.userId)}, a ${typeof one!.userId}, item ${show(one!.itemId)}, a ${typeof one!.itemId}); ids are compared with their type: 1 and "1" differ`,
  );
}
