// The built command line on several threads: the same document, but for the seconds.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { evaluate, LOADERS } from './child';

const CLI = join(__dirname, '../../dist/cli.js');

function compared(threads: number): unknown {
  const flags = `compare --optimizers sgd,adam --epochs 2 --rank 3 --seeds 2 --threads ${threads} --json`;
  const json = execFileSync('node', [CLI, ...flags.split(' ')], { timeout: 25_000, encoding: 'utf8' });
  return JSON.parse(json, (key, value) => (/seconds/i.test(key) ? undefined : value));
}

test('compare gives the same numbers on one thread and on three', () => {
  const alone = compared(1);
  expect(alone).toMatchObject({ seeds: [1, 2], runs: expect.any(Array) });
  expect(compared(3)).toEqual(alone);
});

test.each(Object.entries(LOADERS))('evaluations by %s run on threads, to the numbers of one', (_, load) => {
  const found = evaluate(`
    const threads = process.getBuiltinModule('worker_threads');
    const { Worker } = threads;
    let started = 0;
    threads.Worker = class extends Worker { constructor(...given) { super(...given); started++; } };
    const { compare, crossValidate, FeatureTable, MF, numeric, syntheticInteractions, tune } = ${load('opmf')};
    const data = syntheticInteractions({ users: 60, items: 50, ratings: 1500 });
    const rows = Array.from({ length: 60 }, (_, k) => ({ x: (k * 7) % 11, y: ((k * 7) % 11) / 2 + 1 }));
    const table = FeatureTable.from(rows, { fields: { x: numeric() }, label: 'y' });
    const base = { epochs: 3 };
    const calls = [
      (threads) => tune('mf', { rank: [1, 2, 3] }, data, { trials: 3, base, strategy: 'halving', threads }),
      (threads) => tune('fm', { rank: [1, 2, 3] }, table, { trials: 3, base: { ...base, task: 'regression' }, threads }),
      (threads) => crossValidate(new MF({ rank: 2, ...base }), data, { folds: 3, metrics: ['rmse', 'ndcg@10'], threads }),
      (threads) => compare(data, { optimizers: ['sgd'], models: ['ease', 'als'], epochs: 2, rank: 2, threads }),
    ];
    const plain = (result) => JSON.stringify(result, (key, value) => (/seconds/i.test(key) ? undefined : value));
    const answers = [];
    for (const call of calls) {
      const alone = plain(await call(1));
      const before = started;
      answers.push([plain(await call(2)) === alone, started - before]);
    }
    return answers;
  `);
  expect(found).toEqual([
    [true, 2],
    [true, 2],
    [true, 2],
    [true, 2],
  ]);
});
