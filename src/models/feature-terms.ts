// What models of features see of a batch: rows of (feature, value), one after another in compressed form.

import type { Stream } from '../core/random';
import type { Move } from '../kernels/move';
import type { Real } from '../optimizers/factor';
import type { OverparamPlan } from '../parameters/overparam';
import { allocate, type Parameter, type Precision } from '../parameters/parameter';
import { DenseLayer, Perceptron, type PerceptronOptions } from './layers';
import type { Batch } from './model';

/** Row s has the features indices[p] with values[p], p from starts[s] up to starts[s + 1]. */
export interface FeatureBatch extends Batch {
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array | Float64Array;
}

/** The features of a batch alone. */
export type SparseRows = Pick<FeatureBatch, 'starts' | 'indices' | 'values'>;

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
  /** Moves its own arrays, between two steps. */
  move(move: Move): void;
}

// The linear term of a score: the sum of w_i x_i over a row's features, or over those of some fields.

/** sum of w_i x_i. */
export class LinearPart implements ScorePart {
  /** @param counts - which features count, 1 or 0; null: all do */
  constructor(
    private readonly linear: Parameter,
    private readonly counts: Uint8Array | null,
  ) {}

  reserve(): void {}

  forward({ starts, indices, values: x }: SparseRows, count: number, scores: Real): void {
    const { counts } = this;
    const { at, values } = this.linear;
    for (let s = 0; s < count; s++) {
      let sum = scores[s]!;
      for (let p = starts[s]!; p < starts[s + 1]!; p++)
        if (counts === null || counts[indices[p]!] === 1) sum += x[p]! * values[at[p]!]!;
      scores[s] = sum;
    }
  }

  backward({ starts, indices, values: x }: SparseRows, count: number, gScores: Real): void {
    const { counts } = this;
    const { slot, grads } = this.linear;
    for (let s = 0; s < count; s++) {
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const to = slot[p]!;
        if (counts === null || counts[indices[p]!] === 1) grads[to] = grads[to]! + x[p]! * gScores[s]!;
      }
    }
  }

  move(): void {}
}

// The second-order part of a factorization machine: the sum over pairs i < j of a row's features of <v_i, v_j> x_i x_j, as
// 1/2 sum over k of (sum_i v_ik x_i)^2 - sum_i (v_ik x_i)^2: linear in the features (Rendle 2010, lemma 3.1).

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
    const { sums } = this;
    const { dim, at, values } = this.embedding;
    sums.fill(0, 0, count * dim);
    for (let s = 0; s < count; s++) {
      const to = s * dim;
      let squares = 0;
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const from = at[p]! * dim;
        for (let k = 0; k < dim; k++) {
          const term = x[p]! * values[from + k]!;
          sums[to + k] = sums[to + k]! + term;
          squares += term * term;
        }
      }
      let square = 0;
      for (let k = 0; k < dim; k++) square += sums[to + k]! * sums[to + k]!;
      scores[s] = scores[s]! + 0.5 * (square - squares);
    }
  }

  /** d score / d v_i = x_i (sum_j v_j x_j - v_i x_i), added to the gradient of the embedding. */
  backward({ starts, values: x }: SparseRows, count: number, gScores: Real): void {
    const { sums } = this;
    const { dim, at, values, slot, grads } = this.embedding;
    for (let s = 0; s < count; s++) {
      const sum = s * dim;
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const from = at[p]! * dim;
        const to = slot[p]! * dim;
        const g = gScores[s]! * x[p]!;
        for (let k = 0; k < dim; k++) grads[to + k] = grads[to + k]! + g * (sums[sum + k]! - x[p]! * values[from + k]!);
      }
    }
  }

  /** @see Layer.move */
  move(move: Move): void {
    this.sums = move(this.sums);
  }
}

// The embeddings of a row's features, pooled field by field and laid side by side: how sparse rows enter a network.

/** How the features of one field are pooled; a field without any gives zeros. */
export type Pooling = 'sum' | 'mean';

/** Field f of a row: the sum over its features of value x embedding, or that divided by their number. */
export class PooledEmbedding {
  /** The length of a row: fields x dim. */
  readonly outputs: number;
  private output: Real;
  /** Per feature of the step: what its embedding is multiplied by. */
  private shares: Real;
  /** Features of each field, in the row at hand. */
  private readonly counts: Int32Array;

  /** @param fieldOf - the field of each feature, a row of the embedding; -1: of none, which is left out */
  constructor(
    private readonly embedding: Parameter,
    private readonly fieldOf: Int32Array,
    fields: number,
    private readonly pooling: Pooling,
    private readonly precision: Precision,
  ) {
    this.outputs = fields * embedding.dim;
    this.output = this.shares = allocate(precision, 0);
    this.counts = new Int32Array(fields);
  }

  /** Makes room for steps of up to `rows` rows that have up to `features` features together. */
  reserve(rows: number, features: number): void {
    if (rows * this.outputs > this.output.length) this.output = allocate(this.precision, rows * this.outputs);
    if (features > this.shares.length) this.shares = allocate(this.precision, features);
  }

  /** Rows x outputs. The embedding has been selected by the indices. */
  forward(rows: SparseRows, count: number): Real {
    this.reserve(count, rows.starts[count]!);
    this.share(rows, count);
    const { output, shares, fieldOf, outputs } = this;
    const { dim, at, values } = this.embedding;
    const { starts, indices } = rows;
    output.fill(0, 0, count * outputs);
    for (let s = 0; s < count; s++) {
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const share = shares[p]!;
        // Of no field: there is no place for it.
        if (share === 0) continue;
        const to = s * outputs + fieldOf[indices[p]!]! * dim;
        const from = at[p]! * dim;
        for (let k = 0; k < dim; k++) output[to + k] = output[to + k]! + share * values[from + k]!;
      }
    }
    return output;
  }

  /** Adds to the gradient of the embedding; g: rows x outputs. */
  backward({ starts, indices }: SparseRows, count: number, g: Real): void {
    const { shares, fieldOf, outputs } = this;
    const { dim, slot, grads } = this.embedding;
    for (let s = 0; s < count; s++) {
      for (let p = starts[s]!; p < starts[s + 1]!; p++) {
        const share = shares[p]!;
        if (share === 0) continue;
        const from = s * outputs + fieldOf[indices[p]!]! * dim;
        const to = slot[p]! * dim;
        for (let k = 0; k < dim; k++) grads[to + k] = grads[to + k]! + share * g[from + k]!;
      }
    }
  }

  /** @see Layer.move */
  move(move: Move): void {
    this.output = move(this.output);
    this.shares = move(this.shares);
  }

  private share({ starts, indices, values }: SparseRows, count: number): void {
    const { shares, counts, fieldOf, pooling } = this;
    for (let s = 0; s < count; s++) {
      const [from, to] = [starts[s]!, starts[s + 1]!];
      counts.fill(0);
      for (let p = from; p < to; p++) {
        const field = fieldOf[indices[p]!]!;
        if (field >= 0) counts[field]!++;
        shares[p] = field >= 0 ? values[p]! : 0;
      }
      if (pooling === 'mean')
        for (let p = from; p < to; p++) if (shares[p] !== 0) shares[p] = shares[p]! / counts[fieldOf[indices[p]!]!]!;
    }
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
    this.reserve(count, rows.starts[count]!);
    const { pooled, hidden, output } = this;
    const deep = output.forward(hidden.forward(pooled.forward(rows, count), count, step), count);
    for (let s = 0; s < count; s++) scores[s] = scores[s]! + deep[s]!;
  }

  backward(rows: SparseRows, count: number, gScores: Real): void {
    const { pooled, hidden, output, gOutput } = this;
    // A copy: layers may change what they are given.
    for (let s = 0; s < count; s++) gOutput[s] = gScores[s]!;
    pooled.backward(rows, count, hidden.backward(output.backward(gOutput, count), count));
  }

  move(move: Move): void {
    this.pooled.move(move);
    this.hidden.move(move);
    this.output.move(move);
    this.gOutput = move(this.gOutput);
  }
}
