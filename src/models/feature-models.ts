// The models of features: terms that each add to the scores of sparse rows, and FM, Wide & Deep and DeepFM made of them.

import { type Seed, Stream } from '../core/random';
import { type Pausable, runToEnd } from '../core/scheduler';
import type { FieldRange } from '../data/feature-fields';
import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/heap';
import type { Real } from '../optimizers/factor';
import { createParameter, type OverparamPlan, planOverparam } from '../parameters/overparam';
import { allocate, type Parameter, type Precision } from '../parameters/parameter';
import type { ActivationName, FieldPool, Pooling, SparseRows } from './forward';
import { fieldPool, keptValues, layerDims, shareOut, wideFeatures } from './forward';
import { DenseLayer, Perceptron, type PerceptronOptions } from './layers';
import type { Batch, Scorer } from './model';

/** Rows of features with what is to be learned of them. */
export type FeatureBatch = Batch & SparseRows;

// THE SEAM of the parts of a model of features: each adds a term to the scores of sparse rows.

/** One term of a score. */
export interface ScorePart {
  /** Makes room for steps of up to `rows` rows that have up to `features` features together. */
  reserve(rows: number, features: number): void;
  /** Names the rows of the parameters that are its own. Tables of features are selected by the model. */
  select?(): void;
  /** Adds to the scores. `step`: the number of the update, from 1; 0 for predictions. */
  forward(rows: SparseRows, count: number, scores: Real, step: number): void;
  /** Adds to the gradients of the parameters it reads. */
  backward(rows: SparseRows, count: number, gScores: Real): void;
  /** The same with pauses, where there are layers. */
  forwardInTurns?(rows: SparseRows, count: number, scores: Real, step: number): Pausable<void>;
  backwardInTurns?(rows: SparseRows, count: number, gScores: Real): Pausable<void>;
  /** Moves its own arrays, between two steps. */
  move(move: Move): void;
}

// The linear term of a score: the sum of w_i x_i over a row's features, or over those of some fields.

/** sum of w_i x_i. */
export class LinearPart implements ScorePart {
  /** The values of the features that count, where not all do. */
  private kept: Real;

  /** @param counts - which features count, 1 or 0; null: all do */
  constructor(
    private readonly linear: Parameter,
    private readonly counts: Uint8Array | null,
    private readonly precision: Precision,
  ) {
    this.kept = allocate(precision, 0);
  }

  reserve(_rows: number, features: number): void {
    if (this.counts !== null && features > this.kept.length) this.kept = allocate(this.precision, features);
  }

  forward(rows: SparseRows, count: number, scores: Real): void {
    const { linear } = this;
    kernels.sparseSums(linear.values, linear.at, this.valuesOf(rows, count), rows.starts, count, scores);
  }

  backward(rows: SparseRows, count: number, gScores: Real): void {
    const { slot, grads } = this.linear;
    kernels.scatterSparse(gScores, this.valuesOf(rows, count), slot, rows.starts, count, grads);
  }

  move(move: Move): void {
    this.kept = move(this.kept);
  }

  private valuesOf(rows: SparseRows, count: number): Real {
    this.reserve(count, rows.starts[count]!);
    return keptValues(this.counts, rows, count, this.kept);
  }
}

// The second-order part of a factorization machine: the sum over pairs i < j of a row's features of <v_i, v_j> x_i x_j.

/** The interactions of every two features of a row. */
export class Pairwise implements ScorePart {
  /** Row by row, what the way back needs: sum_i v_i x_i. */
  private sums: Real;

  constructor(
    private readonly embedding: Parameter,
    private readonly precision: Precision,
  ) {
    this.sums = allocate(precision, 0);
  }

  /** Makes room for steps of up to `rows` rows. */
  reserve(rows: number): void {
    const size = rows * this.embedding.dim;
    if (size > this.sums.length) this.sums = allocate(this.precision, size);
  }

  /** Adds to the scores. The embedding has been selected by the indices. Cost: O(features x dim). */
  forward({ starts, values: x }: SparseRows, count: number, scores: Real): void {
    this.reserve(count);
    const { dim, at, values } = this.embedding;
    kernels.pairSums(values, at, x, starts, dim, count, this.sums, scores);
  }

  /** d score / d v_i = x_i (sum_j v_j x_j - v_i x_i), added to the gradient of the embedding; most scores of warp have none. */
  backward({ starts, values: x }: SparseRows, count: number, gScores: Real): void {
    const { dim, at, values, slot, grads } = this.embedding;
    kernels.scatterPairs(gScores, values, at, x, slot, starts, this.sums, dim, count, grads);
  }

  /** @see Layer.move */
  move(move: Move): void {
    this.sums = move(this.sums);
  }
}

// The embeddings of a row's features, pooled field by field and laid side by side: how sparse rows enter a network.

/** Field f of a row: the sum over its features of value x embedding, or that divided by their number. */
export class PooledEmbedding {
  /** The length of a row: fields x dim. */
  readonly outputs: number;
  private output: Real;
  /** Per feature of the step: what its embedding is multiplied by, and the row and field it goes to. */
  private shares: Real;
  private places = new Int32Array(0);

  constructor(
    private readonly embedding: Parameter,
    private readonly pool: FieldPool,
    private readonly precision: Precision,
  ) {
    this.outputs = pool.counts.length * embedding.dim;
    this.output = this.shares = allocate(precision, 0);
  }

  /** Makes room for steps of up to `rows` rows that have up to `features` features together. */
  reserve(rows: number, features: number): void {
    if (rows * this.outputs > this.output.length) this.output = allocate(this.precision, rows * this.outputs);
    if (features <= this.shares.length) return;
    this.shares = allocate(this.precision, features);
    this.places = new Int32Array(features);
  }

  /** Rows x outputs. The embedding has been selected by the indices. */
  forward(rows: SparseRows, count: number): Real {
    this.reserve(count, rows.starts[count]!);
    const { pool, shares, places, output, outputs } = this;
    const { values, at, dim } = this.embedding;
    shareOut(pool, rows, count, shares, places);
    output.fill(0, 0, count * outputs);
    if (outputs > 0) kernels.scatterRows(shares, values, at, places, dim, rows.starts[count]!, output);
    return output;
  }

  /** Adds to the gradient of the embedding; g: rows x outputs. */
  backward({ starts }: SparseRows, count: number, g: Real): void {
    const { shares, places, outputs } = this;
    const { dim, slot, grads } = this.embedding;
    if (outputs > 0) kernels.scatterRows(shares, g, places, slot, dim, starts[count]!, grads);
  }

  /** @see Layer.move */
  move(move: Move): void {
    this.output = move(this.output);
    this.shares = move(this.shares);
    this.places = move(this.places);
  }
}

// The deep term of a score: the pooled embeddings of a row's fields, through hidden layers, to one number.

/** Hidden layers over pooled embeddings, and an output without a bias: the model has one. */
export class DeepPart implements ScorePart {
  readonly parameters: readonly Parameter[];
  private readonly hidden: Perceptron;
  private readonly output: DenseLayer;
  private gOutput: Real;

  constructor(
    private readonly pooled: PooledEmbedding,
    private readonly options: Omit<PerceptronOptions, 'inputs'>,
    plan: OverparamPlan,
    stream: Stream,
  ) {
    const { name, precision } = options;
    this.hidden = new Perceptron({ ...options, inputs: pooled.outputs }, plan, stream);
    const last = `${name}Output`;
    const shape = { name: last, inputs: this.hidden.outputs, outputs: 1, start: 'xavier', precision } as const;
    this.output = new DenseLayer({ ...shape, bias: false, product: plan.get(last) }, stream);
    this.parameters = [...this.hidden.parameters, ...this.output.parameters];
    this.gOutput = allocate(precision, 0);
  }

  reserve(rows: number, features: number): void {
    this.pooled.reserve(rows, features);
    this.hidden.reserve(rows);
    this.output.reserve(rows);
    if (rows > this.gOutput.length) this.gOutput = allocate(this.options.precision, rows);
  }

  select(): void {
    this.hidden.select();
    this.output.select();
  }

  forward(rows: SparseRows, count: number, scores: Real, step: number): void {
    runToEnd(this.forwardInTurns(rows, count, scores, step));
  }

  backward(rows: SparseRows, count: number, gScores: Real): void {
    runToEnd(this.backwardInTurns(rows, count, gScores));
  }

  *forwardInTurns(rows: SparseRows, count: number, scores: Real, step: number): Pausable<void> {
    this.reserve(count, rows.starts[count]!);
    const { pooled, hidden, output } = this;
    const deep = output.forward(yield* hidden.forwardInTurns(pooled.forward(rows, count), count, step), count);
    for (let s = 0; s < count; s++) scores[s] = scores[s]! + deep[s]!;
  }

  *backwardInTurns(rows: SparseRows, count: number, gScores: Real): Pausable<void> {
    const { pooled, hidden, output, gOutput } = this;
    // A copy: layers may change what they are given.
    for (let s = 0; s < count; s++) gOutput[s] = gScores[s]!;
    pooled.backward(rows, count, yield* hidden.backwardInTurns(output.backward(gOutput, count), count));
  }

  move(move: Move): void {
    this.pooled.move(move);
    this.hidden.move(move);
    this.output.move(move);
    this.gOutput = move(this.gOutput);
  }
}

// What the models of features share: a bias, a linear weight and an embedding a feature, and terms of a score that read
// them. FM, Wide&Deep and DeepFM differ in which terms there are.

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
  private readonly precision: Precision;
  /** Room for rows that are scored outside of training, which moves with the model. */
  private readonly room: { starts: Int32Array; indices: Int32Array; values: Real; scores: Real };

  protected constructor(owner: string, options: FeatureModelOptions, deep: DeepOptions | null) {
    const { fields, dim, initScale, overparam, seed, precision } = options;
    const plan = planFeatures(owner, overparam, dim, deep?.hidden ?? null);
    const stream = Stream.of(seed).fork('parameters');
    const last = fields[fields.length - 1];
    this.features = last === undefined ? 0 : last.offset + last.size;
    this.precision = precision;
    const none = allocate(precision, 0);
    this.room = { starts: new Int32Array(0), indices: new Int32Array(0), values: none, scores: none };
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
    this.startScores(batch, scores);
    for (const part of this.parts) part.forward(batch, batch.count, scores, step);
  }

  backward(batch: FeatureBatch, gScores: Real): void {
    this.addToBias(batch, gScores);
    for (const part of this.parts) part.backward(batch, batch.count, gScores);
  }

  /** @internal */
  *forwardInTurns(batch: FeatureBatch, scores: Real, step: number): Pausable<void> {
    this.startScores(batch, scores);
    for (const part of this.parts) {
      if (part.forwardInTurns === undefined) part.forward(batch, batch.count, scores, step);
      else yield* part.forwardInTurns(batch, batch.count, scores, step);
    }
  }

  /** @internal */
  *backwardInTurns(batch: FeatureBatch, gScores: Real): Pausable<void> {
    this.addToBias(batch, gScores);
    for (const part of this.parts) {
      if (part.backwardInTurns === undefined) part.backward(batch, batch.count, gScores);
      else yield* part.backwardInTurns(batch, batch.count, gScores);
    }
  }

  /** `features`: how many the rows have together; what there is room for already stays. */
  reserve(rows: number, features = rows): void {
    this.embedding.reserve(features);
    this.linear.reserve(features);
    for (const part of this.parts) part.reserve(rows, features);
    const { room, precision } = this;
    if (rows > room.scores.length) {
      room.starts = new Int32Array(rows + 1);
      room.scores = allocate(precision, rows);
    }
    if (features > room.indices.length) {
      room.indices = new Int32Array(features);
      room.values = allocate(precision, features);
    }
  }

  /** @internal Writes the scores of rows from anywhere: by kernels where the model lies, if there is room for them. */
  score(rows: SparseRows, count: number, scores: Float32Array): void {
    const { room } = this;
    const features = rows.starts[count]!;
    const fits = count <= room.scores.length && features <= room.indices.length;
    if (fits) {
      for (let s = 0; s <= count; s++) room.starts[s] = rows.starts[s]!;
      for (let p = 0; p < features; p++) {
        room.indices[p] = rows.indices[p]!;
        room.values[p] = rows.values[p]!;
      }
    }
    const { starts, indices, values } = fits ? room : rows;
    const out = fits ? room.scores : scores;
    const batch = { starts, indices, values, count, targets: out, weights: null };
    this.select(batch);
    this.forward(batch, out);
    if (fits) for (let s = 0; s < count; s++) scores[s] = out[s]!;
  }

  /** @internal */
  move(move: Move): void {
    const { room } = this;
    room.starts = move(room.starts);
    room.indices = move(room.indices);
    room.values = move(room.values);
    room.scores = move(room.scores);
    for (const part of this.parts) part.move(move);
  }

  private startScores({ count }: FeatureBatch, scores: Real): void {
    scores.fill(this.bias.values[0]!, 0, count);
  }

  private addToBias({ count }: FeatureBatch, gScores: Real): void {
    const { grads } = this.bias;
    for (let s = 0; s < count; s++) grads[0] = grads[0]! + gScores[s]!;
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
    return [new LinearPart(this.linear, null, precision), new Pairwise(this.embedding, precision)];
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
    const { wide, fields, precision } = options as WideDeepModelOptions;
    return [new LinearPart(this.linear, wideFeatures(wide, fields, this.features), precision)];
  }
}

// DeepFM (Guo et al. 2017): a factorization machine and hidden layers that read the same embeddings.

/** score(x) = w_0 + sum_i w_i x_i + sum_(i < j) <v_i, v_j> x_i x_j + deep(the pooled embeddings of the fields). */
export class DeepFMModel extends FeatureModel {
  constructor(options: FeatureModelOptions & DeepOptions) {
    super('DeepFM', options, options);
  }

  protected shallowParts({ precision }: FeatureModelOptions): readonly ScorePart[] {
    return [new LinearPart(this.linear, null, precision), new Pairwise(this.embedding, precision)];
  }
}
