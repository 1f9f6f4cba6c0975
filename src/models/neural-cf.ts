// THE SEAM of the parts of a neural model of users and items: from a pair to numbers that an output layer weighs.

import type { Seed } from '../core/random';
import { type Pausable, runToEnd } from '../core/scheduler';
import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/heap';
import type { Real } from '../optimizers/factor';
import { createParameter, type OverparamPlan, planOverparam } from '../parameters/overparam';
import { allocate, type Parameter, type Precision } from '../parameters/parameter';
import { parameterStream } from './factorization';
import { type ActivationName, layerDims } from './forward';
import { DenseLayer, Perceptron } from './layers';
import type { Model, RatingBatch } from './model';

/** Rows of what all parts write: the numbers of row s of this part are rows[s * width + start ..]. */
export interface PartColumns {
  readonly rows: Real;
  readonly width: number;
  readonly start: number;
}

/** One part. */
export interface PairPart {
  readonly user: Parameter;
  readonly item: Parameter;
  /** Its two tables, then those of its layers. */
  readonly parameters: readonly Parameter[];
  /** How many numbers it makes of a pair. */
  readonly outputs: number;
  /** Makes room for steps of up to `count` pairs. */
  reserve(count: number): void;
  /** Names the rows of its layers; those of its tables are named by the model. */
  select(): void;
  /** In turns where there are layers. `step`: the number of the update, from 1; 0 for predictions. */
  forward(count: number, to: PartColumns, step: number): Pausable<void>;
  /** Adds to the gradients of its parameters. */
  backward(count: number, from: PartColumns): Pausable<void>;
  /** Moves the arrays that are not of its parameters, between two steps. */
  move(move: Move): void;
}

// Generalized matrix factorization: a user and an item multiplied element by element (He et al. 2017, equation 8). The
// output layer, which weighs each product, is the model's.

/** p_u (.) q_i. */
export class PairProduct implements PairPart {
  readonly parameters: readonly Parameter[];
  readonly outputs: number;

  constructor(
    readonly user: Parameter,
    readonly item: Parameter,
  ) {
    this.parameters = [user, item];
    this.outputs = user.dim;
  }

  reserve(count: number): void {
    this.user.reserve(count);
    this.item.reserve(count);
  }

  select(): void {}

  // biome-ignore lint/correctness/useYield: there is nothing that takes long
  *forward(count: number, { rows, width, start }: PartColumns): Pausable<void> {
    const { values: p, at: pAt, dim } = this.user;
    const { values: q, at: qAt } = this.item;
    for (let s = 0, to = start; s < count; s++, to += width) {
      const [user, item] = [pAt[s]! * dim, qAt[s]! * dim];
      for (let k = 0; k < dim; k++) rows[to + k] = p[user + k]! * q[item + k]!;
    }
  }

  // biome-ignore lint/correctness/useYield: as above
  *backward(count: number, { rows: g, width, start }: PartColumns): Pausable<void> {
    const { values: p, at: pAt, slot: pSlot, grads: gP, dim } = this.user;
    const { values: q, at: qAt, slot: qSlot, grads: gQ } = this.item;
    for (let s = 0, from = start; s < count; s++, from += width) {
      const [user, item] = [pAt[s]! * dim, qAt[s]! * dim];
      const [toUser, toItem] = [pSlot[s]! * dim, qSlot[s]! * dim];
      for (let k = 0; k < dim; k++) {
        const slope = g[from + k]!;
        gP[toUser + k] = gP[toUser + k]! + slope * q[item + k]!;
        gQ[toItem + k] = gQ[toItem + k]! + slope * p[user + k]!;
      }
    }
  }

  move(): void {}
}

// A user and an item side by side through hidden layers (He et al. 2017, equation 10).

/** layers([p_u, q_i]). */
export class PairTower implements PairPart {
  readonly parameters: readonly Parameter[];
  readonly outputs: number;
  private input: Real;
  private gOutput: Real;
  /** Which rows of `input`, as rows of one vector each, are of users and of items, and what they are multiplied by: 1. */
  private userRows = new Int32Array(0);
  private itemRows = new Int32Array(0);
  private ones: Real;

  constructor(
    readonly user: Parameter,
    readonly item: Parameter,
    private readonly layers: Perceptron,
    private readonly precision: Precision,
  ) {
    this.parameters = [user, item, ...layers.parameters];
    this.outputs = layers.outputs;
    this.input = this.gOutput = this.ones = allocate(precision, 0);
  }

  reserve(count: number): void {
    this.user.reserve(count);
    this.item.reserve(count);
    this.layers.reserve(count);
    this.room(count);
  }

  /** Makes room in its own arrays: those of the tables hold the rows of the step by the time of `forward`. */
  private room(count: number): void {
    const { user, outputs, precision } = this;
    if (count * 2 * user.dim <= this.input.length) return;
    this.input = allocate(precision, count * 2 * user.dim);
    this.gOutput = allocate(precision, count * outputs);
    this.userRows = Int32Array.from({ length: count }, (_, s) => 2 * s);
    this.itemRows = this.userRows.map((row) => row + 1);
    this.ones = allocate(precision, count).fill(1);
  }

  select(): void {
    this.layers.select();
  }

  *forward(count: number, { rows, width, start }: PartColumns, step: number): Pausable<void> {
    this.room(count);
    const { user, item, input, outputs, ones, userRows, itemRows } = this;
    input.fill(0, 0, count * 2 * user.dim);
    kernels.scatterRows(ones, user.values, user.at, userRows, user.dim, count, input);
    kernels.scatterRows(ones, item.values, item.at, itemRows, item.dim, count, input);
    const output = yield* this.layers.forwardInTurns(input, count, step);
    for (let s = 0, to = start; s < count; s++, to += width)
      for (let k = 0; k < outputs; k++) rows[to + k] = output[s * outputs + k]!;
  }

  *backward(count: number, { rows: g, width, start }: PartColumns): Pausable<void> {
    const { user, item, gOutput, outputs, ones, userRows, itemRows } = this;
    for (let s = 0, from = start; s < count; s++, from += width)
      for (let k = 0; k < outputs; k++) gOutput[s * outputs + k] = g[from + k]!;
    const gInput = yield* this.layers.backwardInTurns(gOutput, count);
    kernels.scatterRows(ones, gInput, userRows, user.slot, user.dim, count, user.grads);
    kernels.scatterRows(ones, gInput, itemRows, item.slot, item.dim, count, item.grads);
  }

  move(move: Move): void {
    this.layers.move(move);
    this.input = move(this.input);
    this.gOutput = move(this.gOutput);
    this.userRows = move(this.userRows);
    this.itemRows = move(this.itemRows);
    this.ones = move(this.ones);
  }
}

// Neural collaborative filtering (He et al., WWW 2017): a product of a user and an item (GMF), hidden layers over both side
// by side (MLP), or the two together (NeuMF), and one output layer that weighs what they make.

/** What a model scores pairs by. */
export type NeuralVariant = 'neumf' | 'gmf' | 'mlp';

/** The form of a model, whoever the users and items are. */
export interface NeuralForm {
  readonly variant: NeuralVariant;
  /** The length of the vectors that GMF multiplies. */
  readonly rank: number;
  /** The length of each of the two vectors that enter the MLP side by side. */
  readonly embeddingDim: number;
  /** The outputs of each hidden layer of the MLP. */
  readonly hidden: readonly number[];
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
function neuralDims({ variant, rank, embeddingDim, hidden }: NeuralForm): ReadonlyMap<string, number> {
  const dims: [string, number][] = [];
  if (variant !== 'mlp') dims.push(['gmfUser', rank], ['gmfItem', rank]);
  if (variant !== 'gmf') dims.push(['mlpUser', embeddingDim], ['mlpItem', embeddingDim], ...layerDims('mlp', hidden));
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
  const { variant, rank, embeddingDim, hidden } = form;
  const tables: [string, number, number][] = [];
  let last = variant === 'mlp' ? 0 : rank;
  if (variant !== 'mlp') tables.push(['gmfUser', users, rank], ['gmfItem', items, rank]);
  if (variant !== 'gmf') {
    tables.push(['mlpUser', users, embeddingDim], ['mlpItem', items, embeddingDim]);
    let inputs = 2 * embeddingDim;
    for (const [name, outputs] of layerDims('mlp', hidden)) {
      tables.push([name, inputs, outputs], [`${name}Bias`, 1, outputs]);
      inputs = outputs;
    }
    last += inputs;
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

  /** @internal */
  constructor(options: NeuralCFModelOptions) {
    const { users, items, variant, rank, embeddingDim, hidden, activation, dropout } = options;
    const { initScale, overparam, seed, precision } = options;
    const plan = planNeural('NeuralCF', overparam, options);
    const stream = parameterStream(seed);
    const table = (name: string, rows: number, dim: number) =>
      createParameter({ name, group: 'embedding', rows, dim, precision }, plan.get(name), initScale, stream);
    const parts: PairPart[] = [];
    if (variant !== 'mlp') parts.push(new PairProduct(table('gmfUser', users, rank), table('gmfItem', items, rank)));
    if (variant !== 'gmf') {
      const inputs = 2 * embeddingDim;
      const perceptron = new Perceptron(
        { name: 'mlp', inputs, hidden, activation, dropout, batchNorm: false, precision },
        plan,
        stream,
      );
      const [user, item] = [table('mlpUser', users, embeddingDim), table('mlpItem', items, embeddingDim)];
      parts.push(new PairTower(user, item, perceptron, precision));
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

  forward(batch: RatingBatch, scores: Real, step = 0): void {
    runToEnd(this.forwardInTurns(batch, scores, step));
  }

  backward(batch: RatingBatch, gScores: Real): void {
    runToEnd(this.backwardInTurns(batch, gScores));
  }

  /** @internal */
  *forwardInTurns({ count }: RatingBatch, scores: Real, step: number): Pausable<void> {
    this.room(count);
    const { made, width } = this;
    let start = 0;
    for (const part of this.parts) {
      yield* part.forward(count, { rows: made, width, start }, step);
      start += part.outputs;
    }
    const output = this.output.forward(made, count);
    for (let s = 0; s < count; s++) scores[s] = output[s]!;
  }

  /** @internal */
  *backwardInTurns({ count }: RatingBatch, gScores: Real): Pausable<void> {
    const { width } = this;
    const rows = this.output.backward(gScores, count);
    let start = 0;
    for (const part of this.parts) {
      yield* part.backward(count, { rows, width, start });
      start += part.outputs;
    }
  }

  reserve(count: number): void {
    for (const part of this.parts) part.reserve(count);
    this.output.reserve(count);
    this.room(count);
  }

  /** @internal */
  move(move: Move): void {
    for (const part of this.parts) part.move(move);
    this.output.move(move);
    this.made = move(this.made);
  }

  private room(count: number): void {
    if (count * this.width > this.made.length) this.made = allocate(this.precision, count * this.width);
  }
}
