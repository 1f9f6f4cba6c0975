// Files and folders that pages, comments and papers name are there: a path in prose goes stale without a sound.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(__dirname, '../..');
const filesIn = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesIn(path);
    return [path];
  });
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => join(root, name)),
  // Decisions tell of the day they were taken on.
  ...filesIn(join(root, 'docs')).filter((path) => path.endsWith('.md') && !path.includes('decisions')),
  ...filesIn(join(root, 'src')).filter((path) => /\.(ts|md)$/.test(path)),
];
const ROOMS = readdirSync(join(root, 'src')).filter((name) => !name.includes('.'));

/** Paths of sources and tests in a text, as `kernels/dot.ts` or `test/models/layers.test.ts`. */
function pathsOf(text: string, isCode: boolean): string[] {
  const prose = isCode ? [...text.matchAll(/\/\/.*|\/\*[\s\S]*?\*\//g)].map(([comment]) => comment).join('\n') : text;
  return [
    ...prose.matchAll(/(?<![\w/.:-])(?:src\/|test\/)?[a-z-]+(?:\/[a-z.-]+)*\/[a-z-]+(?:\.test)?\.(?:ts|mjs|json)\b/g),
  ].map(([path]) => path);
}

test('every path in prose is a file', () => {
  const missing = pages.flatMap((page) =>
    pathsOf(readFileSync(page, 'utf8'), page.endsWith('.ts'))
      .filter((path) => /^(src|test|benchmarks|examples)\//.test(path) || ROOMS.includes(path.split('/')[0]!))
      .filter((path) => ![path, join('src', path)].some((place) => existsSync(join(root, place))))
      .map((path) => `${relative(root, page)}: ${path}`),
  );
  expect(missing).toEqual([]);
  expect(pathsOf('see kernels/nowhere.ts and `src/core/errors.ts`', false)).toEqual([
    'kernels/nowhere.ts',
    'src/core/errors.ts',
  ]);
});
