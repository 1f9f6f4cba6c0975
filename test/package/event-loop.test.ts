// A service that trains in its own process goes on answering. In a process of its own: the test runner's sandbox makes
// tight loops several times slower than they are.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle';

const folder = mkdtempSync(join(tmpdir(), 'opmf-event-loop-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('no timer waits for 100 ms while 100,000 ratings are trained on', () => {
  const program = join(folder, 'event-loop.mjs');
  bundle(join(__dirname, 'programs', 'event-loop.ts'), program);
  const { longest, ticks, seconds } = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' }));
  expect(longest).toBeLessThan(100);
  // A pause is due every 12 ms; a busy machine stretches it.
  expect(ticks).toBeGreaterThan((seconds * 1000) / 100);
});
