// A factorization that is trained by gradients, as a recommender: what MF, OverparamMF and SVDpp share, which is all but
// their options and models. From interactions to a trained state.

import { Stream } from '../core/random';
import { runToEnd, type Scheduler, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { type Scores, scoresOf } from '../metrics/metric-names';
import { drawStart, type Factorization, type FactorizationTables } from '../models/factorization';
import type { Batch, Model, RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import type { Optimizer } from '../optimizers/optimizer';
import { Penalty } from '../parameters/parameter';
import { type FittedFactorization, linkOf, type RatingScale } from '../serving/factorization-tables';
import { GradientFoldIn } from '../serving/fold-in/gradient-fold-in';
import { countRows, type RowCounts } from '../serving/interaction-history';
import { withSavedRule } from '../serving/saved-model';
import type { History, Training } from '../training/fit';
import { type Link, type Loss, lossNamed } from '../training/losses';
import { passOver } from '../training/negatives';
import { type StepOptions, type StepTask, startTraining } from '../training/start-training';
import type {
  DataFacts,
  FilledOptions,
  OptionsReader,
  OverparamMFOptions,
  ReadRecommender,
} from './factorization-options';
import { fitInteractions, servingOf } from './fit-interactions';
import { type FilledFitOptions, readFitOptions } from './fit-options';
import type { FittedTables } from './partial-fit';
import type { FitOptions } from './recommender';
import { TableRecommender } from './table-recommender';
import { chooseUnits, inCopies, onlyValue, toTargets, weigh } from './targets';
import type { OptionsInForce } from './training-options';

/** A model with its start drawn, and how it is trained and served. */
export type Prepared = Pick<FitTask, 'model' | 'plainOf' | 'trainingOf' | 'batches'>;

/** The common part of MF, OverparamMF and SVDpp. */
export abstract class FactorizationRecommender extends TableRecommender {
  /** What the caller gave, and what it comes to: for the data of the fit that serves, once there is one. */
  protected read: ReadRecommender;

  protected constructor(
    owner: string,
    options: OverparamMFOptions | undefined,
    private readonly reader: OptionsReader,
  ) {
    super(owner);
    this.read = reader.read(options);
  }

  /**
   * The options in force. What the data decide is that of the last fit: the loss where it is 'auto', with the defaults
   * that go with it, and the default rates where batchSize is above 1. Before a fit: 'auto', and the defaults of ratings.
   */
  get options(): OptionsInForce<OverparamMFOptions> {
    return this.read.options;
  }

  /** Ratings; of loss 'logistic' without negatives probabilities, and with negatives orders. */
  get scores(): Scores {
    return scoresOf(this.options.loss, this.options.negatives !== false);
  }

  /** A recommender of the same kind and options, not fitted. */
  abstract override fresh(): FactorizationRecommender;
  /** Makes the model to be trained, and draws its start. */
  protected abstract prepare(data: Interactions, options: FilledOptions, scheduler: TaskScheduler): Promise<Prepared>;

  /**
   * @internal `fit` on ratings that are not held, by those who know them: `facts` are asked for, then `train` is given what
   * is to be trained. For kinds whose model needs no more of ratings than how many users and items they have.
   */
  async fitElsewhere(
    owner: string,
    given: FitOptions | undefined,
    rows: Pick<Interactions, 'users' | 'items'>,
    facts: (scheduler: TaskScheduler) => DataFacts,
    train: (task: Omit<FitTask, 'data'>) => Promise<History>,
  ): Promise<History> {
    const fitOptions = readFitOptions(owner, given, this.scores);
    const training = async () => {
      const { name, reader, isFitted: isServing } = this;
      const scheduler = new TaskScheduler(fitOptions.signal);
      const { read, biases } = await reader.forFacts(this.read.asked, facts(scheduler));
      const options = read.options as FilledOptions;
      const prepared = await this.prepare(rows as Interactions, options, scheduler);
      const install = (fitted: FittedFactorization) => {
        this.read = read;
        this.serve(fitted);
      };
      const task = { name, options, rule: read.rule, biases, fitOptions, scheduler, install, isServing };
      return train({ ...task, ...prepared });
    };
    return this.inTurn(fitOptions.signal, () => this.withSeen(training(), fitOptions.validation));
  }

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { name, reader, isFitted: isServing } = this;
    const scheduler = new TaskScheduler(fitOptions.signal);
    const { read, biases, counts } = await reader.forData(this.read.asked, data, scheduler);
    // The loss is no longer 'auto'.
    const options = read.options as FilledOptions;
    const prepared = await this.prepare(data, options, scheduler);
    const install = (fitted: FittedFactorization) => {
      this.read = read;
      this.serve(fitted);
    };
    const task = { name, data, options, rule: read.rule, biases, counts, fitOptions, scheduler, install, isServing };
    return fitFactorization({ ...task, ...prepared });
  }

  /** What a loss that the data choose makes of them. */
  protected override scoresFor(data: Interactions): Scores {
    const { loss = 'auto', negatives } = this.read.asked;
    if (loss !== 'auto') return this.scores;
    return runToEnd(onlyValue(data)) === undefined || negatives !== undefined ? 'rating' : 'order';
  }

  protected problemsOf(state: FittedTables): GradientFoldIn {
    return new GradientFoldIn(state, this.options as FilledOptions);
  }

  /** @internal */
  override get askedOptions(): object {
    return this.read.asked;
  }

  /** Puts back what a saved recommender was asked for: what its next fit chooses by. */
  protected askedFor(asked: object | undefined): void {
    if (asked === undefined) return;
    this.read = {
      ...this.read,
      asked: this.reader.read(withSavedRule(asked as OverparamMFOptions)).asked,
    };
  }
}

/** A factorization with its start drawn, which is served as it is trained. */
export async function started(
  model: Factorization,
  options: FilledOptions,
  scheduler: TaskScheduler,
): Promise<Prepared> {
  await drawStart([model.userEmbedding, model.itemEmbedding], options, scheduler);
  return { model, plainOf: () => model };
}

// From interactions to a trained state: the wiring of data, units, loss, penalties, trainer and validation.

/** What a fit is made of. */
export interface FitTask {
  /** The kind of the recommender. */
  readonly name: string;
  readonly data: Interactions;
  readonly options: FilledOptions;
  readonly rule: Optimizer;
  readonly fitOptions: FilledFitOptions;
  readonly model: Model<Batch> & FactorizationTables & { globalMean: number };
  /** The factorization that has the model's scores of the data's users. */
  plainOf(scheduler: Scheduler): Factorization | Promise<Factorization>;
  /** What trains, where the model has a way of its own; null where its way is not for these steps. */
  readonly trainingOf?: (task: StepTask) => Training | null;
  /** As StepOptions.batches. */
  readonly batches?: StepOptions['batches'];
  /** How ratings become targets, where the options do not say. */
  readonly unitsOf?: (units: RatingScale) => RatingScale;
  /** Where biases start, in the unit of ratings. @defaultValue 0 */
  readonly biases?: { readonly users: Real; readonly items: Real } | undefined;
  /** How often each row occurs, where that is known. */
  readonly counts?: RowCounts | undefined;
  /** Gives way to other tasks between the passes over the data. */
  readonly scheduler: TaskScheduler;
  readonly install: (fitted: FittedFactorization) => void;
  /** Whether the recommender has a trained state already. */
  readonly isServing: boolean;
}

/** Trains the model and installs the result. */
export async function fitFactorization({
  name,
  data: given,
  options,
  rule,
  fitOptions,
  model,
  plainOf,
  trainingOf,
  batches,
  unitsOf = (units) => units,
  biases,
  counts: known,
  scheduler,
  install,
  isServing,
}: FitTask): Promise<History> {
  const { data, ...weighed } = await weigh(given, scheduler);
  const units = { ...unitsOf(await chooseUnits(data, options, scheduler)), ...weighed };
  const link = linkOf(units);
  const counts = known ?? (await countRows(data, scheduler));
  const one: RatingData = {
    size: data.size,
    users: data.userIndex,
    items: data.itemIndex,
    targets: await toTargets(data.values, units, scheduler),
    weights: data.weights ?? null,
    counts,
  };
  const passed = options.negatives === false ? undefined : await passOver(one, scheduler);
  const ratings = await inCopies(passed?.data ?? one, options.batchSize, scheduler);
  startBiases(model, units, biases);
  const loss = lossOf(options.loss, link, data.items.size);
  const stream = Stream.of(options.seed).fork('order');
  const { epochs, batchSize, shuffle, grouping, kernels, threads, negatives } = options;
  const drawn = negatives === false ? undefined : negatives;
  const task: StepTask = {
    model,
    loss,
    optimizer: rule,
    penalties: penalties(model, options, counts),
    data: ratings,
    options: { epochs, batchSize, shuffle, stream, grouping, kernels, threads, negatives: drawn, batches },
  };
  await scheduler.yieldNow();
  return fitInteractions({
    name,
    data,
    options,
    fitOptions,
    counts,
    parameters: model.parameters,
    start: (scheduler) => trainingOf?.(task) ?? startTraining(task, scheduler),
    slots: rule.slots,
    usersPassedOver: passed?.users,
    rmseScale: options.loss === 'squared' ? units.scale : undefined,
    ...servingOf(plainOf, data, units, options),
    targets: negatives === false ? ratings.targets : null,
    install,
    isServing,
    scheduler: scheduler,
  });
}

/** Puts the mean and the biases of the ratings where training starts. */
export function startBiases(model: FitTask['model'], units: RatingScale, biases: FitTask['biases']): void {
  model.globalMean = units.start;
  if (biases === undefined) return;
  model.userBias?.assign(biases.users.map((bias) => bias / units.scale));
  model.itemBias?.assign(biases.items.map((bias) => bias / units.scale));
}

/** The loss of a fit. */
export function lossOf(name: FilledOptions['loss'], link: Link, items: number): Loss {
  const loss = lossNamed(name, items);
  // Of ratings, on their scale; the others are of scores already, the sigmoid of the logistic loss part of it.
  return name === 'squared' || name === 'absolute' || name === 'huber' ? link.compose(loss) : loss;
}

/** The penalties of a fit. */
export function penalties(model: FitTask['model'], { regularization }: FilledOptions, counts: RowCounts): Penalty[] {
  const byFrequency = regularization.scaling === 'frequency';
  const users = byFrequency ? counts.users : null;
  const items = byFrequency ? counts.items : null;
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  const penalties = [
    new Penalty(userEmbedding, regularization.embedding, users),
    new Penalty(itemEmbedding, regularization.embedding, items),
  ];
  if (userBias !== null) penalties.push(new Penalty(userBias, regularization.bias, users));
  if (itemBias !== null) penalties.push(new Penalty(itemBias, regularization.bias, items));
  // How often its items are rated says little of an embedding that whole sets share.
  const others = model.parameters.filter((one) => !penalties.some(({ parameter }) => parameter === one));
  for (const other of others) penalties.push(new Penalty(other, regularization.embedding, null));
  return penalties;
}
