// What ItemKNN and EASE share: answers from weights between items, which are learned at once from who has what.

import type { Bytes } from '../../core/bytes';
import type { Interactions } from '../../data/interactions';
import type { Id } from '../../data/vocabulary';
import type { Explains, FoldsIn, Similar } from '../../serving/capabilities';
import { explain, foldInUser, similarItems } from '../../serving/capabilities';
import { BASE, ItemState } from '../../serving/item-state';
import type { DenseWeights, NeighborLists } from '../../serving/item-weights';
import type { FoldedUser } from '../../serving/predictor';
import type { HistoryRow, Recommendation, SimilarOptions } from '../../serving/questions';
import { encodeModel, parseObject, type SavedModel, vector } from '../../serving/saved-model';
import { IdRecommender } from '../id-recommender';
import type { OptionsInForce } from '../training-options';
import type { Histories } from './histories';

/** The options that a saved recommender was made with: its next fit chooses again what that one left to the data. */
export function askedOf({ options, metadata: { asked } }: SavedModel): object {
  return asked === undefined ? options : { ...options, ...parseObject(asked, 'asked') };
}

/** A recommender by weights between items. */
export abstract class ItemRecommender<Options extends object = object>
  extends IdRecommender
  implements Pick<Similar, 'similarItems'>, Pick<FoldsIn, 'foldInUser'>, Explains
{
  /** @internal */
  declare state: ItemState<DenseWeights | NeighborLists> | undefined;
  readonly scores = 'order';
  private inForce: OptionsInForce<Options>;

  /** @param asked the caller's options, filled in: 'auto' stands in them for what each fit chooses by its data */
  protected constructor(
    owner: string,
    protected readonly asked: OptionsInForce<Options>,
  ) {
    super(owner);
    this.inForce = asked;
  }

  /** The options in force: what is 'auto' is, after a fit, the number that it came to for the data. */
  get options(): OptionsInForce<Options> {
    return this.inForce;
  }

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

  /** Takes over weights that were learned from the histories of some data, by some options. */
  protected learned(
    data: Pick<Interactions, 'users' | 'items'>,
    { seen }: Pick<Histories, 'seen'>,
    weights: DenseWeights | NeighborLists,
    options: OptionsInForce<Options>,
    base: Float32Array | null,
  ): void {
    this.inForce = options;
    this.install(new ItemState(this.owner, { ...data, seen }, weights, base));
  }

  protected encode(
    { users, items, seen, weights, base }: ItemState<DenseWeights | NeighborLists>,
    history: boolean,
  ): Bytes {
    const { name, options, asked } = this;
    const left = Object.entries(asked).filter(([, value]) => value === 'auto');
    const metadata = left.length === 0 ? {} : { asked: JSON.stringify(Object.fromEntries(left)) };
    const tensors = weights.tensors();
    if (base !== null) tensors.push([BASE, vector('F32', base)]);
    return encodeModel({ recommender: name, options, users, items, seen, tensors, metadata }, history);
  }
}
