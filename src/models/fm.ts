// Factorization machines (Rendle 2010), second order.

import { LinearPart } from './blocks/linear-part';
import { Pairwise } from './blocks/pairwise';
import type { ScorePart } from './blocks/score-part';
import { FeatureModel, type FeatureModelOptions } from './feature-model';

/** score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j. */
export class FMModel extends FeatureModel {
  constructor(options: FeatureModelOptions) {
    super('FM', options, null);
  }

  protected shallowParts({ precision }: FeatureModelOptions): readonly ScorePart[] {
    return [new LinearPart(this.linear, null), new Pairwise(this.embedding, precision)];
  }
}
