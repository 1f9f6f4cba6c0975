// The MLP's part of the scores of one user and many items. The first layer is linear in the two vectors side by side,
// [p, q] W = p W_u + q W_i: the half of an item is worked out once for a state, that of a user once for all its items.

import { kernels } from '../../kernels/dispatch';
import { Activation, type ActivationName } from '../../models/layers';
import type { NeuralTables, PairVectors } from './neural-tables';

/** Items that go through the layers together. */
export const ITEMS_AT_ONCE = 256;

/** A layer after the first. */
interface Layer {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
  readonly activation: Activation;
  readonly rows: Float32Array;
}

/** Adds h . layers([p, q]) to scores. */
export class TowerScorer {
  /** The outputs of the first layer. */
  private readonly width: number;
  private readonly userWeights: Float32Array;
  private readonly itemWeights: Float32Array;
  private readonly bias: Float32Array;
  private readonly activation: Activation;
  /** items x width. */
  private readonly itemHalves: Float32Array;
  /** p W_u + b of the user at hand. */
  private readonly userHalf: Float32Array;
  private readonly first: Float32Array;
  private readonly layers: readonly Layer[];

  /** @param weigh - h: what each output of the last layer counts */
  constructor(
    tables: NeuralTables,
    private readonly vectors: PairVectors,
    activation: ActivationName,
    private readonly weigh: Float32Array,
  ) {
    // Copies: small, and out of the memory that a training works in.
    const copy = (name: string) => Float32Array.from(tables.get(name)!.values);
    const weights = copy('mlp1');
    this.width = tables.get('mlp1')!.dim;
    this.userWeights = weights.slice(0, vectors.dim * this.width);
    this.itemWeights = weights.slice(vectors.dim * this.width);
    this.bias = copy('mlp1Bias');
    this.activation = new Activation(activation, this.width);
    this.itemHalves = new Float32Array(tables.get('mlpItem')!.rows * this.width);
    this.userHalf = new Float32Array(this.width);
    this.first = new Float32Array(ITEMS_AT_ONCE * this.width);
    const layers: Layer[] = [];
    for (let l = 2; tables.has(`mlp${l}`); l++) {
      const { rows: inputs, dim: outputs } = tables.get(`mlp${l}`)!;
      const rows = new Float32Array(ITEMS_AT_ONCE * outputs);
      const [own, bias] = [copy(`mlp${l}`), copy(`mlp${l}Bias`)];
      layers.push({ weights: own, bias, inputs, outputs, activation: new Activation(activation, outputs), rows });
    }
    this.layers = layers;
  }

  /** Works out the halves of some items. */
  layOut(from: number, to: number): void {
    const { vectors, width, itemWeights, itemHalves } = this;
    const rows = vectors.items.subarray(from * vectors.dim, to * vectors.dim);
    const halves = itemHalves.subarray(from * width, to * width);
    kernels.multiply(rows, null, itemWeights, to - from, vectors.dim, width, halves);
  }

  /** Takes a user to hand. */
  begin(user: number): void {
    const { vectors, width, userWeights, userHalf, bias } = this;
    const row = vectors.users.subarray(user * vectors.dim, (user + 1) * vectors.dim);
    kernels.multiply(row, null, userWeights, 1, vectors.dim, width, userHalf);
    for (let k = 0; k < width; k++) userHalf[k] = userHalf[k]! + bias[k]!;
  }

  /** Adds to the scores of up to ITEMS_AT_ONCE items. */
  add(items: Int32Array, count: number, scores: Float64Array): void {
    const { width, itemHalves, userHalf, first, weigh } = this;
    for (let s = 0, to = 0; s < count; s++) {
      const from = items[s]! * width;
      for (let k = 0; k < width; k++) first[to++] = itemHalves[from + k]! + userHalf[k]!;
    }
    this.activation.forward(first, count);
    let x = first;
    for (const { weights, bias, inputs, outputs, activation, rows } of this.layers) {
      kernels.multiply(x, null, weights, count, inputs, outputs, rows);
      for (let s = 0, at = 0; s < count; s++) for (let k = 0; k < outputs; k++, at++) rows[at] = rows[at]! + bias[k]!;
      activation.forward(rows, count);
      x = rows;
    }
    const last = weigh.length;
    for (let s = 0, at = 0; s < count; s++) {
      let sum = 0;
      for (let k = 0; k < last; k++, at++) sum += weigh[k]! * x[at]!;
      scores[s] = scores[s]! + sum;
    }
  }
}
