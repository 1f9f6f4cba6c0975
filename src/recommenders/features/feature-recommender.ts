// A model of features as its user holds it: what FM, WideDeep and DeepFM share, which is all but their options and models.
// Fitted on rows it answers for rows; fitted on interactions for users and items as well.

import type { Bytes } from '../../core/bytes';
import { DataError, isNamed } from '../../core/errors';
import { TaskScheduler } from '../../core/scheduler';
import type { FeatureRow, FeatureRows, FieldRange, UnlabelledRows } from '../../data/feature-fields';
import type { FeatureSchema } from '../../data/feature-schema';
import type { Interactions } from '../../data/interactions';
import type { Id } from '../../data/vocabulary';
import { backendOf } from '../../kernels/backend';
import { Heap, type Move, moveOut } from '../../kernels/heap';
import { MOST } from '../../kernels/kernels';
import { type Scores, scoresOf } from '../../metrics/metric-names';
import { tableOf } from '../../models/factorization';
import { type FeatureModel, FMModel } from '../../models/feature-models';
import type { ActivationName, SparseRows } from '../../models/forward';
import type { Factor } from '../../optimizers/factor';
import type { Optimizer } from '../../optimizers/optimizer';
import type { Overparam } from '../../parameters/overparam';
import { Penalty } from '../../parameters/parameter';
import { type Similar, similarItems, similarUsers } from '../../serving/capabilities';
import { type FeatureTables, ROWS_AT_ONCE, type RowLayout, type RowModel } from '../../serving/features/feature-rows';
import { FeatureState, isTrained, predictRows } from '../../serving/features/feature-state';
import { decodeLayout, encodeFeatureModel, takeTable } from '../../serving/features/saved-features';
import type { Recommendation, SimilarOptions } from '../../serving/questions';
import { askedOf, remake, type SavedFile, withSavedRule } from '../../serving/saved-model';
import { featureSteps } from '../../training/feature-steps';
import { fit, type History, largestOf } from '../../training/fit';
import { OptimizerSink, type RuleOf } from '../../training/optimizer-sink';
import { Stepper } from '../../training/stepper';
import { teamFor } from '../../training/team';
import type { KernelChoice } from '../../wasm/host';
import { checkpointing } from '../checkpoint';
import { IdRecommender } from '../id-recommender';
import type { OptionsInForce } from '../training-options';
import type { FeatureRecommenderOptions, FeatureSample, FilledFeatureOptions, ReadFeatures } from './feature-options';
import {
  type CheckedFit,
  type FeatureFitOptions,
  type FitInput,
  readPairs,
  readRows,
  type TrainingRows,
} from './fit-input';

/** The common part of the models of features. */
export abstract class FeatureRecommender extends IdRecommender implements Similar {
  /** @internal */
  declare state: FeatureState<TrainedRows> | undefined;
  readonly options!: OptionsInForce<FeatureRecommenderOptions>;
  protected rule!: Optimizer;
  protected asked!: FeatureRecommenderOptions;

  protected constructor(owner: string, given: unknown) {
    super(owner);
    this.adopt(this.read(given));
  }

  /** Reads options of the kind; `sample` is what is known of the data, once a fit knows them. */
  protected abstract read(given: unknown, sample?: FeatureSample): ReadFeatures;

  /** The update rules, which may be objects of the caller's. */
  protected get rules(): object {
    return { optimizer: this.rule };
  }

  /** @internal What the caller asked for: each fit chooses the rest by its data. */
  get askedOptions(): object {
    return this.asked;
  }

  /** @internal Puts back what a saved recommender was asked for: what its next fit chooses by. */
  askedFor(asked: object | undefined): void {
    if (asked !== undefined) this.asked = withSavedRule(this.read(asked).asked);
  }

  private adopt(read: ReadFeatures): void {
    Object.assign(this, read);
  }

  /** Makes the model to be trained, or a plain one that is to be filled. */
  protected abstract createModel(fields: readonly FieldRange[], overparam: Overparam<string>): FeatureModel;
  /** A recommender of the same kind with other options, not fitted. */
  protected abstract with(options: FeatureRecommenderOptions): FeatureRecommender;

  /** Numbers of a regression are ratings; of a classification without negatives probabilities; else orders. */
  get scores(): Scores {
    return scoresOf(this.options.loss, this.options.negatives !== false);
  }

  fresh(): this {
    return this.with(this.asked) as this;
  }

  /** The trained model. */
  get model(): FeatureModel {
    return this.need('model').model.model;
  }

  /** What the rows of the fit were encoded by, for rows to come: null where they came encoded. */
  get schema(): FeatureSchema | null {
    return this.need('schema').layout.schema;
  }

  /**
   * Trains from the start on rows of features, a FeatureTable or rows that came encoded; or on interactions: their users,
   * items, and what `userFeatures` and `itemFeatures` say of them are the features of a row, the value is its label, and
   * only ids that occur get a feature of their own. Other tasks of the process go on meanwhile, and the recommender answers
   * from its last complete state; several calls run one after another, in the order of the calls.
   *
   * After an abort or an error a recommender that was fitted before stays as it was; otherwise it keeps the last whole
   * epoch, that is, the last one that was trained and measured, where there was one.
   * @throws DataError without rows or labels, or where they are not what the task has; OptionError; DivergenceError; the
   * signal's reason after an abort; what `onEpoch` or `checkpoint.write` throws or rejects with
   */
  override async fit(data: FeatureRows | Interactions, options?: FeatureFitOptions): Promise<History> {
    const checked = this.check(`${this.owner}.fit`, data, options);
    return this.inTurn(checked.signal, () => this.withSeen(this.trainOn(checked), options?.validation));
  }

  protected train(data: Interactions, options: FeatureFitOptions): Promise<History> {
    return this.trainOn(this.check(`${this.owner}.fit`, data, options));
  }

  private check(owner: string, data: FeatureRows | Interactions, options: FeatureFitOptions | undefined): CheckedFit {
    return isNamed<Interactions>('Interactions', data)
      ? readPairs(owner, data, options, this.options)
      : readRows(owner, data, options, this.options);
  }

  private async trainOn(checked: CheckedFit): Promise<History> {
    const { name, isFitted: isServing } = this;
    const scheduler = new TaskScheduler(checked.signal);
    const read = this.read(this.asked, await checked.sample(scheduler));
    const { options } = read;
    const input = await checked.load(options, scheduler);
    const { layout } = input.rows;
    const model = this.createModel(layout.fields, options.overparam);
    const install = () => {
      this.adopt(read);
      this.install(this.answersOf(model, layout));
    };
    return fitFeatures({
      ...input,
      name,
      options,
      model,
      rules: this.rulesOf(model, read),
      answers: (isAtWork) => this.answersOf(model, layout, isAtWork),
      isServing,
      install,
    });
  }

  /**
   * The predictions of rows: probabilities of label 1 in classification, numbers in regression. A list of objects is encoded
   * by the schema of the fit.
   * @throws NotFittedError; DataError where the rows do not have the fields of the fit, or were encoded by another schema
   */
  predictRows(features: FeatureRows | readonly FeatureRow[]): Float32Array {
    return predictRows(this.need('predictRows'), features);
  }

  /** The items most like one, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** The users most like one, best first. @see Similar */
  similarUsers(userId: Id, options?: SimilarOptions): { readonly userId: Id; readonly score: number }[] {
    return similarUsers(this.ask('similarUsers'), userId, options);
  }

  override knows(userId: Id, itemId?: Id): boolean {
    return isTrained(this.need('knows'), userId, itemId);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  protected collapsed(): FeatureRecommender {
    const { layout } = this.need('collapse');
    const { model } = this;
    const plain = this.with({ ...this.options, ...this.rules, overparam: false });
    plain.asked = { ...this.asked, overparam: false };
    const copy = plain.restored(layout);
    for (const [i, parameter] of model.parameters.entries()) copy.parameters[i]!.assign(parameter.collapse());
    return plain;
  }

  /** Which rule trains what. */
  protected rulesOf(model: FeatureModel, { rule }: ReadFeatures): readonly [RuleOf, ...RuleOf[]] {
    return [{ optimizer: rule, parameters: model.parameters }];
  }

  /** Makes a plain model of some rows the one that answers; its tables are still to be filled. */
  protected restored(layout: RowLayout): FeatureModel {
    const model = this.createModel(layout.fields, false);
    this.install(this.answersOf(model, layout));
    return model;
  }

  protected encode({ layout, model }: FeatureState<TrainedRows>, history: boolean): Bytes {
    return encodeFeatureModel(this.name, this.options, this.asked, layout, model.model, history);
  }

  private answersOf(model: FeatureModel, layout: RowLayout, isAtWork = false): FeatureState<TrainedRows> {
    const { task, kernels } = this.options;
    const rows = new TrainedRows(model, isAtWork ? 'js' : kernels);
    return new FeatureState(this.owner, rows, layout, task === 'classification', backendOf(kernels));
  }
}

/** A recommender of a file: `make` gives that of the options and its plain model, whose tables are then filled. @throws FormatError */
export function restoreFeatures<R extends FeatureRecommender>(
  file: SavedFile,
  make: (options: object, layout: RowLayout) => { recommender: R; model: FeatureModel },
): R {
  const layout = decodeLayout(file);
  let model!: FeatureModel;
  const recommender = remake(file.options, () => {
    const made = make(file.options, layout);
    model = made.model;
    return made.recommender;
  });
  for (const parameter of model.parameters) {
    const { name, rows, dim } = parameter;
    parameter.assign(takeTable(file, name, rows, dim));
  }
  recommender.askedFor(askedOf(file.options, file.metadata.asked));
  return recommender;
}

/** So many rows are worth moving the tables to where WebAssembly works on them. */
const WORTH_MOVING = 4 * ROWS_AT_ONCE;
/** So are fewer whose layers take so many multiplications for each number that is moved. */
const WORTH_A_NUMBER = 16;

/** A trained model as what scores rows. */
class TrainedRows implements RowModel {
  constructor(
    readonly model: FeatureModel,
    /** 'js': the model stays where it is. */
    private readonly kernels: KernelChoice,
  ) {}

  get isFactorization(): boolean {
    return this.model instanceof FMModel;
  }

  get dim(): number {
    return this.model.embedding.dim;
  }

  get tables(): FeatureTables {
    const { embedding, linear, bias } = this.model;
    return { embedding: tableOf(embedding), linear: tableOf(linear), bias: tableOf(bias)[0]! };
  }

  get layerCost(): number {
    const dense = this.model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
    return dense.reduce((sum, { rows, dim }) => sum + rows * dim, 0);
  }

  score(rows: SparseRows, count: number, scores: Float32Array): void {
    this.model.score(rows, count, scores);
  }

  atWork<T>(rows: number, features: number, ask: () => T): T {
    const { model, layerCost } = this;
    const moved = model.parameters.reduce((sum, parameter) => sum + parameter.rows * parameter.dim, 0);
    if (rows < WORTH_MOVING && rows * layerCost < WORTH_A_NUMBER * moved) return ask();
    model.reserve(ROWS_AT_ONCE, features);
    const moveModel = (move: Move): void => {
      for (const parameter of model.parameters) parameter.move(move);
      model.move(move);
    };
    const heap = Heap.holding(moveModel, this.kernels);
    try {
      return ask();
    } finally {
      if (heap !== null) moveOut(moveModel);
    }
  }
}

// From rows of features to a trained model: the wiring of loss, penalties and data to the loop, and whether the trained
// model can answer with what is no finite number.

/** Numbers of a table that are multiplied out at once. */
const PART = 1 << 14;
/** Rows at least that a trained model is tried on before it is installed. */
const LEAST_SAMPLE = 256;

/** What a fit is made of. */
export interface FeatureFitTask extends FitInput {
  /** The kind of the recommender. */
  readonly name: string;
  readonly options: FilledFeatureOptions;
  readonly rules: readonly [RuleOf, ...RuleOf[]];
  /** To be trained. */
  readonly model: FeatureModel;
  /** What it answers; at work: as it is, where its kernels work, and not to be moved. */
  readonly answers: (isAtWork: boolean) => FeatureState;
  /** Whether the recommender has a trained model already. */
  readonly isServing: boolean;
  readonly install: () => void;
}

/** Trains the model. */
export async function fitFeatures(task: FeatureFitTask): Promise<History> {
  const { name, options, rows, model, rules, heldOut, isServing, install, scheduler } = task;
  const { epochs, batchSize, kernels, threads } = options;
  const { checkpoint, resume } = task.fit;
  const { data, batcher, group, loss } = rows;
  const { parameters } = model;
  model.bias.assign(Float32Array.of(rows.bias));
  const batch = Math.min(batchSize, data.size);
  // What is measured runs through the same arrays, between the epochs.
  const atOnce = heldOut.length === 0 ? 0 : ROWS_AT_ONCE;
  const features = [rows.featuresIn(batch), ...heldOut.map((one) => one.features)];
  model.reserve(Math.max(batch * group, atOnce), Math.max(...features));
  const kept = {
    recommender: name,
    options,
    data: () => rows.text(),
    // Whatever is measured of it, it is one set.
    validation: heldOut[0] && (() => heldOut[0]!.text(scheduler)),
    parameters,
    slotsOf: (factor: Factor) =>
      rules.find((rule) => rule.parameters.some((one) => one.factors.includes(factor)))!.optimizer.slots,
  };
  return fit({
    ...(checkpoint === undefined && resume === undefined ? {} : await checkpointing(kept, task.fit)),
    epochs,
    ratings: data.ratings ?? data.size,
    parameters,
    start() {
      const sink = new OptimizerSink(rules);
      const steps = { epochs, batchSize, group };
      const penalties = penaltiesOf(model, options, rows);
      const many = featureSteps(model, loss, rules[0].optimizer, penalties, batcher);
      const team = teamFor(model, data.size * group, { threads, kernels });
      return new Stepper(model, loss, penalties, batcher, sink, data, 1, steps, kernels, null, many, team);
    },
    usersPassedOver: rows.usersPassedOver,
    validation: {
      cold: task.cold,
      async measure() {
        const values = {};
        for (const one of heldOut) Object.assign(values, await one.measure(task.answers(true), scheduler));
        return values;
      },
    },
    options: task.fit,
    suspects: { targets: options.task === 'regression' ? data.targets : null, weights: rows.weights },
    isServing,
    scheduler,
    async finish(scheduler, unservable) {
      const tables = new Map<string, TableSize>();
      for (const parameter of parameters) {
        // What products multiply out to, a part at a time.
        const { rows: count, dim, name: table } = parameter;
        const part = Math.max(1, Math.floor(PART / dim));
        let most = 0;
        for (let from = 0; from < count; from += part) {
          const values = parameter.collapse(from, Math.min(from + part, count));
          most = Math.max(most, await largestOf(values, scheduler));
        }
        if (!(dim * most ** 2 <= MOST)) throw unservable(table);
        tables.set(table, { rows: count, dim, most });
      }
      const sample = rows.sample(Math.max(LEAST_SAMPLE, data.size >> 6));
      // What is asked later may have a user of one row and an item of another.
      const { activation = 'relu' } = options as { readonly activation?: ActivationName };
      const table = overflowing(tables, activation, 2 * widestOf(sample));
      if (table !== undefined) throw unservable(table);
      try {
        // Layers are worth a copy of the tables in a memory of their own; nothing else is.
        task.answers(!parameters.some(({ factors }) => factors[0]!.group === 'dense')).check(sample);
      } catch (error) {
        throw error instanceof DataError ? unservable('embedding') : error;
      }
    },
    install,
  });
}

function penaltiesOf(model: FeatureModel, { regularization }: FilledFeatureOptions, rows: TrainingRows): Penalty[] {
  const counts = regularization.scaling === 'frequency' ? rows.countsOf(model.features) : null;
  const dense = model.parameters.filter(({ factors }) => factors[0]!.group === 'dense');
  return [
    new Penalty(model.embedding, regularization.embedding, counts),
    new Penalty(model.linear, regularization.linear, counts),
    ...dense.map((weights) => new Penalty(weights, regularization.dense, null, true)),
  ];
}

/** A table of a model: its shape, and the largest size of its values. */
export interface TableSize {
  readonly rows: number;
  readonly dim: number;
  readonly most: number;
}

/** Added to variances by models/layers.ts. */
const DEVIATION = Math.sqrt(1e-5);

/** The largest sum of the sizes of a row's values. */
export function widestOf({ size, starts, values }: UnlabelledRows): number {
  let widest = 0;
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let p = starts[row]!; p < starts[row + 1]!; p++) sum += Math.abs(values[p]!);
    widest = Math.max(widest, sum);
  }
  return widest;
}

/**
 * The name of the table with which a score might overflow, for a row whose values add up to `width` in size; undefined
 * where none can: the largest sizes go through the sums and layers in place of numbers.
 */
export function overflowing(
  tables: ReadonlyMap<string, TableSize>,
  activation: ActivationName,
  width: number,
): string | undefined {
  const mostOf = (name: string) => tables.get(name)?.most ?? 0;
  let size = width * mostOf('embedding');
  const pairs = (tables.get('embedding')?.dim ?? 0) * size ** 2;
  if (!(pairs <= MOST)) return 'embedding';
  let score = mostOf('bias') + width * mostOf('linear') + pairs;
  if (!(score <= MOST)) return 'linear';
  for (let l = 1; tables.has(`deep${l}`); l++) {
    const name = `deep${l}`;
    let sum = tables.get(name)!.rows * mostOf(name) * size + mostOf(`${name}Bias`);
    if (tables.has(`${name}Scale`))
      sum = ((sum + mostOf(`${name}Statistics`)) / DEVIATION) * mostOf(`${name}Scale`) + mostOf(`${name}Shift`);
    if (!(sum <= MOST)) return name;
    size = activation === 'relu' ? sum : Math.min(sum, 1);
  }
  score += (tables.get('deepOutput')?.rows ?? 0) * mostOf('deepOutput') * size;
  return score <= MOST ? undefined : 'deepOutput';
}
