// What answers questions: the collapsed tables of a trained factorization, with predictions on the rating scale.
// A row that training never saw has its random start in the tables; it is read as 0, so that the answer is the baseline.

import { kernels } from '../kernels/select';
import type { Real } from '../optimizers/factor';
import type { Link } from '../training/link';
import type { Units } from './units';
import { linkOf } from './units';

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

/** Scores and predictions of users and items by index; -1 is a user or item that is not known. */
export class ServedTables {
  private readonly link: Link;

  constructor(
    readonly tables: Tables,
    readonly units: Units,
    private readonly userIsTrained: (user: number) => boolean,
    private readonly itemIsTrained: (item: number) => boolean,
  ) {
    this.link = linkOf(units);
  }

  /** The score; rows that are unknown or untrained contribute nothing: mean + known biases. */
  score(user: number, item: number): number {
    const { tables } = this;
    const knowsUser = user >= 0 && this.userIsTrained(user);
    const knowsItem = item >= 0 && this.itemIsTrained(item);
    let score = tables.globalMean;
    if (knowsUser && tables.userBias.length > 0) score += tables.userBias[user]!;
    if (knowsItem && tables.itemBias.length > 0) score += tables.itemBias[item]!;
    if (knowsUser && knowsItem) {
      const { rank } = tables;
      score += kernels.dot(tables.userEmbedding, user * rank, tables.itemEmbedding, item * rank, rank);
    }
    return score;
  }

  /** A score as a rating, not clipped. Identity: the tables are on the rating scale already. */
  toRating(score: number): number {
    const { link, shift, scale } = this.units;
    return link === 'identity' ? score : shift + scale * this.link.predict(score);
  }

  /** The predicted rating, clipped to the range of the training ratings on request. */
  predict(user: number, item: number, clip: boolean): number {
    const rating = this.toRating(this.score(user, item));
    return clip ? Math.min(Math.max(rating, this.units.minimum), this.units.maximum) : rating;
  }
}
