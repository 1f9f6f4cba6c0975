// Biased matrix factorization as a scoring function of four parameters, whatever products these are:
// score(u, i) = mu + b_u + b_i + <p_u, q_i> (Koren, Bell, Volinsky 2009, equation 4).

import type { NdArray } from 'ndarray';
import { kernels } from '../kernels/select';
import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';
import {
  type FactorizationOptions,
  type FactorizationTables,
  readFactorization,
  TableMaker,
} from './factorization-tables';
import type { Model, RatingBatch } from './model';
import { biasValues, checkRow, tableView } from './table-view';

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

  protected constructor(owner: string, options: FactorizationOptions, overparam: unknown, constraint?: 'nonnegative') {
    const read = readFactorization(owner, options);
    const { userEmbedding, itemEmbedding, userBias, itemBias } = new TableMaker(
      owner,
      read,
      overparam,
      [],
      constraint,
    ).tables();
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
