// More history for a trained state: vocabularies that know the new ids, and who has rated what, old and new together.

import type { Scheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { Vocabulary } from '../data/vocabulary';
import { InteractionHistory, laidOutInTurns, type UserHistory } from '../serving/interaction-history';

/** Users with additions beyond which a history is laid out anew. */
const MOST_CHANGED = 1024;

/** A history with more in it, and how much of each row's is new. */
export interface ExtendedHistory {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  /** By number, users with something new and their new interactions; items alike. */
  readonly newOfUser: ReadonlyMap<number, number>;
  readonly newOfItem: ReadonlyMap<number, number>;
}

/**
 * Adds interactions, with weights as the history has them, to a history. Of a pair that was there the new value and weight
 * count, of a pair that comes twice the last. Cost: the new interactions, the histories of their users, and a copy of the
 * counts; ids that are new take a copy of the vocabulary the first time.
 */
export async function extendSeen(
  state: { readonly users: Vocabulary; readonly items: Vocabulary; readonly seen: InteractionHistory },
  data: Pick<Interactions, 'size' | 'users' | 'items' | 'userIndex' | 'itemIndex' | 'values'> & {
    readonly weights?: Float32Array | undefined;
  },
  scheduler: Scheduler,
): Promise<ExtendedHistory> {
  const { seen } = state;
  const users = await numbered(state.users, seen.userCounts.length, data.users, data.userIndex, scheduler);
  const items = await numbered(state.items, seen.itemCounts.length, data.items, data.itemIndex, scheduler);
  const userCounts = grown(seen.userCounts, users.rows);
  const itemCounts = grown(seen.itemCounts, items.rows);
  const rowsOfUser = new Map<number, number[]>();
  const newOfItem = new Map<number, number>();
  for (let k = 0; k < data.size; k++) {
    const [user, item] = [users.numberOf[data.userIndex[k]!]!, items.numberOf[data.itemIndex[k]!]!];
    const rows = rowsOfUser.get(user);
    if (rows === undefined) rowsOfUser.set(user, [k]);
    else rows.push(k);
    newOfItem.set(item, (newOfItem.get(item) ?? 0) + 1);
    if (scheduler.isDue(1)) await scheduler.yieldNow();
  }
  const changed = new Map(seen.additions.users);
  const added = new Map(seen.additions.items);
  const addedNow = new Map<number, number[]>();
  const newOfUser = new Map<number, number>();
  // Users in order, as the lists of who has an item are.
  for (const user of [...rowsOfUser.keys()].sort((a, b) => a - b)) {
    const rows = rowsOfUser.get(user)!;
    const { history, fresh } = longerHistory(seen, user, rows, data, items.numberOf);
    changed.set(user, history);
    for (const item of fresh) {
      itemCounts[item]!++;
      const users = addedNow.get(item);
      if (users === undefined) addedNow.set(item, [user]);
      else users.push(user);
    }
    userCounts[user] = history.items.length;
    newOfUser.set(user, rows.length);
    if (scheduler.isDue(history.items.length)) await scheduler.yieldNow();
  }
  for (const [item, users] of addedNow) {
    added.set(item, merged(added.get(item) ?? [], users));
    if (scheduler.isDue(users.length)) await scheduler.yieldNow();
  }
  const { offsets, values, weights } = seen;
  const additions = { users: changed, items: added };
  const longer = new InteractionHistory(offsets, seen.items, userCounts, itemCounts, values, weights, additions, seen);
  const all = changed.size > MOST_CHANGED ? await laidOutInTurns(longer, scheduler) : longer;
  return { users: users.ids, items: items.ids, seen: all, newOfUser, newOfItem };
}

/** A user's history with some rows of the data after it, and the items among them that it did not have. */
function longerHistory(
  seen: InteractionHistory,
  user: number,
  rows: readonly number[],
  data: Parameters<typeof extendSeen>[1],
  itemNumberOf: Int32Array,
): { history: UserHistory; fresh: number[] } {
  const old = seen.itemsOf(user);
  const length = old.length + rows.length;
  const items = new Int32Array(length);
  items.set(old);
  const values = new Float32Array(length).fill(1);
  values.set(seen.valuesOf(user) ?? []);
  const oldWeights = seen.weightsOf(user);
  const weights = oldWeights === null && data.weights === undefined ? null : new Float32Array(length).fill(1);
  weights?.set(oldWeights ?? []);
  const placeOf = new Map<number, number>();
  for (let at = 0; at < old.length; at++) placeOf.set(old[at]!, at);
  const fresh: number[] = [];
  let end = old.length;
  for (const k of rows) {
    const item = itemNumberOf[data.itemIndex[k]!]!;
    let at = placeOf.get(item);
    if (at === undefined) {
      at = end++;
      placeOf.set(item, at);
      items[at] = item;
      fresh.push(item);
    }
    values[at] = data.values[k]!;
    if (weights !== null) weights[at] = data.weights?.[k] ?? 1;
  }
  const history = {
    items: items.subarray(0, end),
    values: values.subarray(0, end),
    weights: weights?.subarray(0, end) ?? null,
  };
  return { history, fresh };
}

/** Two lists of numbers in order as one. */
function merged(some: readonly number[], others: readonly number[]): number[] {
  const all: number[] = [];
  let next = 0;
  for (const other of others) {
    while (next < some.length && some[next]! < other) all.push(some[next++]!);
    all.push(other);
  }
  while (next < some.length) all.push(some[next++]!);
  return all;
}

/** Vocabularies that were made here, and grow with the model that has them. */
const ours = new WeakSet<Vocabulary>();

/**
 * The numbers that the occurring ids of a column have in a vocabulary, which is made to know them; it is a copy where it
 * has to grow and is others' too. `rows` is how many rows there are then.
 */
async function numbered(
  known: Vocabulary,
  rows: number,
  from: Vocabulary,
  column: Int32Array,
  scheduler: Scheduler,
): Promise<{ ids: Vocabulary; numberOf: Int32Array; rows: number }> {
  const numberOf = new Int32Array(from.size).fill(-1);
  const occurring: number[] = [];
  for (const index of column) {
    if (numberOf[index] === -1) occurring.push(index);
    numberOf[index] = index;
  }
  // New ids get their numbers in the order of their own vocabulary.
  occurring.sort((a, b) => a - b);
  let ids = known;
  if (known !== from) {
    const isNew = occurring.some((index) => !known.has(from.idOf(index)));
    if (isNew && !ours.has(known)) ids = await copyOf(known, rows, scheduler);
    for (const index of occurring) numberOf[index] = ids.add(from.idOf(index));
  }
  return { ids, numberOf, rows: occurring.reduce((most, index) => Math.max(most, numberOf[index]! + 1), rows) };
}

/** The first ids of a vocabulary. */
async function copyOf(known: Vocabulary, size: number, scheduler: Scheduler): Promise<Vocabulary> {
  const copy = new Vocabulary();
  for (let index = 0; index < size; index++) {
    copy.add(known.idOf(index));
    if (scheduler.isDue(16)) await scheduler.yieldNow();
  }
  ours.add(copy);
  return copy;
}

function grown(counts: Int32Array, length: number): Int32Array {
  const all = new Int32Array(length);
  all.set(counts);
  return all;
}
