// How much a user tells of the items that it has: one with few items tells more. On interactions that all count as one,
// both schemes are a weight of the user times a factor of the item.

import { naturalLog } from '../../core/elementary';
import { field, integer, number, oneOf, orAuto, readOptions } from '../../core/options';
import { runYielding, type Scheduler } from '../../core/scheduler';
import { idOrder } from '../../data/csr';
import type { Interactions } from '../../data/interactions';
import type { Vocabulary } from '../../data/vocabulary';
import {
  jsNeighbors,
  neighborLengths,
  neighborScratch,
  type OnesArrays,
  pairsOf,
  writeNeighbors,
} from '../../kernels/shared-rows';
import type { InteractionHistory } from '../../serving/interaction-history';
import { decodeBase } from '../../serving/item-state';
import { NeighborLists } from '../../serving/item-weights';
import { restore, type SavedModel } from '../../serving/saved-model';
import { TopK } from '../../serving/top-k';
import type { History } from '../../training/fit';
import { PartRunner, type Work, type Workplace } from '../../training/threads';
import { ModuleBuilder } from '../../wasm/assembler';
import { type Call, layOut } from '../../wasm/host';
import type { ALSOptions } from '../als';
import type { FilledFitOptions } from '../fit-options';
import { placeFields } from '../training-options';
import { fitOnce, type Histories, historiesOf } from './histories';
import { askedOf, ItemRecommender } from './item-recommender';

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
  for (let k = 0; k < items.length; k++) lengths[items[k]!]!++;
  const trained = lengths.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0);
  const idf = (user: number) => naturalLog(trained / (1 + offsets[user + 1]! - offsets[user]!));
  const factor = (length: number) => (K1 + 1) / (K1 * (1 - B + (B * length * trained) / items.length) + 1);
  return {
    users: Float64Array.from({ length: offsets.length - 1 }, (_, user) => (scheme === 'none' ? 1 : idf(user))),
    items: lengths.map((length) => (scheme === 'bm25' ? factor(length) : 1)),
  };
}

// The items most like each item, by the users that they share. Exact: every pair with a user in common is looked at.

/** The measures. */
export const SIMILARITIES = ['cosine', 'jaccard', 'dot'] as const;
export type Similarity = (typeof SIMILARITIES)[number];

/** How neighbours are chosen. */
export interface NeighborOptions {
  readonly neighbors: number;
  readonly similarity: Similarity;
  readonly shrinkage: number | 'auto';
  readonly featureWeighting: FeatureWeighting;
}

/** What goes into `chooseShrinkage`: measured on 14 sets of events, docs/defaults.md. */
const USERS = 300;
const NORMS_OF_ITEMS = 6;

/**
 * Where the shrinkage is left to the data, it is shrunk towards what items have in common by chance rather than towards
 * nothing, by which users with two or three items were told less than by popularity: two items with a and b of U users share
 * a b / U of them. Those count in full where they are few, and at most as this part of the shrinkage does: where much is known
 * of items, more is worse. Measured on 9 sets: docs/defaults.md
 */
const FROM_CHANCE = 0.2;

/** Of the users and items of interactions, in the mean. */
interface Means {
  readonly users: number;
  /** The items of a user. */
  readonly perUser: number;
  /** The squared weight of an interaction: 1 without feature weighting. */
  readonly weight: number;
  /** The squared norm of its item. */
  readonly norm: number;
}

function meansOf({ offsets, items }: InteractionHistory, squares: Float64Array, norms: Float64Array): Means {
  let [users, weight, norm] = [0, 0, 0];
  for (let user = 0; user < squares.length; user++) {
    const count = offsets[user + 1]! - offsets[user]!;
    if (count > 0) users++;
    weight += count * squares[user]!;
  }
  for (let k = 0; k < items.length; k++) norm += norms[items[k]!]!;
  const all = items.length;
  return { users, perUser: all / users, weight: weight / all, norm: norm / all };
}

/**
 * The default: (300 w + 6 |x|^2) / n. n: how many items a user has, in the mean over users: what so many neighbours add up
 * to has the less noise the more they are. w and |x|^2: the squared weight (1 without feature weighting) and the squared
 * norm of its item, in the mean over interactions; where few items have most of them, popularity says more than similarity.
 */
export function chooseShrinkage({ perUser, weight, norm }: Means): number {
  // Three digits: sums of weights in another order are the same then.
  return Number(((USERS * weight + NORMS_OF_ITEMS * norm) / perUser).toPrecision(3));
}

/** What an item of this squared norm has whatever the history. @see FROM_CHANCE */
function baseOf(
  own: number,
  { users, perUser, weight, norm }: Means,
  similarity: Similarity,
  shrinkage: number,
): number {
  const shared = (own * norm) / (users * weight);
  if (!(shared > 0)) return 0;
  const divisor = NORMS[similarity](own, norm, shared);
  return (perUser * shared * Math.min(1, (FROM_CHANCE * shrinkage) / divisor)) / (divisor + shrinkage);
}

/** What the inner product of two items is divided by, of their squared norms and that product; shrinkage is added. */
const NORMS: { readonly [S in Similarity]: (a: number, b: number, product: number) => number } = {
  cosine: (a, b) => Math.sqrt(a) * Math.sqrt(b),
  jaccard: (a, b, product) => a + b - product,
  dot: () => 1,
};

/** What was found. */
interface Neighbors {
  readonly lists: NeighborLists;
  readonly shrinkage: number;
  /** What items have whatever the history, where the shrinkage is 'auto'. */
  readonly base: Float32Array | null;
}

/**
 * Finds the neighbours; of equally alike ones those whose ids come first, so that the order of the data chooses none.
 * Cost: the sum over users of the square of how many items each has, and a sort of the ids.
 */
export async function findNeighbors(
  histories: Histories,
  vocabulary: Vocabulary,
  { neighbors, similarity, shrinkage: given, featureWeighting }: NeighborOptions,
  place: Workplace,
  scheduler: Scheduler,
): Promise<Neighbors> {
  const { seen, itemOffsets, itemUsers } = histories;
  const count = seen.itemCounts.length;
  const weights = featureWeights(featureWeighting, seen, count);
  const squares = weights.users.map((weight) => weight * weight);
  const factors = weights.items;
  const norms = factors.map((factor, item) => {
    let sum = 0;
    for (let k = itemOffsets[item]!; k < itemOffsets[item + 1]!; k++) sum += squares[itemUsers[k]!]!;
    return sum * (factor * factor);
  });
  const means = meansOf(seen, squares, norms);
  const shrinkage = given === 'auto' ? chooseShrinkage(means) : given;
  const inOrder = idOrder(vocabulary).filter((item) => item < count);
  const limit = Math.max(1, Math.min(neighbors, count - 1));
  const some = Math.max(1, Math.min(count, Math.floor(AT_A_TIME / limit)));
  const users = seen.userCounts.length;
  const layout = layOut(neighborLengths(count, users, itemUsers.length, some, limit));
  const rule = { similarity, shrinkage, limit };
  const work: Work = {
    names: ['neighbors'],
    bytes: layout.bytes,
    scratch: neighborScratch(count, limit),
    what: `the neighbours of ${some} items`,
    encode(memory) {
      const module = new ModuleBuilder();
      writeNeighbors(module, layout.at, rule, count);
      return module.encode(memory);
    },
    define: (buffer) => ({ neighbors: jsNeighbors(layout.views(buffer), rule, (best) => new TopK(best)) }),
  };
  const parts = await partsOf({ starts: itemOffsets, columns: itemUsers, columnStarts: seen.offsets }, scheduler);
  const cost = parts.reduce((sum, part) => sum + part.cost, 0);
  const runner = await PartRunner.start(work, cost * A_COST, place, scheduler);
  const offsets = new Int32Array(count + 1);
  const items: Int32Array[] = [];
  const similarities: Float32Array[] = [];
  try {
    const arrays = layout.views(runner.buffer);
    arrays.starts.set(itemOffsets);
    arrays.columns.set(itemUsers);
    arrays.columnStarts.set(seen.offsets);
    arrays.rows.set(seen.items);
    arrays.weights.set(squares);
    arrays.factors.set(factors);
    arrays.measures.set(similarity === 'cosine' ? norms.map(Math.sqrt) : norms);
    arrays.order.set(inOrder);
    for (const [at, item] of inOrder.entries()) arrays.places[item] = at;
    for (let first = 0; first < count; first += some) {
      const end = Math.min(first + some, count);
      const own = parts.flatMap(({ from, to, cost }) => {
        const [start, stop] = [Math.max(from, first), Math.min(to, end)];
        const call = (thread: number): Call => [0, start, stop, first, layout.bytes + thread * work.scratch];
        return start < stop ? [{ call, cost }] : [];
      });
      await runner.run([own]);
      for (let item = first; item < end; item++) offsets[item + 1] = offsets[item]! + arrays.counts[item - first]!;
      const found = new Int32Array(offsets[end]! - offsets[first]!);
      const alike = new Float32Array(found.length);
      for (let item = first, at = 0; item < end; item++) {
        const from = (item - first) * limit;
        const stop = from + arrays.counts[item - first]!;
        for (let k = from; k < stop; k++, at++) {
          found[at] = arrays.found[k]!;
          alike[at] = arrays.alike[k]!;
        }
        if (scheduler.isDue(stop - from)) await scheduler.yieldNow();
      }
      items.push(found);
      similarities.push(alike);
    }
  } finally {
    runner.stop();
  }
  const turned = NeighborLists.of(offsets, joined(Int32Array, items), joined(Float32Array, similarities));
  const lists = await runYielding(turned, scheduler);
  const base = given === 'auto' ? Float32Array.from(norms, (own) => baseOf(own, means, similarity, shrinkage)) : null;
  return { lists, shrinkage, base };
}

/** Neighbours that are found between two looks: 32 MB. */
const AT_A_TIME = 2 ** 22;
/** A part: a fraction of a millisecond, in the scheduler's units; and a unit by what a rating costs in training. */
const A_PART = 1 << 13;
const A_COST = 1 / 32;

/** Rows of items that are found in one call. */
async function partsOf(arrays: Omit<OnesArrays, 'rows'>, scheduler: Scheduler) {
  const parts: { from: number; to: number; cost: number }[] = [];
  const { starts } = arrays;
  let cost = 0;
  for (let item = 0, from = 0; item + 1 < starts.length; item++) {
    cost += 8 + (pairsOf(arrays, item) >> 2);
    if (scheduler.isDue(starts[item + 1]! - starts[item]!)) await scheduler.yieldNow();
    if (cost < A_PART && item + 2 < starts.length) continue;
    parts.push({ from, to: item + 1, cost });
    from = item + 1;
    cost = 0;
  }
  return parts;
}

/** Arrays end to end. */
function joined<T extends Int32Array | Float32Array>(type: new (length: number) => T, parts: readonly T[]): T {
  if (parts.length === 1) return parts[0]!;
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// Nearest neighbours among items as a recommender.

/** The options of ItemKNN. */
export interface ItemKNNOptions extends Pick<ALSOptions, 'kernels' | 'threads'> {
  /** How many neighbours an item keeps, at least 1. @defaultValue 100 */
  readonly neighbors?: number | undefined;
  /** `cosine`; `jaccard`: shared over all users of the two; `dot`: not normalized. @defaultValue 'cosine' */
  readonly similarity?: 'cosine' | 'jaccard' | 'dot' | undefined;
  /**
   * Added below, at least 0: the more, the less is thought of items with few users. 'auto': (300 w + 6 |x|^2) / n, n the items
   * of a user, w the squared weight of an interaction (1 without `featureWeighting`) and |x|^2 the squared norm of its item,
   * all in the mean, and scores have a part of what items have in common by chance, so that
   * the popular come first where a history says little; after the fit `options.shrinkage` is the number. @defaultValue 'auto'
   */
  readonly shrinkage?: number | 'auto' | undefined;
  /** Whether users with few items tell more of them. @defaultValue 'none' */
  readonly featureWeighting?: 'none' | 'tf-idf' | 'bm25' | undefined;
}

/** Their declarations. */
export const itemKNNFields = () => ({
  neighbors: field(integer({ min: 1 }), 100),
  similarity: field(oneOf(...SIMILARITIES), 'cosine'),
  shrinkage: field(orAuto(number({ min: 0 })), 'auto'),
  featureWeighting: field(oneOf(...FEATURE_WEIGHTINGS), 'none'),
  ...placeFields(),
});

/**
 * Recommends what is most like the items that a user has.
 *
 * score(u, i) = sum over the items j of u that are among the k nearest neighbours of i: sim(i, j);
 * sim(i, j) = <x_i, x_j> / (|x_i| |x_j| + shrinkage) (cosine), x_i the column of users who have item i, weighted;
 * with shrinkage 'auto' also what popularity adds. jaccard divides by |x_i|^2 + |x_j|^2 - <x_i, x_j> + shrinkage, dot by 1 + shrinkage.
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
export class ItemKNN extends ItemRecommender<ItemKNNOptions> {
  readonly name = 'item-knn';

  constructor(options?: ItemKNNOptions) {
    super('ItemKNN', readOptions('ItemKNN', options, itemKNNFields()));
  }

  fresh(): ItemKNN {
    return new (this.constructor as typeof ItemKNN)(this.asked);
  }

  /** Finds the neighbours. The history has no epochs. */
  protected train(data: Interactions, options: FilledFitOptions): Promise<History> {
    return fitOnce('ItemKNN', options, async (scheduler) => {
      const histories = await historiesOf(data, scheduler);
      const { asked } = this;
      const { lists, shrinkage, base } = await findNeighbors(histories, data.items, asked, asked, scheduler);
      this.learned(data, histories, lists, Object.freeze({ ...asked, shrinkage }), base);
    });
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): ItemKNN {
    return restore(bytes, 'item-knn', ItemKNN.of);
  }

  /** @internal A recommender of a saved state. @throws FormatError where it is inconsistent */
  static of(saved: SavedModel): ItemKNN {
    const model = new ItemKNN(askedOf(saved));
    model.learned(saved, saved, NeighborLists.decode(saved), new ItemKNN(saved.options).options, decodeBase(saved));
    return model;
  }
}
