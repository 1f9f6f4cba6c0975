// What each user of a test set should have been shown, and how much it would have gained. By the numbers of the test set.

import { exponential } from '../core/elementary';
import { DataError } from '../core/errors';
import type { Interactions } from '../interactions/interactions';
import type { Steps } from '../interactions/steps';

/** A test user with at least one relevant item. */
export interface RelevantUser {
  readonly user: number;
  /** The gain of each relevant item; above 0. */
  readonly gains: ReadonlyMap<number, number>;
  /** The gains, the largest first. */
  readonly ideal: Float64Array;
}

/** Which rows of a test set are relevant, and how much. */
export interface Relevance {
  /** Whether a row of this value is relevant; absent: every row. */
  readonly relevant?: ((value: number) => boolean) | undefined;
  /** Gains of 2^value - 1 instead of 1; what gains nothing is not relevant. */
  readonly graded?: boolean | undefined;
  /** The items that a user has already: never shown, so not relevant. */
  readonly seen?: ((user: number) => readonly number[]) | undefined;
}

/** Rows, or items of users, that are gone through between two pauses: a millisecond. */
export const ROWS_A_STEP = 8192;

/** The users with relevant items, by number; and how many other users have rows in the set. In steps of ROWS_A_STEP. */
export function* relevantUsers(
  test: Interactions,
  { relevant = () => true, graded = false, seen }: Relevance = {},
): Steps<{ users: RelevantUser[]; skipped: number }> {
  const byUser = new Map<number, Map<number, number>>();
  for (let at = 0; at < test.size; at++) {
    const user = test.userIndex[at]!;
    const value = test.values[at]!;
    const gains = byUser.get(user) ?? new Map<number, number>();
    byUser.set(user, gains);
    const gain = relevant(value) ? (graded ? gradedGain(value) : 1) : 0;
    if (gain > 0) gains.set(test.itemIndex[at]!, gain);
    if (at % ROWS_A_STEP === ROWS_A_STEP - 1) yield;
  }
  const users: RelevantUser[] = [];
  let done = 0;
  for (const [user, gains] of byUser) {
    const has = seen?.(user) ?? [];
    for (const item of has) gains.delete(item);
    done += has.length + gains.size;
    if (done >= ROWS_A_STEP) {
      done = 0;
      yield;
    }
    if (gains.size > 0) users.push({ user, gains, ideal: Float64Array.from(gains.values()).sort().reverse() });
  }
  // Sums over users are then the same for any order of the rows.
  users.sort((a, b) => a.user - b.user);
  return { users, skipped: byUser.size - users.length };
}

/** Above this a gain would swallow all others: play counts are not grades. */
const HIGHEST_GRADE = 50;

/** 2^grade - 1, exact for whole grades. */
function gradedGain(grade: number): number {
  if (!(grade >= 0 && grade <= HIGHEST_GRADE)) {
    throw new DataError(
      `graded: a test row has value ${grade}; want grades from 0 to ${HIGHEST_GRADE}, as the gain is 2^value - 1`,
    );
  }
  const whole = Math.floor(grade);
  let power = exponential((grade - whole) * Math.LN2);
  for (let step = 0; step < whole; step++) power *= 2;
  return power - 1;
}
