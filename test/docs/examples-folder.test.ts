// Every program in examples/ runs to its end by itself: bundled with the sources, in a Node process of its own.

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

const programs = filesIn('examples', '.ts');

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
