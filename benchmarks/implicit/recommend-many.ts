// The memory and the seconds of recommendMany for everybody: 6,040 users and 3,706 items of MovieLens 1M, beside a loop
// that sorts all scores of each user. Run: node --expose-gc benchmarks/run.mjs benchmarks/implicit/recommend-many.ts

import { writeFileSync } from 'node:fs';
import { MF } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';

const ROUNDS = 5;
const data = await loadDataset('ml-1m');
const model = new MF({ rank: 64, epochs: 1 });
await model.fit(data);
const users = [...data.users];
const items = [...data.items];
const megabytes = () => {
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return (heapUsed + Math.max(arrayBuffers, external)) / 2 ** 20;
};
globalThis.gc?.();
const [before, rssBefore] = [megabytes(), process.memoryUsage().rss / 2 ** 20];
const seconds: number[] = [];
let [most, mostRss, lists] = [0, 0, 0];
for (let round = 0; round < ROUNDS; round++) {
  const started = performance.now();
  const found = await model.recommendMany(users);
  seconds.push((performance.now() - started) / 1000);
  most = Math.max(most, megabytes() - before);
  mostRss = Math.max(mostRss, process.memoryUsage().rss / 2 ** 20 - rssBefore);
  lists = found.size;
}
const seen = new Map(users.map((user) => [user, new Set<unknown>()]));
for (const { userId, itemId } of data) seen.get(userId)!.add(itemId);
const some = users.slice(0, 600);
const started = performance.now();
for (const user of some) {
  const own = seen.get(user)!;
  items
    .filter((item) => !own.has(item))
    .map((itemId) => ({ itemId, score: model.predict(user, itemId) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 10);
}
const naive = ((performance.now() - started) / 1000) * (users.length / some.length);
const median = seconds.sort((a, b) => a - b)[ROUNDS >> 1]!;
const result = { lists, seconds: median, naiveSeconds: naive, megabytes: most, rssMegabytes: mostRss };
console.log(JSON.stringify(result));
writeFileSync(
  'benchmarks/results/recommend-many.json',
  `${JSON.stringify({ machine: machine(), ...result }, null, 2)}\n`,
);
