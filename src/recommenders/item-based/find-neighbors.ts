// The items most like each item, by the users that they share. Exact: every pair with a user in common is looked at.

import type { Scheduler } from '../../core/scheduler';
import { idOrder } from '../../data/csr';
import type { Vocabulary } from '../../data/vocabulary';
import { NeighborLists } from '../../serving/item-weights';
import { TopK } from '../../serving/top-k';
import { type FeatureWeighting, featureWeights } from './feature-weights';
import type { Histories } from './histories';
import { eachSharedRow } from './shared-users';

/** The measures. */
export const SIMILARITIES = ['cosine', 'jaccard', 'dot'] as const;
export type Similarity = (typeof SIMILARITIES)[number];

/** How neighbours are chosen. */
export interface NeighborOptions {
  readonly neighbors: number;
  readonly similarity: Similarity;
  readonly shrinkage: number;
  readonly featureWeighting: FeatureWeighting;
}

/** What the inner product of two items is divided by, of their squared norms and that product; shrinkage is added. */
const NORMS: { readonly [S in Similarity]: (a: number, b: number, product: number) => number } = {
  cosine: (a, b) => Math.sqrt(a) * Math.sqrt(b),
  jaccard: (a, b, product) => a + b - product,
  dot: () => 1,
};

/**
 * Finds the neighbours; of equally alike ones those whose ids come first, so that the order of the data chooses none.
 * Cost: the sum over users of the square of how many items each has, and a sort of the ids.
 */
export async function findNeighbors(
  histories: Histories,
  vocabulary: Vocabulary,
  { neighbors, similarity, shrinkage, featureWeighting }: NeighborOptions,
  scheduler: Scheduler,
): Promise<NeighborLists> {
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
  const norm = NORMS[similarity];
  const inOrder = idOrder(vocabulary).filter((item) => item < count);
  const placeOf = new Int32Array(count);
  for (const [place, item] of inOrder.entries()) placeOf[item] = place;
  const offsets = new Int32Array(count + 1);
  const items: Int32Array[] = [];
  const similarities: Float32Array[] = [];
  await eachSharedRow(histories, squares, scheduler, (item, { size, others, sums }) => {
    const ranking = new TopK(Math.min(neighbors, size));
    for (let place = 0; place < size; place++) {
      const other = others[place]!;
      const product = sums[other]! * (factors[item]! * factors[other]!);
      // A user with all items but one has no weight under tf-idf: what shares only such users is not alike.
      if (other === item || !(product > 0)) continue;
      // In float32, as it is kept: sums of weights in another order are equal then.
      const alike = Math.fround(product / (norm(norms[item]!, norms[other]!, product) + shrinkage));
      ranking.offer(placeOf[other]!, alike);
    }
    const kept = ranking.list().map(({ index, score }) => ({ index: inOrder[index]!, score }));
    const list = kept.sort((a, b) => a.index - b.index);
    items.push(Int32Array.from(list, ({ index }) => index));
    similarities.push(Float32Array.from(list, ({ score }) => score));
    offsets[item + 1] = offsets[item]! + list.length;
  });
  return new NeighborLists(offsets, joined(Int32Array, items), joined(Float32Array, similarities));
}

/** Arrays end to end. */
function joined<T extends Int32Array | Float32Array>(type: new (length: number) => T, parts: readonly T[]): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
