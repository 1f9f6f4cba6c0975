// What ratings say of themselves before a training: where biases belong, and how much of what biases leave is structure
// and not noise. Some passes over the data; docs/defaults.md has what is gained by it.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import { type HeldRatings, passesOf, type RatingChunk, type RatingPasses } from '../data/passes';
import { LINE, MOMENT, Moments } from '../kernels/moments';
import type { RowCounts } from '../serving/interaction-history';
import type { KernelChoice } from '../wasm/host';

/** What a fit on ratings begins with. */
export interface Signal {
  /** How often each row occurs; undefined where ratings have weights. */
  readonly counts: RowCounts | undefined;
  /** Damped biases, in the unit of ratings. */
  readonly users: Float32Array;
  readonly items: Float32Array;
  /** How many ratings equal to the mean a bias counts beside its own. */
  readonly damping: { readonly user: number; readonly item: number };
  /** What the default penalties are multiplied by. */
  readonly times: { readonly embedding: number; readonly bias: number };
}

/** Moments of the rows of a side. */
type Rows = Float64Array;
const { count: COUNT, sum: SUM, square: SQUARE, width: WIDTH } = MOMENT;
const [USERS, ITEMS] = [0, 1] as const;

/**
 * Biases b = S / (n + damping), S the sum of v - mu less the other side's biases over the n ratings of a row: of items, of
 * users, and once more of items. Koren, "Factor in the Neighbors" (TKDD 2010), section 2.1. Dampings that are not given are
 * those at which each rating is best predicted from the others of its row. Cost: three passes.
 */
export async function signalOf(
  ratings: HeldRatings | RatingPasses,
  given: { readonly user?: number | undefined; readonly item?: number | undefined } | undefined,
  scheduler: Scheduler,
  kernels: KernelChoice = 'auto',
): Promise<Signal> {
  const data = passesOf(ratings);
  const { size } = data;
  const moments = new Moments([data.users.size, data.items.size], kernels);
  const [ofUser, ofItem] = moments.sums;
  /** Passes over many rows follow one another. */
  const giveWay = async () => {
    if (scheduler.isDue(data.users.size + data.items.size)) await scheduler.yieldNow();
  };
  fillLines(moments.lines[USERS], null);
  let first = Number.NaN;
  await data.each(scheduler, (chunk, from, to) => {
    if (Number.isNaN(first)) first = chunk.values[from]!;
    moments.add(pairsOf(chunk), ITEMS, first, from, to);
  });
  const mean = first + centre(ofItem);
  await giveWay();
  const item = given?.item ?? (await dampingOf(ofItem, scheduler));
  // Of users' ratings an item's bias is that by its other ratings.
  fillWithoutOwn(moments.lines[ITEMS], ofItem, item, mean);
  await giveWay();
  await data.each(scheduler, (chunk, from, to) => moments.add(pairsOf(chunk), USERS, 0, from, to));
  const user = given?.user ?? (await dampingOf(ofUser, scheduler));
  const users = biasesOf(ofUser, user);
  await giveWay();
  const some = compared(ofItem, users.length, Math.ceil(size / RATINGS_A_USER));
  await giveWay();
  fillLines(moments.lines[USERS], users);
  ofItem.fill(0);
  await giveWay();
  await data.each(scheduler, (chunk, from, to) => {
    moments.add(pairsOf(chunk), ITEMS, mean, from, to);
    compare(chunk, some, mean, users, from, to);
  });
  const items = biasesOf(ofItem, item);
  const [perUser, perItem] = [meanCount(ofUser), meanCount(ofItem)];
  await giveWay();
  return {
    counts: !data.isWeighted
      ? { users: new Int32Array(weightsOf(ofUser)), items: new Int32Array(weightsOf(ofItem)) }
      : undefined,
    users,
    items,
    damping: { user, item },
    times: {
      embedding: embeddingTimes(likenessOf(some, users.length, items), perUser, perItem),
      bias: biasTimes({ user, item }, perUser, perItem, size),
    },
  };
}

const pairsOf = ({ userIndex, itemIndex, values, weights }: RatingChunk) =>
  ({ rows: [userIndex, itemIndex], values, weights }) as const;

/** Lines that take nothing from a number but the bias of a row. */
function fillLines(lines: Float64Array, biases: Float32Array | null): void {
  for (let row = 0, at = 0; at < lines.length; row++, at += LINE.width) {
    lines[at + LINE.times] = 1;
    lines[at + LINE.less] = biases === null ? 0 : biases[row]!;
  }
}

/** Lines that take from a number v the mean, and the bias of a row by its other numbers, (S - v + mean) a: v (1 + a) - S a - mean (1 + a). */
function fillWithoutOwn(lines: Float64Array, rows: Rows, damping: number, mean: number): void {
  for (let line = 0, at = 0; at < rows.length; line += LINE.width, at += WIDTH) {
    const a = 1 / Math.max(rows[at + COUNT]! - 1 + damping, LEAST);
    lines[line + LINE.times] = 1 + a;
    lines[line + LINE.less] = rows[at + SUM]! * a + mean * (1 + a);
  }
}

/** Makes the mean of rows' ratings 0, and returns what it was. */
function centre(rows: Rows): number {
  let [sum, all] = [0, 0];
  for (let at = 0; at < rows.length; at += WIDTH) {
    sum += rows[at + SUM]!;
    all += rows[at + COUNT]!;
  }
  const mean = sum / all;
  for (let at = 0; at < rows.length; at += WIDTH) {
    rows[at + SQUARE]! += mean * (mean * rows[at + COUNT]! - 2 * rows[at + SUM]!);
    rows[at + SUM]! -= mean * rows[at + COUNT]!;
  }
  return mean;
}

/** How many ratings rows have, by weight. */
function weightsOf(rows: Rows): Float64Array {
  const weights = new Float64Array(rows.length / WIDTH);
  for (let row = 0, at = COUNT; row < weights.length; row++, at += WIDTH) weights[row] = rows[at]!;
  return weights;
}

function biasesOf(rows: Rows, damping: number): Float32Array {
  const biases = new Float32Array(rows.length / WIDTH);
  for (let row = 0, at = 0; row < biases.length; row++, at += WIDTH) {
    if (rows[at + COUNT]! > 0) biases[row] = rows[at + SUM]! / (rows[at + COUNT]! + damping);
  }
  return biases;
}

/** The dampings that are tried: 1/4 to 4096 by powers of 2, and one at which there are no biases. */
const DAMPINGS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 1e9];
/** A damping of 0 says nothing of a row by the others where there are none. */
const LEAST = 1e-9;

/**
 * The damping with the least sum over ratings of (r - (S - r) / (n - 1 + damping))^2: what is predicted of each by the others of its
 * row (PRESS: Allen, Technometrics 1974). With a = 1 / (n - 1 + damping) a row's is (1 + a)^2 Q + (n a - 2 (1 + a)) a S^2, S the sum
 * of its residuals and Q that of their squares. On 15 sets within .1 % of the best two of 64 for the test rows themselves; by
 * components of variance (Henderson 1953) play counts and hours were 1 to 2 % above.
 */
async function dampingOf(rows: Rows, scheduler: Scheduler): Promise<number> {
  const costs = DAMPINGS.map(() => 0);
  await forEachChunk(rows.length / WIDTH, scheduler, (from, to) => {
    for (const [at, damping] of DAMPINGS.entries()) costs[at] = costOf(rows, damping, costs[at]!, from, to);
  });
  const best = costs.indexOf(Math.min(...costs));
  // Between powers of 2 the least of a parabola.
  const [before, least, after] = [costs[best - 1], costs[best]!, costs[best + 1]];
  if (before === undefined || after === undefined || best === DAMPINGS.length - 2) return DAMPINGS[best] ?? 1;
  const bend = before - 2 * least + after;
  return digits(DAMPINGS[best]! * 2 ** (bend > 0 ? (before - after) / (2 * bend) : 0));
}

/** Adds the sum of some rows. */
function costOf(rows: Rows, damping: number, cost: number, from: number, to: number): number {
  for (let at = WIDTH * from; at < WIDTH * to; at += WIDTH) {
    const count = rows[at + COUNT]!;
    if (count === 0) continue;
    const sum = rows[at + SUM]!;
    const a = 1 / (Math.max(count - 1, 0) + damping);
    cost += (1 + a) * (1 + a) * rows[at + SQUARE]! + (count * a - 2 * (1 + a)) * a * sum * sum;
  }
  return cost;
}

/** Three digits: sums in another order are the same then. */
function digits(value: number): number {
  return Number(value.toPrecision(3));
}

/** How many ratings a row has, of those that have some. */
function meanCount(rows: Rows): number {
  let [all, some] = [0, 0];
  for (let at = COUNT; at < rows.length; at += WIDTH) {
    all += rows[at]!;
    if (rows[at]! > 0) some++;
  }
  return all / some;
}

/** The most that a penalty of biases is raised by, at which a step still shrinks a row; and the ratings that say 1 beforehand. */
const MOST_NOISE = 12;
const RATINGS_BEFORE = 200;
/** The default penalty of biases, 0.15 by frequency, is a damping of 0.15 sqrt(20 n). */
const USUAL_PENALTY = 0.15;
const USUAL_COUNT = 20;

/** How much more biases are to be penalized: by the lesser of what users' and items' dampings are of the usual at the mean n. */
function biasTimes(damping: Signal['damping'], perUser: number, perItem: number, size: number): number {
  const times = (own: number, count: number) => own / (USUAL_PENALTY * Math.sqrt(USUAL_COUNT * count));
  const least = Math.min(times(damping.user, perUser), times(damping.item, perItem), MOST_NOISE);
  return digits(1 + (Math.max(1, least) - 1) * (size / (size + RATINGS_BEFORE)));
}

/** How many items are compared, those with the most ratings; of every how many users, by the ratings; and pairs that suffice. */
const COMPARED = 64;
const RATINGS_A_USER = 1 << 18;
const ENOUGH = 1 << 18;

/** Of a pair of items: the sum of products, that of their squares, and how many. */
const CELL = 3;

/** Ratings of items that are compared, in columns. */
interface Compared {
  /** The items, and of every item its number among these, or -1. */
  readonly items: readonly number[];
  readonly place: Int8Array;
  /** 1 for users whose ratings are looked at. */
  readonly isAsked: Uint8Array;
  readonly user: number[];
  readonly at: number[];
  /** What is left of them without the mean and the user's bias. */
  readonly residual: number[];
}

function compared(rows: Rows, users: number, every: number): Compared {
  const counts = weightsOf(rows);
  const items: number[] = [];
  for (let item = 0; item < counts.length; item++) {
    const count = counts[item]!;
    if (items.length === COMPARED && !(count > counts[items[COMPARED - 1]!]!)) continue;
    let at = items.length === COMPARED ? COMPARED - 1 : items.length;
    // Behind those with as many, which come before it.
    for (; at > 0 && count > counts[items[at - 1]!]!; at--) items[at] = items[at - 1]!;
    items[at] = item;
  }
  const place = new Int8Array(counts.length).fill(-1);
  for (const [at, item] of items.entries()) place[item] = at;
  const isAsked = new Uint8Array(users);
  for (let user = 0; user < users; user += every) isAsked[user] = 1;
  return { items, place, isAsked, user: [], at: [], residual: [] };
}

/** Collects the ratings of compared items by some users. */
function compare(
  { values, userIndex, itemIndex }: RatingChunk,
  some: Compared,
  mean: number,
  users: Float32Array,
  from: number,
  to: number,
): void {
  const { place, isAsked } = some;
  for (let k = from; k < to; k++) {
    const one = userIndex[k]!;
    if (isAsked[one] === 0) continue;
    const at = place[itemIndex[k]!]!;
    if (at < 0) continue;
    some.user.push(one);
    some.at.push(at);
    some.residual.push(values[k]! - mean - users[one]!);
  }
}

/**
 * How alike items are beyond their biases: the root of the mean squared correlation of what is left of two items' ratings by
 * one user, of 64 items; less two standard errors, so that few ratings say 0. With k factors of equal strength, which make
 * up a part s of the variance, it is s / sqrt(k).
 */
function likenessOf({ items, user, at, residual }: Compared, users: number, biases: Float32Array): number {
  // User by user.
  const ends = new Int32Array(users + 1);
  for (const one of user) ends[one + 1]!++;
  for (let one = 0; one < users; one++) ends[one + 1]! += ends[one]!;
  const [ofItem, left] = [new Int8Array(user.length), new Float64Array(user.length)];
  let variance = 0;
  for (let k = 0; k < user.length; k++) {
    const to = ends[user[k]!]!++;
    ofItem[to] = at[k]!;
    left[to] = residual[k]! - biases[items[at[k]!]!]!;
    variance += (left[to]! * left[to]!) / user.length;
  }
  const cells = new Float64Array(CELL * COMPARED * COMPARED);
  // The end of a user's is where those of the next began.
  for (let one = 0, from = 0, seen = 0; one < users && seen < ENOUGH; from = ends[one++]!) {
    seen += addProducts(ofItem, left, from, ends[one]!, cells);
  }
  return likenessIn(cells, variance);
}

/** Adds the products of a user's to those of their pairs of items; how many. */
function addProducts(ofItem: Int8Array, left: Float64Array, from: number, to: number, cells: Float64Array): number {
  let count = 0;
  for (let a = from; a < to; a++) {
    for (let b = from; b < a; b++) {
      const cell = CELL * (Math.max(ofItem[a]!, ofItem[b]!) * COMPARED + Math.min(ofItem[a]!, ofItem[b]!));
      const product = left[a]! * left[b]!;
      cells[cell]! += product;
      cells[cell + 1]! += product * product;
      cells[cell + 2]!++;
    }
    count += a - from;
  }
  return count;
}

function likenessIn(cells: Float64Array, variance: number): number {
  let [found, pairs] = [0, 0];
  for (let cell = 0; cell < cells.length; cell += CELL) {
    const [sum, squares, count] = [cells[cell]!, cells[cell + 1]!, cells[cell + 2]!];
    // One user's product times another's, so that noise adds nothing in the mean.
    if (count < 2) continue;
    found += sum * sum - squares;
    pairs += count * (count - 1);
  }
  if (pairs === 0 || variance === 0) return 0;
  return Math.sqrt(Math.max(0, found / pairs / (variance * variance) - 2 * Math.sqrt(2 / pairs)));
}

/** What penalties of embeddings follow from: see embeddingTimes. */
const STRUCTURE = { times: 1.15, factors: 2.9, power: 0.75, least: 0.1, faint: 0.5, most: 3.5 };

/**
 * What the penalty of embeddings is multiplied by: 1.15 (1 - 2.9 l)^(3/4) (1 + (0.5 / d)^2) (r + 1 / r) / 2, at most 3.5, l the
 * likeness. A penalty is a threshold for singular values: it grows with the noise, whose part of the variance is 1 - l sqrt(k),
 * and with the sum of the roots of the ratings of a user and an item where by frequency it has their product: r is the fourth
 * root of their ratio. Where l sqrt(n_u n_i) = d is below 1 no factor is told from noise. The constants are read off grids on
 * 16 sets (docs/defaults.md).
 */
function embeddingTimes(alike: number, perUser: number, perItem: number): number {
  const { times, factors, power, least, faint, most } = STRUCTURE;
  const noise = Math.max(least, 1 - factors * alike) ** power;
  const told = faint / (alike * Math.sqrt(perUser * perItem));
  const ratio = (perUser / perItem) ** 0.25;
  return digits(Math.min(most, times * noise * (1 + told * told) * ((ratio + 1 / ratio) / 2)));
}
