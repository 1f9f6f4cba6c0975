// New users without retraining: NDCG@10 of users folded in by their history, of the same users trained in, and of the
// popular items. MovieLens 1M, ratings of 4 and 5 as positives; 10 % of the users held out, 20 % of what each has tested.
// Run: node benchmarks/run.mjs benchmarks/implicit/fold-in.ts [loss ...]

import { type Id, Interactions, MF, OverparamMF, splitByUser } from 'opmf';
import { loadDataset } from 'opmf/node';
import { machine } from '../machine';
import { ndcg } from './ndcg';

const K = 10;
const losses = process.argv.length > 2 ? process.argv.slice(2) : ['softmax', 'logistic'];
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
for (const loss of losses as ('softmax' | 'logistic' | 'bpr' | 'warp')[]) {
  for (const Recommender of [MF, OverparamMF]) {
    const options = { loss, negatives: loss === 'bpr' ? 1 : 4, epochs: 6 };
    const model = new Recommender(options);
    await model.fit(train);
    const popular = mean((user) => model.recommend('nobody', { n: K, exclude: histories.get(user)! }));
    const started = performance.now();
    const folded = new Map(
      [...histories].map(([user, items]) => [user, model.foldInUser(items.map((id) => [id] as const))]),
    );
    const milliseconds = (performance.now() - started) / folded.size;
    const ofFolded = mean((user) => folded.get(user)!.recommend({ n: K }));
    const trainedIn = new Recommender(options);
    await trainedIn.fit(both);
    const ofTrained = mean((user) => trainedIn.recommend(user, { n: K }));
    console.log(
      `${Recommender.name.padEnd(12)} ${loss.padEnd(9)} NDCG@10 folded in ${ofFolded.toFixed(4)}, trained in ${ofTrained.toFixed(4)} ` +
        `(${(ofFolded / ofTrained).toFixed(3)}), popular ${popular.toFixed(4)} (${(ofFolded / popular).toFixed(2)} x), ` +
        `${milliseconds.toFixed(1)} ms a user`,
    );
  }
}
