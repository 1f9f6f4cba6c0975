// The protocol of "Neural Collaborative Filtering" (He et al., WWW 2017) on its split of MovieLens 1M: one left-out item a
// user, ranked among 99 items that the user does not have. The folder is found as data sets are, or named by OPMF_DATA.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Interactions, type Recommender } from 'opmf';

/** A user, what was left out, and what it is ranked with: each item once, ascending. */
interface Ranked {
  readonly user: number;
  readonly positive: number;
  readonly items: readonly number[];
}

export interface Ncf {
  readonly train: Interactions;
  readonly test: readonly Ranked[];
}

/** Reads the split. Every interaction has value 1. */
export function loadNcf(folder = join(process.env.OPMF_DATA ?? join('..', 'shared', 'data'), 'ncf-ml-1m')): Ncf {
  const linesOf = (name: string) =>
    gunzipSync(readFileSync(join(folder, `${name}.gz`)))
      .toString('utf8')
      .trimEnd()
      .split('\n');
  const pairs = linesOf('ml-1m.train.rating.3col').map((line) => line.split('\t', 2).map(Number));
  const train = Interactions.fromColumns({ userIds: pairs.map(([u]) => u!), itemIds: pairs.map(([, i]) => i!) });
  const test = linesOf('ml-1m.test.negative').map((line): Ranked => {
    const [pair, ...negatives] = line.split('\t');
    const [user, positive] = pair!.slice(1, -1).split(',').map(Number) as [number, number];
    // 156 of the published lists name the positive too.
    return { user, positive, items: [...new Set([positive, ...negatives.map(Number)])].sort((a, b) => a - b) };
  });
  return { train, test };
}

/** HR@10 and NDCG@10; of equal scores the smaller index comes first. */
export function evaluateNcf(model: Recommender, test: readonly Ranked[]): { hr10: number; ndcg10: number } {
  let hits = 0;
  let gain = 0;
  for (const { user, positive, items } of test) {
    const score = model.predict(user, positive);
    const before = items.filter((item) => {
      const other = model.predict(user, item);
      return other > score || (other === score && item < positive);
    });
    if (before.length >= 10) continue;
    hits++;
    gain += 1 / Math.log2(before.length + 2);
  }
  return { hr10: hits / test.length, ndcg10: gain / test.length };
}
