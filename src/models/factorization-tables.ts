// The shape and the start of a factorization: from checked options to its four parameters.

import { boolean, type Filled, field, integer, number, oneOf, readOptions, seed, wrong } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { createParameter } from '../parameters/create-parameter';
import type { Precision } from '../parameters/memory';
import { type OverparamPlan, planOverparam } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';

/** Longer vectors than anybody trains: a slip of the hand, told before memory is asked for. */
export const MAX_RANK = 65_536;
/** Rows are numbered by 32-bit integers. */
const MAX_ROWS = 2 ** 31 - 1;

/** The shape and the start of a factorization. */
export interface FactorizationOptions {
  /** The number of users, from 1. */
  readonly users: number;
  /** The number of items, from 1. */
  readonly items: number;
  /** The length of a user's and an item's vector. @defaultValue 32 */
  readonly rank?: number | undefined;
  /** Whether users and items have biases. @defaultValue true */
  readonly biases?: boolean | undefined;
  /** @defaultValue 1 */
  readonly seed?: Seed | undefined;
  /** The standard deviation of the normal draws that the embeddings start at. Biases start at 0. @defaultValue 0.1 */
  readonly initScale?: number | undefined;
  /** mu. @defaultValue 0 */
  readonly globalMean?: number | undefined;
  /** float64 is for checks of the mathematics. @defaultValue 'float32' */
  readonly precision?: Precision | undefined;
}

/** The parameters of a factorization; the biases are null where it has none. */
export interface FactorizationTables {
  readonly userEmbedding: Parameter;
  readonly itemEmbedding: Parameter;
  readonly userBias: Parameter | null;
  readonly itemBias: Parameter | null;
}

/** Reads the options that every factorization has. */
export function readFactorization(owner: string, given: FactorizationOptions): Readonly<Filled<FactorizationOptions>> {
  const read = readOptions<Filled<FactorizationOptions>>(owner, given, {
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

/** The dimension of each table, by its name; `extra` names embeddings beside those of users and items. */
export function tableDims(rank: number, biases: boolean, extra: readonly string[] = []): ReadonlyMap<string, number> {
  const dims = new Map(['userEmbedding', 'itemEmbedding', ...extra].map((name) => [name, rank]));
  return biases ? dims.set('userBias', 1).set('itemBias', 1) : dims;
}

/** The stream that every table of a seed's factorization forks its own from. */
export function parameterStream(seed: Seed): Stream {
  return Stream.of(seed).fork('parameters');
}

/** Makes the tables of a factorization, each given as the product that `overparam` names for it. */
export class TableMaker {
  private readonly plan: OverparamPlan;

  constructor(
    owner: string,
    private readonly options: Readonly<Filled<FactorizationOptions>>,
    overparam: unknown,
    extra: readonly string[] = [],
    private readonly constraint?: 'nonnegative',
  ) {
    this.plan = planOverparam(owner, overparam, tableDims(options.rank, options.biases, extra));
  }

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
    const shape = { name, group, rows, dim, precision, ...(constraint !== undefined && { constraint }) };
    return createParameter(shape, this.plan.get(name), sigma, parameterStream(seed));
  }
}
