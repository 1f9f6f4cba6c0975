// What ItemKNN and EASE share: answers from weights between items, which are learned at once from who has what.

import type { Interactions } from '../../data/interactions';
import type { Id } from '../../data/vocabulary';
import type { Explains, FoldsIn, Similar } from '../../serving/capabilities';
import { explain, foldInUser, similarItems } from '../../serving/capabilities';
import { ItemState } from '../../serving/item-state';
import type { DenseWeights, NeighborLists } from '../../serving/item-weights';
import type { FoldedUser } from '../../serving/predictor';
import type { HistoryRow, Recommendation, SimilarOptions } from '../../serving/questions';
import { encodeModel } from '../../serving/saved-model';
import { IdRecommender } from '../id-recommender';
import type { Histories } from './histories';

/** A recommender by weights between items. */
export abstract class ItemRecommender
  extends IdRecommender
  implements Pick<Similar, 'similarItems'>, Pick<FoldsIn, 'foldInUser'>, Explains
{
  /** @internal */
  declare state: ItemState<DenseWeights | NeighborLists> | undefined;
  readonly scores = 'order';

  /** The items most like one by its own measure, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** A user that training never saw, by its items. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  /** What each item of a user's history adds to the score of an item, the most first. @see Explains */
  explain(
    userId: Id,
    itemId: Id,
    options?: { readonly n?: number | undefined },
  ): { readonly itemId: Id; readonly contribution: number }[] {
    return explain(this.ask('explain'), userId, itemId, options);
  }

  /** Takes over weights that were learned from the histories of some data. */
  protected learned(
    data: Pick<Interactions, 'users' | 'items'>,
    { seen }: Pick<Histories, 'seen'>,
    weights: DenseWeights | NeighborLists,
  ): void {
    this.install(new ItemState(this.owner, { ...data, seen }, weights));
  }

  protected encode(
    { users, items, seen, weights }: ItemState<DenseWeights | NeighborLists>,
    history: boolean,
  ): Uint8Array<ArrayBuffer> {
    const { name, options } = this;
    return encodeModel({ recommender: name, options, users, items, seen, tensors: weights.tensors() }, history);
  }
}
