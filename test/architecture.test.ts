// The house rules of docs/architecture.md over the real sources, and each rule over a small source that breaks it: a
// rule that could not fail would say nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSources, readSources, type SourceFile } from './support/source-graph';
import {
  arithmeticViolations,
  crumbViolations,
  cycles,
  entryViolations,
  LAYERS,
  layerViolations,
  nameViolations,
  openingViolations,
  packageViolations,
} from './support/source-rules';

const root = join(__dirname, '..');
const sources = readSources(join(root, 'src'));
const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: object;
  peerDependencies: object;
};
const packages = Object.keys(dependencies);
const optional = Object.keys(peerDependencies);

/** Made-up files, by path. */
const made = (files: Record<string, string>): SourceFile[] => parseSources(new Map(Object.entries(files)));

test('the sources were found and their imports read', () => {
  const index = sources.find(({ path }) => path === 'index.ts')!;
  expect(sources.length).toBeGreaterThan(50);
  expect(index.imports.length).toBeGreaterThan(20);
  expect(index.imports.every(({ target }) => target !== undefined)).toBe(true);
  expect(new Set(sources.flatMap(({ path }) => path.split('/').slice(0, -1).slice(0, 1)))).toEqual(new Set(LAYERS));
});

describe('layers', () => {
  test('imports point downward, those of types too', () => {
    expect(layerViolations(sources)).toEqual([]);
  });
  test('the rule sees every way to import', () => {
    const files = made({
      'training/trainer.ts': 'export class Trainer {}',
      'models/a.ts': "import { Trainer } from '../training/trainer';",
      'models/b.ts': "import type { Trainer } from '../training/trainer';",
      'models/c.ts': "export * from '../training/trainer';",
      'models/d.ts': "export type { Trainer } from '../training/trainer';",
      'models/e.ts': "const load = () => import('../training/trainer');",
      'models/f.ts': "type T = import('../training/trainer').Trainer;",
      'models/g.ts': "// import { Trainer } from '../training/trainer';\nconst text = \"from '../training/trainer'\";",
      'models/h.ts': "import './a'; import '../core/random'; import '../../test/a';",
      'recommenders/i.ts': "import { Trainer } from '../training/trainer';",
      'index.ts': "export * from './models/a'; export * from './node/j';",
      'node/j.ts': "import '../index';",
      'stray.ts': '',
      'attic/k.ts': '',
    });
    expect(layerViolations(files)).toEqual([
      'attic/k.ts is in no layer',
      'index.ts -> node/j.ts',
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `models/${name}.ts -> training/trainer.ts`),
      'models/h.ts -> ../core/random (no file)',
      'models/h.ts -> ../../test/a (no file)',
      'stray.ts is in no layer',
    ]);
  });
});

describe('packages', () => {
  test('node:* in src/node alone, ndarray-ops in src/math alone, and nothing that users would not get', () => {
    expect(packageViolations(sources, packages, optional)).toEqual([]);
  });
  test('the rule can fail', () => {
    const files = made({
      'io/a.ts': "import { readFileSync } from 'node:fs'; import fs from 'fs';",
      'node/b.ts': "import { readFileSync } from 'node:fs'; import ops from 'ndarray-ops';",
      'node/d.ts': "const load = () => import('hyparquet'); import type { A } from 'hyparquet';",
      'node/e.ts': "import { parquetScan } from 'hyparquet';",
      'io/f.ts': "const load = () => import('hyparquet');",
      'math/c.ts':
        "import ops from 'ndarray-ops'; import type { NdArray } from 'ndarray'; import ts from 'typescript';",
    });
    expect(packageViolations(files, ['ndarray', 'ndarray-ops'], ['hyparquet'])).toEqual([
      'io/a.ts -> node:fs',
      'io/a.ts -> fs',
      'io/f.ts -> hyparquet',
      'math/c.ts -> typescript',
      'node/b.ts -> ndarray-ops',
      'node/e.ts -> hyparquet',
    ]);
  });
});

describe('the default entry', () => {
  test('loads neither src/math nor ndarray-ops, which make functions from strings, nor anything of Node', () => {
    expect(entryViolations(sources, 'index.ts')).toEqual([]);
  });
  test('the rule follows value imports through files, and types nowhere', () => {
    const files = made({
      'index.ts': "export { a } from './models/a'; export type { B } from './models/b';",
      'models/a.ts': "import { type B } from './c';",
      'models/b.ts': "import '../math/dot';",
      'models/c.ts': "import '../math/dot'; import type { NdArray } from '../math/sum'; import 'ndarray-ops';",
      'math/dot.ts': '',
      'math/sum.ts': '',
    });
    expect(entryViolations(files, 'index.ts')).toEqual(['models/c.ts -> math/dot.ts', 'models/c.ts -> ndarray-ops']);
  });
});

describe('circles', () => {
  test('no file imports itself, over however many others, types counted', () => {
    expect(cycles(sources)).toEqual([]);
  });
  test('the rule can fail, within a folder too', () => {
    const files = made({
      'core/a.ts': "import './b';",
      'core/b.ts': "import './c'; import './d';",
      'core/c.ts': "import { type A } from './a';",
      'core/d.ts': "import type { A } from './b';",
      'core/e.ts': "import type { A } from './a';",
    });
    expect(cycles(files)).toEqual([
      'core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts',
      'core/b.ts -> core/d.ts -> core/b.ts',
    ]);
  });
});

describe('files', () => {
  test('have names that say something, in kebab-case', () => {
    expect(nameViolations(sources)).toEqual([]);
    const bad = ['core/utils.ts', 'io/csv-helpers.ts', 'common/a.ts', 'core/rowReader.ts'];
    const good = { 'core/uncommon.ts': '', 'io/separator.ts': '' };
    expect(nameViolations(made({ ...Object.fromEntries(bad.map((path) => [path, ''])), ...good })).sort()).toEqual(
      [...bad].sort(),
    );
  });
  test('are not crumbs of a neighbour: what is read together stands together', () => {
    // Alone in a file of its own, which the build keeps apart: what imports seedrandom is bundled with it.
    expect(crumbViolations(sources)).toEqual(['core/seed-key.ts <- core/random.ts']);
    const files = made({
      'core/a.ts': '// A.',
      'core/b.ts': "import './a'; import './c'; import '../io/d';",
      'core/c.ts': '// C.\n'.repeat(40),
      'io/d.ts': "import '../core/e';",
      'core/e.ts': '',
      'core/f.ts': "import './e';",
    });
    expect(crumbViolations(files)).toEqual(['core/a.ts <- core/b.ts']);
  });
  test('open with a comment that says what they are', () => {
    expect(openingViolations(sources)).toEqual([]);
    const files = made({ 'core/a.ts': "import './b';", 'core/b.ts': '// What.\n', 'core/c.ts': '\n// Late.' });
    expect(openingViolations(files)).toEqual(['core/a.ts', 'core/c.ts']);
  });
});

describe('arithmetic', () => {
  test('that decides a result has the same bits in every engine', () => {
    expect(arithmeticViolations(sources)).toEqual([]);
  });
  test('the rule knows what ECMAScript defines to the bit', () => {
    const files = made({
      'core/a.ts': 'const a = Math.exp(1) + Math.sqrt(2) + Math.PI; const { log } = Math; const b = Math["cos"](1);',
      'core/b.ts': 'const a = 2 ** 32 + 2 ** -32; const b = (x: number) => x ** 2; let c = 1; c **= 2; // Math.exp',
      'core/c.ts': 'const a = Math.random() + Math.hypot(1, 2) + other.Math.exp(1);',
      'report/d.ts': 'const a = Math.log10(5);',
    });
    expect(arithmeticViolations(files)).toEqual([
      'core/a.ts: Math exp',
      'core/a.ts: Math as a value',
      'core/a.ts: Math as a value',
      'core/b.ts: x ** 2',
      'core/b.ts: c **= 2',
      'core/c.ts: Math random',
      'core/c.ts: Math hypot',
    ]);
  });
});
