// What the fast kernels cost who ships them: the assembler and all that it writes programs from, minified and gzipped.
// There is no binary in the package.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const MOST = 40 * 1024;

test('everything that writes WebAssembly is under 40 kB gzip', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-size-'));
  try {
    const entry = join(folder, 'kernels.ts');
    const source = (name: string) => JSON.stringify(join(__dirname, '../../src', name));
    writeFileSync(
      entry,
      [
        'training/per-rating/program',
        'kernels/heap',
        'kernels/dispatch',
        'kernels/scorer-wasm',
        'training/per-rating/engine',
      ]
        .map((name) => `export * from ${source(name)};`)
        .join('\n'),
    );
    const outfile = join(folder, 'kernels.js');
    buildSync({ entryPoints: [entry], outfile, bundle: true, minify: true, format: 'esm', packages: 'external' });
    const bytes = gzipSync(readFileSync(outfile)).length;
    expect(bytes).toBeGreaterThan(5_000);
    expect(bytes).toBeLessThan(MOST);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
