// Models of features on the command line: they have users and items as every other recommender has.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { syntheticInteractions } from 'opmf';
import { opmf } from './opmf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-features-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'ratings.csv');
const data = syntheticInteractions({ users: 30, items: 20, ratings: 400 });
writeFileSync(
  file,
  `user,item,rating\n${[...data].map((row) => `${row.userId},${row.itemId},${row.value}`).join('\n')}\n`,
);

test.each(['fm', 'wide-deep', 'deep-fm'])('%s: train, evaluate, recommend, similar, tune', async (name) => {
  const json = async (...words: string[]) => {
    const { code, out, err } = await opmf(...words, '--json');
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out);
  };
  const model = join(folder, `${name}.safetensors`);
  const small = name === 'fm' ? 'rank=4' : 'hidden=[8]';
  const set = ['task=regression', 'epochs=2', small].flatMap((one) => ['--set', one]);
  const trained = await json('train', file, '--out', model, '--model', name, ...set, '--test-fraction', '.2');
  expect(trained.test).toMatchObject({ rmse: expect.any(Number), count: 80 });
  const [first] = [...data];
  const measured = await json('evaluate', model, file, '--metrics', 'rmse,ndcg@10');
  expect(measured).toMatchObject({ model: name, metrics: { rmse: expect.any(Number), 'ndcg@10': expect.any(Number) } });
  const { users } = await json('recommend', model, String(first!.userId), '--n', '3');
  expect(users[0]).toMatchObject({ basis: 'model', items: [{}, {}, {}] });
  const { items } = await json('similar', model, String(first!.itemId), '--n', '2');
  expect(items[0].similar.length).toBe(2);
  const tuned = await json('tune', file, '--model', name, ...set, '--trials', '2', '--threads', '1');
  expect(tuned).toMatchObject({ model: name, metric: 'rmse', best: { score: expect.any(Number) } });
});

test('compare of models, alone and beside arms', async () => {
  const alone = await opmf('compare', file, '--models', 'ease,popularity', '--seeds', '2');
  expect(alone.code).toBe(0);
  expect(alone.out).toMatch(/model +ndcg@10 +seconds/);
  expect(alone.out).toMatch(/popularity +0\.\d{4} ± /);
  const flags = ['--models', 'mf,als,ease,item-knn', '--metrics', 'ndcg@5,recall@10'];
  expect((await opmf('compare', file, ...flags)).out).toMatch(
    /model +ndcg@5 +recall@10 +seconds\n +mf .*\n +als .*\n +ease .*\n +item-knn /,
  );
  const both = await opmf(...['compare', file, '--models', 'mf', '--optimizers', 'sgd', '--epochs', '1', '--json']);
  const { runs, models } = JSON.parse(both.out);
  expect([runs.length, models.length]).toEqual([3, 1]);
  const wrong = await opmf('compare', file, '--models', 'esae');
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain("'ease'");
});
