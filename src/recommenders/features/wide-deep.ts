// Wide & Deep as a recommender.

import { type Field, listOf, string } from '../../core/options';
import type { FieldRange } from '../../data/feature-fields';
import { type FeatureModel, WideDeepModel } from '../../models/feature-models';
import { ftrl } from '../../optimizers/ftrl';
import type { Optimizer, OptimizerConfig } from '../../optimizers/optimizer';
import type { OptimizerName } from '../../optimizers/registry';
import type { Overparam } from '../../parameters/overparam';
import { fileOf, type SavedFile, savedRule } from '../../serving/saved-model';
import type { RuleOf } from '../../training/optimizer-sink';
import type { Collapses } from '../recommender';
import { type OptionsInForce, optimizer } from '../training-options';
import {
  type DeepFMOptions,
  deepFields,
  deepForm,
  type FeatureFields,
  type FeatureSample,
  type FilledDeepOptions,
  type FilledFeatureOptions,
  featureFields,
  type ReadFeatures,
  readFeatures,
} from './feature-options';
import { FeatureRecommender, restoreFeatures } from './feature-recommender';

/** The options of WideDeep. */
export interface WideDeepOptions extends DeepFMOptions {
  /** The names of the fields with linear weights, crossed ones among them; null: all fields. @defaultValue null */
  readonly wide?: readonly string[] | null | undefined;
  /** What trains the linear weights; `optimizer` trains the rest. @defaultValue ftrl */
  readonly wideOptimizer?: Optimizer | Partial<OptimizerConfig> | OptimizerName | undefined;
}

/** Filled in. */
type FilledWideDeep = FilledDeepOptions & {
  readonly wide: readonly string[] | null;
  readonly wideOptimizer: OptimizerConfig;
};

/** What it alone has, as it is declared: with the rule itself. */
type Own = Omit<FilledDeepOptions, keyof FilledFeatureOptions> & {
  readonly wide: readonly string[] | null;
  readonly wideOptimizer: Optimizer;
};

interface ReadWideDeep extends ReadFeatures {
  readonly wideRule: Optimizer;
}

/** The declarations. */
export function wideDeepFields(): FeatureFields<Own> {
  const names = listOf(string, 'a list of names of fields, or null for all');
  const wide: Field<readonly string[] | null> = {
    wanted: names.wanted,
    read: (given = null, name) => (given === null ? null : names(given, name)),
  };
  return { ...featureFields({ ...deepFields(), wide }, deepForm), wideOptimizer: optimizer(() => ftrl()) };
}

/**
 * Wide & Deep: linear weights that memorize, hidden layers that generalize, trained together, each by its own rule.
 *
 * score(x) = w_0 + sum over the wide fields of w_i x_i + W_out h_L, h_l = f(W_l h_(l-1) + b_l), h_0 the pooled embeddings
 * of the fields that are not crossed; prediction = sigmoid(score) in classification.
 *
 * Crossed fields are fields of the table: the wide side sees those that `wide` names. Shapes and cost: as DeepFM.
 *
 * @throws OptionError for an unknown option or a value out of its range; `fit`: for a field that the rows do not have.
 * @see Cheng et al., "Wide & Deep Learning for Recommender Systems" (DLRS 2016)
 * @example
 * ```ts
 * import { ftrl, WideDeep } from 'opmf';
 * const model = new WideDeep({ hidden: [64, 32], wide: ['age x job'], wideOptimizer: ftrl({ l1: 0.001 }) });
 * console.log(model.options.wideOptimizer.name); // ftrl
 * ```
 */
export class WideDeep extends FeatureRecommender implements Collapses<WideDeep> {
  declare readonly options: OptionsInForce<WideDeepOptions>;
  readonly name = 'wide-deep';
  declare private readonly wideRule: Optimizer;

  constructor(options?: WideDeepOptions) {
    super('WideDeep', options);
  }

  protected read(given: unknown, sample?: FeatureSample): ReadWideDeep {
    const { options, ...read } = readFeatures<Own>('WideDeep', given, wideDeepFields(), sample);
    const { wideOptimizer: wideRule } = options as unknown as Own;
    return { ...read, options: Object.freeze({ ...options, wideOptimizer: wideRule.config }), wideRule };
  }

  protected createModel(fields: readonly FieldRange[], overparam: Overparam<string>): WideDeepModel {
    const { embeddingDim: dim, initScale, seed, hidden, activation, dropout, batchNorm, pooling, wide } = this.options;
    const parts = { hidden, activation, dropout, batchNorm, pooling, wide };
    return new WideDeepModel({ fields, dim, initScale, overparam, seed, precision: 'float32', ...parts });
  }

  protected override rulesOf(model: FeatureModel, read: ReadWideDeep): readonly [RuleOf, ...RuleOf[]] {
    const rest = model.parameters.filter((parameter) => parameter !== model.linear);
    return [
      { optimizer: read.rule, parameters: rest },
      { optimizer: read.wideRule, parameters: [model.linear] },
    ];
  }

  protected override get rules() {
    return { ...super.rules, wideOptimizer: this.wideRule };
  }

  protected with(options: WideDeepOptions): WideDeep {
    return new (this.constructor as typeof WideDeep)(options);
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): WideDeep {
    return this.collapsed() as WideDeep;
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): WideDeep {
    return WideDeep.of(fileOf(bytes, 'wide-deep'));
  }

  /** @internal A recommender of a saved file. @throws FormatError where it is inconsistent */
  static of(file: SavedFile): WideDeep {
    return restoreFeatures(file, (saved, layout) => {
      const options = saved as FilledWideDeep;
      const [optimizer, wideOptimizer] = [savedRule(options.optimizer), savedRule(options.wideOptimizer)];
      const recommender = new WideDeep({ ...options, optimizer, wideOptimizer });
      return { recommender, model: recommender.restored(layout) };
    });
  }
}
