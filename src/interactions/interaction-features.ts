// Interactions as rows of features: who, what, and what is known of both. So models of features learn from interactions,
// and speak of users and items that they have not met.

import { type Check, optional, readOptions, wrong } from '../core/options';
import { runToEnd } from '../core/scheduler';
import { FeatureTable } from './feature-table';
import type { Interactions } from './interactions';
import { PairFeatures, type SideFeatures } from './pair-features';
import { requireInteractions } from './split';
import { Vocabulary } from './vocabulary';

/** What `interactionFeatures` makes rows with. */
export interface InteractionFeatureOptions extends SideFeatures {
  /** The users who have a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
  readonly users?: Vocabulary | undefined;
  /** The items that have a feature of their own: those that a model learns from. @defaultValue all of the vocabulary */
  readonly items?: Vocabulary | undefined;
}

/**
 * Rows of features, one an interaction, in the same order: the user, the item, then what the tables say of that user, then
 * of that item. A factorization machine of them is matrix factorization with biases and side features.
 *
 * Fields: `user` (the feature of user u is u), `item` (that of item i is users.size + i), then those of `userFeatures`, named
 * `user.<field>`, and of `itemFeatures`, named `item.<field>`. Who is not in `users`, or has no row in a table, has no
 * entries there. Labels are the values; weights are those of the interactions. Cost: a pass; 8 bytes an entry.
 *
 * @throws OptionError for a table without ids, an unknown option or a bad value.
 * @throws DataError where a table has no id of the vocabulary: ids are compared with their type.
 * @see Rendle, "Factorization Machines" (ICDM 2010), section V.A; Kula, "Metadata Embeddings for User and Item Cold-start
 * Recommendations" (2015), equation 1
 * @example
 * ```ts
 * import { categorical, FeatureTable, Interactions, interactionFeatures } from 'opmf';
 * const data = Interactions.from([['ann', 'assam', 5], ['bob', 'sencha', 3]]);
 * const teas = [{ tea: 'assam', colour: 'black' }, { tea: 'sencha', colour: 'green' }];
 * const itemFeatures = FeatureTable.from(teas, { id: 'tea', fields: { colour: categorical() } });
 * const rows = interactionFeatures(data, { itemFeatures });
 * console.log(rows.fields.map(({ name }) => name).join(' '), [...rows.indices].join(' ')); // user item item.colour 0 2 6 1 3 7
 * ```
 */
export function interactionFeatures(interactions: Interactions, options?: InteractionFeatureOptions): FeatureTable {
  const owner = 'interactionFeatures';
  const read = readOptions<InteractionFeatureOptions>(owner, options, {
    ...sideFields,
    users: optional(aVocabulary),
    items: optional(aVocabulary),
  });
  requireInteractions(owner, interactions);
  const { users = interactions.users, items = interactions.items } = read;
  return FeatureTable.fromRows(runToEnd(new PairFeatures(owner, users, items, read).rows(interactions)));
}

const aTable: Check<FeatureTable> = (value, name) => {
  if (value instanceof FeatureTable) return value;
  throw wrong(name, value, "a FeatureTable, such as FeatureTable.from(rows, { id: 'userId', fields })");
};

/** The options that are tables of users and items. */
export const sideFields = { userFeatures: optional(aTable), itemFeatures: optional(aTable) };

const aVocabulary: Check<Vocabulary> = (value, name) => {
  if (value instanceof Vocabulary) return value;
  throw wrong(name, value, 'a Vocabulary, such as the users or items of other Interactions');
};
