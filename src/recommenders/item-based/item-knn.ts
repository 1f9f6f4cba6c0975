// Nearest neighbours among items as a recommender.

import { type Filled, field, integer, number, oneOf, readOptions } from '../../core/options';
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
import { NeighborLists } from '../../serving/item-weights';
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
import { FEATURE_WEIGHTINGS, type FeatureWeighting } from './feature-weights';
import { findNeighbors, SIMILARITIES, type Similarity } from './find-neighbors';
import { fitOnce } from './fit-once';
import { historiesOf } from './histories';

/** The options of ItemKNN. */
export interface ItemKNNOptions {
  /** How many neighbours an item keeps, at least 1. @defaultValue 100 */
  readonly neighbors?: number | undefined;
  /** `cosine`; `jaccard`: shared over all users of the two; `dot`: not normalized. @defaultValue 'cosine' */
  readonly similarity?: Similarity | undefined;
  /** Added below, at least 0: the more, the less is thought of items with few users. @defaultValue 0 */
  readonly shrinkage?: number | undefined;
  /** Whether users with few items tell more of them. @defaultValue 'none' */
  readonly featureWeighting?: FeatureWeighting | undefined;
}

/** Their declarations. */
export const itemKNNFields = () => ({
  neighbors: field(integer({ min: 1 }), 100),
  similarity: field(oneOf(...SIMILARITIES), 'cosine'),
  shrinkage: field(number({ min: 0 }), 0),
  featureWeighting: field(oneOf(...FEATURE_WEIGHTINGS), 'none'),
});

/**
 * Recommends what is most like the items that a user has.
 *
 * score(u, i) = sum over the items j of u that are among the k nearest neighbours of i: sim(i, j);
 * sim(i, j) = <x_i, x_j> / (|x_i| |x_j| + shrinkage) (cosine), x_i the column of users who have item i, weighted;
 * jaccard divides by |x_i|^2 + |x_j|^2 - <x_i, x_j> + shrinkage, dot by 1 + shrinkage.
 * Every interaction counts as one, whatever its value and (unless 0) weight: leave out beforehand what was disliked. Scores are no ratings;
 * that of a user or item that training never saw is 0.
 *
 * Cost: fit O(sum over users of the square of their items), recommend O(items of the user x neighbours + items);
 * memory O(items x neighbours). A model saved without history has no users left; what is then folded in still works.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Ferrari Dacrema, Cremonesi, Jannach, "Are We Really Making Much Progress?" (RecSys 2019), ItemKNN
 * @example
 * ```ts
 * import { Interactions, ItemKNN } from 'opmf';
 * const model = new ItemKNN({ neighbors: 2 });
 * await model.fit(Interactions.from([['ann', 'tea'], ['ann', 'milk'], ['bob', 'tea'], ['bob', 'milk'], ['bob', 'soup'], ['cy', 'tea']]));
 * console.log(model.recommend('cy').map(({ itemId }) => itemId)); // [ 'milk', 'soup' ]
 * ```
 */
export class ItemKNN
  extends IdRecommender<ItemState<NeighborLists>>
  implements Pick<Similar, 'similarItems'>, Pick<FoldsIn, 'foldInUser'>, Explains
{
  readonly name = 'item-knn';
  readonly scores = 'order';
  readonly options: Readonly<Filled<ItemKNNOptions>>;

  constructor(options?: ItemKNNOptions) {
    super('ItemKNN');
    this.options = readOptions('ItemKNN', options, itemKNNFields());
  }

  fresh(): ItemKNN {
    return new (this.constructor as typeof ItemKNN)(this.options);
  }

  /** Finds the neighbours. The history has no epochs. */
  protected train(data: Interactions, options: FilledFitOptions): Promise<History> {
    return fitOnce('ItemKNN', options, async (scheduler) => {
      const histories = await historiesOf(data, scheduler);
      const lists = await findNeighbors(histories, data.items, this.options, scheduler);
      this.install(new ItemState('ItemKNN', { ...data, seen: histories.seen }, lists));
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
    { users, items, seen, weights }: ItemState<NeighborLists>,
    history: boolean,
  ): Uint8Array<ArrayBuffer> {
    const { name, options } = this;
    return encodeModel({ recommender: name, options, users, items, seen, tensors: weights.tensors() }, history);
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): ItemKNN {
    return restore(bytes, 'item-knn', ItemKNN.of);
  }

  /** A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): ItemKNN {
    const model = new ItemKNN(saved.options);
    model.install(new ItemState('ItemKNN', saved, NeighborLists.decode(saved)));
    return model;
  }
}
