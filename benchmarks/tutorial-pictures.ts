// The pictures of docs/tutorial.md, in docs/tutorial: who has how many ratings, the test error by epoch, and for whom lists are good.
// Run: npm run docs:tutorial

import { writeFile } from 'node:fs/promises';
import { evaluateRanking, Interactions, ItemKNN, MF, OverparamMF, Popularity, sgd, splitRandom } from '../src';
import { loadDataset } from '../src/node';
import { type Chart, renderCurves } from '../src/report/curves';

const data = await loadDataset('movietweetings-8k');
const draw = (name: string, chart: Chart) => writeFile(`docs/tutorial/${name}.svg`, `${renderCurves(chart)}\n`);

const ratings = [...counted(data).values()];
await draw('users', {
  title: 'Users by their ratings',
  xLabel: 'ratings of a user (10: or more)',
  yLabel: 'users',
  series: [
    {
      name: 'users',
      points: Array.from({ length: 10 }, (_, k) => [k + 1, ratings.filter((n) => Math.min(n, 10) === k + 1).length]),
    },
  ],
});

const { train, test } = splitRandom(data, { testFraction: 0.2, seed: 1 });
const deviation = test.stats().standardDeviation;
const models = [
  ['OverparamMF', new OverparamMF({ epochs: 20 })],
  ['MF', new MF({ epochs: 20 })],
  ['MF, sgd at 0.005', new MF({ epochs: 20, optimizer: sgd({ learningRate: 0.005 }) })],
] as const;
const curves = [];
for (const [name, model] of models) {
  const { epochs } = await model.fit(train, { validation: test });
  curves.push({ name, points: epochs.map(({ epoch, metrics }) => [epoch, metrics.rmse!] as const) });
  console.log(name, ...curves.at(-1)!.points.map(([, rmse]) => rmse.toFixed(3)));
}
await draw('rmse', {
  title: 'Test RMSE by epoch',
  xLabel: 'epoch',
  yLabel: 'RMSE',
  series: [...curves, { name: 'always the mean', points: curves[0]!.points.map(([epoch]) => [epoch, deviation]) }],
});

// The least likes of a group; the last group has 10 and more.
const GROUPS = [0, 1, 2, 3, 5, 10];
const relevant = (value: number) => value >= 8;
const sums = new Map<string, { sum: number; users: number }[]>();
for (let seed = 1; seed <= 10; seed++) {
  const { train, test } = splitRandom(data, { testFraction: 0.2, seed });
  const liked = Interactions.from([...train].filter(({ value }) => relevant(value!)));
  const history = counted(liked);
  const models = [
    ['ItemKNN', new ItemKNN()],
    ['OverparamMF, bpr', new OverparamMF({ loss: 'bpr' })],
    ['Popularity', new Popularity()],
  ] as const;
  for (const [name, model] of models) {
    await model.fit(liked);
    const { perUser } = await evaluateRanking(model, test, { train, k: 10, relevant, perUser: true });
    const groups = sums.get(name) ?? GROUPS.map(() => ({ sum: 0, users: 0 }));
    sums.set(name, groups);
    for (const [user, metrics] of perUser!) {
      const group = groups[GROUPS.findLastIndex((least) => (history.get(user) ?? 0) >= least)]!;
      group.sum += metrics['ndcg@10']!;
      group.users++;
    }
  }
}
await draw('history', {
  title: 'NDCG@10 by what is known of the user',
  xLabel: 'films liked in the training data (3: 3 and 4; 5: 5 to 9; 10: or more)',
  yLabel: 'NDCG@10',
  series: [...sums].map(([name, groups]) => ({
    name,
    points: groups.map(({ sum, users }, at) => [GROUPS[at]!, sum / users]),
  })),
});
for (const [name, groups] of sums)
  console.log(name, ...groups.map(({ sum, users }) => `${(sum / users).toFixed(4)} of ${users}`));

function counted(rows: Interactions): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const { userId } of rows) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  return counts;
}
