// The recommenders under test as the contracts see them, and a small set of ratings whose ids are easily confused.

import { Interactions } from '../../src/data/interactions';
import { type Id, Vocabulary } from '../../src/data/vocabulary';
import type { OverparamMFOptions } from '../../src/recommenders/factorization-options';
import type { PartialFits, Recommender } from '../../src/recommenders/recommender';
import type { Explains, FoldsIn, Similar } from '../../src/serving/capabilities';

/** The options that every recommender under test takes. */
export type Options = Omit<OverparamMFOptions, 'overparam'>;

/** A recommender of any kind: what not every kind can do may be there. */
export type AnyRecommender = Recommender & Partial<Similar & FoldsIn & Explains & PartialFits>;

/** What some kinds can do and others cannot. */
export const CAPABILITIES = [
  'similarItems',
  'similarUsers',
  'foldInUser',
  'foldInItem',
  'explain',
  'partialFit',
] as const;
/** The name of one. */
export type Capability = (typeof CAPABILITIES)[number];

/** A recommender as the contract sees it. */
export interface RecommenderUnderTest {
  readonly name: string;
  make(options?: Options): AnyRecommender;
  /** What it can do; it has no method for the rest. @defaultValue all of them */
  readonly can?: readonly Capability[];
  /** Whether it solves equations, and takes neither an optimizer nor an order of the ratings. */
  readonly isSolved?: boolean;
  /** Whether it has no biases: for an item that is not known all users are alike, and the other way round. */
  readonly isUnbiased?: boolean;
  /** Whether it learns what users have, so that predictions are no ratings. */
  readonly isRanking?: boolean;
  /** Whether it forgets ids of a vocabulary that have no interaction: as candidates they are ignored. */
  readonly isOfOccurring?: boolean;
  /** Options by which it predicts the same of every pair. @defaultValue embeddings of 0, and no biases */
  readonly flat?: Options;
  /** Options under which it predicts what no rating is, on both sides of the range. */
  readonly wild?: Options;
  /** The `load` of its class. */
  load(bytes: Uint8Array): AnyRecommender;
  /** Where it is not a factorization: what it does otherwise. */
  readonly item?: ItemBased;
}

/** A recommender that counts or solves over items: its scores are no ratings, nothing is drawn, users have no vectors. */
export interface ItemBased {
  /** What lists are ranked by, for a user that it knows. */
  readonly basis: 'model' | 'popularity';
  /** Whether scores need the history of a user, so that a file without it knows no users. */
  readonly needsHistory: boolean;
}

/** Ids that are easily confused or lost: names of object members, nothing, a number and its text, one code point of two units. */
export const ODD_IDS: readonly Id[] = ['__proto__', '', 1, '1', '😀', 'toString', 0];

/** Ratings of odd users for odd items. */
export const cells = ODD_IDS.flatMap((userId, u) =>
  ODD_IDS.filter((_, i) => (u * 3 + i) % 4 !== 0).map((itemId, i) => [userId, itemId, 1 + ((u + 2 * i) % 5)] as const),
);
/** A small set in which one user and one item are known to the vocabularies alone. */
export const odd = Interactions.from(cells, {
  users: Vocabulary.from(['cold', ...ODD_IDS]),
  items: Vocabulary.from(['cold', ...ODD_IDS]),
});
/** Options of a short fit in which the embeddings matter. */
export const quick: Options = { rank: 3, epochs: 4, initScale: 0.5 };
/** Pairs of trained, cold and unknown ids. */
export const everyPair = [...ODD_IDS, 'cold', 'new'].flatMap((u) =>
  [...ODD_IDS, 'cold', 'new'].map((i) => [u, i] as const),
);

/** A fitted recommender. */
export async function fittedBy(
  make: (options?: Options) => AnyRecommender,
  options: Options = quick,
  data: Interactions = odd,
): Promise<AnyRecommender> {
  const model = make(options);
  await model.fit(data);
  return model;
}

/** The predictions of every pair, bit by bit. */
export function bitsOf(model: Recommender): string {
  return Buffer.from(model.predictMany(everyPair).buffer).toString('hex');
}

/** `test` where a case applies to the recommender; elsewhere the case is not registered at all, for there is nothing to skip. */
export const testWhere = (applies: boolean): ((name: string, body: () => unknown) => void) =>
  applies ? (name, body) => test(name, body as () => Promise<void>) : () => {};
