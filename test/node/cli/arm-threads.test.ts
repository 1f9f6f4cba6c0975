// Threads that end before their run is done: the run is done here, with the same numbers.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, splitRandom, syntheticInteractions } from 'opmf';
import { type Arm, runArm } from '../../../src/evaluation/arms';
import { startArmThreads } from '../../../src/node/cli/arm-threads';

const folder = mkdtempSync(join(tmpdir(), 'opmf-arms-'));
afterAll(() => rmSync(folder, { recursive: true }));

const split = splitRandom(syntheticInteractions({ users: 30, items: 20, ratings: 300 }), { testFraction: 0.2 });
const base = { rank: 2, epochs: 2, seed: 1 };
const arm: Arm = {
  overparam: false,
  optimizer: { name: 'sgd', learningRate: 0.01 },
  initScale: 1,
  regularization: 0.02,
};
const withoutSeconds = ({ epochs, diverged }: Awaited<ReturnType<typeof runArm>>) => ({
  diverged,
  epochs: epochs.map((epoch) => ({ ...epoch, seconds: 0 })),
});

function worker(name: string, text: string): string {
  const file = join(folder, `${name}.js`);
  writeFileSync(file, text);
  return file;
}

test.each([
  ['exits when asked', "require('node:worker_threads').parentPort.on('message', () => process.exit(3));"],
  ['throws when asked', "require('node:worker_threads').parentPort.on('message', () => { throw new Error('no') });"],
  ['throws at once', "throw new Error('no');"],
  ['is not JavaScript', 'this is not'],
  ['ends at once', ''],
])('a thread that %s', async (name, text) => {
  const expected = withoutSeconds(await runArm(arm, split, base, undefined));
  const threads = startArmThreads(2, worker(name, text));
  expect(threads.atOnce).toBe(2);
  const runs = [1, 2, 3].map(() => threads.run(arm, split, base, undefined));
  for (const result of await Promise.all(runs)) expect(withoutSeconds(result)).toEqual(expected);
  await threads.close();
});

test('the error of a run is its own', async () => {
  const threads = startArmThreads(2, worker('fails', "require('node:worker_threads').parentPort.on('message', fail);"));
  const empty = { ...split, train: syntheticInteractions({ users: 1, items: 1, ratings: 1 }) };
  const run = threads.run({ ...arm, optimizer: { name: 'sgd', learningRate: Number.NaN } }, empty, base, undefined);
  await expect(run).rejects.toThrow(/learningRate/);
  await expect(run).rejects.not.toBeInstanceOf(DataError);
  await threads.close();
});
