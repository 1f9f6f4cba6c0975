// Biased matrix factorization as a scoring function of four parameters, whatever products these are:
// score(u, i) = mu + b_u + b_i + <p_u, q_i> (Koren, Bell, Volinsky 2009, equation 4).

import ndarray, { type NdArray } from 'ndarray';
import { boolean, field, integer, number, oneOf, readOptions, seed, wrong } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { kernels } from '../kernels/select';
import type { Real } from '../optimizers/factor';
import { createParameter } from '../parameters/create-parameter';
import type { Precision } from '../parameters/memory';
import { planOverparam } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';
import type { Batcher, Model, RatingData } from './model';
import { type RatingBatch, RatingBatcher } from './rating-batcher';

/** The shape and the start of a factorization. */
export interface FactorizationOptions {
  /** The number of users, from 1. */
  readonly users: number;
  /** The number of items, from 1. */
  readonly items: number;
  /** The length of a user's and an item's vector. @defaultValue 32 */
  readonly rank?: number;
  /** Whether users and items have biases. @defaultValue true */
  readonly biases?: boolean;
  /** @defaultValue 1 */
  readonly seed?: Seed;
  /** The standard deviation of the normal draws that the embeddings start at. Biases start at 0. @defaultValue 0.1 */
  readonly initScale?: number;
  /** mu. @defaultValue 0 */
  readonly globalMean?: number;
  /** float64 is for checks of the mathematics. @defaultValue 'float32' */
  readonly precision?: Precision;
}

/** Reads the options that every factorization has. */
export function readFactorization(
  owner: string,
  given: FactorizationOptions,
): Readonly<Required<FactorizationOptions>> {
  const read = readOptions<Required<FactorizationOptions>>(owner, given, {
    users: field(integer({ min: 1 }), 0),
    items: field(integer({ min: 1 }), 0),
    rank: field(integer({ min: 1 }), 32),
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

/** The tables of a factorization and the scores that they give. */
export abstract class Factorization implements Model<RatingBatch> {
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

  protected constructor(owner: string, options: FactorizationOptions, overparam: unknown) {
    const { users, items, rank, biases, seed, initScale, globalMean, precision } = readFactorization(owner, options);
    const dims = new Map([
      ['userEmbedding', rank],
      ['itemEmbedding', rank],
      ...(biases
        ? ([
            ['userBias', 1],
            ['itemBias', 1],
          ] as const)
        : []),
    ]);
    const plan = planOverparam(owner, overparam, dims);
    const stream = parameterStream(seed);
    const table = (name: string, group: 'embedding' | 'bias', rows: number) =>
      createParameter(
        { name, group, rows, dim: dims.get(name)!, precision },
        plan.get(name),
        group === 'bias' ? 0 : initScale,
        stream,
      );
    this.users = users;
    this.items = items;
    this.rank = rank;
    this.globalMean = globalMean;
    this.userEmbedding = table('userEmbedding', 'embedding', users);
    this.itemEmbedding = table('itemEmbedding', 'embedding', items);
    this.userBias = biases ? table('userBias', 'bias', users) : null;
    this.itemBias = biases ? table('itemBias', 'bias', items) : null;
    this.parameters = [this.userEmbedding, this.itemEmbedding, this.userBias, this.itemBias].filter((p) => p !== null);
  }

  batches(data: RatingData, stream: Stream): Batcher<RatingBatch> {
    return new RatingBatcher(data, stream);
  }

  forward(batch: RatingBatch, scores: Real): void {
    const { userEmbedding, itemEmbedding, userBias, itemBias, globalMean } = this;
    const { users, items, count } = batch;
    userEmbedding.select(users, count);
    itemEmbedding.select(items, count);
    for (let s = 0; s < count; s++) scores[s] = globalMean;
    if (userBias !== null && itemBias !== null) {
      userBias.select(users, count);
      itemBias.select(items, count);
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
    kernels.scatterRows(gScores, q.values, q.at, p.slot, rank, count, p.grads);
    kernels.scatterRows(gScores, p.values, p.at, q.slot, rank, count, q.grads);
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
    this.forward(
      { count: 1, users: Int32Array.of(user), items: Int32Array.of(item), targets: scores, weights: null },
      scores,
    );
    return scores[0]!;
  }

  /** The user vectors, users x rank: a view without a copy where the table is plain, else of the product. */
  get userFactors(): NdArray<Real> {
    return view(this.userEmbedding, this.rank);
  }
  /** The item vectors, items x rank: a view without a copy where the table is plain, else of the product. */
  get itemFactors(): NdArray<Real> {
    return view(this.itemEmbedding, this.rank);
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

/** The stream that every table of a seed's factorization forks its own from. */
export function parameterStream(seed: Seed): Stream {
  return Stream.of(seed).fork('parameters');
}

/** Throws OptionError where a row is not one of the table's. */
export function checkRow(name: string, row: number, rows: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= rows) throw wrong(name, row, `a row number from 0 to ${rows - 1}`);
}

/** A parameter's product as an array: its own memory where it is plain. */
export function tableOf(parameter: Parameter): Real {
  return parameter.factors.length === 1 ? parameter.values : parameter.collapse();
}

function view(parameter: Parameter, rank: number): NdArray<Real> {
  return ndarray(tableOf(parameter), [parameter.rows, rank]);
}

function biasValues(bias: Parameter | null, rows: number): Real {
  return bias === null ? new Float32Array(rows) : tableOf(bias);
}
