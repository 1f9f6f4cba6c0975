// Tables as a caller sees them: arrays and ndarray views of a parameter's product, and checked row numbers.

import type { NdArray } from 'ndarray';
import { boolean, type Filled, field, integer, number, oneOf, readOptions, seed, wrong } from '../core/options';
import { type Seed, Stream } from '../core/random';
import type { TaskScheduler } from '../core/scheduler';
import * as kernels from '../kernels/dispatch';
import { drawNormals } from '../kernels/normals';
import type { Real } from '../optimizers/factor';
import { matrixView } from '../parameters/matrix-view';
import { plainTable, startDraws, startedTable, tableDims, type ZeroTable } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';
import type { KernelChoice } from '../wasm/host';
import type { Model, RatingBatch } from './model';

/** Throws OptionError where a row is not one of the table's. */
export function checkRow(name: string, row: number, rows: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= rows) throw wrong(name, row, `a row number from 0 to ${rows - 1}`);
}

/** A parameter's product as an array: its own memory where it is plain. */
export function tableOf(parameter: Parameter): Real {
  return parameter.factors.length === 1 ? parameter.values : parameter.collapse();
}

/** The same as an ndarray, rows x dim. */
export function tableView(parameter: Parameter): NdArray<Real> {
  return matrixView(tableOf(parameter), parameter.rows, parameter.dim);
}

/** The values of a bias table; zeros where there is none. */
export function biasValues(bias: Parameter | null, rows: number): Real {
  return bias === null ? new Float32Array(rows) : tableOf(bias);
}

// The shape and the start of a factorization: from checked options to its four parameters.

/** Longer vectors than anybody trains: a slip of the hand, told before memory is asked for. */
export const MAX_RANK = 65_536;
/** Rows are numbered by 32-bit integers. */
const MAX_ROWS = 2 ** 31 - 1;

/** The options of MFModel: the shape and the start of a factorization. */
export interface MFModelOptions {
  /** The number of users, from 1. */
  readonly users: number;
  /** The number of items, from 1. */
  readonly items: number;
  /** The length of a user's and an item's vector. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** Whether users and items have biases. @defaultValue true */
  readonly biases?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: number | string | undefined;
  /** The standard deviation of the normal draws that the embeddings start at. Biases start at 0. @defaultValue 0.1 */
  readonly initScale?: number | undefined;
  /** mu. @defaultValue 0 */
  readonly globalMean?: number | undefined;
  /** float64 is for checks of the mathematics. @defaultValue 'float32' */
  readonly precision?: 'float32' | 'float64' | undefined;
}

/** The parameters of a factorization; the biases are null where it has none. */
export interface FactorizationTables {
  readonly userEmbedding: Parameter;
  readonly itemEmbedding: Parameter;
  readonly userBias: Parameter | null;
  readonly itemBias: Parameter | null;
}

/** Reads the options that every factorization has. */
export function readFactorization(owner: string, given: MFModelOptions): Readonly<Filled<MFModelOptions>> {
  const read = readOptions<Filled<MFModelOptions>>(owner, given, {
    users: field(integer({ min: 1, max: MAX_ROWS }), 0),
    items: field(integer({ min: 1, max: MAX_ROWS }), 0),
    rank: field(integer({ min: 1, max: MAX_RANK }), 32),
    biases: field(boolean, true),
    seed: field(seed, 1),
    initScale: field(number({ min: 0 }), 0.1),
    globalMean: field(number(), 0),
    precision: field(oneOf('float32', 'float64'), 'float32'),
  });
  for (const name of ['users', 'items'] as const) {
    if (read[name] === 0)
      throw wrong(name, given?.[name], 'a whole number of at least 1: the number of rows of the table');
  }
  return read;
}

/** The stream that every table of a seed's factorization forks its own from. */
export function parameterStream(seed: Seed): Stream {
  return Stream.of(seed).fork('parameters');
}

/** Makes the tables of a factorization, each plain or the product that `zero` has for it. */
export class TableMaker {
  constructor(
    private readonly options: Readonly<Filled<MFModelOptions>>,
    private readonly zero: ZeroTable,
    private readonly constraint?: 'nonnegative',
  ) {}

  /** Those that every factorization has. */
  tables(): FactorizationTables {
    const { users, items } = this.options;
    return {
      userEmbedding: this.embedding('userEmbedding', users),
      itemEmbedding: this.embedding('itemEmbedding', items),
      userBias: this.bias('userBias', users),
      itemBias: this.bias('itemBias', items),
    };
  }

  /** An embedding. */
  embedding(name: string, rows: number): Parameter {
    const { rank, initScale } = this.options;
    return this.table(name, 'embedding', rows, rank, initScale);
  }

  private bias(name: string, rows: number): Parameter | null {
    return this.options.biases ? this.table(name, 'bias', rows, 1, 0) : null;
  }

  private table(name: string, group: 'embedding' | 'bias', rows: number, dim: number, sigma: number): Parameter {
    const { options, constraint } = this;
    const { seed, precision } = options;
    // Biases may be of either sign.
    const isKept = constraint !== undefined && group === 'embedding';
    const shape = { name, group, rows, dim, precision, ...(isKept && { constraint }) };
    return startedTable(this.zero, shape, sigma, parameterStream(seed));
  }
}

// Biased matrix factorization as a scoring function of four parameters, whatever products these are:
// score(u, i) = mu + b_u + b_i + <p_u, q_i> (Koren, Bell, Volinsky 2009, equation 4).

/** The tables of a factorization and the scores that they give. */
export abstract class Factorization implements Model<RatingBatch>, FactorizationTables {
  readonly users: number;
  readonly items: number;
  readonly rank: number;
  /** mu, in the unit of the scores. */
  globalMean: number;
  /** userEmbedding, itemEmbedding, and userBias, itemBias where there are biases. */
  readonly parameters: readonly Parameter[];
  readonly userEmbedding: Parameter;
  readonly itemEmbedding: Parameter;
  readonly userBias: Parameter | null;
  readonly itemBias: Parameter | null;

  /** `tablesOf`: what its tables are, once their dimensions are known; plain where it is left out. */
  protected constructor(
    owner: string,
    options: MFModelOptions,
    tablesOf: (dims: ReadonlyMap<string, number>) => ZeroTable = () => plainTable,
    constraint?: 'nonnegative',
  ) {
    const read = readFactorization(owner, options);
    const maker = new TableMaker(read, tablesOf(tableDims(read.rank, read.biases)), constraint);
    const { userEmbedding, itemEmbedding, userBias, itemBias } = maker.tables();
    this.users = read.users;
    this.items = read.items;
    this.rank = read.rank;
    this.globalMean = read.globalMean;
    this.userEmbedding = userEmbedding;
    this.itemEmbedding = itemEmbedding;
    this.userBias = userBias;
    this.itemBias = itemBias;
    this.parameters = [userEmbedding, itemEmbedding, userBias, itemBias].filter((table) => table !== null);
  }

  get sides() {
    const given = (...tables: readonly (Parameter | null)[]) => tables.filter((table) => table !== null);
    return { users: given(this.userEmbedding, this.userBias), items: given(this.itemEmbedding, this.itemBias) };
  }

  select({ users, items, count }: RatingBatch): void {
    const { userEmbedding, itemEmbedding, userBias, itemBias } = this;
    userEmbedding.select(users, count);
    itemEmbedding.select(items, count);
    userBias?.selectAs(userEmbedding);
    itemBias?.selectAs(itemEmbedding);
  }

  weigh({ weights, count }: RatingBatch): void {
    this.userEmbedding.weigh(weights!, count);
    this.itemEmbedding.weigh(weights!, count);
  }

  forward({ count }: RatingBatch, scores: Real): void {
    const { userEmbedding, itemEmbedding, userBias, itemBias, globalMean } = this;
    scores.fill(globalMean, 0, count);
    if (userBias !== null && itemBias !== null) {
      kernels.gatherAdd(userBias.values, userBias.at, count, scores);
      kernels.gatherAdd(itemBias.values, itemBias.at, count, scores);
    }
    kernels.rowDots(
      userEmbedding.values,
      userEmbedding.at,
      itemEmbedding.values,
      itemEmbedding.at,
      this.rank,
      count,
      scores,
    );
  }

  backward(batch: RatingBatch, gScores: Real): void {
    const { userEmbedding: p, itemEmbedding: q, userBias, itemBias, rank } = this;
    const { count } = batch;
    // Gradients that have just been started are still in the cache, and those that are left last will be.
    kernels.scatterRows(gScores, p.values, p.at, q.slot, rank, count, q.grads);
    kernels.scatterRows(gScores, q.values, q.at, p.slot, rank, count, p.grads);
    if (userBias !== null && itemBias !== null) {
      kernels.scatterAdd(gScores, userBias.slot, count, userBias.grads);
      kernels.scatterAdd(gScores, itemBias.slot, count, itemBias.grads);
    }
  }

  /** The score of a user and an item by index: mu + b_u + b_i + <p_u, q_i>. Cost: O(rank) and the products of two rows. */
  score(user: number, item: number): number {
    checkRow('user', user, this.users);
    checkRow('item', item, this.items);
    const scores = new Float64Array(1);
    const [users, items] = [Int32Array.of(user), Int32Array.of(item)];
    const batch = { count: 1, users, items, targets: scores, weights: null, visit: 0, sizes: null };
    this.select(batch);
    this.forward(batch, scores);
    return scores[0]!;
  }

  /** The user vectors, users x rank: a view without a copy where the table is plain, else of the product. */
  get userFactors(): NdArray<Real> {
    return tableView(this.userEmbedding);
  }
  /** The item vectors, items x rank: a view without a copy where the table is plain, else of the product. */
  get itemFactors(): NdArray<Real> {
    return tableView(this.itemEmbedding);
  }
  /** b_u; zeros where the model has no biases. */
  get userBiases(): Real {
    return biasValues(this.userBias, this.users);
  }
  /** b_i; zeros where the model has no biases. */
  get itemBiases(): Real {
    return biasValues(this.itemBias, this.items);
  }
}

// Plain biased matrix factorization: every table is its own only factor.

/**
 * Biased matrix factorization, bare: tables and scores by index, without a recommender around them.
 *
 * score(u, i) = mu + b_u + b_i + <p_u, q_i>
 *
 * Shapes: userFactors users x rank, itemFactors items x rank, userBiases users, itemBiases items.
 * Embeddings start at N(0, initScale^2), biases at 0. Cost of a score: O(rank).
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems" (2009), equation 4
 * @example
 * ```ts
 * import { MFModel } from 'opmf';
 * const model = new MFModel({ users: 3, items: 2, rank: 4, seed: 1 });
 * console.log(model.userFactors.shape.join(' x ')); // 3 x 4
 * console.log(Number.isFinite(model.score(0, 1))); // true
 * ```
 */
export class MFModel extends Factorization {
  constructor(options: MFModelOptions) {
    super('MFModel', options);
  }
}

/** How a start is drawn. */
interface StartOptions {
  readonly seed: Seed;
  readonly initScale: number;
  /** Who does the arithmetic, with the same bits. @defaultValue 'auto' */
  readonly kernels?: KernelChoice;
}

/** Draws between two looks at the clock, well under a millisecond; even, so that the pieces are the whole. */
const PIECE = 2048;

/**
 * Gives embeddings of a model that was made with `initScale: 0` the start of one made with `initScale`, to the bit, drawn
 * piece by piece: for large tables it takes seconds, in which a service must go on answering.
 */
export async function drawStart(
  embeddings: readonly Parameter[],
  { seed, initScale, kernels = 'auto' }: StartOptions,
  scheduler: TaskScheduler,
  /** Uniform from 0 to initScale instead of normal. */
  isUniform = false,
): Promise<void> {
  if (initScale === 0) return;
  for (const parameter of embeddings) {
    // In its own memory where it is plain: to copy a large table takes a turn of its own, and more.
    const isPlain = parameter.factors.length === 1 && parameter.values instanceof Float32Array;
    const start = isPlain ? (parameter.values as Float32Array) : new Float32Array(parameter.rows * parameter.dim);
    const draws = startDraws(parameter.name, parameterStream(seed));
    for (let from = 0; from < start.length; from += PIECE) {
      const to = Math.min(from + PIECE, start.length);
      if (isUniform) for (let i = from; i < to; i++) start[i] = initScale * draws.uniform();
      else drawNormals(draws, start, from, to, initScale, kernels);
      if (scheduler.isDue(PIECE)) await scheduler.yieldNow();
    }
    if (isPlain) continue;
    await scheduler.yieldNow();
    parameter.assign(start);
    await scheduler.yieldNow();
  }
}
