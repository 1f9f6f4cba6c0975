// The most popular items as a recommender: the least that any other must beat.

import type { Bytes } from '../../core/bytes';
import { UnsupportedError } from '../../core/errors';
import { readOptions } from '../../core/options';
import type { Interactions } from '../../data/interactions';
import { type FoldsIn, foldInUser } from '../../serving/capabilities';
import { countRows, InteractionHistory } from '../../serving/interaction-history';
import { PopularityState } from '../../serving/popularity-state';
import type { FoldedUser } from '../../serving/predictor';
import type { HistoryRow } from '../../serving/questions';
import { encodeModel, restore, type SavedModel } from '../../serving/saved-model';
import type { History } from '../../training/fit';
import { extendSeen } from '../extend-seen';
import type { FilledFitOptions } from '../fit-options';
import { IdRecommender } from '../id-recommender';
import type { FitOptions, PartialFits } from '../recommender';
import { fitOnce } from './histories';

/**
 * The same items for everybody: those with the most interactions, less what a user has seen.
 *
 * score(u, i) = how many interactions item i has in the training data, whatever their values and (unless 0) weights. `predict` gives that count,
 * which is no rating; 0 for an item that training never saw. Every list of recommendations has `basis: 'popularity'`.
 *
 * `partialFit` counts what is new as a fit to all of it would. Cost: fit O(interactions), predict O(1), recommend O(items).
 * Similar items and users: UnsupportedError.
 *
 * @throws OptionError for any option: it has none.
 * @see Ferrari Dacrema, Cremonesi, Jannach, "Are We Really Making Much Progress?" (RecSys 2019), TopPopular
 * @example
 * ```ts
 * import { Interactions, Popularity } from 'opmf';
 * const model = new Popularity();
 * await model.fit(Interactions.from([['ann', 'tea'], ['bob', 'tea'], ['bob', 'milk'], ['cy', 'soup'], ['cy', 'milk'], ['di', 'tea']]));
 * console.log(model.recommend('ann')[0]); // { itemId: 'milk', score: 2 }
 * ```
 */
export class Popularity extends IdRecommender implements Pick<FoldsIn, 'foldInUser'>, PartialFits {
  /** @internal */
  declare state: PopularityState | undefined;
  readonly name = 'popularity';
  readonly scores = 'order';
  readonly options: Readonly<Record<never, never>>;

  constructor(options?: Readonly<Record<never, never>>) {
    super('Popularity');
    this.options = readOptions('Popularity', options, {});
  }

  fresh(): Popularity {
    return new (this.constructor as typeof Popularity)();
  }

  /** Counts. The history has no epochs. */
  protected train(data: Interactions, options: FilledFitOptions): Promise<History> {
    return fitOnce('Popularity', options, async (scheduler) => {
      // Who has what, however much it weighs.
      const seen = await InteractionHistory.of(
        { ...data, weights: undefined },
        await countRows(data, scheduler),
        scheduler,
      );
      this.install(new PopularityState(data.users, data.items, seen));
    });
  }

  /** Counts the new interactions too. Of a pair that was there the count stays. Cost: that of the new, and the items. */
  async partialFit(data: Interactions, options?: FitOptions): Promise<History> {
    return this.goOn(data, options, (fitOptions) => this.update(data, fitOptions));
  }

  private update(data: Interactions, options: FilledFitOptions): Promise<History> {
    return fitOnce('Popularity', options, async (scheduler) => {
      const { users, items, seen } = this.need('partialFit');
      if (!seen.isKept) {
        throw new UnsupportedError(
          'Popularity.partialFit needs to know who has what already, and this model was saved without; save it with history: true, or fit it again',
        );
      }
      const all = await extendSeen({ users, items, seen }, data, scheduler);
      this.install(new PopularityState(all.users, all.items, all.seen));
    });
  }

  /** A user that training never saw, by its history. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  protected encode({ users, items, seen }: PopularityState, history: boolean): Bytes {
    return encodeModel({ recommender: this.name, options: {}, users, items, seen, tensors: [] }, history);
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): Popularity {
    return restore(bytes, 'popularity', (saved) => Popularity.of(saved));
  }

  /** @internal A recommender of a saved state. */
  static of({ options, users, items, seen }: SavedModel): Popularity {
    const model = new Popularity(options);
    model.install(new PopularityState(users, items, seen));
    return model;
  }
}
