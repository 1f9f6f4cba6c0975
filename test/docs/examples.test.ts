// Every example of the documentation is run as it stands, and prints what it says that it prints.

import { blocksOf, documentedFiles } from './blocks';
import { runBlock } from './run-block';

/** Blocks that show what no test can run, such as a server; each more needs a reason. */
const MOST_SKIPPED = 3;

const found = documentedFiles().map((file) => ({ file, ...blocksOf(file) }));

for (const { file, blocks } of found) {
  for (const block of blocks) {
    const isPossible = !block.needsRedis || process.env.OPMF_REDIS !== undefined;
    (isPossible ? test : test.skip)(`${file}:${block.line}`, async () => {
      await runBlock(block);
    });
  }
}

test('there are examples, and few that are not run', () => {
  expect(found.flatMap(({ blocks }) => blocks).length).toBeGreaterThan(50);
  expect(found.reduce((sum, { skipped }) => sum + skipped, 0)).toBeLessThanOrEqual(MOST_SKIPPED);
});

describe('the runner itself', () => {
  const run = (code: string) => runBlock({ file: 'docs/some.md', line: 10, code });

  test('accepts what is right, and counts it', async () => {
    const code = [
      "import { MF } from 'opmf';",
      "import { dot } from 'opmf/math';",
      "import { listDatasets } from 'opmf/node';",
      "import ndarray from 'ndarray';",
      "import { join } from 'node:path';",
      'console.log(new MF().name, typeof listDatasets); // mf function',
      'console.log(await Promise.resolve(dot(ndarray([1, 2]), ndarray([3, 4])))); // 11',
      'for (const x of [1, 1]) console.log(x); // 1',
      'console.log(',
      "  join('a', 'b'),",
      '); // a/b',
      "console.log('not asserted');",
    ].join('\n');
    await expect(run(code)).resolves.toBe(4);
  });

  test.each([
    ['a wrong value', 'const x = 1;\nconsole.log(x); // 2', 'docs/some.md:11: printed 1; the comment says 2'],
    ['a wrong pass of a loop', 'for (const x of [1, 2]) console.log(x); // 1', 'docs/some.md:10: printed 2'],
    ['a line not reached', 'if (Math.abs(1) > 2)\n  console.log(1); // 1', 'docs/some.md:11: never printed'],
    ['an exception', "throw new Error('no');", 'docs/some.md:10: the example throws Error: no'],
    ['a rejection', "await Promise.reject(new Error('no'));", 'docs/some.md:10: the example throws Error: no'],
    ['a missing export', "import { nope } from 'opmf';\nnope();", 'docs/some.md:10: the example throws TypeError'],
  ])('finds %s', async (_, code, message) => {
    await expect(run(code)).rejects.toThrow(message);
  });
});
