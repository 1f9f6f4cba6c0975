// The ranking metrics of validation users while a fit goes on: every trained item that a user has not is ranked.

import type { Turns } from '../core/turns';
import type { Interactions } from '../interactions/interactions';
import type { Vocabulary } from '../interactions/vocabulary';
import type { RankingMetric, RankingMetricName } from '../metrics/metric-names';
import { RankingMeter } from '../metrics/ranking-meter';
import { relevantUsers } from '../metrics/relevant-items';
import type { Answers } from './answers';

/** Users that are ranked between two looks at the clock. */
const USERS_A_TURN = 16;

/** The metrics of a trained state whose history is known. Validation may have vocabularies of its own. */
export async function rankValidation(
  answers: Pick<Answers, 'users' | 'items' | 'seen' | 'best'>,
  validation: Interactions,
  metrics: readonly RankingMetric[],
  turns: Turns,
): Promise<Partial<Record<RankingMetricName, number>>> {
  const { seen } = answers;
  const count = seen.itemCounts.length;
  const userOf = translation(validation.users, answers.users);
  const itemOf = translation(answers.items, validation.items);
  const { users } = relevantUsers(validation, { seen: (user) => Array.from(seen.itemsOf(userOf(user)), itemOf) });
  const meter = new RankingMeter(metrics);
  const request = { n: Math.min(meter.depth, count), filterSeen: true, exclude: [], candidates: null };
  for (let from = 0; from < users.length; from += USERS_A_TURN) {
    const group = users.slice(from, from + USERS_A_TURN);
    const rows = group.map(({ user }) => userOf(user));
    for (const [at, list] of answers.best(rows, request).entries()) {
      meter.add(
        group[at]!,
        list.map(({ index }) => itemOf(index)),
      );
    }
    if (turns.isDue(group.length * count)) await turns.breathe();
  }
  return meter.means();
}

/** The number in `to` of what has a number in `from`; -1 where it has none. */
function translation(from: Vocabulary, to: Vocabulary): (index: number) => number {
  return from === to ? (index) => index : (index) => to.indexOf(from.idOf(index));
}
