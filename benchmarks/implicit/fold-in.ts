// New users without retraining: NDCG@10 of users folded in by their history, of the same users trained in, and of the
// popular items. MovieLens 1M, ratings of 4 and 5 as positives; 10 % of the users held out, 20 % of what each has tested.
// Run: node benchmarks/run.mjs benchmarks/implicit/fold-in.ts

import { writeFileSync } from 'node:fs';
import { ALS, adam, cosine, type Id, Interactions, MF, OverparamMF, splitByUser } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';

/** The NDCG of one list, with binary gains. */
function ndcg(list: readonly Id[], relevant: ReadonlySet<Id>, k: number): number {
  let [gained, ideal] = [0, 0];
  for (let place = 0; place < k; place++) {
    const discount = 1 / Math.log2(place + 2);
    if (place < list.length && relevant.has(list[place]!)) gained += discount;
    if (place < relevant.size) ideal += discount;
  }
  return gained / ideal;
}

const K = 10;
const ratings = await loadDataset('ml-1m');
const rows = [...ratings].filter(({ value = 0 }) => value >= 4).map((row) => ({ ...row, value: 1 }));
const { train, history, test } = splitByUser(Interactions.from(rows), { testFraction: 0.1, seed: 1 });
const both = Interactions.from([...train, ...history]);

function byUser(data: Interactions): Map<Id, Id[]> {
  const lists = new Map<Id, Id[]>();
  for (const { userId, itemId } of data) lists.set(userId, [...(lists.get(userId) ?? []), itemId]);
  return lists;
}
const [histories, tests] = [byUser(history), byUser(test)];
function mean(listOf: (user: Id) => readonly { readonly itemId: Id }[]): number {
  let sum = 0;
  for (const [user, items] of tests)
    sum += ndcg(
      listOf(user).map(({ itemId }) => itemId),
      new Set(items),
      K,
    );
  return sum / tests.size;
}

console.log(JSON.stringify(machine()));
console.log(
  `ml-1m, values >= 4: ${train.size} trained on, ${history.size} of history, ${test.size} tested, ${tests.size} users`,
);
const OPTIONS = {
  loss: 'logistic',
  negatives: 8,
  rank: 32,
  epochs: 15,
  batchSize: 256,
  regularization: 0.005,
  optimizer: adam({ learningRate: cosine(0.005) }),
} as const;
const KINDS: readonly (readonly [string, () => MF | OverparamMF | ALS])[] = [
  ['MF', () => new MF(OPTIONS)],
  [
    'OverparamMF',
    () => new OverparamMF({ ...OPTIONS, overparam: { kind: 'scalar', scope: 'row', depth: 2, init: 1 } }),
  ],
  ['ALS', () => new ALS({ rank: 32 })],
];
const results = [];
for (const [name, make] of KINDS) {
  const model = make();
  await model.fit(train);
  const popular = mean((user) => model.recommend('nobody', { n: K, exclude: histories.get(user)! }));
  const started = performance.now();
  const folded = new Map(
    [...histories].map(([user, items]) => [user, model.foldInUser(items.map((id) => [id] as const))]),
  );
  const milliseconds = (performance.now() - started) / folded.size;
  const ofFolded = mean((user) => folded.get(user)!.recommend({ n: K }));
  const trainedIn = make();
  await trainedIn.fit(both);
  const ofTrained = mean((user) => trainedIn.recommend(user, { n: K }));
  results.push({ name, options: model.options, folded: ofFolded, trainedIn: ofTrained, popular, milliseconds });
  console.log(
    `${name.padEnd(12)} NDCG@10 folded in ${ofFolded.toFixed(4)}, trained in ${ofTrained.toFixed(4)} ` +
      `(${(ofFolded / ofTrained).toFixed(3)}), popular ${popular.toFixed(4)} (${(ofFolded / popular).toFixed(2)} x), ` +
      `${milliseconds.toFixed(1)} ms a user`,
  );
}
const document = { machine: machine(), protocol: 'ml-1m, see the head of fold-in.ts', results };
writeFileSync('benchmarks/results/fold-in.json', `${JSON.stringify(document, null, 2)}\n`);
