// Penalties of explicit feedback that suit the data, found by what they predict of ratings that took no part.

import { exponential, naturalLog } from '../core/elementary';
import { type Seed, Stream } from '../core/random';
import { forEachChunk, ROWS_A_CHUNK, runYielding, type Scheduler } from '../core/scheduler';
import { findRepeats } from '../data/duplicates';
import type { Columns } from '../data/rows';
import type { Real } from '../optimizers/factor';
import { type AlsData, type AlsRule, AlsSolver, type BiasPenalties } from './als';

/** Ratings with targets. */
export type AlsRatings = AlsData & { readonly targets: Real };

/** So many ratings are enough: those of some users, where there are more. */
const ENOUGH = 50_000;
/** Items have fewer ratings there, from which less can be learned: lambda is this power of the part too large (docs/defaults.md). */
const OF_PART = 0.06;
/** Ratings that are held out, and what is trained on the others. */
const HELD_OUT = 0.1;
const RANK = 16;
const EPOCHS = 2;
/**
 * The penalties that are tried, from the largest, each from where the last has come to: at 2 standard deviations, times the
 * root of what a row has, noise is not learned. They are of targets of deviation 1, and of the exponent 1/2.
 */
const LARGEST = 1.9;
const STEP = 0.8;
const STEPS = 14;
/** So much worse than the best is past it. */
const WORSE = 1.003;
/** Of fewer ratings several parts are held out in turn: a few are little to judge by. */
const FEW = 20_000;
const MOST_PARTS = 5;

/** What is usual, and the ratings that say so beforehand. */
const USUAL_LAMBDA = 1.2;
const USUAL_DAMPING = 4;
const RATINGS_BEFORE = 200;

/** lambda at exponent 1/2, and penalties of biases where there are some. */
export async function choosePenalties(
  all: AlsRatings,
  rule: AlsRule,
  /** lambda of the rule for lambda at exponent 1/2. */
  inRule: (lambda: number) => number,
  seed: Seed,
  scheduler: Scheduler,
): Promise<{ regularization: number; biases: BiasPenalties | undefined }> {
  const given = await merge(all, scheduler);
  const share = Math.min(1, ENOUGH / given.users.length);
  const some = await select(given, (user) => chance(user, -1) < share, scheduler);
  const biases = rule.biases ? (rule.biasPenalties ?? (await dampingOf(some, scheduler))) : undefined;
  const solved = { rank: Math.min(RANK, rule.rank), method: 'cholesky', threads: 1, biasPenalties: biases } as const;
  const trial = { ...rule, ...solved };
  const folds: { solver: AlsSolver; errorOf: () => Promise<number> }[] = [];
  const stream = Stream.of(seed).fork('penalties');
  do {
    const part = folds.length;
    const isHeldOut = (user: number, item: number) => Math.floor(chance(user, item) / HELD_OUT) === part;
    const train = await select(some, (user, item) => !isHeldOut(user, item), scheduler);
    const test = await select(some, isHeldOut, scheduler);
    const { users, items } = given.counts;
    const tables = {
      userEmbedding: new Float32Array(users.length * trial.rank),
      itemEmbedding: new Float32Array(items.length * trial.rank),
      userBias: rule.biases ? new Float32Array(users.length) : null,
      itemBias: rule.biases ? new Float32Array(items.length) : null,
    };
    for (const table of [tables.userEmbedding, tables.itemEmbedding]) {
      const scale = 0.1 / Math.sqrt(trial.rank);
      await forEachChunk(table.length, scheduler, (from, to) => stream.normals(table, from, to, scale));
    }
    folds.push({
      solver: new AlsSolver(tables, train, trial),
      errorOf: () => errorOf(tables, test, trial.rank, scheduler),
    });
  } while (folds.length < Math.min(MOST_PARTS, FEW / some.users.length));
  const lambdaOf = (step: number) => LARGEST * exponential(step * naturalLog(STEP));
  /** What a step comes to, from where the last did. */
  const errorAt = async (step: number) => {
    trial.regularization = inRule(lambdaOf(step));
    let sum = 0;
    for (const { solver, errorOf } of folds) {
      for (let epoch = 1; epoch <= EPOCHS; epoch++) await solver.epoch(epoch, scheduler);
      sum += await errorOf();
    }
    return sum;
  };
  const errors: number[] = [];
  let best = 0;
  for (let step = 0; step < STEPS; step++) {
    errors.push(await errorAt(step));
    if (errors[step]! < errors[best]!) best = step;
    if (errors[step]! > WORSE * errors[best]!) break;
  }
  const [before, at, after] = [errors[best - 1], errors[best]!, errors[best + 1]];
  // Between two steps: where the parabola through three of them is least.
  const between =
    before === undefined || after === undefined ? 0 : (before - after) / 2 / (before - 2 * at + after) || 0;
  // So few epochs lag a step behind.
  const lambda = lambdaOf(best + between - 1) * exponential(OF_PART * naturalLog(share));
  return { regularization: inRule(towards(lambda, USUAL_LAMBDA, given.users.length)), biases };
}

/** What was found, and less of it the fewer ratings say so: a few are an example, to be learned as it is. */
function towards(found: number, usual: number, ratings: number): number {
  return usual * exponential((ratings / (ratings + RATINGS_BEFORE)) * naturalLog(found / usual));
}

/** A number from 0 to 1 that looks like chance: the same for a user and an item always, whatever else there is. */
function chance(user: number, item: number): number {
  let mixed = Math.imul(user + 1, 0x9e3779b1) ^ Math.imul(item + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/** One rating a pair, the mean of what the pair has: several rows and one of their weight are to be the same. */
async function merge(given: AlsRatings, scheduler: Scheduler): Promise<AlsRatings> {
  const { users, items, counts, total = users.length } = given;
  if (total === users.length) return given;
  const first = Int32Array.from(users, (_, k) => k);
  const columns = { userIndex: users, itemIndex: items } as Pick<Columns, 'userIndex' | 'itemIndex'>;
  await runYielding(
    findRepeats(columns, counts.users.length, counts.items.length, (row, earlier) => {
      first[row] = first[earlier]!;
    }),
    scheduler,
    ROWS_A_CHUNK,
  );
  const weights = new Float64Array(users.length);
  const targets = new Float64Array(users.length);
  await forEachChunk(users.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const weight = given.weights?.[k] ?? 1;
      weights[first[k]!]! += weight;
      targets[first[k]!]! += weight * given.targets[k]!;
    }
  });
  for (let k = 0; k < targets.length; k++) if (weights[k]! > 0) targets[k]! /= weights[k]!;
  return select({ ...given, targets, weights, copies: weights }, (_user, _item, k) => first[k] === k, scheduler);
}

/** The ratings of some pairs. */
async function select(
  { users, items, targets, weights, copies, counts }: AlsRatings,
  isWanted: (user: number, item: number, row: number) => boolean,
  scheduler: Scheduler,
): Promise<AlsRatings> {
  const rows = new Int32Array(users.length);
  const found = { users: new Int32Array(counts.users.length), items: new Int32Array(counts.items.length) };
  let size = 0;
  await forEachChunk(users.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      if (!isWanted(users[k]!, items[k]!, k)) continue;
      rows[size++] = k;
      found.users[users[k]!]!++;
      found.items[items[k]!]!++;
    }
  });
  const kept = rows.subarray(0, size);
  const pick = (column: Real) => Float32Array.from(kept, (k) => column[k]!);
  return {
    users: kept.map((k) => users[k]!),
    items: kept.map((k) => items[k]!),
    targets: pick(targets),
    weights: weights && pick(weights),
    copies: copies ? pick(copies) : null,
    counts: found,
  };
}

/** The root of the mean squared error; of what was not trained, the mean is predicted. */
async function errorOf(
  { userEmbedding, itemEmbedding, userBias, itemBias }: ConstructorParameters<typeof AlsSolver>[0],
  { users, items, targets, weights }: AlsRatings,
  rank: number,
  scheduler: Scheduler,
): Promise<number> {
  let [sum, all] = [0, 0];
  await forEachChunk(users.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const [user, item] = [users[k]!, items[k]!];
      let error = (userBias?.[user] ?? 0) + (itemBias?.[item] ?? 0) - targets[k]!;
      for (let f = 0; f < rank; f++) error += userEmbedding[user * rank + f]! * itemEmbedding[item * rank + f]!;
      const weight = weights?.[k] ?? 1;
      sum += weight * error * error;
      all += weight;
    }
  });
  return Math.sqrt(sum / all);
}

/** Penalties of biases that are tried: powers of 2 between these. */
const LEAST_DAMPING = 0.5;
const MOST_DAMPING = 512;

/**
 * The penalties of biases at which each rating is predicted best by the biases that the others give: the error of a rating
 * that took part is e (1 - h) of that of one that did not, h what it has in its own prediction (Allen, "The Relationship
 * between Variable Selection and Data Augmentation", 1974: PRESS). From what is usual by factors of 2, one side after the other.
 */
async function dampingOf(
  { users, items, targets, copies, counts }: AlsRatings,
  scheduler: Scheduler,
): Promise<BiasPenalties> {
  const side = (rows: Int32Array, { length }: Int32Array) => ({
    rows,
    biases: new Float64Array(length),
    counts: new Float64Array(length),
    sums: new Float64Array(length),
  });
  const user = side(users, counts.users);
  const item = side(items, counts.items);
  await forEachChunk(users.length, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      user.counts[users[k]!]! += copies?.[k] ?? 1;
      item.counts[items[k]!]! += copies?.[k] ?? 1;
    }
  });
  const solve = async (own: typeof user, other: typeof user, penalty: number) => {
    own.sums.fill(0);
    await forEachChunk(users.length, scheduler, (from, to) => {
      for (let k = from; k < to; k++)
        own.sums[own.rows[k]!]! += (copies?.[k] ?? 1) * (targets[k]! - other.biases[other.rows[k]!]!);
    });
    for (let row = 0; row < own.sums.length; row++) own.biases[row] = own.sums[row]! / (own.counts[row]! + penalty);
  };
  const errorAt = async (at: BiasPenalties) => {
    for (let round = 0; round < 2; round++) {
      await solve(item, user, at.item);
      await solve(user, item, at.user);
    }
    let sum = 0;
    await forEachChunk(users.length, scheduler, (from, to) => {
      for (let k = from; k < to; k++) {
        const [u, i] = [users[k]!, items[k]!];
        const without = (1 - shareOf(user.counts[u]!, at.user)) * (1 - shareOf(item.counts[i]!, at.item));
        const error = (targets[k]! - user.biases[u]! - item.biases[i]!) / without;
        sum += (copies?.[k] ?? 1) * error * error;
      }
    });
    return sum;
  };
  let best: BiasPenalties = { user: USUAL_DAMPING, item: USUAL_DAMPING };
  let least = await errorAt(best);
  for (let isBetter = true; isBetter; ) {
    isBetter = false;
    for (const [name, factor] of [
      ['user', 2],
      ['user', 0.5],
      ['item', 2],
      ['item', 0.5],
    ] as const) {
      for (;;) {
        const next = { ...best, [name]: best[name] * factor };
        if (next[name] < LEAST_DAMPING || next[name] > MOST_DAMPING) break;
        const error = await errorAt(next);
        if (!(error < least * (1 - 1e-6))) break;
        [best, least, isBetter] = [next, error, true];
      }
    }
  }
  const of = (found: number) => Number(towards(found, USUAL_DAMPING, users.length).toPrecision(3));
  return { user: of(best.user), item: of(best.item) };
}

/** What a rating has in the bias of its row; where rows weigh little, as much as leaves something. */
const shareOf = (count: number, penalty: number) => Math.min(0.9, 1 / (count + penalty));
