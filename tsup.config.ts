import { defineConfig } from 'tsup';

/**
 * `new MF().constructor.name` is MF in both module systems. When it bundles, esbuild writes `var MF = class`, or
 * `class _MF` where the class refers to itself; the step to CommonJS loses the names of the former. Within a class its
 * own name means the same, so it is written there. Not keepNames: that marks every function by a call, and an
 * application that imports one of them would get them all.
 */
const classNames = {
  name: 'class-names',
  renderChunk(code: string) {
    const named = code.replace(/^var (\w+) = class(?= extends| \{)/gm, 'var $1 = class $1');
    const own = [...named.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name!);
    return { code: own.reduce((text, name) => text.replace(new RegExp(`\\b_${name}\\b`, 'g'), name), named) };
  },
};

/** Library entries in both module systems, with types; the command line as ESM only. */
export default defineConfig([
  {
    entry: { index: 'src/index.ts', math: 'src/math/index.ts', node: 'src/node/index.ts' },
    format: ['esm', 'cjs'],
    // What is marked @internal is for the other layers, not for callers.
    dts: { compilerOptions: { stripInternal: true } },
    clean: true,
    splitting: true,
    plugins: [classNames],
    sourcemap: true,
    target: 'es2022',
    platform: 'neutral',
    external: [/^node:/],
  },
  {
    entry: { cli: 'src/node/cli/main.ts', 'arm-worker': 'src/node/cli/arm-worker.ts' },
    format: ['esm'],
    banner: { js: '#!/usr/bin/env node' },
    target: 'es2022',
    platform: 'node',
    splitting: false,
    plugins: [classNames],
  },
]);
