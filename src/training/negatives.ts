// Samples items that a user does not have as negatives: uniformly, or by popularity to a power.

import { exponential, naturalLog } from '../core/elementary';
import { DataError } from '../core/errors';
import type { Stream } from '../core/random';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import { groupRows, transpose } from '../data/csr';
import type { RatingData } from '../models/model';

/** How negatives are sampled for each interaction. */
export interface NegativeSampling {
  /** Negatives for each interaction, at least 1. */
  readonly count: number;
  /** 'popularity': an item with n interactions has probability in proportion to n^exponent. */
  readonly sampler: 'uniform' | 'popularity';
  readonly exponent: number;
}

/** Rejected draws before the items are scanned one by one. */
export const PATIENCE = 200;

/** The sampler of a training. */
export class ItemSampler {
  readonly table: AliasTable | null;
  /** The log of the sampling probability of an item, by number. */
  readonly logChance: Float32Array;

  constructor(
    private readonly counts: Int32Array,
    private readonly positives: Positives,
    private readonly sampling: NegativeSampling,
    private readonly whole?: ItemSampler,
    /** Those to draw from: of the whole, those that occur. */
    readonly items = Int32Array.from(counts.keys()).filter((item) => counts[item]! > 0),
  ) {
    const { sampler, exponent } = sampling;
    // n^exponent as exp(exponent log n), which has the same bits in every engine.
    const power = (item: number) => (sampler === 'uniform' ? 1 : exponential(exponent * naturalLog(counts[item]!)));
    const weights = Float64Array.from(items, power);
    this.table = sampler === 'uniform' ? null : new AliasTable(weights);
    this.logChance = whole?.logChance ?? new Float32Array(counts.length);
    if (whole !== undefined) return;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [place, item] of items.entries()) this.logChance[item] = naturalLog(weights[place]! / sum);
  }

  /** The same among some of the items. Their chances are those of the whole, in proportion. */
  among(isIn: (item: number) => boolean): ItemSampler {
    const { counts, positives, sampling, items } = this;
    return new ItemSampler(counts, positives, sampling, this, items.filter(isIn));
  }

  /**
   * An item that the user does not have; `own`, which the user has, where there is none among some of the items: gradients
   * of an item against itself cancel. @throws DataError where there is none at all: passOver removes such users first
   */
  draw(user: number, stream: Stream, own: number): number {
    const { items, table, positives, whole } = this;
    for (let tries = 0; tries < PATIENCE; tries++) {
      const item = items[table === null ? stream.below(items.length) : table.draw(stream)]!;
      if (!positives.has(user, item)) return item;
    }
    // A user who has nearly every item: choose among the rest.
    const left = items.filter((item) => !positives.has(user, item));
    if (left.length > 0) return left[stream.below(left.length)]!;
    if (whole !== undefined) return own;
    throw new DataError(
      `user ${user} has every one of the ${items.length} items, so that there is no negative to draw`,
    );
  }
}

/** A distribution over 0 .. n - 1 that is sampled in constant time: Walker 1977, built as in Vose 1991. */
export class AliasTable {
  /** The probability of keeping a place, in units of 2^-32, and the alternative. */
  readonly keep: Float64Array;
  readonly other: Int32Array;

  /** `weights` are at least 0 and not all 0. */
  constructor(weights: Float64Array) {
    const n = weights.length;
    let sum = 0;
    for (let k = 0; k < n; k++) sum += weights[k]!;
    const scaled = weights.map((weight) => (weight * n) / sum);
    this.keep = new Float64Array(n).fill(2 ** 32);
    this.other = Int32Array.from({ length: n }, (_, k) => k);
    const poor: number[] = [];
    const rich: number[] = [];
    for (let k = 0; k < n; k++) (scaled[k]! < 1 ? poor : rich).push(k);
    while (poor.length > 0 && rich.length > 0) {
      const from = rich[rich.length - 1]!;
      const to = poor.pop()!;
      this.keep[to] = scaled[to]! * 2 ** 32;
      this.other[to] = from;
      scaled[from]! -= 1 - scaled[to]!;
      if (scaled[from]! < 1) poor.push(rich.pop()!);
    }
    // Entries left on either list by rounding have probability 1.
  }

  /** One draw: two words of the stream. */
  draw(stream: Stream): number {
    const place = stream.below(this.other.length);
    return stream.uint32() < this.keep[place]! ? place : this.other[place]!;
  }
}

/** The most pairs with a bit each: 16 MB. */
const MOST_BITS = 2 ** 27;

/** The items of every user in ascending order, for exact membership tests; few pairs have a bit each as well. */
export class Positives {
  private readonly bits: Int32Array | null;

  private constructor(
    private readonly itemCount: number,
    /** The items of user u are items[starts[u]] .. items[starts[u + 1] - 1]; an item that occurs twice is there twice. */
    readonly starts: Int32Array,
    readonly items: Int32Array,
  ) {
    const pairs = (starts.length - 1) * itemCount;
    this.bits = pairs > MOST_BITS ? null : new Int32Array((pairs + 31) >>> 5);
  }

  static async of(data: RatingData, users: number, items: number, scheduler: Scheduler): Promise<Positives> {
    const byItem = await groupRows(data.items, items, scheduler);
    await scheduler.yieldNow();
    const columns = byItem.order.map((k) => data.users[k]!);
    // By user, from items in ascending order: within a user they ascend too.
    const { starts, rows } = await transpose(byItem.starts, columns, users, scheduler);
    const positives = new Positives(items, starts, rows);
    const { bits } = positives;
    if (bits !== null)
      await forEachChunk(users, scheduler, (from, to) => {
        for (let user = from; user < to; user++)
          for (let k = starts[user]!; k < starts[user + 1]!; k++) {
            const pair = user * items + rows[k]!;
            bits[pair >>> 5]! |= 1 << (pair & 31);
          }
      });
    return positives;
  }

  /** Whether a user has an item. Cost: logarithmic in the user's items where pairs have no bits. */
  has(user: number, item: number): boolean {
    const { items, bits } = this;
    if (bits !== null) {
      const pair = user * this.itemCount + item;
      return ((bits[pair >>> 5]! >>> (pair & 31)) & 1) === 1;
    }
    let low = this.starts[user]!;
    let high = this.starts[user + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items[middle]! < item) low = middle + 1;
      else high = middle;
    }
    return low < this.starts[user + 1]! && items[low] === item;
  }
}

/** The training data, and how many users were left out of them. */
export interface PassedOver {
  readonly data: RatingData;
  readonly users: number;
}

/**
 * The data without the rows of users who have every item that occurs; the data themselves where there are none. Counts stay
 * those of all rows. Cost: O(users), plus O(rows) if a user has as many rows as there are items.
 * @throws DataError if every user has every item
 */
export async function passOver(data: RatingData, scheduler: Scheduler): Promise<PassedOver> {
  const { users: userCounts, items: itemCounts } = data.counts!;
  const items = itemCounts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  // An item may occur twice: a user with as many rows as there are items need not have them all.
  const isSuspect = Uint8Array.from(userCounts, (count) => (count >= items ? 1 : 0));
  if (!isSuspect.includes(1)) return { data, users: 0 };
  const lists = new Map<number, Set<number>>();
  await forEachChunk(data.size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const user = data.users[k]!;
      if (isSuspect[user] === 0) continue;
      const list = lists.get(user);
      if (list === undefined) lists.set(user, new Set([data.items[k]!]));
      else list.add(data.items[k]!);
    }
  });
  const hasAll = Uint8Array.from(userCounts, (_, user) => (lists.get(user)?.size === items ? 1 : 0));
  const users = hasAll.reduce((sum, one) => sum + one, 0);
  if (users === 0) return { data, users };
  const rows = Int32Array.from(data.users.subarray(0, data.size).keys()).filter((k) => hasAll[data.users[k]!] === 0);
  if (rows.length === 0) {
    throw new DataError(
      `data: every user has every one of the ${items} items, so that there is no negative to draw and no order to learn; want users who do not have all, or a recommender of ratings`,
    );
  }
  const { targets, weights } = data;
  return {
    users,
    data: {
      ...data,
      size: rows.length,
      users: Int32Array.from(rows, (k) => data.users[k]!),
      items: Int32Array.from(rows, (k) => data.items[k]!),
      targets: Float32Array.from(rows, (k) => targets[k]!),
      weights: weights === null ? null : Float32Array.from(rows, (k) => weights[k]!),
    },
  };
}
