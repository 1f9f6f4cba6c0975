// DeepFM as a recommender.

import type { FieldRange } from '../../data/feature-fields';
import { DeepFMModel } from '../../models/feature-models';
import type { Overparam } from '../../parameters/overparam';
import { fileOf, type SavedFile, savedRule } from '../../serving/saved-model';
import type { Collapses } from '../recommender';
import type { OptionsInForce } from '../training-options';
import {
  type DeepFMOptions,
  deepFields,
  deepForm,
  type FeatureSample,
  type FilledDeepOptions,
  featureFields,
  type ReadFeatures,
  readFeatures,
} from './feature-options';
import { FeatureRecommender, restoreFeatures } from './feature-recommender';

/** Their declarations. */
export const deepFMFields = () => featureFields(deepFields(), deepForm);

/**
 * DeepFM: a factorization machine and hidden layers over the same embeddings, added up.
 *
 * score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j + W_out h_L, h_l = f(W_l h_(l-1) + b_l), h_0 the pooled
 * embeddings of the fields side by side; prediction = sigmoid(score) in classification.
 *
 * Shapes: v features x embeddingDim, W_1 (fields embeddingDim) x hidden[0]. Cost: a row takes the products of its layers.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Guo, Tang, Ye, Li, He, "DeepFM: A Factorization-Machine based Neural Network for CTR Prediction" (IJCAI 2017)
 * @example
 * ```ts
 * import { DeepFM } from 'opmf';
 * const model = new DeepFM({ hidden: [64, 32], dropout: 0.2, overparam: { kind: 'dense' } });
 * console.log(model.options.embeddingDim); // 10
 * ```
 */
export class DeepFM extends FeatureRecommender implements Collapses<DeepFM> {
  declare readonly options: OptionsInForce<DeepFMOptions>;
  readonly name = 'deep-fm';

  constructor(options?: DeepFMOptions) {
    super('DeepFM', options);
  }

  protected read(given: unknown, sample?: FeatureSample): ReadFeatures {
    return readFeatures('DeepFM', given, deepFMFields(), sample);
  }

  protected createModel(fields: readonly FieldRange[], overparam: Overparam<string>): DeepFMModel {
    const { embeddingDim: dim, initScale, seed, hidden, activation, dropout, batchNorm, pooling } = this.options;
    const deep = { hidden, activation, dropout, batchNorm, pooling };
    return new DeepFMModel({ fields, dim, initScale, overparam, seed, precision: 'float32', ...deep });
  }

  protected with(options: DeepFMOptions): DeepFM {
    return new (this.constructor as typeof DeepFM)(options);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): DeepFM {
    return this.collapsed() as DeepFM;
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): DeepFM {
    return DeepFM.of(fileOf(bytes, 'deep-fm'));
  }

  /** @internal A recommender of a saved file. @throws FormatError where it is inconsistent */
  static of(file: SavedFile): DeepFM {
    return restoreFeatures(file, (saved, layout) => {
      const options = saved as FilledDeepOptions;
      const recommender = new DeepFM({ ...options, optimizer: savedRule(options.optimizer) });
      return { recommender, model: recommender.restored(layout) };
    });
  }
}
