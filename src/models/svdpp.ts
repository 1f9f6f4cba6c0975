// What the items of a user say of it together: |N|^-1/2 sum over j in N of y_j (Koren, KDD 2008, equation 15).

import type { Real } from '../optimizers/factor';
import { type Overparam, planOverparam, productsOf, tableDims } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';
import type { FactorizationTables, MFModelOptions } from './factorization';
import { checkRow, MFModel, readFactorization, TableMaker } from './factorization';
import type { Batch, Model } from './model';

/** Writes the pooled rows of a table, the first `count` that are named, each once; zeros where there are none. */
export function poolRows(
  table: Real,
  rows: ArrayLike<number>,
  count: number,
  rank: number,
  pooled: Float64Array,
): void {
  pooled.fill(0);
  for (let j = 0; j < count; j++) {
    for (let k = 0, from = rows[j]! * rank; k < rank; k++) pooled[k]! += table[from + k]!;
  }
  if (count === 0) return;
  const norm = 1 / Math.sqrt(count);
  for (let k = 0; k < rank; k++) pooled[k]! *= norm;
}

/** Adds to the vector of a user what its set pools. `pooled` is room for rank numbers. */
export function addPooled(
  vectors: Real,
  user: number,
  table: Real,
  set: ArrayLike<number>,
  rank: number,
  pooled: Float64Array,
): void {
  poolRows(table, set, set.length, rank, pooled);
  for (let k = 0; k < rank; k++) vectors[user * rank + k]! += pooled[k]!;
}

// SVD++ as a scoring function of five parameters, whatever products these are (Koren, KDD 2008, equation 15).

/** Some ratings of one user. Arrays may be longer than what is counted. */
export interface UserBatch extends Batch {
  /** The user, `count` times. */
  readonly users: Int32Array;
  readonly items: Int32Array;
  /** N(u), the first `setCount`. */
  readonly set: Int32Array;
  readonly setCount: number;
}

/** The options of SVDppModel. */
export interface SVDppModelOptions extends MFModelOptions {
  /** How tables are written as products. @defaultValue false */
  readonly overparam?: Overparam | undefined;
}

/**
 * SVD++, bare: tables and scores by index, without a recommender around them.
 *
 * score(u, i) = mu + b_u + b_i + <p_u + |N(u)|^-1/2 sum over j in N(u) of y_j, q_i>, N(u) the items that u has rated.
 *
 * A step takes ratings of one user, so that its set is pooled once. Parameters: userEmbedding, itemEmbedding,
 * implicitEmbedding (the y_j, items x rank), userBias, itemBias. Embeddings start at N(0, initScale^2), biases at 0.
 * Cost of a step: O((ratings + |N(u)|) rank).
 *
 * @throws OptionError for an unknown option, a value out of its range, or a dense width below the rank.
 * @see Koren, "Factorization Meets the Neighborhood" (KDD 2008), equation 15
 * @example
 * ```ts
 * import { SVDppModel } from 'opmf/models';
 * const model = new SVDppModel({ users: 3, items: 4, rank: 2, seed: 1 });
 * const rated = [[0, 1], [2], []];
 * const plain = model.collapse((user) => rated[user]!);
 * console.log(Math.abs(plain.score(0, 3) - model.score(0, 3, [0, 1])) < 1e-6); // true
 * ```
 */
export class SVDppModel implements Model<UserBatch>, FactorizationTables {
  readonly users: number;
  readonly items: number;
  readonly rank: number;
  /** mu, in the unit of the scores. */
  globalMean: number;
  readonly parameters: readonly Parameter[];
  readonly userEmbedding: Parameter;
  readonly itemEmbedding: Parameter;
  /** y: what an item says of the users that have rated it, whatever their ratings. */
  readonly implicitEmbedding: Parameter;
  readonly userBias: Parameter | null;
  readonly itemBias: Parameter | null;
  /** p_u + what is pooled, and its gradient, in double. */
  private readonly vector: Float64Array;
  private readonly gVector: Float64Array;

  constructor(options: SVDppModelOptions) {
    const { overparam = false, ...shape } = options ?? {};
    const read = readFactorization('SVDppModel', shape);
    const dims = tableDims(read.rank, read.biases, IMPLICIT);
    const maker = new TableMaker(read, productsOf(planOverparam('SVDppModel', overparam, dims)));
    const { userEmbedding, itemEmbedding, userBias, itemBias } = maker.tables();
    this.users = read.users;
    this.items = read.items;
    this.rank = read.rank;
    this.globalMean = read.globalMean;
    this.userEmbedding = userEmbedding;
    this.itemEmbedding = itemEmbedding;
    this.implicitEmbedding = maker.embedding('implicitEmbedding', read.items);
    this.userBias = userBias;
    this.itemBias = itemBias;
    const { implicitEmbedding } = this;
    this.parameters = [userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias].filter(
      (one) => one !== null,
    );
    this.vector = new Float64Array(this.rank);
    this.gVector = new Float64Array(this.rank);
  }

  get sides() {
    const given = (...tables: readonly (Parameter | null)[]) => tables.filter((table) => table !== null);
    const { userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias } = this;
    return { users: given(userEmbedding, userBias), items: given(itemEmbedding, implicitEmbedding, itemBias) };
  }

  select({ users, items, set, setCount, count }: UserBatch): void {
    const { userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias } = this;
    userEmbedding.select(users, count);
    itemEmbedding.select(items, count);
    implicitEmbedding.select(set, setCount);
    // Every rating of the step names the whole set, which a penalty per occurrence is to know.
    implicitEmbedding.occurrences.fill(count, 0, setCount);
    userBias?.selectAs(userEmbedding);
    itemBias?.selectAs(itemEmbedding);
  }

  weigh({ weights, count }: UserBatch): void {
    this.userEmbedding.weigh(weights!, count);
    this.itemEmbedding.weigh(weights!, count);
    this.implicitEmbedding.selection.weighAll(weights!, count);
  }

  forward({ count, setCount }: UserBatch, scores: Real): void {
    const { userEmbedding: p, itemEmbedding: q, implicitEmbedding: y, userBias, itemBias, vector, rank } = this;
    poolRows(y.values, y.at, setCount, rank, vector);
    for (let k = 0, from = p.at[0]! * rank; k < rank; k++) vector[k]! += p.values[from + k]!;
    const base = this.globalMean + (userBias === null ? 0 : userBias.values[userBias.at[0]!]!);
    for (let s = 0; s < count; s++) {
      let score = base + (itemBias === null ? 0 : itemBias.values[itemBias.at[s]!]!);
      for (let k = 0, from = q.at[s]! * rank; k < rank; k++) score += vector[k]! * q.values[from + k]!;
      scores[s] = score;
    }
  }

  backward({ count, setCount }: UserBatch, gScores: Real): void {
    const { userEmbedding: p, itemEmbedding: q, implicitEmbedding: y, userBias, itemBias } = this;
    const { vector, gVector, rank } = this;
    gVector.fill(0);
    for (let s = 0; s < count; s++) {
      const g = gScores[s]!;
      const from = q.at[s]! * rank;
      const to = q.slot[s]! * rank;
      for (let k = 0; k < rank; k++) {
        gVector[k]! += g * q.values[from + k]!;
        q.grads[to + k]! += g * vector[k]!;
      }
      if (userBias !== null && itemBias !== null) {
        userBias.grads[userBias.slot[s]!]! += g;
        itemBias.grads[itemBias.slot[s]!]! += g;
      }
    }
    for (let k = 0, to = p.slot[0]! * rank; k < rank; k++) p.grads[to + k]! += gVector[k]!;
    const norm = 1 / Math.sqrt(setCount);
    for (let j = 0; j < setCount; j++) {
      for (let k = 0, to = y.slot[j]! * rank; k < rank; k++) y.grads[to + k]! += norm * gVector[k]!;
    }
  }

  /** The score of a user that has rated the given items, each once, and an item, by index. Cost: O(rank x items given). */
  score(user: number, item: number, rated: ArrayLike<number>): number {
    checkRow('user', user, this.users);
    checkRow('item', item, this.items);
    const set = Int32Array.from(rated);
    for (const one of set) checkRow('rated', one, this.items);
    const scores = new Float64Array(1);
    const [users, items] = [Int32Array.of(user), Int32Array.of(item)];
    const batch = { count: 1, users, items, set, setCount: set.length, targets: scores, weights: null };
    this.select(batch);
    this.forward(batch, scores);
    return scores[0]!;
  }

  /**
   * The plain model with equal scores: the vector of a user is p_u and what its items pool, `itemsOf` giving the items that
   * it has rated, each once. In memory of its own. Cost: one pass over the tables and the sets.
   */
  collapse(itemsOf: (user: number) => ArrayLike<number>): MFModel {
    const { users, rank } = this;
    const plain = this.withoutSets();
    const vectors = plain.userEmbedding.values;
    const implicit = this.implicitEmbedding.collapse();
    const pooled = new Float64Array(rank);
    for (let user = 0; user < users; user++) addPooled(vectors, user, implicit, itemsOf(user), rank, pooled);
    return plain;
  }

  /** The plain model of the other tables, with p_u for the vector of a user. In memory of its own. */
  withoutSets(): MFModel {
    const { users, items, rank, globalMean, userEmbedding } = this;
    const precision = userEmbedding.factors[0]!.data instanceof Float64Array ? 'float64' : 'float32';
    const biases = this.userBias !== null;
    const plain = new MFModel({ users, items, rank, globalMean, precision, biases, initScale: 0 });
    const tables = this.parameters.filter((parameter) => parameter !== this.implicitEmbedding);
    for (const [i, parameter] of tables.entries()) plain.parameters[i]!.assign(parameter.collapse());
    return plain;
  }
}

/** The embeddings that SVD++ has beside those of every factorization. */
export const IMPLICIT: readonly string[] = ['implicitEmbedding'];
