// How much a user tells of the items that it has: one with few items tells more. On interactions that all count as one,
// both schemes are a weight of the user times a factor of the item.

import { naturalLog } from '../../core/elementary';
import type { InteractionHistory } from '../../serving/interaction-history';

/** The schemes. */
export const FEATURE_WEIGHTINGS = ['none', 'tf-idf', 'bm25'] as const;
export type FeatureWeighting = (typeof FEATURE_WEIGHTINGS)[number];

/** The usual constants of BM25. */
const K1 = 1.2;
const B = 0.75;

/** The weight of an interaction is users[u] * items[i]. */
export interface FeatureWeights {
  readonly users: Float64Array;
  readonly items: Float64Array;
}

/**
 * Of a history whose lists have each item once. Items are the documents, users the words in them:
 * tf-idf: ln(I / (1 + n_u)); bm25: that times (k1 + 1) / (k1 (1 - b + b n_i / mean n) + 1), k1 = 1.2, b = .75.
 */
export function featureWeights(
  scheme: FeatureWeighting,
  { offsets, items }: InteractionHistory,
  itemCount: number,
): FeatureWeights {
  const lengths = new Float64Array(itemCount);
  for (const item of items) lengths[item]!++;
  const trained = lengths.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0);
  const idf = (user: number) => naturalLog(trained / (1 + offsets[user + 1]! - offsets[user]!));
  const factor = (length: number) => (K1 + 1) / (K1 * (1 - B + (B * length * trained) / items.length) + 1);
  return {
    users: Float64Array.from({ length: offsets.length - 1 }, (_, user) => (scheme === 'none' ? 1 : idf(user))),
    items: lengths.map((length) => (scheme === 'bm25' ? factor(length) : 1)),
  };
}
