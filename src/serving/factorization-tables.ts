// What answers questions: the collapsed tables of a factorization, with predictions on the rating scale.
// A row that training never saw has its random start in the tables; it is read as 0, so that the answer is the baseline.

import type { Vocabulary } from '../data/vocabulary';
import { dot } from '../kernels/dot';
import type { Factorization } from '../models/factorization';
import { tableOf } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import type { Link } from '../training/losses';
import { indexMap } from './index-map';
import type { InteractionHistory } from './interaction-history';
import { linkOf, type RatingScale } from './rating-scale';
import type { PairColumns } from './trained-state';

/** The tables, by index. */
export interface Tables {
  readonly rank: number;
  readonly globalMean: number;
  readonly userEmbedding: Real;
  readonly itemEmbedding: Real;
  /** Empty where the model has no biases. */
  readonly userBias: Real;
  readonly itemBias: Real;
}

/** A trained factorization and all that answering questions needs. */
export interface ServedFactorization {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  readonly units: RatingScale;
  readonly tables: Tables;
  readonly served: ServedTables;
  /**
   * Of the rows that partialFit has left as they were: how many of their interactions have come since they were fitted.
   * Absent: none.
   */
  readonly unfitted?: Unfitted | undefined;
}

/** The same with its model: after a fit the one that was trained, after a load a plain one. */
export interface FittedFactorization extends ServedFactorization {
  readonly model: Factorization;
}

/** By the number of a user, or of an item. */
export interface Unfitted {
  readonly users: ReadonlyMap<number, number>;
  readonly items: ReadonlyMap<number, number>;
}

/** The tables of a model: its own memory where they are plain. The embeddings may be given, where they are at hand. */
export function tablesOf(
  { rank, globalMean, userEmbedding, itemEmbedding, userBias, itemBias }: Factorization,
  userTable = tableOf(userEmbedding),
  itemTable = tableOf(itemEmbedding),
): Tables {
  return {
    rank,
    globalMean,
    userEmbedding: userTable,
    itemEmbedding: itemTable,
    userBias: userBias === null ? new Float32Array(0) : tableOf(userBias),
    itemBias: itemBias === null ? new Float32Array(0) : tableOf(itemBias),
  };
}

/** Scores and predictions of users and items by index; -1 is a user or item that is not known. */
export class ServedTables {
  private readonly link: Link;

  constructor(
    private readonly tables: Tables,
    private readonly units: RatingScale,
    private readonly seen: InteractionHistory,
    /** Whether rows that training never saw are made of what is known of them, and no random start. */
    private readonly isEveryRowKnown = false,
  ) {
    this.link = linkOf(units);
  }

  /** Whether something is known of the user: by training, for most. */
  readonly hasUser = (user: number): boolean => this.isKnown(this.seen.userCounts, user);
  /** The same of the item. */
  readonly hasItem = (item: number): boolean => this.isKnown(this.seen.itemCounts, item);

  private isKnown(counts: Int32Array, row: number): boolean {
    return row >= 0 && (this.isEveryRowKnown ? row < counts.length : counts[row]! > 0);
  }

  /** Where the scores of a user start: mean + the bias of a known user, in float32. */
  base(user: number): number {
    const { globalMean, userBias } = this.tables;
    return Math.fround(Math.fround(globalMean) + (this.hasUser(user) ? (userBias[user] ?? 0) : 0));
  }

  /**
   * The score; rows that are unknown or untrained contribute nothing: mean + known biases. Rounded like the measure `sum`
   * of kernels/scoring, so that what is recommended has the score that is predicted.
   */
  score(user: number, item: number): number {
    const { rank, userEmbedding } = this.tables;
    if (this.hasUser(user)) return this.scoreOf(userEmbedding, user * rank, this.base(user), item);
    const { baseline } = this.units;
    if (baseline !== undefined) return Math.fround(baseline);
    const shift = this.hasItem(item) ? (this.tables.itemBias[item] ?? 0) : 0;
    return Math.fround(this.base(user) + shift);
  }

  /** The same for a user by its vector, which may be no row of the table, and by where its scores start. */
  scoreOf(vectors: Real, start: number, base: number, item: number): number {
    const { rank, itemEmbedding, itemBias } = this.tables;
    if (!this.hasItem(item)) return Math.fround(this.units.baseline ?? base);
    const product = dot(vectors, start, itemEmbedding, item * rank, rank);
    return Math.fround(Math.fround(base + (itemBias[item] ?? 0)) + product);
  }

  /** The same for an item by its vector and bias. */
  scoreOfItem(user: number, vector: Real, bias: number): number {
    const { rank, userEmbedding } = this.tables;
    if (!this.hasUser(user) && this.units.baseline !== undefined) return Math.fround(this.units.baseline);
    const product = this.hasUser(user) ? dot(userEmbedding, user * rank, vector, 0, rank) : 0;
    return Math.fround(Math.fround(this.base(user) + bias) + product);
  }

  /** A score as a rating, not clipped. */
  toRating(score: number): number {
    return this.units.shift + this.units.scale * this.link.predict(score);
  }

  /** The predicted rating, clipped to the range of the training ratings on request. */
  predict(user: number, item: number, clip: boolean): number {
    return this.prediction(this.score(user, item), clip);
  }

  /** A score as a prediction. */
  prediction(score: number, clip: boolean): number {
    const rating = this.toRating(score);
    return clip ? Math.min(Math.max(rating, this.units.minimum), this.units.maximum) : rating;
  }

  /** The predicted ratings of pairs, whose vocabularies may be others than the model's. */
  predictAll(users: Vocabulary, items: Vocabulary, pairs: PairColumns, clip: boolean): Float32Array {
    const predictions = new Float32Array(pairs.size);
    this.predictor(users, items, pairs, clip, predictions)(0, pairs.size);
    return predictions;
  }

  /** The same for a part of them at a time, from one row up to another. */
  predictor(users: Vocabulary, items: Vocabulary, pairs: PairColumns, clip: boolean, predictions: Float32Array) {
    const userOf = indexMap(pairs.users, users);
    const itemOf = indexMap(pairs.items, items);
    return (from: number, to: number): void => {
      for (let k = from; k < to; k++) {
        const user = pairs.userIndex[k]!;
        const item = pairs.itemIndex[k]!;
        predictions[k] = this.predict(userOf?.[user] ?? user, itemOf?.[item] ?? item, clip);
      }
    };
  }
}
