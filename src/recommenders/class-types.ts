// Classes that the library makes and callers only name: their types alone. Exported as classes, they would be values in the
// declarations of the package, and absent in the module: its build does not tell the two apart.

import type { ItemMask as ItemMaskClass } from '../serving/item-mask';
import type {
  FoldedItem as FoldedItemClass,
  FoldedUser as FoldedUserClass,
  Predictor as PredictorClass,
} from '../serving/predictor';
import type { FactorizationRecommender as FactorizationRecommenderClass } from './factorization-recommender';
import type { FeatureRecommender as FeatureRecommenderClass } from './features/feature-recommender';
import type { IdRecommender as IdRecommenderClass } from './id-recommender';
import type { ItemRecommender as ItemRecommenderClass } from './item-based/item-recommender';
import type { TableRecommender as TableRecommenderClass } from './table-recommender';

/** A user by its history alone, as `foldInUser` gives it. */
export type FoldedUser = FoldedUserClass;

/** An item by its history alone, as `foldInItem` gives it. */
export type FoldedItem = FoldedItemClass;

/** A set of items of one recommender, as `itemMask` gives it: for `candidates` and `exclude`, again and again. */
export type ItemMask = ItemMaskClass;

/** What MF, OverparamMF, ALS, SVDpp and NMF have in common: the tables of a factorization. */
export type TableRecommender = TableRecommenderClass;

/** What MF, OverparamMF and SVDpp have in common. */
export type FactorizationRecommender = FactorizationRecommenderClass;

/** What FM, WideDeep and DeepFM have in common. */
export type FeatureRecommender = FeatureRecommenderClass;

/** What ItemKNN and EASE have in common. */
export type ItemRecommender = ItemRecommenderClass;

/** What all recommenders have in common. */
export type IdRecommender = IdRecommenderClass;

/** What recommenders and served models have in common: what a trained model answers. */
export type Predictor = PredictorClass;
