// Builds the library where this clone has no build yet; says so, as it takes a while.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = (...words) => {
  console.log(`opmf is not built yet: npm ${words.join(' ')} in ${root}`);
  const { status } = spawnSync('npm', words, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync(`${root}/dist/node.js`)) {
  if (!existsSync(`${root}/node_modules`)) run('ci');
  run('run', 'build', '--', '--no-dts'); // Without types it takes a third of the time.
}
