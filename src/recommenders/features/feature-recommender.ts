// A model of features as its user holds it: what FM, WideDeep and DeepFM share, which is all but their options and models.

import { NotFittedError } from '../../core/errors';
import type { FeatureRow } from '../../interactions/feature-fields';
import type { FeatureSchema } from '../../interactions/feature-schema';
import { FeatureTable } from '../../interactions/feature-table';
import type { FeatureRows, FieldRange } from '../../interactions/features';
import { Heap } from '../../kernels/heap';
import { type Move, moveOut } from '../../kernels/move';
import type { FeatureModel } from '../../models/feature-model';
import type { Optimizer } from '../../optimizers/optimizer';
import { usesWasm } from '../../training/engine-options';
import type { History } from '../../training/history';
import type { RuleOf } from '../../training/split-sink';
import { checkLayout, checkRows, type LaidOutRows, layoutOf, type RowLayout, targetsOf } from './check-rows';
import { type FeatureFitOptions, type FilledFeatureFit, readFeatureFit } from './feature-fit-options';
import type { FeatureOverparam, FilledFeatureOptions } from './feature-options';
import { fitFeatures } from './fit-features';
import { encodeFeatureModel } from './saved-features';
import { featuresAtOnce, ROWS_AT_ONCE, RowScorer } from './score-rows';

/** So many rows are worth moving the tables to where WebAssembly works on them. */
const WORTH_MOVING = 4 * ROWS_AT_ONCE;

/** A trained state. */
interface FittedFeatures {
  readonly model: FeatureModel;
  readonly layout: RowLayout;
}

/** The common part of the models of features. */
export abstract class FeatureRecommender<Options extends FilledFeatureOptions> {
  /** What files call it. */
  abstract readonly name: string;
  private fitted: FittedFeatures | null = null;

  protected constructor(
    private readonly owner: string,
    readonly options: Options,
    protected readonly rule: Optimizer,
  ) {}

  /** Makes the model to be trained, or a plain one that is to be filled. */
  protected abstract createModel(fields: readonly FieldRange[], overparam: FeatureOverparam): FeatureModel;
  /** A recommender of the same kind with other options, not fitted. */
  protected abstract with(options: Options): FeatureRecommender<Options>;

  get isFitted(): boolean {
    return this.fitted !== null;
  }

  /** The trained model. */
  get model(): FeatureModel {
    return this.need('model').model;
  }

  /** What the rows of the fit were encoded by, for rows to come: null where they came encoded. */
  get schema(): FeatureSchema | null {
    return this.need('schema').layout.schema;
  }

  /**
   * Trains on rows of features, a FeatureTable or rows that came encoded, from the start. Other tasks of the process go on
   * meanwhile.
   * @throws DataError without rows or labels, or where they are not what the task has; OptionError; DivergenceError; the
   * signal's reason after an abort
   */
  async fit(features: FeatureRows, options?: FeatureFitOptions): Promise<History> {
    const rows = checkRows(features, 'features');
    const validation = (value: unknown, name: string) => this.labelled(checkRows(value, name), name);
    return this.fitRows(rows, readFeatureFit(`${this.owner}.fit`, options, this.options.task, validation));
  }

  /** The same of rows that fit together. */
  protected async fitRows(rows: LaidOutRows, fit: FilledFeatureFit): Promise<History> {
    const model = this.createModel(rows.fields, this.options.overparam);
    const install = () => this.install(model, layoutOf(rows));
    return fitFeatures({
      name: this.name,
      model,
      rows,
      options: this.options,
      rules: this.rulesOf(model),
      fit,
      install,
    });
  }

  /**
   * The predictions of rows: probabilities of label 1 in classification, numbers in regression. A list of objects is encoded
   * by the schema of the fit.
   * @throws NotFittedError; DataError where the rows do not have the fields of the fit, or were encoded by another schema
   */
  predictRows(features: FeatureRows | readonly FeatureRow[]): Float32Array {
    const layout = this.layout('predictRows');
    const given = isList(features) && layout.schema !== null ? FeatureTable.encode(features, layout.schema) : features;
    const rows = checkRows(given, 'features');
    checkLayout(rows, layout, 'features');
    return this.predictAll(rows);
  }

  /** The same of rows that suit the model. */
  protected predictAll(rows: FeatureRows): Float32Array {
    const { model } = this.need('predictRows');
    const scorer = new RowScorer(model, this.options.task === 'classification');
    if (rows.size < WORTH_MOVING || !usesWasm(this.options.kernels)) return scorer.all(rows);
    model.reserve(ROWS_AT_ONCE, featuresAtOnce(rows));
    const moveModel = (move: Move): void => {
      for (const parameter of model.parameters) parameter.move(move);
      model.move(move);
    };
    const heap = Heap.holding(moveModel);
    try {
      return scorer.all(rows);
    } finally {
      if (heap !== null) moveOut(moveModel);
    }
  }

  /** The bytes of a safetensors file: options, schema (or fields) and tables, products multiplied out. */
  save(): Uint8Array {
    const { model, layout } = this.need('save');
    return encodeFeatureModel(this.name, this.options, layout, model);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  protected collapsed(): FeatureRecommender<Options> {
    const { model, layout } = this.need('collapse');
    const plain = this.with({ ...this.options, overparam: false });
    const copy = plain.createModel(layout.fields, false);
    for (const [i, parameter] of model.parameters.entries()) copy.parameters[i]!.assign(parameter.collapse());
    plain.install(copy, layout);
    return plain;
  }

  /** Rows whose labels are what the task has. */
  protected labelled(rows: LaidOutRows, name: string): LaidOutRows {
    targetsOf(rows, name, this.options.task);
    return rows;
  }

  /** Which rule trains what. */
  protected rulesOf(model: FeatureModel): readonly [RuleOf, ...RuleOf[]] {
    return [{ optimizer: this.rule, parameters: model.parameters }];
  }

  /** Makes a plain model of some rows the one that answers; its tables are still to be filled. */
  protected restored(layout: RowLayout): FeatureModel {
    const model = this.createModel(layout.fields, false);
    this.install(model, layout);
    return model;
  }

  private install(model: FeatureModel, layout: RowLayout): void {
    this.fitted = { model, layout };
  }

  /** What is known of the rows of the fit. */
  protected layout(call: string): RowLayout {
    return this.need(call).layout;
  }

  private need(call: string): FittedFeatures {
    if (this.fitted === null) throw new NotFittedError(this.owner, call);
    return this.fitted;
  }
}

const isList = (rows: FeatureRows | readonly FeatureRow[]): rows is readonly FeatureRow[] => Array.isArray(rows);
