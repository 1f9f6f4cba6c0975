// The scores of one user and many items by a trained neural model: those of its parts, added up. Each item's is the same
// whoever it is scored with. The MLP comes first. Its first layer is linear in the two vectors side by side,
// [p, q] W = p W_u + q W_i: the half of an item is worked out once for a state, that of a user once for all its items.

import { DataError } from '../core/errors';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Kernels } from '../kernels/kernels';
import { type ActivationName, activate, addRow } from '../models/forward';
import type { Real } from '../optimizers/factor';

/** One table. */
export interface NeuralTable {
  readonly values: Real;
  readonly rows: number;
  readonly dim: number;
}

/** The tables of a trained neural model by name, products multiplied out. */
export type NeuralTables = ReadonlyMap<string, NeuralTable>;

/** Both vectors of one part of a model: GMF's, or the MLP's. */
export interface PairVectors {
  readonly users: Real;
  readonly items: Real;
  readonly dim: number;
}

/** The vectors of a part, null where the model does not have it. */
function vectorsOf(tables: NeuralTables, part: 'gmf' | 'mlp'): PairVectors | null {
  const [users, items] = [tables.get(`${part}User`), tables.get(`${part}Item`)];
  if (users === undefined || items === undefined) return null;
  return { users: users.values, items: items.values, dim: users.dim };
}

/** Items that go through the layers together. */
export const ITEMS_AT_ONCE = 256;

/** A layer after the first. */
interface Layer {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: Float32Array;
}

/** The part of the MLP: adds h . layers([p, q]) to scores. */
class TowerScorer {
  /** The outputs of the first layer. */
  private readonly width: number;
  private readonly userWeights: Float32Array;
  private readonly itemWeights: Float32Array;
  private readonly bias: Float32Array;
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
    private readonly activation: ActivationName,
    private readonly weigh: Float32Array,
    private readonly multiply: Kernels['multiply'],
  ) {
    // Copies: small, and out of the memory that a training works in.
    const copy = (name: string) => Float32Array.from(tables.get(name)!.values);
    const weights = copy('mlp1');
    this.width = tables.get('mlp1')!.dim;
    this.userWeights = weights.slice(0, vectors.dim * this.width);
    this.itemWeights = weights.slice(vectors.dim * this.width);
    this.bias = copy('mlp1Bias');
    this.itemHalves = new Float32Array(tables.get('mlpItem')!.rows * this.width);
    this.userHalf = new Float32Array(this.width);
    this.first = new Float32Array(ITEMS_AT_ONCE * this.width);
    const layers: Layer[] = [];
    for (let l = 2; tables.has(`mlp${l}`); l++) {
      const { rows: inputs, dim: outputs } = tables.get(`mlp${l}`)!;
      const rows = new Float32Array(ITEMS_AT_ONCE * outputs);
      const [own, bias] = [copy(`mlp${l}`), copy(`mlp${l}Bias`)];
      layers.push({ weights: own, bias, inputs, outputs, rows });
    }
    this.layers = layers;
  }

  /** Works out the halves of some items. */
  layOut(from: number, to: number): void {
    const { vectors, width, itemWeights, itemHalves, multiply } = this;
    const rows = vectors.items.subarray(from * vectors.dim, to * vectors.dim);
    const halves = itemHalves.subarray(from * width, to * width);
    multiply(rows, null, itemWeights, to - from, vectors.dim, width, halves);
  }

  /** Takes a user to hand. */
  begin(user: number): void {
    this.multiplyUsers(Int32Array.of(user), 1, this.userHalf);
    const { width, userHalf, bias } = this;
    for (let k = 0; k < width; k++) userHalf[k] = userHalf[k]! + bias[k]!;
  }

  /** Adds to the scores of up to ITEMS_AT_ONCE items for the user at hand. */
  add(items: Int32Array, count: number, scores: Float64Array): void {
    const { width, itemHalves, userHalf, first } = this;
    for (let s = 0, to = 0; s < count; s++) {
      const from = items[s]! * width;
      for (let k = 0; k < width; k++) first[to++] = itemHalves[from + k]! + userHalf[k]!;
    }
    this.goOn(count, scores);
  }

  /** Adds to the scores of up to ITEMS_AT_ONCE pairs. */
  addPairs(users: Int32Array, items: Int32Array, count: number, scores: Float64Array): void {
    const { width, itemHalves, first, bias } = this;
    this.multiplyUsers(users, count, first);
    addRow(bias, count, width, first);
    for (let s = 0, to = 0; s < count; s++)
      for (let k = 0, from = items[s]! * width; k < width; k++, to++) first[to] = itemHalves[from + k]! + first[to]!;
    this.goOn(count, scores);
  }

  /** p W_u of some users. */
  private multiplyUsers(users: Int32Array, count: number, halves: Float32Array): void {
    const { vectors, width, userWeights, multiply } = this;
    multiply(vectors.users, users, userWeights, count, vectors.dim, width, halves);
  }

  /** From the inputs of the first activation to the scores. */
  private goOn(count: number, scores: Float64Array): void {
    const { width, first, weigh, activation, multiply } = this;
    activate(activation, first, count * width);
    let x = first;
    for (const { weights, bias, inputs, outputs, rows } of this.layers) {
      multiply(x, null, weights, count, inputs, outputs, rows);
      addRow(bias, count, outputs, rows);
      activate(activation, rows, count * outputs);
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

/** Scores items for users by index. */
export class NeuralScorer {
  readonly gmf: PairVectors | null;
  readonly mlp: PairVectors | null;
  /** Products of two short vectors that a score is worth. */
  readonly cost: number;
  readonly items: number;
  private readonly weigh: Float32Array;
  private readonly bias: number;
  private readonly tower: TowerScorer | null;
  /** p (.) h of the user at hand. */
  private readonly product: Float64Array;

  private constructor(tables: NeuralTables, activation: ActivationName, multiply: Kernels['multiply']) {
    this.gmf = vectorsOf(tables, 'gmf');
    this.mlp = vectorsOf(tables, 'mlp');
    this.items = (tables.get('gmfItem') ?? tables.get('mlpItem'))!.rows;
    this.weigh = Float32Array.from(tables.get('output')!.values);
    this.bias = tables.get('outputBias')!.values[0]!;
    this.product = new Float64Array(this.gmf?.dim ?? 0);
    const rest = this.weigh.subarray(this.product.length);
    this.tower = this.mlp && new TowerScorer(tables, this.mlp, activation, rest, multiply);
    let multiplications = this.product.length;
    for (const [name, { rows, dim }] of tables) if (/^mlp\d+$/.test(name)) multiplications += rows * dim;
    this.cost = Math.max(1, Math.round(multiplications / 16));
  }

  /** Lays out what does not depend on users, giving way to other tasks. */
  static async of(
    tables: NeuralTables,
    activation: ActivationName,
    multiply: Kernels['multiply'],
    scheduler: Scheduler,
  ): Promise<NeuralScorer> {
    const scorer = new NeuralScorer(tables, activation, multiply);
    const { tower, items } = scorer;
    if (tower !== null) await forEachChunk(items, scheduler, (from, to) => tower.layOut(from, to));
    return scorer;
  }

  /** The same at once. */
  static now(tables: NeuralTables, activation: ActivationName, multiply: Kernels['multiply']): NeuralScorer {
    const scorer = new NeuralScorer(tables, activation, multiply);
    scorer.tower?.layOut(0, scorer.items);
    return scorer;
  }

  /** Takes a user to hand. */
  begin(user: number): void {
    this.tower?.begin(user);
    const { gmf, product, weigh } = this;
    for (let k = 0; k < product.length; k++) product[k] = weigh[k]! * gmf!.users[user * gmf!.dim + k]!;
  }

  /** The scores of up to ITEMS_AT_ONCE items for the user at hand. @throws DataError where one is no number */
  score(items: Int32Array, count: number, scores: Float64Array): void {
    const { gmf, product, bias, tower } = this;
    const { length } = product;
    for (let s = 0; s < count; s++) {
      const from = items[s]! * length;
      let sum = bias;
      for (let k = 0; k < length; k++) sum += product[k]! * gmf!.items[from + k]!;
      scores[s] = sum;
    }
    tower?.add(items, count, scores);
    checkScores(items, count, scores);
  }

  /** The scores of up to ITEMS_AT_ONCE pairs. @throws DataError where one is no number */
  scorePairs(users: Int32Array, items: Int32Array, count: number, scores: Float64Array): void {
    const { gmf, weigh, bias, tower, product } = this;
    const { length } = product;
    for (let s = 0; s < count; s++) {
      let sum = bias;
      for (let k = 0, p = users[s]! * length, q = items[s]! * length; k < length; k++, p++, q++)
        sum += weigh[k]! * gmf!.users[p]! * gmf!.items[q]!;
      scores[s] = sum;
    }
    tower?.addPairs(users, items, count, scores);
    checkScores(items, count, scores);
  }
}

function checkScores(items: Int32Array, count: number, scores: Float64Array): void {
  for (let s = 0; s < count; s++) {
    if (Number.isFinite(scores[s]!)) continue;
    throw new DataError(
      `the score of item number ${items[s]} is ${scores[s]}: numbers of the model are beyond what arithmetic holds; ` +
        'load the file again from its source, or train with a lower learning rate',
    );
  }
}
