// What the models of features share: a bias, a linear weight and an embedding a feature, and terms of a score that read
// them. FM, Wide&Deep and DeepFM differ in which terms there are.

import { type Seed, Stream } from '../core/random';
import type { FieldRange } from '../data/feature-fields';
import type { Move } from '../kernels/move';
import type { Real } from '../optimizers/factor';
import { createParameter } from '../parameters/create-parameter';
import { type OverparamPlan, planOverparam } from '../parameters/overparam';
import type { Parameter, Precision } from '../parameters/parameter';
import { DeepPart, type FeatureBatch, LinearPart, Pairwise, PooledEmbedding, type ScorePart } from './feature-terms';
import { type ActivationName, fieldPool, layerDims, type Pooling, wideFeatures } from './forward';
import type { Scorer } from './model';

/** What a model of features is made of. */
export interface FeatureModelOptions {
  readonly fields: readonly FieldRange[];
  /** The length of an embedding. */
  readonly dim: number;
  /** The standard deviation of the normal draws that the embeddings start at; linear weights and the bias start at 0. */
  readonly initScale: number;
  readonly overparam: unknown;
  readonly seed: Seed;
  readonly precision: Precision;
}

/** The hidden layers of a model that has some. */
export interface DeepOptions {
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly dropout: number;
  readonly batchNorm: boolean;
  readonly pooling: Pooling;
}

/** The tables that a model of features may write as products, with their dimensions. */
export function featureTableDims(dim: number, hidden: readonly number[] | null): ReadonlyMap<string, number> {
  const dims = new Map([
    ['embedding', dim],
    ['linear', 1],
  ]);
  if (hidden !== null)
    for (const [name, outputs] of [...layerDims('deep', hidden), ['deepOutput', 1] as const]) dims.set(name, outputs);
  return dims;
}

/** Reads `overparam`: one product is for embeddings, for dense layers where it is dense, for linear weights by `biases`. */
export function planFeatures(
  owner: string,
  overparam: unknown,
  dim: number,
  hidden: readonly number[] | null,
): OverparamPlan {
  return planOverparam(owner, overparam, featureTableDims(dim, hidden), (table, { kind, biases }) =>
    table === 'linear' ? biases : table === 'embedding' || kind === 'dense',
  );
}

/** A score that is a bias and a sum of terms. */
export abstract class FeatureModel implements Scorer<FeatureBatch> {
  readonly embedding: Parameter;
  readonly linear: Parameter;
  readonly bias: Parameter;
  /** embedding, linear, bias, then those of the layers. */
  readonly parameters: readonly Parameter[];
  readonly features: number;
  private readonly parts: readonly ScorePart[];

  protected constructor(owner: string, options: FeatureModelOptions, deep: DeepOptions | null) {
    const { fields, dim, initScale, overparam, seed, precision } = options;
    const plan = planFeatures(owner, overparam, dim, deep?.hidden ?? null);
    const stream = Stream.of(seed).fork('parameters');
    const last = fields[fields.length - 1];
    this.features = last === undefined ? 0 : last.offset + last.size;
    const rows = this.features;
    const table = (name: 'embedding' | 'linear', columns: number, sigma: number) =>
      createParameter({ name, group: name, rows, dim: columns, precision }, plan.get(name), sigma, stream);
    this.embedding = table('embedding', dim, initScale);
    this.linear = table('linear', 1, 0);
    this.bias = createParameter({ name: 'bias', group: 'bias', rows: 1, dim: 1, precision }, undefined, 0, stream);
    const deepPart = deep && this.deepPart(options, deep, plan, stream);
    this.parts = [...this.shallowParts(options), ...(deepPart === null ? [] : [deepPart])];
    this.parameters = [this.embedding, this.linear, this.bias, ...(deepPart?.parameters ?? [])];
  }

  /** The terms that have no layers. Called once, when the tables are there. */
  protected abstract shallowParts(options: FeatureModelOptions): readonly ScorePart[];
  /** Whether the layers see a field. */
  protected isDeep(_field: FieldRange): boolean {
    return true;
  }

  select({ starts, indices, count }: FeatureBatch): void {
    this.embedding.select(indices, starts[count]!);
    this.linear.selectAs(this.embedding);
    this.bias.select(null, 1);
    for (const part of this.parts) part.select?.();
  }

  weigh({ weights, starts, count }: FeatureBatch): void {
    this.embedding.weigh(weights!, count, starts);
  }

  forward(batch: FeatureBatch, scores: Real, step = 0): void {
    scores.fill(this.bias.values[0]!, 0, batch.count);
    for (const part of this.parts) part.forward(batch, batch.count, scores, step);
  }

  backward(batch: FeatureBatch, gScores: Real): void {
    const { grads } = this.bias;
    for (let s = 0; s < batch.count; s++) grads[0] = grads[0]! + gScores[s]!;
    for (const part of this.parts) part.backward(batch, batch.count, gScores);
  }

  /** `features`: how many the rows have together; what there is room for already stays. */
  reserve(rows: number, features = rows): void {
    this.embedding.reserve(features);
    this.linear.reserve(features);
    for (const part of this.parts) part.reserve(rows, features);
  }

  move(move: Move): void {
    for (const part of this.parts) part.move(move);
  }

  private deepPart(options: FeatureModelOptions, deep: DeepOptions, plan: OverparamPlan, stream: Stream): DeepPart {
    const { precision } = options;
    const fields = options.fields.filter((field) => this.isDeep(field));
    const pooled = new PooledEmbedding(this.embedding, fieldPool(fields, this.features, deep.pooling), precision);
    return new DeepPart(pooled, { ...deep, name: 'deep', precision }, plan, stream);
  }
}

// Factorization machines (Rendle 2010), second order.

/** score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j. */
export class FMModel extends FeatureModel {
  constructor(options: FeatureModelOptions) {
    super('FM', options, null);
  }

  protected shallowParts({ precision }: FeatureModelOptions): readonly ScorePart[] {
    return [new LinearPart(this.linear, null), new Pairwise(this.embedding, precision)];
  }
}

// Wide & Deep (Cheng et al. 2016): linear weights for some fields, crossed ones among them, and hidden layers over the
// embeddings of those that are not crossed.

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
    return [new LinearPart(this.linear, wideFeatures(wide, fields, this.features))];
  }
}

// DeepFM (Guo et al. 2017): a factorization machine and hidden layers that read the same embeddings.

/** score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j + deep(the pooled embeddings of the fields). */
export class DeepFMModel extends FeatureModel {
  constructor(options: FeatureModelOptions & DeepOptions) {
    super('DeepFM', options, options);
  }

  protected shallowParts({ precision }: FeatureModelOptions): readonly ScorePart[] {
    return [new LinearPart(this.linear, null), new Pairwise(this.embedding, precision)];
  }
}
