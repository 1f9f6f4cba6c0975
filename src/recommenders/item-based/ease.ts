// EASE, the shallow autoencoder with a closed form, as a recommender.

import { DataError } from '../../core/errors';
import { type Filled, field, number, readOptions } from '../../core/options';
import type { Interactions } from '../../data/interactions';
import type { Id } from '../../data/vocabulary';
import {
  type Explains,
  explain,
  type FoldsIn,
  foldInUser,
  type Similar,
  similarItems,
} from '../../serving/capabilities';
import type { FoldedUser } from '../../serving/folded';
import { ItemState } from '../../serving/item-state';
import { DenseWeights } from '../../serving/item-weights';
import type {
  ExplainOptions,
  Explanation,
  Recommendation,
  SimilarOptions,
  UserHistoryRow,
} from '../../serving/questions';
import { encodeModel, type SavedModel } from '../../serving/saved-model';
import type { History } from '../../training/fit';
import type { FilledFitOptions } from '../fit-options';
import { IdRecommender } from '../id-recommender';
import { restore } from '../restore';
import { fitOnce } from './fit-once';
import { historiesOf } from './histories';
import { solveEase } from './solve-ease';

/** Beyond this the matrices are 300 MB, and the inverse minutes. */
const MAX_ITEMS = 5000;

/** The options of EASE. */
export interface EASEOptions {
  /** lambda, above 0: the ridge of every item's regression. @defaultValue 500 */
  readonly regularization?: number | undefined;
}

/** Their declarations. */
export const easeFields = () => ({ regularization: field(number({ min: 0, above: true }), 500) });

/**
 * Embarrassingly shallow autoencoder: a weight from every item to every other, by ridge regression of each item on the rest.
 *
 * score(u, i) = sum over the items j of u of B_ji; P = (X^T X + lambda I)^-1, B = -P / diag(P) by column, diag(B) = 0; X is
 * users x items, 1 where there is an interaction, whatever its value, and its weight unless that is 0: leave out beforehand what was disliked. Scores are
 * no ratings; that of a user or item that training never saw is 0. How alike items are: sign x sqrt(B_ij B_ji), from -1 to 1,
 * which is their partial correlation.
 *
 * Cost: fit O(sum over users of the square of their items + items^3), recommend O(items of the user x items);
 * memory 12 x items^2 bytes in the fit and 4 x items^2 after it and in a file. A model saved without history has no users
 * left; what is then folded in still works.
 *
 * @throws OptionError for an unknown option or a value out of its range; DataError from fit for more than 5,000 items.
 * @see Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), equation 8
 * @example
 * ```ts
 * import { EASE, Interactions } from 'opmf';
 * const model = new EASE({ regularization: 1 });
 * await model.fit(Interactions.from([['ann', 'tea'], ['ann', 'milk'], ['bob', 'tea'], ['bob', 'milk'], ['bob', 'soup'], ['cy', 'tea']]));
 * console.log(model.recommend('cy').map(({ itemId }) => itemId)); // [ 'milk', 'soup' ]
 * ```
 */
export class EASE
  extends IdRecommender<ItemState<DenseWeights>>
  implements Pick<Similar, 'similarItems'>, Pick<FoldsIn, 'foldInUser'>, Explains
{
  readonly name = 'ease';
  readonly scores = 'order';
  readonly options: Readonly<Filled<EASEOptions>>;

  constructor(options?: EASEOptions) {
    super('EASE');
    this.options = readOptions('EASE', options, easeFields());
  }

  fresh(): EASE {
    return new (this.constructor as typeof EASE)(this.options);
  }

  /** Solves. The history has no epochs. */
  protected async train(data: Interactions, options: FilledFitOptions): Promise<History> {
    const { size } = data.items;
    if (size > MAX_ITEMS) {
      throw new DataError(
        `EASE.fit: data has ${size} items, and EASE is dense over items: at most ${MAX_ITEMS}; use ItemKNN, or keep the most popular items`,
      );
    }
    return fitOnce('EASE', options, async (scheduler) => {
      const histories = await historiesOf(data, scheduler);
      const weights = await solveEase(histories, this.options.regularization, scheduler);
      this.install(new ItemState('EASE', { ...data, seen: histories.seen }, weights));
    });
  }

  /** The items most like one by its own measure, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** A user that training never saw, by its items. @see FoldsIn */
  foldInUser(history: Iterable<UserHistoryRow>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  /** What each item of a user's history adds to the score of an item, the most first. @see Explains */
  explain(userId: Id, itemId: Id, options?: ExplainOptions): Explanation[] {
    return explain(this.ask('explain'), userId, itemId, options);
  }

  protected encode(
    { users, items, seen, weights }: ItemState<DenseWeights>,
    history: boolean,
  ): Uint8Array<ArrayBuffer> {
    const { name, options } = this;
    return encodeModel({ recommender: name, options, users, items, seen, tensors: weights.tensors() }, history);
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): EASE {
    return restore(bytes, 'ease', EASE.of);
  }

  /** A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): EASE {
    const model = new EASE(saved.options);
    model.install(new ItemState('EASE', saved, DenseWeights.decode(saved)));
    return model;
  }
}
