// `npm run docs`: the documentation site, from docs/ and the docstrings of src/, into site/dist. Its packages are the site's own
// and are installed when they are missing; after that nothing is fetched, neither by the build nor by who reads the pages.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const site = fileURLToPath(new URL('.', import.meta.url));
if (!existsSync(`${site}node_modules`)) {
  execFileSync('npm', ['ci'], { cwd: site, stdio: 'inherit', shell: process.platform === 'win32' });
}

const start = performance.now();
const { writePages } = await import('./pages.mjs');
await writePages();
const { build } = await import('vitepress');
await build(site);
const { check } = await import('./check.mjs');
const { user, system } = process.cpuUsage();
const seconds = Math.round((performance.now() - start) / 1000);
await check({
  seconds,
  cpuSeconds: Math.round((user + system) / 1e6),
  load: loadavg()[0],
  cores: availableParallelism(),
});
