// The ranking metrics of validation users while a fit goes on: every trained item that a user has not is ranked.

import { DataError } from '../core/errors';
import type { Scheduler } from '../core/scheduler';
import { runYielding } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Vocabulary } from '../data/vocabulary';
import type { RankingMetric, RankingMetricName } from '../metrics/metric-names';
import { closeTies, listLength, RankingMeter } from '../metrics/ranking-meter';
import { type RelevantUser, ROWS_A_STEP, relevantUsers } from '../metrics/relevant-items';
import type { InteractionHistory } from '../serving/interaction-history';
import type { Evaluable } from './validation';

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
