// Neural collaborative filtering (He et al., WWW 2017): a product of a user and an item (GMF), hidden layers over both side
// by side (MLP), or the two together (NeuMF), and one output layer that weighs what they make.

import type { Seed } from '../core/random';
import type { Move } from '../kernels/move';
import type { Real } from '../optimizers/factor';
import { createParameter } from '../parameters/create-parameter';
import { allocate, type Precision } from '../parameters/memory';
import { type OverparamPlan, planOverparam } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';
import type { ActivationName } from './blocks/activations';
import { DenseLayer } from './blocks/dense-layer';
import type { PairPart } from './blocks/pair-part';
import { PairProduct } from './blocks/pair-product';
import { PairTower } from './blocks/pair-tower';
import { layerDims, Perceptron } from './blocks/perceptron';
import { parameterStream } from './factorization-tables';
import type { Model, RatingBatch } from './model';

/** What a model scores pairs by. */
export type NeuralVariant = 'neumf' | 'gmf' | 'mlp';

/** The form of a model, whoever the users and items are. */
export interface NeuralForm {
  readonly variant: NeuralVariant;
  /** The length of the vectors that are multiplied. */
  readonly factors: number;
  /** First both vectors of the MLP side by side, then the outputs of each hidden layer. */
  readonly layers: readonly number[];
  readonly activation: ActivationName;
  readonly dropout: number;
}

/** What a model is made of. */
export interface NeuralCFModelOptions extends NeuralForm {
  readonly users: number;
  readonly items: number;
  /** The standard deviation of the normal draws that the embeddings start at. */
  readonly initScale: number;
  readonly overparam: unknown;
  readonly seed: Seed;
  readonly precision: Precision;
}

/** The tables that may be written as products, with their dimensions. */
function neuralDims({ variant, factors, layers }: NeuralForm): ReadonlyMap<string, number> {
  const dims: [string, number][] = [];
  if (variant !== 'mlp') dims.push(['gmfUser', factors], ['gmfItem', factors]);
  if (variant !== 'gmf')
    dims.push(['mlpUser', layers[0]! / 2], ['mlpItem', layers[0]! / 2], ...layerDims('mlp', layers.slice(1)));
  return new Map([...dims, ['output', 1]]);
}

/** Reads `overparam`: one product is for embeddings, and for dense layers where it is dense. */
export function planNeural(owner: string, overparam: unknown, form: NeuralForm): OverparamPlan {
  return planOverparam(owner, overparam, neuralDims(form), (table, { kind }) => {
    return kind === 'dense' || table.endsWith('User') || table.endsWith('Item');
  });
}

/** The tables of a plain model, each with its rows and columns, in the order of its parameters. */
export function neuralTables(form: NeuralForm, users: number, items: number): [string, number, number][] {
  const { variant, factors, layers } = form;
  const tables: [string, number, number][] = [];
  let last = variant === 'mlp' ? 0 : factors;
  if (variant !== 'mlp') tables.push(['gmfUser', users, factors], ['gmfItem', items, factors]);
  if (variant !== 'gmf') {
    tables.push(['mlpUser', users, layers[0]! / 2], ['mlpItem', items, layers[0]! / 2]);
    for (const [l, [name, outputs]] of layerDims('mlp', layers.slice(1)).entries())
      tables.push([name, layers[l]!, outputs], [`${name}Bias`, 1, outputs]);
    last += layers.at(-1)!;
  }
  return [...tables, ['output', last, 1], ['outputBias', 1, 1]];
}

/** score(u, i) = h . [p_u (.) q_i, layers([p'_u, q'_i])] + b, or that of one of the two parts. */
export class NeuralCFModel implements Model<RatingBatch> {
  readonly users: number;
  readonly items: number;
  /** Those of GMF, those of the MLP, then the output layer's. */
  readonly parameters: readonly Parameter[];
  private readonly parts: readonly PairPart[];
  private readonly output: DenseLayer;
  private readonly width: number;
  private readonly precision: Precision;
  /** Of each pair what all parts make of it. */
  private made: Real;

  constructor(options: NeuralCFModelOptions) {
    const { users, items, variant, factors, layers, activation, dropout, initScale, overparam, seed, precision } =
      options;
    const plan = planNeural('NeuralCF', overparam, options);
    const stream = parameterStream(seed);
    const table = (name: string, rows: number, dim: number) =>
      createParameter({ name, group: 'embedding', rows, dim, precision }, plan.get(name), initScale, stream);
    const parts: PairPart[] = [];
    if (variant !== 'mlp')
      parts.push(new PairProduct(table('gmfUser', users, factors), table('gmfItem', items, factors)));
    if (variant !== 'gmf') {
      const [inputs, ...hidden] = layers as [number, ...number[]];
      const perceptron = new Perceptron(
        { name: 'mlp', inputs, hidden, activation, dropout, batchNorm: false, precision },
        plan,
        stream,
      );
      const half = inputs / 2;
      parts.push(new PairTower(table('mlpUser', users, half), table('mlpItem', items, half), perceptron, precision));
    }
    this.users = users;
    this.items = items;
    this.parts = parts;
    this.width = parts.reduce((sum, { outputs }) => sum + outputs, 0);
    this.precision = precision;
    this.made = allocate(precision, 0);
    this.output = new DenseLayer(
      { name: 'output', inputs: this.width, outputs: 1, start: 'xavier', precision, product: plan.get('output') },
      stream,
    );
    this.parameters = [...parts.flatMap(({ parameters }) => parameters), ...this.output.parameters];
  }

  get sides() {
    return { users: this.parts.map(({ user }) => user), items: this.parts.map(({ item }) => item) };
  }

  select({ users, items, count }: RatingBatch): void {
    const [first, ...others] = this.parts;
    first!.user.select(users, count);
    first!.item.select(items, count);
    for (const { user, item } of others) {
      user.selectAs(first!.user);
      item.selectAs(first!.item);
    }
    for (const part of this.parts) part.select();
    this.output.select();
  }

  weigh({ weights, count }: RatingBatch): void {
    const [{ user, item }] = this.parts as readonly [PairPart];
    user.weigh(weights!, count);
    item.weigh(weights!, count);
  }

  forward({ count }: RatingBatch, scores: Real, step = 0): void {
    this.room(count);
    const { made, width } = this;
    let start = 0;
    for (const part of this.parts) {
      part.forward(count, { rows: made, width, start }, step);
      start += part.outputs;
    }
    const output = this.output.forward(made, count);
    for (let s = 0; s < count; s++) scores[s] = output[s]!;
  }

  backward({ count }: RatingBatch, gScores: Real): void {
    const { width } = this;
    const rows = this.output.backward(gScores, count);
    let start = 0;
    for (const part of this.parts) {
      part.backward(count, { rows, width, start });
      start += part.outputs;
    }
  }

  reserve(count: number): void {
    for (const part of this.parts) part.reserve(count);
    this.output.reserve(count);
    this.room(count);
  }

  move(move: Move): void {
    for (const part of this.parts) part.move(move);
    this.output.move(move);
    this.made = move(this.made);
  }

  private room(count: number): void {
    if (count * this.width > this.made.length) this.made = allocate(this.precision, count * this.width);
  }
}
