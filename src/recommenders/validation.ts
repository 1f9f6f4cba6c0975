// Validation data as a fit goes on: errors of predictions, and rankings of all items that were not trained on. What stays
// the same from epoch to epoch is looked up once.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import { forEachChunk, runYielding, type Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Vocabulary } from '../data/vocabulary';
import type { MetricName, RankingMetric, RankingMetricName } from '../metrics/metric-names';
import { isRatingMetric, rankingMetricsOf } from '../metrics/metric-names';
import { closeTies, listLength, RankingMeter } from '../metrics/ranking-meter';
import { ratingMetrics } from '../metrics/rating-metrics';
import { type RelevantUser, ROWS_A_STEP, relevantUsers } from '../metrics/relevant-items';
import { indexMap } from '../serving/index-map';
import { InteractionHistory, type RowCounts } from '../serving/interaction-history';
import type { TrainedState } from '../serving/trained-state';
import type { FilledFitOptions } from './fit-options';

/** Scores that are worked out between two looks at the clock: some ten milliseconds. */
const SCORES_A_TURN = 1 << 20;
const MOST_USERS_A_TURN = 64;

/** Users of a validation set, to be ranked for again and again. */
export class RankValidation {
  private constructor(
    private readonly metrics: readonly RankingMetric[],
    private readonly users: readonly RelevantUser[],
    /** The numbers of these users in training. */
    private readonly rows: readonly number[],
    /** The number in validation of an item of training. */
    private readonly itemOf: (index: number) => number,
    private readonly items: number,
  ) {}

  /** Looks up what is relevant to whom: rows of every value, or some. Validation may have vocabularies of its own. */
  static async of(
    validation: Interactions,
    metrics: readonly RankingMetric[],
    train: { readonly users: Vocabulary; readonly items: Vocabulary; readonly seen: InteractionHistory },
    scheduler: Scheduler,
    relevant?: (value: number) => boolean,
  ): Promise<RankValidation> {
    const { seen } = train;
    const userOf = translation(validation.users, train.users);
    const itemOf = translation(train.items, validation.items);
    const steps = relevantUsers(validation, {
      relevant,
      seen: (user) => Array.from(seen.itemsOf(userOf(user)), itemOf),
    });
    const { users } = await runYielding(steps, scheduler, ROWS_A_STEP);
    if (users.length === 0) {
      throw new DataError(
        `validation: none of its ${validation.size} pairs of user and item is relevant and not in the training data too, so there is nothing to rank`,
      );
    }
    const rows = users.map(({ user }) => userOf(user));
    return new RankValidation(metrics, users, rows, itemOf, seen.itemCounts.length);
  }

  /** The metrics of a trained state. */
  async measure(
    { best, scoreCost }: Pick<Evaluable, 'best' | 'scoreCost'>,
    scheduler: Scheduler,
  ): Promise<Partial<Record<RankingMetricName, number>>> {
    const { users, rows, itemOf, items } = this;
    const meter = new RankingMeter(this.metrics);
    const n = listLength(meter.depth, items);
    const request = { filterSeen: true, exclude: [], candidates: null };
    const usersATurn = Math.min(MOST_USERS_A_TURN, Math.max(1, Math.floor(SCORES_A_TURN / (items * scoreCost))));
    for (let from = 0; from < users.length; from += usersATurn) {
      const ofTurn = rows.slice(from, from + usersATurn);
      const lists = best(ofTurn, { ...request, n });
      let asked = lists.length;
      for (const [at, first] of lists.entries()) {
        const list = closeTies(first, n, meter.depth, (longer) => {
          asked++;
          return best([ofTurn[at]!], { ...request, n: longer })[0]!;
        });
        meter.add(
          users[from + at]!,
          list.map(({ index }) => itemOf(index)),
          list.map(({ score }) => score),
        );
      }
      if (scheduler.isDue(asked * items * scoreCost)) await scheduler.yieldNow();
    }
    return meter.means();
  }
}

/** The number in `to` of what has a number in `from`; -1 where it has none. */
function translation(from: Vocabulary, to: Vocabulary): (index: number) => number {
  return from === to ? (index) => index : (index) => to.indexOf(from.idOf(index));
}

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
