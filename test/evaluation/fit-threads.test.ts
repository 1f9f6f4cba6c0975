// Threads that end before their fit is done: it is done here, with the same numbers.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { splitRandom, syntheticInteractions } from 'opmf';
import { startFitRunner } from '../../src/evaluation/fit-threads';
import { type Fit, type FitResult, fitterOf, runFit } from '../../src/evaluation/fits';
import { MF } from '../../src/recommenders/mf';

const folder = mkdtempSync(join(tmpdir(), 'opmf-fits-'));
afterAll(() => rmSync(folder, { recursive: true }));

const split = splitRandom(syntheticInteractions({ users: 30, items: 20, ratings: 300 }), { testFraction: 0.2 });
const fit: Fit = { recommender: { name: 'mf', options: { rank: 2, epochs: 2 } }, owner: 'test', metrics: ['rmse'] };
const withoutSeconds = (result: FitResult) => ({ ...result, seconds: 0 });

function worker(name: string, text: string): string {
  const file = join(folder, `${name.replaceAll(' ', '-')}.mjs`);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}
const listens = (does: string) =>
  `import { parentPort } from 'node:worker_threads'; parentPort.on('message', ${does});`;

test.each([
  ['exits when asked', listens('() => process.exit(3)')],
  ['throws when asked', listens("() => { throw new Error('no') }")],
  ['answers that it failed', listens('() => parentPort.postMessage(null)')],
  ['throws at once', "throw new Error('no');"],
  ['is not JavaScript', 'this is not'],
  ['ends at once', ''],
])('a thread that %s', async (name, text) => {
  const expected = withoutSeconds(await runFit(fit, split, undefined));
  const runner = startFitRunner(2, worker(name, text));
  expect(runner.atOnce).toBe(2);
  const runs = [1, 2, 3].map(() => runner.run(fit, split, undefined));
  for (const result of await Promise.all(runs)) expect(withoutSeconds(result)).toEqual(expected);
  runner.close();
});

test('the error of a fit is its own', async () => {
  const runner = startFitRunner(2, worker('fails', listens('fail')));
  const wrong: Fit = { ...fit, recommender: { name: 'mf', options: { rank: 0 } } };
  await expect(runner.run(wrong, split, undefined)).rejects.toMatchObject({ name: 'OptionError', option: 'rank' });
  runner.close();
});

test('an abort is noticed while a thread is silent', async () => {
  const runner = startFitRunner(2, worker('is silent', listens('() => {}')));
  const controller = new AbortController();
  setTimeout(() => controller.abort('now'), 50);
  await expect(runner.run(fit, split, controller.signal)).rejects.toBe('now');
  runner.close();
});

test('what is sent to threads is exactly of a class of the library, its rules too', () => {
  class Mine extends MF {}
  const config = { name: 'mine', learningRate: 0.01 };
  const rule = { config, slots: [], update: () => undefined };
  expect(fitterOf(new MF({ rank: 3, optimizer: 'adam' }))).toMatchObject({ name: 'mf', options: { rank: 3 } });
  expect(typeof fitterOf(new Mine())).toBe('function');
  expect(typeof fitterOf(new MF({ optimizer: rule as never }))).toBe('function');
});
