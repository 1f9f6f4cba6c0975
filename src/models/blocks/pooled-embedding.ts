// The embeddings of a row's features, pooled field by field and laid side by side: how sparse rows enter a network.

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate, type Precision } from '../../parameters/memory';
import type { Parameter } from '../../parameters/parameter';
import type { SparseRows } from '../feature-batch';

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
