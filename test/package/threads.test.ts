// The built command line on several threads: the same document, but for the seconds.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

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
