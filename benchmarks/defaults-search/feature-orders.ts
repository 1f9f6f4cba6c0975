// FM with what is known of films and people under the losses of orders, on the likes of MovieLens 100K (4 and more), beside
// MF under the same loss; and films left out of training altogether, ranked by their features, beside their popularity.
// Run: node benchmarks/run.mjs benchmarks/defaults-search/feature-orders.ts [options by name, as JSON] [losses]

import { evaluateRanking, FM, MF, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../../src/core/random';
import { itemFeatures, userFeatures } from '../models/film-features';

const all = await loadDataset('ml-100k');
const likes = all.select(Int32Array.from(all.values.keys()).filter((k) => all.values[k]! >= 4));
const { train, test } = splitRandom(likes, { testFraction: 0.1, seed: 1 });
// A tenth of the films, of which nothing is trained on.
const stream = Stream.of('films left out');
const isOut = Uint8Array.from({ length: likes.items.size }, () => (stream.uniform() < 0.1 ? 1 : 0));
const places = Int32Array.from(likes.itemIndex.keys());
const known = likes.select(places.filter((k) => isOut[likes.itemIndex[k]!] === 0));
const left = likes.select(places.filter((k) => isOut[likes.itemIndex[k]!] === 1));
const films = [...likes.items].filter((_, item) => isOut[item] === 1);
const counts = new Map<unknown, number>();
for (const item of left.itemIndex) counts.set(left.items.idOf(item), (counts.get(left.items.idOf(item)) ?? 0) + 1);

const candidates: Record<string, object> = { untouched: {}, ...JSON.parse(process.argv[2] ?? '{}') };
const losses = (process.argv[3] ?? 'warp,softmax').split(',') as ('warp' | 'softmax')[];
const liked = new Map<unknown, Set<unknown>>();
for (let k = 0; k < left.size; k++) {
  const user = left.users.idOf(left.userIndex[k]!);
  liked.set(user, (liked.get(user) ?? new Set()).add(left.items.idOf(left.itemIndex[k]!)));
}
/** The mean part of a user's films left out that are among the first 20 of a list of them. */
const recall = (listOf: (user: string) => readonly unknown[]) => {
  let sum = 0;
  for (const [user, set] of liked)
    sum +=
      listOf(user as string)
        .slice(0, 20)
        .filter((film) => set.has(film)).length / Math.min(20, set.size);
  return (sum / liked.size).toFixed(4);
};
const byPopularity = films.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
console.log(`${films.length} films left out; the most liked of them first: ${recall(() => byPopularity)}`);
for (const loss of losses) {
  const mf = new MF({ loss });
  await mf.fit(train);
  console.log(loss, 'MF', (await evaluateRanking(mf, test, { metrics: ['ndcg@10'] })).metrics['ndcg@10']);
  for (const [name, options] of Object.entries(candidates)) {
    const model = new FM({ task: 'ranking', loss, ...options });
    const started = performance.now();
    await model.fit(train, { userFeatures, itemFeatures });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const { metrics } = await evaluateRanking(model, test, { metrics: ['ndcg@10'] });
    const cold = new FM({ task: 'ranking', loss, ...options });
    await cold.fit(known, { userFeatures, itemFeatures });
    const found = recall((user) =>
      cold.recommend(user, { n: 20, candidates: films as never }).map((one) => one.itemId),
    );
    console.log(loss, name, metrics['ndcg@10']?.toFixed(4), 'left out', found, seconds, 's');
  }
}
