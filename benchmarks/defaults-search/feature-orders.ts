// FM with what is known of films and people under the losses of orders, on the likes of MovieLens 100K (4 and more), beside
// MF under the same loss; and films left out of training altogether, ranked by their features, beside their popularity.
// What is measured is kept by name in benchmarks/results/defaults-21/feature-orders.json.
// Run: npm run bench:defaults-feature-orders [-- options by name, as JSON [losses]]

import { readFileSync, writeFileSync } from 'node:fs';
import { evaluateRanking, FM, MF, Popularity, splitRandom } from 'opmf';
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
  return rounded(sum / liked.size);
};
const rounded = (value: number) => Math.round(value * 1e4) / 1e4;
const RESULTS = 'benchmarks/results/defaults-21/feature-orders.json';
const save = (name: string, value: object) => {
  const all = JSON.parse(readFileSync(RESULTS, 'utf8'));
  all.measured[name] = value;
  writeFileSync(RESULTS, `${JSON.stringify(all, null, 1)}\n`);
  console.log(name, value);
};
// The most that popularity could say, had it seen what it has not: trained on the same interactions it knows none of them.
const byPopularity = films.toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
const popularity = new Popularity();
await popularity.fit(known);
const listOf = (model: FM | Popularity) => (user: string) =>
  model.recommend(user, { n: 20, candidates: films as never }).map((one) => one.itemId);
save('left out', {
  films: films.length,
  'by chance': rounded(20 / films.length),
  'Popularity, trained on the others': recall(listOf(popularity)),
  'by their own likes': recall(() => byPopularity),
});
for (const loss of losses) {
  const mf = new MF({ loss });
  await mf.fit(train);
  const ndcg = async (model: MF | FM) =>
    rounded((await evaluateRanking(model, test, { metrics: ['ndcg@10'] })).metrics['ndcg@10']!);
  save(`${loss} MF`, { 'ndcg@10': await ndcg(mf) });
  for (const [name, options] of Object.entries(candidates)) {
    const model = new FM({ task: 'ranking', loss, ...options });
    const started = performance.now();
    await model.fit(train, { userFeatures, itemFeatures });
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const cold = new FM({ task: 'ranking', loss, ...options });
    await cold.fit(known, { userFeatures, itemFeatures });
    save(`${loss} FM ${name}`, { 'ndcg@10': await ndcg(model), leftOut: recall(listOf(cold)), seconds, options });
  }
}
