// What the package weighs in an application, from the packed tarball, by esbuild: minified, gzipped, dependencies included.
// The other bundlers give the same within a tenth. How it is measured, and the whole table: npm run size.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Most kB (of 1000 bytes) of a program: what it may have, and what it was when it was last looked at. Keep the second low. */
const LIMITS: Readonly<Record<string, readonly [target: number, now: number]>> = {
  'OpmfError alone': [2, 1],
  Popularity: [12, 18.8],
  ItemKNN: [20, 28.5],
  EASE: [20, 28.4],
  'serve: all kinds': [25, 39.5],
  'serve: factorizations': [15, 24.6],
  'Interactions and MF': [55, 107.4],
  OverparamMF: [60, 116.6],
  everything: [110, 232.8],
};
/**
 * Open: webpack does not leave out ndarray and seedrandom (5 kB), CommonJS that nothing of the program calls. What of these a
 * tenth of the program does not cover, in bytes.
 */
const KEPT_BY_WEBPACK: Readonly<Record<string, number>> = { Popularity: 3_600, 'serve: all kinds': 600 };
const TARBALL = [1000, 1166] as const;

interface Sizes {
  readonly tarball: number;
  readonly programs: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let found: Sizes;
beforeAll(() => {
  const program = join(__dirname, 'programs', 'sizes.mjs');
  found = JSON.parse(execFileSync(process.execPath, [program, '--json'], { encoding: 'utf8', timeout: 300_000 }));
  const cell = (text: unknown) => String(text ?? '').padStart(9);
  const kB = (bytes?: number) => cell(bytes && (bytes / 1000).toFixed(1));
  const bundlers = ['esbuild', 'rollup', 'vite', 'webpack'];
  const lines = Object.entries(found.programs).map(([name, row]) =>
    [name.padEnd(22), ...bundlers.map((bundler) => kB(row[bundler])), ...LIMITS[name]!.map(cell)].join(''),
  );
  const head = ['kB, gzipped'.padEnd(22), ...bundlers.map(cell), cell('target'), cell('at most')].join('');
  const tarball = ['tarball'.padEnd(22), kB(found.tarball), ' '.repeat(27), ...TARBALL.map(cell)].join('');
  console.log([head, ...lines, tarball].join('\n'));
}, 300_000);

test('every program is measured', () => {
  expect(Object.keys(found.programs).length).toBeGreaterThan(6);
  for (const name of Object.keys(found.programs)) expect(LIMITS).toHaveProperty([name]);
});

test.each(Object.entries(LIMITS))('%s', (name, [, most]) => {
  const sizes = found.programs[name];
  if (sizes === undefined) return;
  expect(sizes.esbuild).toBeGreaterThan(300);
  expect(sizes.esbuild! / 1000).toBeLessThanOrEqual(most);
  for (const bundler of ['rollup', 'vite', 'webpack']) {
    const kept = bundler === 'webpack' ? (KEPT_BY_WEBPACK[name] ?? 0) : 0;
    if (sizes[bundler] !== undefined) expect(sizes[bundler]).toBeLessThanOrEqual(1.1 * sizes.esbuild! + kept);
  }
});

test('the tarball', () => {
  expect(found.tarball / 1000).toBeLessThanOrEqual(TARBALL[1]);
});
