// A seeded set of ratings with the shape of MovieLens 100K, for trying things without a download. Its counts, mean,
// spread, and what biases and factors explain of it are like those of the real set; nothing else is claimed.

import { doubles } from '../core/allocate';
import { naturalLog, sigmoid } from '../core/elementary';
import { OptionError } from '../core/errors';
import { field, integer, number, readOptions, seed as seedCheck } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { Interactions } from './interactions';
import { range } from './split';
import { apportion, coverItems, deal, drawPairs, type Pairs, powerLaw } from './synthetic-pairs';
import { Vocabulary } from './vocabulary';

/** Options of `syntheticInteractions`. */
export interface SyntheticOptions {
  /** @defaultValue 943 */
  readonly users?: number | undefined;
  /** @defaultValue 1682 */
  readonly items?: number | undefined;
  /** How many rows, exactly; at most users * items. @defaultValue 100000 */
  readonly ratings?: number | undefined;
  /** How many tastes are planted. @defaultValue 8 */
  readonly rank?: number | undefined;
  /** The standard deviation of what tastes add to a rating, in stars. @defaultValue 0.56 */
  readonly structure?: number | undefined;
  /** The standard deviation of what nothing explains, in stars; rounding adds 0.29 more. @defaultValue 0.85 */
  readonly noise?: number | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
}

/** Numbers of users, items and rows are held as int32. */
const MOST = 2 ** 31 - 1;
// These and the defaults above were set so that 90/10 splits give, as in MovieLens 100K, a test RMSE near .94 with biases
// alone and near .90 with factors.

/** What the scores are centred at before rounding: clipped to 1..5, their mean is then MovieLens 100K's 3.53. */
const CENTRE = 3.59;
/** Standard deviations of the planted biases, in stars. */
const USER_BIAS = 0.46;
const ITEM_BIAS = 0.5;
/** What an item's rating gains with one standard deviation of popularity: popular films are rated higher. */
const POPULAR_BIAS = 0.25;
/** What every user is given before the power law, as a part of the mean; the least active then has 20 of 106, as in MovieLens. */
const LEAST_ACTIVITY = 0.14;
/** Shift, as a part of the count, and exponent of the power laws: medians of 56 rows a user and 22 an item (MovieLens: 65, 27). */
const ACTIVITY = [0.5, 3.6] as const;
const POPULARITY = [0.3, 3.6] as const;
/** How much more likely a user chooses what suits: chance sigmoid(CHOOSINESS * taste), taste of variance 1. */
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
export function syntheticInteractions(options?: SyntheticOptions): Interactions {
  const settings = readOptions<Settings>('syntheticInteractions', options, {
    users: field(integer({ min: 1, max: MOST }), 943),
    items: field(integer({ min: 1, max: MOST }), 1682),
    ratings: field(integer({ min: 1, max: MOST }), 100_000),
    rank: field(integer({ min: 1, max: 1024 }), 8),
    structure: field(number({ min: 0, max: 100 }), 0.56),
    noise: field(number({ min: 0, max: 100 }), 0.85),
    seed: field<Seed>(seedCheck, 1),
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

/** The function (user, item) -> <p_u, q_i> of a planted low rank, of mean 0 and variance 1 over all pairs. */
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
  // Users choose what they like, so scores of chosen pairs are above average: centred here, where they are known.
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
