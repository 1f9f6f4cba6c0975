// The options of NMF: their types, their checks, their defaults, and what they come to as those of a factorization.

import { DataError } from '../core/errors';
import { boolean, derived, type Fields, type Filled, field, oneOf, plain, readOptions, wrong } from '../core/options';
import { runYielding, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { drawStart } from '../models/factorization';
import { checkNonNegative, NMFModel } from '../models/nmf';
import { constant } from '../optimizers/learning-rate';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import type { OptimizerName } from '../optimizers/registry';
import { sgd } from '../optimizers/sgd';
import { type Overparam, planOverparam, tableDims } from '../parameters/overparam';
import { copied, type FittedFactorization, type RatingScale } from '../serving/factorization-tables';
import { GradientFoldIn } from '../serving/fold-in/gradient-fold-in';
import { countRows } from '../serving/interaction-history';
import { decodeFitted, restore, type SavedFactorization, withSavedRule } from '../serving/saved-model';
import { AlsSolver } from '../training/als';
import type { History } from '../training/fit';
import type { ALSOptions } from './als';
import {
  type BatchShape,
  batchScale,
  type FilledOptions,
  type OverparamMFOptions,
  PLAIN_PRESETS,
  perBatch,
  type Regularization,
  ratingsARow,
  shapeOf,
} from './factorization-options';
import { fitFactorization } from './factorization-recommender';
import { fitInteractions, servingOf } from './fit-interactions';
import type { FilledFitOptions } from './fit-options';
import type { FittedTables } from './partial-fit';
import type { Collapses } from './recommender';
import { type Signal, signalOf } from './signal';
import { TableRecommender } from './table-recommender';
import { chooseUnits, INSTEAD_OF_KIND, nothingToPredict, onlyValue, toTargets, weigh } from './targets';
import type { OptionsInForce, TrainingOptions } from './training-options';
import {
  batchCount,
  copyOf,
  dimension,
  epochCount,
  magnitude,
  optimizer,
  penalty,
  placeFields,
  products,
  trainingFields,
} from './training-options';

/**
 * The options of NMF.
 *
 * @example
 * ```ts
 * import { NMF, type NMFOptions } from 'opmf';
 * const options: NMFOptions = { solver: 'gradient', optimizer: 'adam', overparam: { kind: 'diagonal' } };
 * console.log(new NMF(options).options.rank); // 32
 * ```
 */
export interface NMFOptions extends TrainingOptions {
  /**
   * 'multiplicative': passes without a rate, over plain tables, for squared error; 'gradient': any optimizer, what falls
   * below 0 put back. @defaultValue 'multiplicative'
   */
  readonly solver?: 'multiplicative' | 'gradient' | undefined;
  /**
   * Whether users and items have biases, of either sign, beside the parts, which are then of ratings less their mean, by their
   * standard deviation; for 'gradient' alone. @defaultValue gradient: true; multiplicative: false
   */
  readonly biases?: boolean | undefined;
  /** The length of the vectors, from 1 to 65536. @defaultValue with biases: 32; else 15 */
  readonly rank?: number | undefined;
  /** Passes over the ratings, from 1 to 100000. @defaultValue multiplicative: 50; gradient: 20 */
  readonly epochs?: number | undefined;
  /**
   * lambda of 1/2 lambda (|p_u|^2 + |q_i|^2 + b_u^2 + b_i^2) per rating, at least 0; a number is constant and for all.
   * @defaultValue with biases that of MF: embeddings 0.235, biases 0.15, by frequency, and more where ratings are little but
   * noise (docs/defaults.md); else 0.06
   */
  readonly regularization?: OverparamMFOptions['regularization'];
  /** The embeddings start at uniform draws from 0 to this, at least 0. @defaultValue with biases: 0.3; else 1 */
  readonly initRange?: number | undefined;
  /** Scalar or diagonal products, for 'gradient' alone. @defaultValue false */
  readonly overparam?: Overparam | undefined;
  /** What predictions are held against; for 'gradient' alone, unless squared. @defaultValue 'squared' */
  readonly loss?: 'squared' | 'absolute' | 'huber' | undefined;
  /**
   * What trains; for 'gradient' alone. @defaultValue sgd, with biases at the rates of MF, else at 0.01, times about batchSize
   * (docs/defaults.md)
   */
  readonly optimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
  /** Ratings a step of 'gradient', at least 1. @defaultValue 1 */
  readonly batchSize?: number | undefined;
  /**
   * The threads of 'multiplicative', a whole number from 1 to 256; results never depend on it. `auto`: one for each core, where
   * there is enough to do. Where threads cannot be started one does the work, which is said once as a warning. @defaultValue 'auto'
   */
  readonly threads?: ALSOptions['threads'];
}

/** Every option filled in; an optimizer where there is one. */
export type FilledNmfOptions = Filled<
  Omit<NMFOptions, 'optimizer'>,
  { readonly regularization: number | Filled<Regularization> }
> & { readonly optimizer?: OptimizerConfig };

/** The options as they are declared: with a rule, that of 'gradient'. */
type Declared = Filled<
  NMFOptions,
  { readonly optimizer: Optimizer; readonly regularization: number | Filled<Regularization> }
>;

/** What a fit knows of its data: what the rates of its batches depend on, and with biases what they start at. */
interface NmfData {
  readonly shape?: BatchShape | undefined;
  readonly signal?: Signal | undefined;
}

/** The recipe of biases and parts: that of MF. */
const BIASED = PLAIN_PRESETS.ratings;

/** The declarations, in the order that files have them in. */
export function nmfFields(): Fields<Declared, NmfData> {
  const { shuffle, seed, clip } = trainingFields();
  const { kernels, threads } = placeFields();
  const choices = oneOf('squared', 'absolute', 'huber');
  const rule = optimizer<Declared, NmfData>(({ owner, options, data }) => {
    const { batchSize, biases, epochs, overparam, rank } = options;
    if (biases) {
      const plan = planOverparam(owner, overparam, tableDims(rank, true));
      const { counts } = data?.signal ?? {};
      const steps = { epochs, batchSize, biasDamping: 'auto', ratingsARow: counts && ratingsARow(counts) } as const;
      return BIASED.optimizer(plan, steps, data?.shape);
    }
    const per = perBatch(batchSize, data?.shape);
    const rate = 0.01 * batchScale(batchSize, data?.shape).bias;
    return sgd({ learningRate: per.batch === undefined ? rate : constant(rate, per) });
  });
  const strengths = penalty<Filled<Regularization>, Declared, NmfData>(
    ({ data }) => {
      const { embedding, bias, scaling } = BIASED.regularization;
      const { times = { embedding: 1, bias: 1 } } = data?.signal ?? {};
      const digits = (value: number) => Number(value.toPrecision(12));
      return { embedding: digits(embedding * times.embedding), bias: digits(bias * times.bias), scaling };
    },
    (lambda) => ({ embedding: lambda, bias: lambda, scaling: 'constant' }),
  );
  return {
    solver: field(oneOf('multiplicative', 'gradient'), 'multiplicative'),
    biases: {
      wanted: boolean.wanted,
      read(given, name, { options }) {
        const biases = given === undefined ? options.solver === 'gradient' : boolean(given, name);
        if (biases) ofGradient(biases, name, 'false', options);
        return biases;
      },
    },
    rank: derived(dimension(), ({ options }) => (options.biases ? 32 : 15)),
    regularization: {
      wanted: strengths.wanted,
      read(given, name, context) {
        const { options } = context;
        if (given === undefined && !options.biases) return 0.06;
        if (typeof given === 'number') return magnitude()(given, name);
        if (given !== undefined) ofGradient(given, name, 'a number', options);
        return strengths.read(given, name, context);
      },
    },
    initRange: derived(magnitude(), ({ options }) => (options.biases ? 0.3 : 1)),
    overparam: products<Overparam, Declared, NmfData>((overparam, { owner, options }) => {
      if (overparam !== false) ofGradient(overparam, 'overparam', 'false', options);
      checkNonNegative(owner, overparam, options.rank, options.biases);
    }),
    loss: {
      wanted: choices.wanted,
      read(given = 'squared', name, context) {
        const loss = choices(given, name);
        if (loss !== 'squared') ofGradient(loss, name, "'squared'", context.options);
        return loss;
      },
    },
    batchSize: field(batchCount(), 1),
    shuffle,
    seed,
    kernels,
    clip,
    threads,
    epochs: derived(epochCount(), ({ options }) => (options.solver === 'gradient' ? 20 : 50)),
    optimizer: {
      wanted: rule.wanted,
      read(given, name, context) {
        if (given !== undefined) ofGradient(given, name, 'none', context.options);
        return rule.read(given, name, context);
      },
    },
  };
}

/** @throws OptionError for what the multiplicative rule does not have */
function ofGradient(value: unknown, name: string, wanted: string, { solver }: Declared): void {
  if (solver === 'gradient') return;
  throw wrong(
    name,
    value,
    `${wanted} with solver 'multiplicative', which has a rule of its own; want solver: 'gradient'`,
  );
}

/** The options of NMF once read. */
export interface ReadNmf {
  readonly options: FilledNmfOptions;
  /** The rule of 'gradient'. */
  readonly rule: Optimizer;
  /** What the caller gave, as a copy. */
  readonly asked: NMFOptions;
}

/** Reads the options of NMF; `data` is what is known of the data, once a fit knows them. */
export function readNmfOptions(given: NMFOptions | undefined, data?: NmfData): ReadNmf {
  const own: NMFOptions =
    given === undefined ? {} : plain(given, 'options', 'an object with options such as rank', 'NMF');
  const read = readOptions<Declared, NmfData>('NMF', own, nmfFields(), '', data);
  const { optimizer: rule, ...rest } = read;
  const options = Object.freeze({ ...rest, ...(read.solver === 'gradient' && { optimizer: rule.config }) });
  return { options, rule, asked: copyOf(own) };
}

/** The objective, the same by either solver, as the options of a factorization. */
export function asFactorization(options: FilledNmfOptions, rule: Optimizer): FilledOptions {
  const { solver, initRange, regularization: given, ...own } = options;
  const regularization: Filled<Regularization> =
    typeof given === 'number' ? { embedding: given, bias: given, scaling: 'constant' } : given;
  return {
    ...own,
    optimizer: rule.config,
    negatives: false,
    link: 'identity',
    regularization,
    biasDamping: false,
    initScale: initRange,
    standardize: own.biases,
    threads: 1,
    grouping: 1,
  };
}

// Non-negative matrix factorization as a recommender.

/**
 * Non-negative matrix factorization of ratings: vectors whose numbers can be read as parts.
 *
 * prediction = <p_u, q_i>, p and q of no number below 0, trained on
 * sum over ratings of loss + 1/2 lambda (|p_u|^2 + |q_i|^2); by gradients mu + b_u + b_i + <p_u, q_i>, biases of either sign that
 * start at damped means, unless `biases` is false. Without biases ratings must be at least 0.
 *
 * 'multiplicative' (the default): p_uk *= (sum over its ratings of r q_ik) / (sum of r^ q_ik + n_u lambda p_uk), then items
 * alike, r^ the prediction (each rating as often as its relative weight): the objective never rises. 'gradient': any optimizer, with what falls below 0 put back to 0, over plain tables or
 * scalar or diagonal products. For users and items that training never saw the mean is predicted, with the bias of what it saw.
 * foldInUser, foldInItem and partialFit fit rows by least squares, whose numbers may be negative.
 *
 * Cost: fit O(epochs x ratings x rank); predict and recommend as MF.
 *
 * @throws OptionError for an unknown option or a value out of its range, and for products, losses and optimizers with
 * 'multiplicative'; UnsupportedError for products that start with negative maps
 * @see Zhang, Wang, Ford, Makedon, "Learning from Incomplete Ratings Using Non-negative Matrix Factorization" (SDM 2006);
 * Lee, Seung (NIPS 2001), equation 4; Lin, "Projected Gradient Methods for Nonnegative Matrix Factorization" (2007)
 * @example
 * ```ts
 * import { Interactions, NMF } from 'opmf';
 * const model = new NMF({ rank: 2 });
 * await model.fit(Interactions.from([['ann', 'tea', 5], ['ann', 'milk', 1], ['bob', 'tea', 4], ['cy', 'milk', 2]]));
 * console.log(model.model.userFactors.get(0, 0) >= 0); // true
 * console.log(model.predict('ann', 'tea') > model.predict('ann', 'milk')); // true
 * ```
 */
export class NMF extends TableRecommender implements Collapses<NMF> {
  readonly name = 'nmf';
  readonly scores = 'rating';
  private read: ReadNmf;

  constructor(options?: NMFOptions) {
    super('NMF');
    this.read = readNmfOptions(options);
  }

  /** The options in force; default rates of batchSize above 1 are those of the last fit. */
  get options(): Omit<OptionsInForce<NMFOptions>, 'optimizer' | 'regularization'> & {
    readonly optimizer?: OptimizerConfig;
    readonly regularization: number | OptionsInForce<OverparamMFOptions>['regularization'];
  } {
    return this.read.options;
  }

  fresh(): NMF {
    return new (this.constructor as typeof NMF)(this.read.asked);
  }

  protected async train(given: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { name, isFitted: isServing } = this;
    const scheduler = new TaskScheduler(fitOptions.signal);
    const only = await runYielding(onlyValue(given), scheduler);
    if (only !== undefined) throw nothingToPredict('NMF', `loss '${this.options.loss}'`, only, INSTEAD_OF_KIND);
    const known = await this.knownOf(given, scheduler);
    const read = readNmfOptions(this.read.asked, known);
    const { solver, rank, seed, overparam, initRange, regularization, biases } = read.options;
    const { rule } = read;
    const shared = asFactorization(read.options, rule);
    const { data, ...weighed } = await weigh(given, scheduler);
    const inUnits = biases ? (units: RatingScale) => units : unitsOf;
    const units = { ...inUnits(await chooseUnits(data, shared, scheduler)), ...weighed };
    const [users, items] = [data.users.size, data.items.size];
    const model = new NMFModel({ users, items, rank, seed, overparam, biases, initRange: 0 });
    await drawStart([model.userEmbedding, model.itemEmbedding], { seed, initScale: initRange }, scheduler, true);
    const install = (fitted: FittedFactorization) => {
      this.read = read;
      this.serve(fitted);
    };
    if (solver === 'gradient') {
      const plainOf = () => model;
      const steps = { rule, plainOf, unitsOf: inUnits, biases: known.signal, scheduler };
      const task = { name, data: given, options: shared, fitOptions, model, install, isServing, ...steps };
      return fitFactorization(task);
    }
    const counts = await countRows(data, scheduler);
    const weights = data.weights ?? null;
    const ratings = {
      users: data.userIndex,
      items: data.itemIndex,
      targets: await toTargets(data.values, units, scheduler),
      weights,
      copies: weights,
      counts,
    };
    const [userEmbedding, itemEmbedding] = [model.userEmbedding.values, model.itemEmbedding.values];
    const tables = { userEmbedding, itemEmbedding, userBias: null, itemBias: null };
    const { kernels, threads } = read.options;
    const solved = { method: 'multiplicative', steps: 1, biases: false, unobservedWeight: 0 } as const;
    const lambda = { regularization: regularization as number, regularizationExponent: 1 };
    return fitInteractions({
      name,
      data,
      options: read.options,
      fitOptions,
      counts,
      parameters: model.parameters,
      start: () => new AlsSolver(tables, ratings, { rank, ...solved, ...lambda, kernels, threads }),
      slots: [],
      rmseScale: 1,
      ...servingOf(() => model, data, units, read.options),
      targets: ratings.targets,
      install,
      isServing,
      scheduler: scheduler,
    });
  }

  /** What rates, penalties and the start of biases depend on. */
  private async knownOf(data: Interactions, scheduler: TaskScheduler): Promise<NmfData> {
    const { solver, batchSize, biases, kernels } = this.options;
    const isBatched = solver === 'gradient' && batchSize > 1;
    return {
      shape: isBatched ? await shapeOf(data, this.options, scheduler) : undefined,
      signal: biases ? await signalOf((await weigh(data, scheduler)).data, undefined, scheduler, kernels) : undefined,
    };
  }

  protected problemsOf(state: FittedTables): GradientFoldIn {
    return new GradientFoldIn(state, asFactorization(this.options, this.read.rule));
  }

  /** @internal */
  override get askedOptions(): object {
    return this.read.asked;
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): NMF {
    const { fitted } = this.need('collapse');
    const { optimizer, ...options } = this.options;
    const plain = new NMF({ ...options, overparam: false, ...(optimizer && { optimizer: this.read.rule }) });
    plain.installSaved({ ...fitted, tables: copied(fitted.tables) });
    return plain;
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): NMF {
    return restore(bytes, 'nmf', (saved) => NMF.of(decodeFitted<FilledNmfOptions>(saved)));
  }

  /** @internal A recommender of a trained state. */
  static of({ options, asked, ...state }: Omit<SavedFactorization<FilledNmfOptions>, 'recommender'>): NMF {
    // Files of before there were biases have none.
    const { biases = false } = options as NMFOptions;
    const model = new NMF(withSavedRule({ ...options, biases }));
    if (asked !== undefined)
      model.read = { ...model.read, asked: readNmfOptions(withSavedRule(asked as NMFOptions)).asked };
    model.installSaved(state);
    return model;
  }
}

/** Ratings as they are: less their mean they would be negative. What was never seen is predicted by the mean. */
function unitsOf({ shift, ...units }: RatingScale): RatingScale {
  if (units.minimum < 0) {
    throw new DataError(
      `NMF: a rating is ${units.minimum}, and products of non-negative vectors are never negative; want ratings of at least 0`,
    );
  }
  return { ...units, shift: 0, baseline: shift };
}
