// Classes that the library makes and callers only name: their types alone. Exported as classes, they would be values in the
// declarations of the package, and absent in the module: its build does not tell the two apart.

import type { ItemMask as ItemMaskClass } from '../serving/item-mask';
import type { FoldedItem as FoldedItemClass, FoldedUser as FoldedUserClass } from '../serving/predictor';
import type { TableRecommender as TableRecommenderClass } from './table-recommender';

/** A user by its history alone, as `foldInUser` gives it. */
export type FoldedUser = FoldedUserClass;

/** An item by its history alone, as `foldInItem` gives it. */
export type FoldedItem = FoldedItemClass;

/** A set of items of one recommender, as `itemMask` gives it: for `candidates` and `exclude`, again and again. */
export type ItemMask = ItemMaskClass;

/** What MF, OverparamMF, ALS, SVDpp and NMF have in common: the tables of a factorization. */
export type TableRecommender = TableRecommenderClass;
