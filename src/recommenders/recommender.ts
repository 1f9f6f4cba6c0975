// What a user of the library holds. The shapes are those of docs/api: they do not change without a major version.

import type { Bytes } from '../core/bytes';
import type { Interactions } from '../data/interactions';
import type { Id } from '../data/vocabulary';
import type { MetricName, Scores } from '../metrics/metric-names';
import type { ItemMask } from '../serving/item-mask';
import type { RecommendationList, RecommendManyOptions, RecommendOptions } from '../serving/questions';
import type { EpochRecord, History } from '../training/fit';

/** How a fit is watched and stopped. */
export interface FitOptions {
  /**
   * Ratings that are not trained on; `metrics` are measured on them after every epoch. For ranking metrics every row of
   * them is relevant (where scores are probabilities: those of a value above 0), and all trained items are ranked that the user does not have in training: users x items x rank.
   */
  readonly validation?: Interactions | undefined;
  /**
   * Of ratings, where scores are ratings, and of rankings: 'rmse', 'ndcg@10'.
   * @defaultValue ['rmse', 'mae'] where scores are ratings, else ['ndcg@10']
   */
  readonly metrics?: readonly MetricName[] | undefined;
  /** Stops when `metric` (of rankings more is better) has not improved by `minDelta` for `patience` epochs, and puts the best epoch back. */
  readonly earlyStopping?:
    | {
        /** @defaultValue the first of `metrics` */
        readonly metric?: MetricName | undefined;
        /** @defaultValue 3 */
        readonly patience?: number | undefined;
        /** @defaultValue 0 */
        readonly minDelta?: number | undefined;
      }
    | undefined;
  /**
   * Called after every epoch, and awaited. What it throws or rejects with, `fit` rejects with, and leaves what an abort
   * leaves. It must not wait for another training of the same recommender, which waits for this one.
   */
  readonly onEpoch?: ((epoch: EpochRecord) => unknown) | undefined;
  /**
   * Aborts the fit, also while it waits for its turn or for a callback: it rejects with the signal's reason. A recommender
   * that was fitted before stays as it was; one that was not keeps the last epoch that was trained and measured.
   */
  readonly signal?: AbortSignal | undefined;
  /** Hands out the whole training after every so many epochs. `write` is awaited, and may fail, as `onEpoch`. */
  readonly checkpoint?:
    | {
        /** @defaultValue 1 */
        readonly every?: number | undefined;
        write(bytes: Bytes, epoch: number): unknown;
      }
    | undefined;
  /**
   * Goes on from a checkpoint of the same options and data, to the bits of a fit that never stopped; `kernels` and
   * `threads` may be others. @throws FormatError for damaged bytes; OptionError and DataError for another training's
   */
  readonly resume?: Uint8Array | undefined;
}

/** Who goes on training with new interactions. */
export interface PartialFits {
  /** Goes on training with new interactions, of known or new users and items; before a fit it is `fit`. */
  partialFit(data: Interactions, options?: FitOptions): Promise<History>;
}

/** Who has tables that may be products: everything that takes `overparam`. */
export interface Collapses<R> {
  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): R;
}

/**
 * A recommender: fitted to interactions, asked by the caller's ids. What only some kinds can do is in interfaces of its own:
 * Similar, FoldsIn, Explains, PartialFits, Collapses. A kind that cannot do a thing has no such method; where any kind may
 * come, as from `loadRecommender`, ask for it: `if ('foldInUser' in model)`.
 */
export interface Recommender<O extends object = object> {
  /** The name of its kind: 'mf', 'overparam-mf'. */
  readonly name: string;
  /** The options in force, plain JSON. */
  readonly options: Readonly<O>;
  readonly isFitted: boolean;
  /** What predictions are: ratings, probabilities of a value of 1, or numbers that mean nothing but their order. */
  readonly scores: Scores;
  /** A recommender of the same kind and options, not fitted. */
  fresh(): Recommender;
  fit(data: Interactions, options?: FitOptions): Promise<History>;
  predict(userId: Id, itemId: Id): number;
  predictMany(pairs: Iterable<readonly [Id, Id]> | Interactions): Float32Array;
  recommend(userId: Id, options?: RecommendOptions): RecommendationList;
  recommendMany(userIds: Iterable<Id>, options?: RecommendManyOptions): Promise<Map<Id, RecommendationList>>;
  recommendEach(userIds: Iterable<Id>, options?: RecommendManyOptions): AsyncIterable<[Id, RecommendationList]>;
  /** A set of items for `candidates` and `exclude`, to be used again and again: ids are looked up once. */
  itemMask(itemIds: Iterable<Id>): ItemMask;
  /** Whether training saw both, or the user, where no item is given; predictions of others are baselines. */
  knows(userId: Id, itemId?: Id): boolean;
  /** What training saw of each row of some data: 2, the pair of its user and item; 1, both, but not together; 0, not both. */
  familiarity(data: Interactions): Uint8Array;
  save(options?: {
    /** Who has rated what: `filterSeen` needs it after a load. @defaultValue true */
    readonly history?: boolean | undefined;
  }): Bytes;
}
