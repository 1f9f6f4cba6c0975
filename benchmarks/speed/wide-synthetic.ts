// 20 million ratings of 138,000 users for 27,000 items: the size of MovieLens 20M, made up. Popularity and activity
// follow power laws like that set's, ratings are a planted low rank, biases and noise in half stars, no pair comes twice, and rows are
// sorted by user, as that file is. It is made for its sizes: no claim about accuracy rests on it.

import { Interactions, Vocabulary } from 'opmf';

export interface WideOptions {
  readonly users: number;
  readonly items: number;
  readonly ratings: number;
}

export const WIDE: WideOptions = { users: 138_000, items: 27_000, ratings: 20_000_000 };
const PLANTED = 8;
/** Standard deviations in stars. */
const STRUCTURE = 0.5;
const BIAS = 0.45;
const NOISE = 0.75;
/** The fewest ratings of a user in MovieLens 20M. */
const LEAST = 20;
/** Steps of the tables of normal draws and of popularity. */
const STEPS = 1 << 16;

/** The set; the same options give the same numbers. About a second a million rows at most. */
export function wideSynthetic({ users, items, ratings }: WideOptions = WIDE): Interactions {
  const next = xorshift(0x9e3779b9);
  const normals = Float32Array.from({ length: STEPS }, () => {
    let sum = -6;
    for (let k = 0; k < 12; k++) sum += next() * 2 ** -32;
    return sum;
  });
  const normal = () => normals[next() >>> 16]!;
  const draw = (count: number, deviation: number) => Float32Array.from({ length: count }, () => deviation * normal());
  const scale = Math.sqrt(STRUCTURE) / PLANTED ** 0.25;
  const [tastes, traits] = [draw(users * PLANTED, scale), draw(items * PLANTED, scale)];
  const [userBias, itemBias] = [draw(users, BIAS), draw(items, BIAS)];
  const counts = activity(users, ratings, Math.min(items >> 1, ratings), next);
  const byPopularity = shuffled(items, next);
  const ranks = popularity(items);

  const userIndex = new Int32Array(ratings);
  const itemIndex = new Int32Array(ratings);
  const values = new Float32Array(ratings);
  const taken = new Int32Array(items).fill(-1);
  let at = 0;
  for (let user = 0; user < users; user++) {
    for (let left = counts[user]!; left > 0; left--) {
      let item = byPopularity[rank(ranks, next())]!;
      while (taken[item] === user) item = byPopularity[rank(ranks, next())]!;
      taken[item] = user;
      let score = 3.5 + userBias[user]! + itemBias[item]! + NOISE * normal();
      for (let k = 0; k < PLANTED; k++) score += tastes[user * PLANTED + k]! * traits[item * PLANTED + k]!;
      userIndex[at] = user;
      itemIndex[at] = item;
      values[at++] = Math.min(5, Math.max(0.5, Math.round(2 * score) / 2));
    }
  }
  const ids = (count: number) => Vocabulary.from(Int32Array.from({ length: count }, (_, index) => index + 1));
  return Interactions.ofIndices({ users: ids(users), items: ids(items), userIndex, itemIndex, values });
}

/** How many ratings each user has: LEAST and a share by the power law (k + users / 300)^-1, in random order. */
function activity(users: number, ratings: number, most: number, next: () => number): Int32Array {
  const least = Math.min(LEAST, Math.floor(ratings / users));
  const shares = Float64Array.from({ length: users }, (_, k) => 1 / (k + 1 + users / 300));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const counts = Int32Array.from(shares, (share) =>
    Math.min(most, least + Math.floor((share / whole) * (ratings - least * users))),
  );
  let left = ratings - counts.reduce((sum, count) => sum + count, 0);
  for (let user = 0; left > 0; user = (user + 1) % users) {
    if (counts[user]! >= most) continue;
    counts[user]!++;
    left--;
  }
  return shuffled(users, next).map((user) => counts[user]!);
}

/** Quantiles of the density (x + 0.0144)^-2.3 over the items by popularity, which are then read by linear steps. */
function popularity(items: number): Float64Array {
  const shift = 0.0144;
  const power = (x: number) => (x + shift) ** -1.3;
  const [low, high] = [power(0), power(1)];
  return Float64Array.from({ length: STEPS + 1 }, (_, k) => {
    const x = (low + (k / STEPS) * (high - low)) ** (-1 / 1.3) - shift;
    return Math.min(items - 1e-6, Math.max(0, x * items));
  });
}

function rank(quantiles: Float64Array, word: number): number {
  const low = quantiles[word >>> 16]!;
  return Math.floor(low + (word & 0xffff) * 2 ** -16 * (quantiles[(word >>> 16) + 1]! - low));
}

function shuffled(count: number, next: () => number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Marsaglia's xorshift with 32 bits of state: quick, and good enough for made-up ratings. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
