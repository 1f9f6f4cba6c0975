// A model of features as its user holds it: what FM, WideDeep and DeepFM share, which is all but their options and models.

import { NotFittedError } from '../../core/errors';
import type { FeatureRows, FieldRange } from '../../interactions/features';
import { Heap } from '../../kernels/heap';
import { type Move, moveOut } from '../../kernels/move';
import type { FeatureModel } from '../../models/feature-model';
import type { Optimizer } from '../../optimizers/optimizer';
import { usesWasm } from '../../training/engine-options';
import type { History } from '../../training/history';
import type { RuleOf } from '../../training/split-sink';
import { checkFields, checkRows } from './check-rows';
import type { FeatureOverparam, FilledFeatureOptions } from './feature-options';
import { type FeatureFitOptions, fitFeatures, readFeatureFit } from './fit-features';
import { encodeFeatureModel } from './saved-features';
import { featuresAtOnce, ROWS_AT_ONCE, RowScorer } from './score-rows';

/** So many rows are worth moving the tables to where WebAssembly works on them. */
const WORTH_MOVING = 4 * ROWS_AT_ONCE;

/** A trained state. */
interface FittedFeatures {
  readonly model: FeatureModel;
  readonly fields: readonly FieldRange[];
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

  /**
   * Trains on rows of features, from the start. Other tasks of the process go on meanwhile.
   * @throws DataError without rows or labels, or where they are not what the task has; OptionError; DivergenceError; the
   * signal's reason after an abort
   */
  async fit(features: FeatureRows, options?: FeatureFitOptions): Promise<History> {
    const rows = checkRows(features, 'features');
    const fit = readFeatureFit(`${this.owner}.fit`, options, this.options.task);
    const fields = rows.fields.map((one) => ({ ...one }));
    const model = this.createModel(fields, this.options.overparam);
    const install = () => this.install(model, fields);
    return fitFeatures({ model, rows, options: this.options, rules: this.rulesOf(model), fit, install });
  }

  /**
   * The predictions of rows: probabilities of label 1 in classification, numbers in regression.
   * @throws NotFittedError; DataError where the rows do not have the fields of the fit
   */
  predictRows(features: FeatureRows): Float32Array {
    const { model, fields } = this.need('predictRows');
    const rows = checkRows(features, 'features');
    checkFields(rows.fields, fields, 'features');
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

  /** The bytes of a safetensors file: options, fields and tables, products multiplied out. */
  save(): Uint8Array {
    const { model, fields } = this.need('save');
    return encodeFeatureModel(this.name, this.options, fields, model);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  protected collapsed(): FeatureRecommender<Options> {
    const { model, fields } = this.need('collapse');
    const plain = this.with({ ...this.options, overparam: false });
    const copy = plain.createModel(fields, false);
    for (const [i, parameter] of model.parameters.entries()) copy.parameters[i]!.assign(parameter.collapse());
    plain.install(copy, fields);
    return plain;
  }

  /** Which rule trains what. */
  protected rulesOf(model: FeatureModel): readonly [RuleOf, ...RuleOf[]] {
    return [{ optimizer: this.rule, parameters: model.parameters }];
  }

  /** Makes a plain model of some fields the one that answers; its tables are still to be filled. */
  protected restored(fields: readonly FieldRange[]): FeatureModel {
    const model = this.createModel(fields, false);
    this.install(model, fields);
    return model;
  }

  private install(model: FeatureModel, fields: readonly FieldRange[]): void {
    this.fitted = { model, fields };
  }

  private need(call: string): FittedFeatures {
    if (this.fitted === null) throw new NotFittedError(this.owner, call);
    return this.fitted;
  }
}
