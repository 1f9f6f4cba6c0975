// Who has rated what and how, as compressed rows: the items of user u are items[offsets[u]] .. items[offsets[u + 1] - 1],
// unless something has been added since, which is kept beside them.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import { transpose } from '../data/csr';
import { type HeldRatings, passesOf, type RatingPasses } from '../data/passes';

/** How often each user and each item occurs in some interactions. */
export interface RowCounts {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/** Counts users and items. */
export async function countRows(data: HeldRatings, scheduler: Scheduler): Promise<RowCounts> {
  const users = new Int32Array(data.users.size);
  const items = new Int32Array(data.items.size);
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      users[data.userIndex[k]!]!++;
      items[data.itemIndex[k]!]!++;
    }
  });
  return { users, items };
}

/** What one user has, with values and weights in the same order; null where they are not kept, or all weights are 1. */
export interface UserHistory {
  readonly items: Int32Array;
  readonly values: Float32Array | null;
  readonly weights: Float32Array | null;
}

/** What has been added to a history since its columns were laid out. */
export interface Additions {
  /** The whole history of every user with something new. */
  readonly users: ReadonlyMap<number, UserHistory>;
  /** Of an item its users that are new to it, by their numbers. */
  readonly items: ReadonlyMap<number, readonly number[]>;
}

const NOTHING: Additions = { users: new Map(), items: new Map() };

/** The columns of a history the other way round: who has each item, users in order, and where in the columns. */
interface ByItem {
  readonly offsets: Int32Array;
  readonly users: Int32Array;
  readonly places: Int32Array;
}

/** The training history, and how often each user and item occurs in it. */
export class InteractionHistory {
  /** @internal Made when it is first asked for; histories with other additions to the same columns share it. */
  readonly byItem: { made: ByItem | null };

  constructor(
    /** users + 1 offsets, or none where the history was not kept. Without the additions, as the next four columns. */
    readonly offsets: Int32Array,
    readonly items: Int32Array,
    readonly userCounts: Int32Array,
    /** Ratings per item: its popularity. */
    readonly itemCounts: Int32Array,
    /** The ratings, beside `items`; null where they were not kept. */
    readonly values: Float32Array | null,
    /** How much each counts, relative to the mean of training; null: all are 1. */
    readonly weights: Float32Array | null = null,
    readonly additions: Additions = NOTHING,
    /** A history with the same columns. */
    sameColumns?: InteractionHistory,
  ) {
    this.byItem = sameColumns?.byItem ?? { made: null };
  }

  /** The history of some interactions, given how often each user and item occurs in them. */
  static async of(
    ratings: HeldRatings | RatingPasses,
    { users, items }: RowCounts,
    scheduler: Scheduler,
  ): Promise<InteractionHistory> {
    const data = passesOf(ratings);
    const offsets = new Int32Array(users.length + 1);
    for (let u = 0; u < users.length; u++) offsets[u + 1] = offsets[u]! + users[u]!;
    const next = offsets.slice();
    // An array of this size may have the collector give back those that training has left, which takes a turn of its own.
    const history = new Int32Array(data.size);
    await scheduler.yieldNow();
    const values = new Float32Array(data.size);
    await scheduler.yieldNow();
    const weights = data.isWeighted ? new Float32Array(data.size) : null;
    await data.each(scheduler, (chunk, from, to) => {
      for (let k = from; k < to; k++) {
        const place = next[chunk.userIndex[k]!]!++;
        history[place] = chunk.itemIndex[k]!;
        values[place] = chunk.values[k]!;
        if (weights !== null) weights[place] = chunk.weights![k]!;
      }
    });
    return new InteractionHistory(offsets, history, users, items, values, weights);
  }

  /** The counts alone. */
  static counted({ users, items }: RowCounts): InteractionHistory {
    return new InteractionHistory(new Int32Array(0), new Int32Array(0), users, items, null);
  }

  /** The same among more users and items, who come after these and have nothing. */
  among(users: number, items: number): InteractionHistory {
    const longer = (counts: Int32Array, length: number) => {
      const all = new Int32Array(length);
      all.set(counts);
      return all;
    };
    const { offsets, userCounts, itemCounts, values, weights, additions } = this;
    const counts = [longer(userCounts, users), longer(itemCounts, items)] as const;
    return new InteractionHistory(offsets, this.items, ...counts, values, weights, additions, this);
  }

  /** Whether it is known who has rated what. */
  get isKept(): boolean {
    return this.offsets.length > 0;
  }

  /** The items that a user has rated; none where the history was not kept. */
  itemsOf(user: number): Int32Array {
    const changed = this.additions.users.get(user);
    return changed?.items ?? this.items.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0);
  }

  /** What the user rated them with, in the same order; null where that was not kept. */
  valuesOf(user: number): Float32Array | null {
    const changed = this.additions.users.get(user);
    if (changed !== undefined) return changed.values;
    return this.values?.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0) ?? null;
  }

  /** How much each of them counts, in the same order; null: all alike. */
  weightsOf(user: number): Float32Array | null {
    const changed = this.additions.users.get(user);
    if (changed !== undefined) return changed.weights;
    return this.weights?.subarray(this.offsets[user] ?? 0, this.offsets[user + 1] ?? 0) ?? null;
  }
}

/**
 * Tells of everybody who has an item, users in order. Cost: its users and the histories of those who have changed; the
 * first time for these columns, once through them.
 */
export async function eachUserOf(
  history: InteractionHistory,
  item: number,
  scheduler: Scheduler,
  tell: (user: number, value: number, weight: number) => void,
): Promise<void> {
  const { byItem, additions, values, weights } = history;
  byItem.made ??= await turnRound(history, scheduler);
  const { offsets, users, places } = byItem.made;
  const added = additions.items.get(item) ?? [];
  const end = offsets[item + 1] ?? 0;
  let next = 0;
  const tellChanged = (user: number) => {
    const { items, values, weights } = additions.users.get(user)!;
    for (let k = 0; k < items.length; k++) if (items[k] === item) tell(user, values?.[k] ?? 1, weights?.[k] ?? 1);
  };
  for (let k = offsets[item] ?? end; k < end; k++) {
    const user = users[k]!;
    while (next < added.length && added[next]! < user) tellChanged(added[next++]!);
    if (!additions.users.has(user)) tell(user, values?.[places[k]!] ?? 1, weights?.[places[k]!] ?? 1);
    // Told once, however often the columns have the pair.
    else if (k + 1 === end || users[k + 1] !== user) tellChanged(user);
  }
  while (next < added.length) tellChanged(added[next++]!);
}

/** One without additions: this one where it has none. Cost: once through the columns, otherwise. */
export function laidOut(history: InteractionHistory): InteractionHistory {
  const steps = layOut(history);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, letting other tasks run in between. */
export async function laidOutInTurns(history: InteractionHistory, scheduler: Scheduler): Promise<InteractionHistory> {
  const steps = layOut(history);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (scheduler.isDue(value)) await scheduler.yieldNow();
  }
}

/** Tells how many entries it has been through. */
function* layOut(history: InteractionHistory): Generator<number, InteractionHistory> {
  const { additions, userCounts, itemCounts } = history;
  if (additions.users.size === 0) return history;
  const count = userCounts.length;
  const offsets = new Int32Array(count + 1);
  for (let user = 0; user < count; user++) offsets[user + 1] = offsets[user]! + history.itemsOf(user).length;
  yield count;
  const size = offsets[count]!;
  const items = new Int32Array(size);
  const values = new Float32Array(size);
  const isWeighted = history.weights !== null || [...additions.users.values()].some(({ weights }) => weights !== null);
  const weights = isWeighted ? new Float32Array(size) : null;
  for (let user = 0; user < count; user++) {
    const at = offsets[user]!;
    const end = offsets[user + 1]!;
    items.set(history.itemsOf(user), at);
    const own = history.valuesOf(user);
    if (own === null) values.fill(1, at, end);
    else values.set(own, at);
    if (weights !== null) {
      const ownWeights = history.weightsOf(user);
      if (ownWeights === null) weights.fill(1, at, end);
      else weights.set(ownWeights, at);
    }
    yield end - at + 8;
  }
  return new InteractionHistory(offsets, items, userCounts, itemCounts, values, weights);
}

async function turnRound({ offsets, items, itemCounts }: InteractionHistory, scheduler: Scheduler): Promise<ByItem> {
  const { starts, rows, places } = await transpose(offsets, items, itemCounts.length, scheduler);
  return { offsets: starts, users: rows, places };
}
