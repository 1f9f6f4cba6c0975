// A model of features as its user holds it: what FM, WideDeep and DeepFM share, which is all but their options and models.
// Fitted on rows it answers for rows; fitted on interactions for users and items as well.

import type { FeatureRow, FeatureRows, FieldRange } from '../../data/feature-fields';
import type { FeatureSchema } from '../../data/feature-schema';
import type { Interactions } from '../../data/interactions';
import { isInteractions } from '../../data/is-interactions';
import type { Id } from '../../data/vocabulary';
import { type Scores, scoresOf } from '../../metrics/scores';
import type { FeatureModel } from '../../models/feature-models';
import type { Optimizer } from '../../optimizers/optimizer';
import { type Similar, similarItems, similarUsers } from '../../serving/capabilities';
import type { Recommendation, SimilarOptions, SimilarUser } from '../../serving/questions';
import type { History } from '../../training/fit';
import type { RuleOf } from '../../training/optimizer-sink';
import { IdRecommender } from '../id-recommender';
import { FeatureState, isTrained, predictRows } from './feature-answers';
import type { FeatureOverparam, FilledFeatureOptions } from './feature-options';
import type { RowLayout } from './feature-rows';
import { fitFeatures } from './fit-features';
import type { FeatureFitOptions } from './fit-input';
import { type CheckedFit, readPairs, readRows } from './fit-input';
import { encodeFeatureModel } from './saved-features';

/** The common part of the models of features. */
export abstract class FeatureRecommender<Options extends FilledFeatureOptions>
  extends IdRecommender<FeatureState>
  implements Similar
{
  protected constructor(
    owner: string,
    readonly options: Options,
    protected readonly rule: Optimizer,
  ) {
    super(owner);
  }

  /** Makes the model to be trained, or a plain one that is to be filled. */
  protected abstract createModel(fields: readonly FieldRange[], overparam: FeatureOverparam): FeatureModel;
  /** A recommender of the same kind with other options, not fitted. */
  protected abstract with(options: Options): FeatureRecommender<Options>;

  /** Numbers of a regression are ratings; of a classification without negatives probabilities; else orders. */
  get scores(): Scores {
    return scoresOf(this.options.loss, this.options.negatives !== false);
  }

  fresh(): this {
    return this.with(this.options) as this;
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
    return isInteractions(data)
      ? readPairs(owner, data, options, this.options)
      : readRows(owner, data, options, this.options);
  }

  private async trainOn(checked: CheckedFit): Promise<History> {
    const { name, isFitted: isServing } = this;
    const input = await checked.load();
    const { layout } = input.rows;
    const model = this.createModel(layout.fields, this.options.overparam);
    const answersNow = () => this.answersOf(model, layout, true);
    const install = () => this.install(this.answersOf(model, layout));
    return fitFeatures({
      ...input,
      name,
      options: this.options,
      model,
      rules: this.rulesOf(model),
      answersNow,
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
  similarUsers(userId: Id, options?: SimilarOptions): SimilarUser[] {
    return similarUsers(this.ask('similarUsers'), userId, options);
  }

  override knows(userId: Id, itemId?: Id): boolean {
    return isTrained(this.need('knows'), userId, itemId);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  protected collapsed(): FeatureRecommender<Options> {
    const { model, layout } = this.need('collapse');
    const plain = this.with({ ...this.options, overparam: false });
    const copy = plain.restored(layout);
    for (const [i, parameter] of model.parameters.entries()) copy.parameters[i]!.assign(parameter.collapse());
    return plain;
  }

  /** Which rule trains what. */
  protected rulesOf(model: FeatureModel): readonly [RuleOf, ...RuleOf[]] {
    return [{ optimizer: this.rule, parameters: model.parameters }];
  }

  /** Makes a plain model of some rows the one that answers; its tables are still to be filled. */
  protected restored(layout: RowLayout): FeatureModel {
    const model = this.createModel(layout.fields, false);
    this.install(this.answersOf(model, layout));
    return model;
  }

  protected encode({ layout, model }: FeatureState, history: boolean): Uint8Array<ArrayBuffer> {
    return encodeFeatureModel(this.name, this.options, layout, model, history);
  }

  private answersOf(model: FeatureModel, layout: RowLayout, isAtWork = false): FeatureState {
    return new FeatureState({ owner: this.owner, name: this.name }, this.options, model, layout, isAtWork);
  }
}
