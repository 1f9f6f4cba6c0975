// Draws who rated what in the synthetic set: a few users rate much and a few items are rated often, by a
// Zipf-Mandelbrot law (weight of the k-th: (k + shift)^-exponent), and users tend to choose items that suit their
// taste.

import { doubles } from '../core/allocate';
import { exponential, naturalLog, sigmoid } from '../core/elementary';
import { OptionError } from '../core/errors';
import { field, integer, number, readOptions, seed as seedCheck } from '../core/options';
import { Stream } from '../core/random';
import { Interactions } from './interactions';
import { range } from './splits';
import { Vocabulary } from './vocabulary';

/** A list of user and item numbers. */
export interface Pairs {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
}

/** The k-th of `count` weights is (k + shift)^-exponent, with shift = relativeShift * count. */
export function powerLaw(count: number, relativeShift: number, exponent: number): Float64Array {
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) weights[k] = exponential(-exponent * naturalLog(k + 1 + relativeShift * count));
  return weights;
}

/** `weights` in random order, so that activity and popularity cannot be read off the id. */
export function deal(weights: Float64Array, stream: Stream): Float64Array {
  const order = range(weights.length);
  stream.shuffle(order);
  return Float64Array.from(order, (k) => weights[k]!);
}

/**
 * Whole counts that sum to `total`, none above `cap`: each gets `floor`, and the rest follows the weights, which must be
 * in descending order. The excess of a capped one goes to those after it.
 */
export function apportion(total: number, weights: Float64Array, floor: number, cap: number): Int32Array {
  const after = new Float64Array(weights.length + 1);
  for (let k = weights.length - 1; k >= 0; k--) after[k] = after[k + 1]! + weights[k]!;
  let rest = total - floor * weights.length;
  return Int32Array.from(weights, (weight, k) => {
    // Rounding up keeps the average of the remaining ones from rising, so that the last never exceeds the cap.
    const extra = Math.min(cap - floor, rest, Math.ceil((rest * weight) / after[k]!));
    rest -= extra;
    return floor + extra;
  });
}

/**
 * `counts[u]` distinct items for each user u, drawn one after the other with chances in proportion to
 * popularity[i] * appeal(u, i), where appeal is at most 1.
 *
 * Draws by popularity are rejected until one is new and appeals. After as many draws as there are items, the remaining
 * ones are the first to arrive in a race of exponential clocks of the same rates, which is the same distribution
 * (Efraimidis and Spirakis 2006); so a dense set costs users * items, not more.
 */
export function drawPairs(
  counts: Int32Array,
  popularity: Float64Array,
  appeal: (user: number, item: number) => number,
  stream: Stream,
): Pairs {
  const items = popularity.length;
  const size = counts.reduce((sum, count) => sum + count, 0);
  const userIndex = new Int32Array(size);
  const itemIndex = new Int32Array(size);
  const cumulative = new Float64Array(items);
  let total = 0;
  for (let item = 0; item < items; item++) cumulative[item] = total += popularity[item]!;
  const takenBy = new Int32Array(items).fill(-1);
  const arrival = new Float64Array(items);

  let next = 0;
  for (let user = 0; user < counts.length; user++) {
    const end = next + counts[user]!;
    const take = (item: number) => {
      takenBy[item] = user;
      userIndex[next] = user;
      itemIndex[next++] = item;
    };
    for (let draws = 0; next < end && draws < items; draws++) {
      const item = search(cumulative, stream.uniform() * total);
      if (takenBy[item] !== user && stream.uniform() < appeal(user, item)) take(item);
    }
    if (next === end) continue;
    for (let item = 0; item < items; item++) {
      const rate = popularity[item]! * appeal(user, item);
      arrival[item] = takenBy[item] === user ? Infinity : -naturalLog((stream.uint32() + 1) * 2 ** -32) / rate;
    }
    const last = arrival.slice().sort()[end - next - 1]!;
    for (let item = 0; item < items && next < end; item++) if (arrival[item]! <= last) take(item);
  }
  return { userIndex, itemIndex };
}

/** Gives each unchosen item a row of an item that keeps at least one; there must be at least one row per item. */
export function coverItems({ itemIndex }: Pairs, items: number, stream: Stream): void {
  const counts = new Int32Array(items);
  for (const item of itemIndex) counts[item]!++;
  for (let item = 0; item < items; item++) {
    while (counts[item] === 0) {
      const row = stream.below(itemIndex.length);
      if (counts[itemIndex[row]!]! < 2) continue;
      counts[itemIndex[row]!]!--;
      counts[item] = 1;
      itemIndex[row] = item;
    }
  }
}

/** The first position whose cumulative weight is above `target`. */
function search(cumulative: Float64Array, target: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

// A seeded set of ratings with the shape of MovieLens 100K, to try things without a download. Its counts, mean and
// spread, and how much biases and factors explain, are like those of the real set; nothing else is claimed.

/** Options of `syntheticInteractions`. */
export type SyntheticOptions = NonNullable<Parameters<typeof syntheticInteractions>[0]>;

/** Counts of users, items and rows fit int32. */
const MOST = 2 ** 31 - 1;
// These and the defaults above are chosen so that 90/10 splits give, as in MovieLens 100K, a test RMSE near .94 with
// biases alone and near .90 with factors.

/** The mean of the scores before rounding: clipped to 1..5, their mean is then MovieLens 100K's 3.53. */
const CENTRE = 3.59;
/** Standard deviations of the planted biases, in stars. */
const USER_BIAS = 0.46;
const ITEM_BIAS = 0.5;
/** The increase of an item's rating per standard deviation of popularity: popular films are rated higher. */
const POPULAR_BIAS = 0.25;
/**
 * The activity of every user before the power law, as a fraction of the mean; the least active then has 20 of 106, as
 * in MovieLens.
 */
const LEAST_ACTIVITY = 0.14;
/**
 * Shift, as a fraction of the count, and exponent of the power laws: medians of 56 rows a user and 22 an item
 * (MovieLens: 65, 27).
 */
const ACTIVITY = [0.5, 3.6] as const;
const POPULARITY = [0.3, 3.6] as const;
/** How strongly taste drives choice: probability sigmoid(CHOOSINESS * taste), with taste of variance 1. */
const CHOOSINESS = 1;

/**
 * Ratings 1 to 5 of a made-up population: mean + b_u + b_i + structure * <p_u, q_i> + noise, rounded and clipped.
 *
 * Activity of users and popularity of items follow power laws, users tend to choose what they like, popular items are
 * rated higher, no pair comes twice, and rows are in random order. Ids are the strings '1' to String(users) and to
 * String(items); the vocabularies hold them all, and every user (item) has a row if there are at least as many rows.
 * The same options give the same bits in every engine.
 *
 * Cost: about a microsecond a row; a set that is mostly full costs about as much per user and item instead.
 *
 * @throws OptionError for more ratings than pairs, or an option that is unknown or out of range.
 *
 * @example
 * ```ts
 * import { syntheticInteractions } from 'opmf';
 * const { ratings, users, items, minimum, maximum } = syntheticInteractions().stats();
 * console.log(ratings, users, items, minimum, maximum); // 100000 943 1682 1 5
 * ```
 */
export function syntheticInteractions(options?: {
  /** @defaultValue 943 */
  readonly users?: number | undefined;
  /** @defaultValue 1682 */
  readonly items?: number | undefined;
  /** How many rows, exactly; at most users * items. @defaultValue 100000 */
  readonly ratings?: number | undefined;
  /** The rank of the planted tastes. @defaultValue 8 */
  readonly rank?: number | undefined;
  /** The standard deviation of the taste term of a rating, in stars. @defaultValue 0.56 */
  readonly structure?: number | undefined;
  /** The standard deviation of the noise term, in stars; rounding adds 0.29 more. @defaultValue 0.85 */
  readonly noise?: number | undefined;
  /** @defaultValue 1 */
  readonly seed?: number | string | undefined;
}): Interactions {
  const settings = readOptions('syntheticInteractions', options, {
    users: field(integer({ min: 1, max: MOST }), 943),
    items: field(integer({ min: 1, max: MOST }), 1682),
    ratings: field(integer({ min: 1, max: MOST }), 100_000),
    rank: field(integer({ min: 1, max: 1024 }), 8),
    structure: field(number({ min: 0, max: 100 }), 0.56),
    noise: field(number({ min: 0, max: 100 }), 0.85),
    seed: field(seedCheck, 1),
  });
  const { users, items, ratings, rank } = settings;
  if (ratings > users * items) {
    const most = `users * items = ${users * items}`;
    throw new OptionError(
      'ratings',
      ratings,
      `ratings is ${ratings}; want at most ${most}; lower it, or raise users or items`,
    );
  }
  const stream = Stream.of(settings.seed).fork('synthetic');
  const popularity = deal(powerLaw(items, ...POPULARITY), stream.fork('popularity'));
  const taste = plantTaste(users, items, rank, stream);

  const floor = ratings < users ? 0 : Math.max(1, Math.floor((LEAST_ACTIVITY * ratings) / users));
  const descending = apportion(ratings, powerLaw(users, ...ACTIVITY), floor, items);
  const activity = Int32Array.from(deal(Float64Array.from(descending), stream.fork('activity')));
  const appeal = (user: number, item: number) => sigmoid(CHOOSINESS * taste(user, item));
  const pairs = shuffleRows(drawPairs(activity, popularity, appeal, stream.fork('pairs')), stream.fork('order'));
  if (ratings >= items) coverItems(pairs, items, stream.fork('cover'));

  const values = rate(pairs, popularity, taste, settings, stream);
  return Interactions.ofIndices({ users: numbered(users), items: numbered(items), ...pairs, values });
}

type Settings = Required<{ [K in keyof SyntheticOptions]: NonNullable<SyntheticOptions[K]> }>;

/** The function (user, item) -> <p_u, q_i> of a planted low rank, with mean 0 and variance 1 over all pairs. */
function plantTaste(
  users: number,
  items: number,
  rank: number,
  stream: Stream,
): (user: number, item: number) => number {
  const p = normals(users * rank, stream.fork('user tastes'));
  const q = normals(items * rank, stream.fork('item tastes'));
  const scale = 1 / Math.sqrt(rank);
  return (user, item) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += p[user * rank + k]! * q[item * rank + k]!;
    return sum * scale;
  };
}

function rate(
  { userIndex, itemIndex }: Pairs,
  popularity: Float64Array,
  taste: (user: number, item: number) => number,
  { users, items, structure, noise }: Settings,
  stream: Stream,
): Float32Array {
  const userBias = normals(users, stream.fork('user biases'));
  const itemBias = normals(items, stream.fork('item biases'));
  const popular = standardize(popularity.map(naturalLog));
  const noises = stream.fork('noise');
  const scores = new Float64Array(userIndex.length);
  let sum = 0;
  for (let row = 0; row < scores.length; row++) {
    const user = userIndex[row]!;
    const item = itemIndex[row]!;
    const biases = USER_BIAS * userBias[user]! + ITEM_BIAS * itemBias[item]! + POPULAR_BIAS * popular[item]!;
    scores[row] = biases + structure * taste(user, item) + noise * noises.normal();
    sum += scores[row]!;
  }
  // Users choose what they like, so scores of chosen pairs are above average: centred here, on the chosen pairs.
  const shift = CENTRE - sum / scores.length;
  return Float32Array.from(scores, (score) => Math.min(5, Math.max(1, Math.round(score + shift))));
}

/** The numbers shifted and scaled to mean 0 and variance 1; equal numbers become 0. */
function standardize(numbers: Float64Array): Float64Array {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / numbers.length);
  return numbers.map((x) => (deviation > 0 ? (x - mean) / deviation : 0));
}

function normals(count: number, stream: Stream): Float64Array {
  const draws = doubles(count, `syntheticInteractions: a column of ${count} draws`);
  for (let k = 0; k < count; k++) draws[k] = stream.normal();
  return draws;
}

/** The same pairs in random order. */
function shuffleRows({ userIndex, itemIndex }: Pairs, stream: Stream): Pairs {
  const order = range(userIndex.length);
  stream.shuffle(order);
  return { userIndex: order.map((row) => userIndex[row]!), itemIndex: order.map((row) => itemIndex[row]!) };
}

/** The ids '1' to String(count). */
function numbered(count: number): Vocabulary {
  return Vocabulary.from(Array.from(range(count), (k) => String(k + 1)));
}
