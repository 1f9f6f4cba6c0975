// Runs a TypeScript file of this repository: node benchmarks/run.mjs benchmarks/defaults.ts [arguments].
// It is bundled with the sources of the library into node_modules/.cache, so that what is measured is what is in src.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import useSharedData from './data-folder.mjs';

useSharedData();
const [file, ...rest] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
// A name of this process: two runs of one file, or of two work trees with one node_modules, are not in each other's way.
const outfile = join(root, 'node_modules', '.cache', 'opmf', `${file.replaceAll('/', '-')}-${process.pid}.mjs`);
process.on('exit', () => rmSync(outfile, { force: true }));
// For smoke.ts, with the sets of data cut down.
const [library, libraryOfNode] = process.env.OPMF_SMOKE
  ? ['benchmarks/smoke-opmf.ts', 'benchmarks/smoke-node.ts']
  : ['src/index.ts', 'src/node/index.ts'];
await build({
  entryPoints: [file],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  alias: {
    opmf: join(root, library),
    'opmf/node': join(root, libraryOfNode),
    'opmf/distributed': join(root, 'src/node/distributed/index.ts'),
  },
  logLevel: 'error',
});
process.argv = [process.argv[0], file, ...rest];
await import(pathToFileURL(outfile).href);
