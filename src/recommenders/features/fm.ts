// The factorization machine as a recommender.

import { UnsupportedError } from '../../core/errors';
import type { FeatureRows, FieldRange } from '../../interactions/features';
import { type SideFeatures, sideFields } from '../../interactions/interaction-features';
import { Interactions } from '../../interactions/interactions';
import type { Id } from '../../interactions/vocabulary';
import { planFeatures } from '../../models/feature-model';
import { FMModel } from '../../models/fm';
import { Breather } from '../../training/breather';
import type { History } from '../../training/history';
import { checkList } from '../recommend-options';
import { savedRule } from '../restore';
import { checkRows } from './check-rows';
import { type FeatureFitOptions, readFeatureFit } from './feature-fit-options';
import {
  dimField,
  type FeatureOverparam,
  type FeatureRecommenderOptions,
  type FilledFeatureOptions,
  readFeatureOptions,
} from './feature-options';
import { FeatureRecommender } from './feature-recommender';
import { Pairing } from './pairing';
import { decodeFeatureModel } from './saved-features';

/** The options of FM. */
export interface FMOptions extends FeatureRecommenderOptions {
  /** The length k of a feature's vector. @defaultValue 16 */
  readonly rank?: number | undefined;
}

/** The options of FM's fit on interactions; on rows of features it has no tables. */
export interface FMFitOptions extends Omit<FeatureFitOptions, 'validation'>, SideFeatures {
  /** Interactions where the fit is on those, else rows with labels, encoded alike. */
  readonly validation?: FeatureRows | Interactions | undefined;
}

/**
 * A factorization machine of second order, over rows of features: numbers, categories, several of a field, crossed ones.
 *
 * score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j; prediction = sigmoid(score) in classification.
 *
 * Objective: the mean over rows of loss + 1/2 lambda sum over the row's features of |v_i|^2 (and lambda_linear w_i^2).
 * Shapes: v features x rank, w features. Cost: O(rank x features of a row) a row, by the identity of lemma 3.1.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Rendle, "Factorization Machines" (ICDM 2010), equations 1 and 5
 * @example
 * ```ts
 * import { FM, type FeatureRows } from 'opmf';
 * // Two fields of two categories: the label is whether they agree, which no single feature tells.
 * const xor: FeatureRows = {
 *   size: 4,
 *   starts: Int32Array.of(0, 2, 4, 6, 8),
 *   indices: Int32Array.of(0, 2, 0, 3, 1, 2, 1, 3),
 *   values: new Float32Array(8).fill(1),
 *   labels: Float32Array.of(1, 0, 0, 1),
 *   weights: null,
 *   fields: [
 *     { name: 'left', kind: 'categorical', offset: 0, size: 2 },
 *     { name: 'right', kind: 'categorical', offset: 2, size: 2 },
 *   ],
 * };
 * const model = new FM({ rank: 4, epochs: 200, optimizer: { name: 'adam', learningRate: 0.05 }, initScale: 0.1 });
 * await model.fit(xor);
 * console.log(Array.from(model.predictRows(xor), Math.round).join()); // 1,0,0,1
 * ```
 */
export class FM extends FeatureRecommender<FilledFeatureOptions & { readonly rank: number }> {
  readonly name = 'fm';

  constructor(options?: FMOptions) {
    const read = readFeatureOptions<{ rank: number }>('FM', options, { rank: dimField(16) });
    planFeatures('FM', read.options.overparam, read.options.rank, null);
    super('FM', read.options, read.rule);
  }

  /**
   * Trains on rows of features, or on interactions: their users, items, and what `userFeatures` and `itemFeatures` say of
   * them are the features of a row, the value is its label. Only ids that occur get a feature of their own.
   * @throws DataError, OptionError, DivergenceError; the signal's reason after an abort
   */
  override async fit(data: FeatureRows | Interactions, options?: FMFitOptions): Promise<History> {
    if (!(data instanceof Interactions)) return super.fit(data, options as FeatureFitOptions | undefined);
    const readValidation = (value: unknown, name: string) =>
      value instanceof Interactions ? value : this.labelled(checkRows(value, name), name);
    const { validation, ...fit } = readFeatureFit('FM.fit', options, this.options.task, readValidation, sideFields);
    const turns = new Breather(fit.signal);
    const pairing = Pairing.of('FM.fit', data, fit);
    const rows = await pairing.rowsInTurns(data, turns);
    if (validation === undefined) return this.fitRows(rows, fit);
    if (!(validation instanceof Interactions)) return this.fitRows(rows, { ...fit, validation });
    const heldOut = await pairing.rowsInTurns(validation, turns);
    return this.fitRows(rows, { ...fit, validation: this.labelled(heldOut, 'validation') });
  }

  /**
   * The prediction of a pair, after a fit on interactions. Who was not in them counts by side features alone, without any
   * by the bias. Not clipped.
   * @throws NotFittedError; UnsupportedError after a fit on rows
   */
  predict(userId: Id, itemId: Id): number {
    return this.predictAll(this.pairing('predict').rows([[userId, itemId]]))[0]!;
  }

  /** The predictions of many pairs, in order. @throws as `predict` */
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array {
    const pairing = this.pairing('predictMany');
    if (pairs instanceof Interactions) return this.predictAll(pairing.rowsOf(pairs));
    return this.predictAll(pairing.rows(checkList(pairs, 'pairs', 'Interactions, or a list of [userId, itemId]')));
  }

  private pairing(call: string): Pairing {
    const { pairing } = this.layout(call);
    if (pairing !== undefined) return pairing;
    throw new UnsupportedError(
      `FM.${call}: the model was fitted on rows of features; use predictRows, or fit on Interactions`,
    );
  }

  protected createModel(fields: readonly FieldRange[], overparam: FeatureOverparam): FMModel {
    const { rank: dim, initScale, seed } = this.options;
    return new FMModel({ fields, dim, initScale, overparam, seed, precision: 'float32' });
  }

  protected with(options: FM['options']): FM {
    return new FM({ ...options, optimizer: this.rule });
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): FM {
    return this.collapsed() as FM;
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): FM {
    return decodeFeatureModel(bytes, 'fm', (saved, layout) => {
      const options = saved as FM['options'];
      const recommender = new FM({ ...options, optimizer: savedRule(options.optimizer) });
      return { recommender, model: recommender.restored(layout) };
    });
  }
}
