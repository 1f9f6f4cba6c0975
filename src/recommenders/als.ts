// The options of ALS: their types, their checks, their defaults, and what they come to for the solver.

import { exponential, naturalLog } from '../core/elementary';
import { DataError } from '../core/errors';
import type { Check, Field, Fields, Filled } from '../core/options';
import { boolean, derived, field, integer, number, oneOf, orAuto, readOptions, wrong } from '../core/options';
import { forEachChunk, ROWS_A_CHUNK, runYielding, type Scheduler, TaskScheduler } from '../core/scheduler';
import { findRepeats } from '../data/duplicates';
import { Interactions } from '../data/interactions';
import type { Scores } from '../metrics/metric-names';
import { drawStart, MFModel } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { FittedFactorization, RatingScale } from '../serving/factorization-tables';
import { AlsFoldIn, forData } from '../serving/fold-in/als-fold-in';
import { countRows, type RowCounts } from '../serving/interaction-history';
import { decodeFitted, restore, type SavedFactorization } from '../serving/saved-model';
import { type AlsRule, AlsSolver, type BiasPenalties, biasPenaltiesOf, trainedRows } from '../training/als';
import { type AlsRatings, choosePenalties } from '../training/als-penalties';
import type { History } from '../training/fit';
import { fitInteractions, servingOf } from './fit-interactions';
import type { FilledFitOptions } from './fit-options';
import type { FittedTables } from './partial-fit';
import { TableRecommender } from './table-recommender';
import { chooseUnits, crowdingOf, nothingToPredict, onlyValue, toTargets, type Weighed, weigh } from './targets';
import type { OptionsInForce, ThreadOptions, TrainingOptions } from './training-options';
import { dimension, epochCount, magnitude, placeFields, trainingFields } from './training-options';

/**
 * The options of ALS.
 *
 * @example
 * ```ts
 * import { ALS, type ALSOptions } from 'opmf';
 * const options: ALSOptions = { rank: 16, unobservedWeight: 0.3 };
 * console.log(new ALS(options).options.regularizationExponent); // 1
 * ```
 */
export interface ALSOptions extends Pick<TrainingOptions, 'seed' | 'kernels' | 'clip'>, ThreadOptions {
  /**
   * 'implicit': who has what; a pair that is not in the data counts a little against. 'explicit': ratings; a pair that is
   * not in the data is unknown. @defaultValue 'implicit'
   */
  readonly feedback?: 'implicit' | 'explicit' | undefined;
  /** The length of the vectors, from 1 to 65536. @defaultValue implicit: 64; explicit: 32 */
  readonly rank?: number | undefined;
  /** Passes, from 1 to 100000; each solves for every user, then for every item. @defaultValue 12 */
  readonly epochs?: number | undefined;
  /**
   * lambda, above 0, of lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2), for a row with n interactions.
   * 'auto': of implicit feedback about 1.15 / sqrt(items of a user), in the mean, by 1 + what all pairs weigh beside the
   * interactions; of explicit what predicts a tenth of the ratings best that is held out for it, of some users where there
   * are more than 50,000 (docs/defaults.md); after the fit `options.regularization` is the number. @defaultValue 'auto'
   */
  readonly regularization?: number | 'auto' | undefined;
  /**
   * Of biases a penalty of their own, at least 0, in place of that of the vector: a bias of n ratings is the mean of what is left
   * of them times n / (n + penalty). 'auto': at which ratings are predicted best by biases of the others (after the fit
   * `options.biasRegularization` has the numbers); where `regularization` is a number, as vectors. @defaultValue 'auto'
   */
  readonly biasRegularization?: { readonly user: number; readonly item: number } | 'auto' | undefined;
  /** nu, from 0 to 2: 1 penalizes a row in proportion to what it has, 0 all rows alike. @defaultValue implicit: 1; explicit: 0.5 */
  readonly regularizationExponent?: number | undefined;
  /**
   * alpha0, at least 0: the weight of score^2 for every pair, seen or not; implicit feedback alone. 'auto': 0.3, and less where fewer
   * pairs than in MovieLens 1M are filled: all of them then weigh 6.75 times as much as the interactions do, as there.
   * After the fit `options.unobservedWeight` is the number. @defaultValue 'auto'
   */
  readonly unobservedWeight?: number | 'auto' | undefined;
  /**
   * How much values say, at least 0: an interaction's squared error weighs 1 + alpha value (times its weight); implicit feedback alone.
   * At 0 values are not looked at. @defaultValue 0
   */
  readonly alpha?: number | undefined;
  /** Whether users and items have biases; explicit feedback alone. @defaultValue true for explicit feedback, else false */
  readonly biases?: boolean | undefined;
  /**
   * How the equations of a row are solved: 'cholesky' exactly, in O(n rank^2 + rank^3); 'conjugate-gradient' by `steps`
   * steps from where the row is, in O(steps (n rank + rank^2)), which pays from ranks of some hundred. @defaultValue 'cholesky'
   */
  readonly solver?: 'cholesky' | 'conjugate-gradient' | undefined;
  /** Steps of the conjugate gradient, from 1 to 1000. @defaultValue 3 */
  readonly steps?: number | undefined;
  /** Vectors start at N(0, initScale^2 / rank); at least 0. @defaultValue 0.1 */
  readonly initScale?: number | undefined;
}

/** Every option filled in; plain JSON. */
export type FilledAlsOptions = Filled<ALSOptions>;

/** The declarations, in the order that files have them in. */
export function alsFields(): Fields<FilledAlsOptions> {
  const { seed, clip } = trainingFields();
  const { kernels, threads } = placeFields();
  return {
    feedback: field(oneOf('implicit', 'explicit'), 'implicit'),
    rank: derived(dimension(), ({ options }) => (isExplicit(options) ? 32 : 64)),
    epochs: field(epochCount(), 12),
    regularizationExponent: derived(number({ min: 0, max: 2 }), ({ options }) => (isExplicit(options) ? 0.5 : 1)),
    solver: field(oneOf('cholesky', 'conjugate-gradient'), 'cholesky'),
    steps: field(integer({ min: 1, max: 1000 }), 3),
    initScale: field(magnitude(), 0.1),
    seed,
    kernels,
    clip,
    threads,
    regularization: field(orAuto(number({ min: 0, above: true })), 'auto'),
    biasRegularization: {
      wanted: "an object with user and item, numbers of at least 0, or 'auto'",
      read(given = 'auto', name, { owner }) {
        if (given === 'auto') return given;
        const strength: Field<number> = { read: magnitude() };
        return readOptions<BiasPenalties>(owner, given as object, { user: strength, item: strength }, `${name}.`);
      },
    },
    unobservedWeight: ofImplicit<number | 'auto'>(orAuto(magnitude()), 'auto'),
    alpha: ofImplicit(magnitude(), 0),
    biases: {
      wanted: boolean.wanted,
      read(given, name, { options }) {
        const biases = given === undefined ? isExplicit(options) : boolean(given, name);
        if (!biases || isExplicit(options)) return biases;
        throw wrong(name, biases, "false with feedback 'implicit'; ratings are 'explicit'");
      },
    },
  };
}

const isExplicit = ({ feedback }: Pick<FilledAlsOptions, 'feedback'>) => feedback === 'explicit';

/** An option of implicit feedback, with its default there; else it is 0. */
function ofImplicit<T>(check: Check<T>, fallback: T): Field<T | 0, FilledAlsOptions> {
  return {
    wanted: check.wanted,
    read(given, name, { options }) {
      const value = given === undefined ? (isExplicit(options) ? 0 : fallback) : check(given, name);
      if (value === 0 || !isExplicit(options)) return value;
      throw wrong(name, value, "0 with feedback 'explicit': it is for implicit feedback");
    },
  };
}

/** The ratings of a row at which the exponent makes no difference to the default penalty of ratings. */
const EXPLICIT_COUNT = 400;

/**
 * What 'auto' comes to, in the mean row: 1.15 / sqrt(the items of a user), measured on 10 sets of events, docs/defaults.md. The
 * penalty is a threshold for the singular values of the data, rows and columns divided by the roots of their counts; those of
 * chance end near sqrt(users / pairs) + sqrt(items / pairs), and the first, which is popularity, is 1: where they end above, the penalty
 * grows by their square (two items a user, MovieTweetings: NDCG@20 .140 to .148, popularity .145).
 */
const OF_NOISE = 1.15;
const MOST_RIDGE = 0.8;

/** The options of ratings with numbers where they are 'auto'. */
async function chosenForRatings(
  options: FilledAlsOptions & { readonly unobservedWeight: number },
  ratings: AlsRatings,
  scheduler: Scheduler,
): Promise<AlsNumbers> {
  const { regularization, regularizationExponent: nu, biasRegularization } = options;
  if (regularization !== 'auto') return { ...options, regularization };
  const inRule = (lambda: number) => lambda * exponential((0.5 - nu) * naturalLog(EXPLICIT_COUNT));
  const rule = ruleOf({ ...options, regularization: 1 });
  const chosen = await choosePenalties(ratings, rule, inRule, options.seed, scheduler);
  const biases = chosen.biases === undefined ? biasRegularization : Object.freeze(chosen.biases);
  // Three digits: sums in another order are the same then.
  return { ...options, regularization: Number(chosen.regularization.toPrecision(3)), biasRegularization: biases };
}

/** The options with numbers where they are 'auto'. `counts`: how often each row occurs, of so many pairs. */
function chosenFor(options: FilledAlsOptions, data: Interactions, counts: RowCounts, pairs: number): AlsNumbers {
  const known = forData(options, counts, pairs);
  const { regularization, regularizationExponent: nu, unobservedWeight } = known;
  if (regularization !== 'auto') return { ...known, regularization };
  const [users, items] = [trainedRows(counts.users), trainedRows(counts.items)];
  // What all pairs weigh by the interactions: of a row with as many as others have.
  const mass = (unobservedWeight * users * items) / pairs;
  const own = new Float64Array(counts.users.length);
  for (let k = 0; k < data.size; k++) own[data.userIndex[k]!]! += data.weights?.[k] ?? 1;
  const mean = own.reduce((sum, n) => sum + n, 0) / users;
  // Users in number, those with many as fewer than with some: as many as they are where all are alike.
  const many = own.reduce((sum, n) => sum + (n > 0 ? ((1 + mass) * n) / (n + mass * mean) : 0), 0);
  const chance = Math.min(MOST_RIDGE, OF_NOISE * Math.sqrt(many / pairs)) * crowdingOf(users, items, pairs);
  const ridge = chance / (1 + mass);
  const frequency = (pairs / Math.sqrt(users * items)) * (1 + mass);
  const chosen = nu === 1 ? ridge : ridge * exponential((1 - nu) * naturalLog(frequency));
  // Three digits: sums in another order are the same then.
  return { ...known, regularization: Number(chosen.toPrecision(3)) };
}

/** Options of which nothing is 'auto'. */
type AlsNumbers = FilledAlsOptions & { readonly unobservedWeight: number; readonly regularization: number };

/** The options of the solver. */
export function ruleOf(options: AlsNumbers): AlsRule {
  const { rank, biases, unobservedWeight, regularization, regularizationExponent, solver, steps } = options;
  const { kernels, threads } = options;
  const biasPenalties = biasPenaltiesOf(options);
  const lambda = { regularization, regularizationExponent, biasPenalties };
  return { rank, biases, unobservedWeight, ...lambda, method: solver, steps, kernels, threads };
}

// Alternating least squares as a recommender.

/**
 * Matrix factorization by alternating least squares: for implicit feedback (who has what), and for ratings.
 *
 * Implicit: score = <p_u, q_i> is to be 1 for what users have and near 0 for the rest, all of which takes part:
 * sum over interactions of w (score - 1)^2 + alpha0 (sum over all users and items of score^2)
 * + lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2), w = weight (1 + alpha value).
 * Explicit: prediction = mu + b_u + b_i + <p_u, q_i>, with ratings less their mean, by their standard deviation, in place
 * of 1, alpha0 = 0, and x with its bias. Weights are relative to their mean over the pairs, and n counts interactions by
 * weight: rows that are there several times and a row of their weight are the same.
 *
 * No learning rate: with one side held still the best row of the other is the solution of rank equations. Predictions of
 * implicit feedback are scores, not clipped. `trainLoss` is half the sums over interactions and pairs, by interactions.
 *
 * Cost: fit O(epochs (interactions rank^2 + rows rank^3)) with 'cholesky'; predict and recommend as MF.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008); Rendle, Krichene, Zhang,
 * Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (RecSys 2022), equations 1 to 5; explicit:
 * Zhou, Wilkinson, Schreiber, Pan, "Large-Scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM 2008)
 * @example
 * ```ts
 * import { ALS, Interactions } from 'opmf';
 * const model = new ALS({ rank: 2 });
 * await model.fit(Interactions.from([['ann', 'tea'], ['ann', 'milk'], ['bob', 'tea'], ['cy', 'beer'], ['dan', 'beer']]));
 * console.log(model.recommend('bob', { n: 1 }).map(({ itemId }) => itemId)); // [ 'milk' ]
 * console.log(model.predict('bob', 'milk') > model.predict('bob', 'beer')); // true
 * ```
 */
export class ALS extends TableRecommender {
  readonly name = 'als';
  private inForce: OptionsInForce<ALSOptions>;
  /** The caller's options, filled in: 'auto' stands in them for what each fit chooses by its data. */
  private asked: OptionsInForce<ALSOptions>;

  constructor(options?: ALSOptions) {
    super('ALS');
    this.asked = readOptions<FilledAlsOptions>('ALS', options, alsFields());
    this.inForce = this.asked;
  }

  /** The options in force: what is 'auto' is, after a fit, the number that it came to for the data. */
  get options(): OptionsInForce<ALSOptions> {
    return this.inForce;
  }

  /** Ratings of explicit feedback; of implicit feedback orders. */
  get scores(): Scores {
    return this.options.feedback === 'explicit' ? 'rating' : 'order';
  }

  fresh(): ALS {
    return new (this.constructor as typeof ALS)(this.asked);
  }

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { asked: options, isFitted: isServing } = this;
    const install = (fitted: FittedFactorization, chosen: AlsNumbers) => {
      this.inForce = Object.freeze(chosen);
      this.serve(fitted);
    };
    return fitAls({ data, options, fitOptions, isServing, install });
  }

  protected problemsOf(state: FittedTables): AlsFoldIn {
    return new AlsFoldIn(state, this.options as AlsNumbers);
  }

  /** @internal */
  override get askedOptions(): object {
    return this.asked;
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): ALS {
    return restore(bytes, 'als', (saved) => ALS.of(decodeFitted<FilledAlsOptions>(saved)));
  }

  /** @internal A recommender of a trained state. */
  static of({ options, asked, ...state }: Omit<SavedFactorization<FilledAlsOptions>, 'recommender'>): ALS {
    const model = new ALS(options);
    if (asked !== undefined) model.asked = new ALS(asked).asked;
    model.installSaved(state);
    return model;
  }
}

// From interactions to tables trained by alternating least squares: the wiring of data, solver and validation.

/** What a fit of ALS is made of. */
interface AlsTask {
  readonly data: Interactions;
  readonly options: OptionsInForce<ALSOptions>;
  readonly fitOptions: FilledFitOptions;
  readonly install: (fitted: FittedFactorization, chosen: AlsNumbers) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Scores of implicit feedback: 1 for what a user has, 0 for the rest, and not bounded by either. */
const SCORES: RatingScale = {
  link: 'identity',
  shift: 0,
  scale: 1,
  minimum: -Number.MAX_VALUE,
  maximum: Number.MAX_VALUE,
  start: 0,
};
const RATINGS = { loss: 'squared', link: 'identity', standardize: true, negatives: false } as const;

/** Trains tables and installs the result. */
async function fitAls({ data: given, options: asked, fitOptions, install, isServing }: AlsTask): Promise<History> {
  const { rank, seed, biases, initScale, feedback } = asked;
  const scheduler = new TaskScheduler(fitOptions.signal);
  const isExplicit = feedback === 'explicit';
  const only = isExplicit ? await runYielding(onlyValue(given), scheduler) : undefined;
  if (only !== undefined)
    throw nothingToPredict('ALS', "feedback 'explicit'", only, "feedback: 'implicit', which learns who has what");
  const { data, ...weighed } = await weighPairs(given, asked, scheduler);
  const units = { ...(isExplicit ? await chooseUnits(data, RATINGS, scheduler) : SCORES), ...weighed };
  const { pairs = data.size } = weighed;
  const counts = await countRows(data, scheduler);
  const targets = isExplicit ? await toTargets(data.values, units, scheduler) : null;
  const copies = data.weights ?? null;
  const rows = { users: data.userIndex, items: data.itemIndex, copies, total: pairs, counts };
  const options =
    targets === null
      ? chosenFor(asked, data, counts, pairs)
      : await chosenForRatings(forData(asked, counts, pairs), { ...rows, targets, weights: copies }, scheduler);
  const model = new MFModel({ users: data.users.size, items: data.items.size, rank, biases, seed, initScale: 0 });
  await drawStart(
    [model.userEmbedding, model.itemEmbedding],
    { seed, initScale: initScale / Math.sqrt(rank), kernels: options.kernels },
    scheduler,
  );
  const weights = await weightsOf(data, options.alpha, scheduler);
  const solver = new AlsSolver(tablesOf(model), { ...rows, targets, weights }, ruleOf(options));
  return fitInteractions({
    name: 'als',
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: () => solver,
    slots: [],
    rmseScale: isExplicit ? units.scale : undefined,
    ...servingOf(() => model, data, units, options),
    targets,
    install: (fitted) => install(fitted, options),
    isServing,
    scheduler,
  });
}

function tablesOf({ userEmbedding, itemEmbedding, userBias, itemBias }: MFModel) {
  return {
    userEmbedding: userEmbedding.values,
    itemEmbedding: itemEmbedding.values,
    userBias: userBias?.values ?? null,
    itemBias: itemBias?.values ?? null,
  };
}

/**
 * Weights relative to the mean over the pairs: a pair that comes twice weighs what a row of weight 2 does. Where neither the
 * pairs without interactions nor a power in the penalty make a difference, the mean is that over the rows.
 */
async function weighPairs(
  given: Interactions,
  { feedback, regularizationExponent }: FilledAlsOptions,
  scheduler: Scheduler,
): Promise<Weighed & { readonly pairs?: number }> {
  const weighed = await weigh(given, scheduler);
  if (feedback === 'explicit' && regularizationExponent === 1) return weighed;
  const { data, meanWeight = 1 } = weighed;
  const { size, users, items, userIndex, itemIndex, values, timestamps } = data;
  let pairs = size;
  const search = findRepeats(data, users.size, items.size, () => pairs--);
  while (!search.next().done) if (scheduler.isDue(ROWS_A_CHUNK)) await scheduler.yieldNow();
  if (pairs === size) return weighed;
  const share = pairs / size;
  const weights = data.weights?.map((weight) => weight * share) ?? new Float32Array(size).fill(share);
  const columns = { users, items, userIndex, itemIndex, values, timestamps, weights };
  return { data: Interactions.ofIndices(columns), meanWeight: meanWeight / share, pairs };
}

/** What the squared error of each interaction is multiplied by: its weight (1 + alpha value); null where all are 1. */
async function weightsOf(
  { values, weights, size }: Interactions,
  alpha: number,
  scheduler: Scheduler,
): Promise<Real | null> {
  if (alpha === 0) return weights ?? null;
  const confidences = new Float32Array(size);
  let bad = -1;
  await forEachChunk(size, scheduler, (from, to) => {
    for (let k = from; k < to; k++) {
      const confidence = Math.fround((weights?.[k] ?? 1) * (1 + alpha * values[k]!));
      if (!(confidence >= 0 && confidence < Infinity)) bad = k;
      confidences[k] = confidence;
    }
  });
  if (bad >= 0) {
    throw new DataError(
      `interaction ${bad + 1} (counting from 1) has value ${values[bad]}, which at alpha ${alpha} gives it a weight that is ` +
        'negative or infinite; want values of at least 0, or alpha: 0, which does not look at them',
    );
  }
  return confidences;
}
