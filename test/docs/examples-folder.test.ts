// Every program in examples/ runs to its end by itself, in a Node process of its own: bundled with the sources, or, as it starts
// processes and threads of the package, with what was built. Projects in folders there have tests of their own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../package/bundle';
import { filesIn, ROOT } from './blocks';

/** The longest that a program may take, in milliseconds. */
const LIMIT = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'opmf-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

const programs = filesIn('examples', '.ts').filter((path) => path.split('/').length === 2);

test('there are programs', () => {
  expect(programs.length).toBeGreaterThanOrEqual(2);
});

for (const [at, program] of programs.entries()) {
  test(
    `${program} ends cleanly`,
    () => {
      const file = join(folder, `${at}.mjs`);
      bundle(join(ROOT, program), file);
      const printed = execFileSync(process.execPath, [file], { cwd: folder, timeout: LIMIT, encoding: 'utf8' });
      expect(printed).not.toBe('');
    },
    LIMIT + 10_000,
  );
}

// Its own redis-server would do as well: $OPMF_REDIS says that it may be taken for granted.
(process.env.OPMF_REDIS ? test : test.skip)(
  'examples/distributed/main.mjs ends cleanly',
  () => {
    const program = join(ROOT, 'examples/distributed/main.mjs');
    const words = [program, '--synthetic'];
    const printed = execFileSync(process.execPath, words, { cwd: folder, timeout: 3 * LIMIT, encoding: 'utf8' });
    expect(printed).toContain('The tables are the same, bit by bit.');
  },
  3 * LIMIT + 10_000,
);
