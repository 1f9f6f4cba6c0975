// One file of a program and all that it imports, `opmf` taken from the sources: what runs in a process of its own must
// not depend on a build that may be old.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../docs/blocks';

/** Bundles an entry into an ES module for Node. */
export function bundle(entry: string, outfile: string): void {
  buildSync({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    alias: {
      'opmf/distributed': `${ROOT}/src/node/distributed/index.ts`,
      'opmf/math': `${ROOT}/src/math/index.ts`,
      'opmf/models': `${ROOT}/src/models/index.ts`,
      'opmf/node': `${ROOT}/src/node/index.ts`,
      'opmf/serve': `${ROOT}/src/serve.ts`,
      opmf: `${ROOT}/src/index.ts`,
    },
    // CommonJS dependencies ask for built-in modules by require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
}

/** A new folder for programs, inside of the checkout so that they find its packages; a fresh clone has no cache yet. */
export function programFolder(name: string): string {
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, `opmf-${name}-`));
}
