// DeepFM (Guo et al. 2017): a factorization machine and hidden layers that read the same embeddings.

import { LinearPart } from './blocks/linear-part';
import { Pairwise } from './blocks/pairwise';
import type { ScorePart } from './blocks/score-part';
import { type DeepOptions, FeatureModel, type FeatureModelOptions } from './feature-model';

/** score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j + deep(the pooled embeddings of the fields). */
export class DeepFMModel extends FeatureModel {
  constructor(options: FeatureModelOptions & DeepOptions) {
    super('DeepFM', options, options);
  }

  protected shallowParts({ precision }: FeatureModelOptions): readonly ScorePart[] {
    return [new LinearPart(this.linear, null), new Pairwise(this.embedding, precision)];
  }
}
