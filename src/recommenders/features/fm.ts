// The factorization machine as a recommender.

import { field } from '../../core/options';
import type { FieldRange } from '../../data/feature-fields';
import { FMModel } from '../../models/feature-models';
import type { Overparam } from '../../parameters/overparam';
import { fileOf, type SavedFile, savedRule } from '../../serving/saved-model';
import type { Collapses } from '../recommender';
import { dimension, type OptionsInForce } from '../training-options';
import {
  type FeatureRecommenderOptions,
  type FeatureSample,
  featureFields,
  type ReadFeatures,
  readFeatures,
} from './feature-options';
import { FeatureRecommender, restoreFeatures } from './feature-recommender';

/** The options of FM. */
export interface FMOptions extends FeatureRecommenderOptions {
  /** The length k of a feature's vector, from 1 to 65536. @defaultValue 32 */
  readonly rank?: number | undefined;
}

/** Their declarations. */
export const fmFields = () => featureFields({ rank: field(dimension(), 32) }, ({ rank }) => [rank, null]);

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
export class FM extends FeatureRecommender implements Collapses<FM> {
  declare readonly options: OptionsInForce<FMOptions>;
  readonly name = 'fm';

  constructor(options?: FMOptions) {
    super('FM', options);
  }

  protected read(given: unknown, sample?: FeatureSample): ReadFeatures {
    return readFeatures('FM', given, fmFields(), sample);
  }

  protected createModel(fields: readonly FieldRange[], overparam: Overparam<string>): FMModel {
    const { rank: dim, initScale, seed } = this.options;
    return new FMModel({ fields, dim, initScale, overparam, seed, precision: 'float32' });
  }

  protected with(options: FMOptions): FM {
    return new (this.constructor as typeof FM)(options);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): FM {
    return this.collapsed() as FM;
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): FM {
    return FM.of(fileOf(bytes, 'fm'));
  }

  /** @internal A recommender of a saved file. @throws FormatError where it is inconsistent */
  static of(file: SavedFile): FM {
    return restoreFeatures(file, (saved, layout) => {
      const options = saved as FM['options'];
      const recommender = new FM({ ...options, optimizer: savedRule(options.optimizer) });
      return { recommender, model: recommender.restored(layout) };
    });
  }
}
