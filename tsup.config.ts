import { defineConfig } from 'tsup';

/** Library entries in both module systems, with types; the command line as ESM only. */
export default defineConfig([
  {
    entry: { index: 'src/index.ts', math: 'src/math/index.ts', node: 'src/node/index.ts' },
    format: ['esm', 'cjs'],
    dts: true,
    clean: true,
    splitting: true,
    sourcemap: true,
    target: 'es2022',
    platform: 'neutral',
    external: [/^node:/],
  },
  {
    entry: { cli: 'src/node/cli/main.ts' },
    format: ['esm'],
    banner: { js: '#!/usr/bin/env node' },
    target: 'es2022',
    platform: 'node',
    splitting: false,
  },
]);
