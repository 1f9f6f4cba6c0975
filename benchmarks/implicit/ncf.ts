// The protocol of He et al., "Neural Collaborative Filtering" (2017), on their MovieLens 1M: the last item of each user
// among 99 that the user does not have. Rank: how many of the 99 score higher; ties go to the smaller item number.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Interactions, type Recommender } from 'opmf';

const FOLDER = join(process.env.OPMF_DATA ?? '../shared/data', 'ncf-ml-1m');

/** One test: the item that the user had next, and the negatives. */
export interface NcfCase {
  readonly user: number;
  readonly item: number;
  readonly negatives: readonly number[];
}

const rowsOf = (name: string) =>
  gunzipSync(readFileSync(join(FOLDER, `${name}.gz`)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

/** The training interactions and the cases. */
export function loadNcf(): { readonly train: Interactions; readonly cases: readonly NcfCase[] } {
  const train = Interactions.from(
    rowsOf('ml-1m.train.rating.3col').map(
      ([user, item, value]) => [Number(user), Number(item), Number(value)] as const,
    ),
  );
  const negatives = rowsOf('ml-1m.test.negative').map(([, ...items]) => items.map(Number));
  const cases = rowsOf('ml-1m.test.rating').map(([user, item], line) => ({
    user: Number(user),
    item: Number(item),
    // In 156 of the published lists the positive itself occurs; it is no negative of its own.
    negatives: negatives[line]!.filter((negative) => negative !== Number(item)),
  }));
  return { train, cases };
}

/** HR@k and NDCG@k. */
export function evaluateNcf(recommender: Recommender, cases: readonly NcfCase[], k = 10) {
  let [hits, gain] = [0, 0];
  for (const { user, item, negatives } of cases) {
    const [own, ...others] = recommender.predictMany([item, ...negatives].map((one) => [user, one] as const));
    const rank = negatives.filter((other, n) => others[n]! > own! || (others[n] === own && other < item)).length;
    if (rank >= k) continue;
    hits++;
    gain += 1 / Math.log2(rank + 2);
  }
  return { hitRate: hits / cases.length, ndcg: gain / cases.length };
}
