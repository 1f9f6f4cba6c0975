// Wide & Deep (Cheng et al. 2016): linear weights for some fields, crossed ones among them, and hidden layers over the
// embeddings of those that are not crossed.

import type { FieldRange } from '../interactions/features';
import { LinearPart } from './blocks/linear-part';
import type { ScorePart } from './blocks/score-part';
import { checkFieldNames, type DeepOptions, FeatureModel, type FeatureModelOptions } from './feature-model';

/** The options of WideDeepModel. */
export interface WideDeepModelOptions extends FeatureModelOptions, DeepOptions {
  /** The names of the fields with linear weights; null: all. */
  readonly wide: readonly string[] | null;
}

/** score(x) = w_0 + sum of w_i x_i over the wide fields + deep(the pooled embeddings of the fields). */
export class WideDeepModel extends FeatureModel {
  constructor(options: WideDeepModelOptions) {
    super('WideDeep', options, options);
  }

  protected override isDeep({ kind }: FieldRange): boolean {
    return kind !== 'crossed';
  }

  protected shallowParts(options: FeatureModelOptions): readonly ScorePart[] {
    const { wide, fields } = options as WideDeepModelOptions;
    if (wide === null) return [new LinearPart(this.linear, null)];
    checkFieldNames('wide', wide, fields);
    const counts = new Uint8Array(this.features);
    for (const { name, offset, size } of fields) if (wide.includes(name)) counts.fill(1, offset, offset + size);
    return [new LinearPart(this.linear, counts)];
  }
}
