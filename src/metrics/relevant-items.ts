// The relevant items of each user of a test set, with their gains, by the numbers of the test set.

import { exponential } from '../core/elementary';
import { DataError } from '../core/errors';
import type { Pausable } from '../core/scheduler';
import type { Interactions } from '../data/interactions';

/** A test user with at least one relevant item. */
export interface RelevantUser {
  readonly user: number;
  /** The gain of each relevant item; above 0. */
  readonly gains: ReadonlyMap<number, number>;
  /** The gains in descending order. */
  readonly ideal: Float64Array;
}

/** The gains. */
export const GAINS = ['binary', 'linear', 'exponential'] as const;
/**
 * The gain of a relevant item in NDCG: 1, its value, or 2^value - 1.
 *
 * @example
 * ```ts
 * import { evaluateRanking, MF, splitRandom, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 100, items: 80, ratings: 2000 }));
 * const model = new MF({ rank: 4, epochs: 2 });
 * await model.fit(train);
 * const gains = 'exponential';
 * console.log(Object.keys((await evaluateRanking(model, test, { train, gains })).metrics)[3]); // ndcg@10
 * ```
 */
export type GainName = (typeof GAINS)[number];

/** Which rows of a test set are relevant, and how much. */
export interface Relevance {
  /** Whether a row of this value is relevant; absent: every row. */
  readonly relevant?: ((value: number) => boolean) | undefined;
  /** The gain of a row: 1, its value, or 2^value - 1; rows without gain are not relevant. Absent: 1. */
  readonly gains?: GainName | undefined;
  /** The items that a user already has: never recommended, so not relevant. */
  readonly seen?: ((user: number) => readonly number[]) | undefined;
}

/** Rows, or items of users, processed between two pauses: a millisecond. */
export const ROWS_A_STEP = 8192;

/**
 * The users with relevant items, by number; how many other users have rows in the set; and how many pairs would be relevant
 * but are `seen`. In steps of ROWS_A_STEP.
 */
export function* relevantUsers(
  test: Interactions,
  { relevant = () => true, gains: rule = 'binary', seen }: Relevance = {},
): Pausable<{ users: RelevantUser[]; skipped: number; seen: number }> {
  const byUser = new Map<number, Map<number, number>>();
  for (let at = 0; at < test.size; at++) {
    const user = test.userIndex[at]!;
    const value = test.values[at]!;
    const gains = byUser.get(user) ?? new Map<number, number>();
    byUser.set(user, gains);
    const gain = relevant(value) ? gainOf(value, rule) : 0;
    const item = test.itemIndex[at]!;
    // Of several rows of a pair the largest gain counts, whatever their order.
    if (gain > (gains.get(item) ?? 0)) gains.set(item, gain);
    if (at % ROWS_A_STEP === ROWS_A_STEP - 1) yield;
  }
  const users: RelevantUser[] = [];
  let done = 0;
  let dropped = 0;
  for (const [user, gains] of byUser) {
    const has = seen?.(user) ?? [];
    for (const item of has) if (gains.delete(item)) dropped++;
    done += has.length + gains.size;
    if (done >= ROWS_A_STEP) {
      done = 0;
      yield;
    }
    if (gains.size > 0) users.push({ user, gains, ideal: Float64Array.from(gains.values()).sort().reverse() });
  }
  // Makes sums over users independent of the order of the rows.
  users.sort((a, b) => a.user - b.user);
  return { users, skipped: byUser.size - users.length, seen: dropped };
}

/** Above this a gain would dominate all others: play counts are not grades. */
const HIGHEST_GRADE = 50;

/** The gain of a value. @throws DataError if it is not a grade */
function gainOf(value: number, rule: GainName): number {
  if (rule === 'binary') return 1;
  if (rule === 'linear') {
    if (value >= 0) return value;
    throw new DataError(
      `gains 'linear': a test row has value ${value}; want values of at least 0, which are the gains`,
    );
  }
  if (!(value >= 0 && value <= HIGHEST_GRADE)) {
    throw new DataError(
      `gains 'exponential': a test row has value ${value}; want grades from 0 to ${HIGHEST_GRADE}, as the gain is 2^value - 1`,
    );
  }
  // Exact for whole grades.
  const whole = Math.floor(value);
  let power = exponential((value - whole) * Math.LN2);
  for (let step = 0; step < whole; step++) power *= 2;
  return power - 1;
}
