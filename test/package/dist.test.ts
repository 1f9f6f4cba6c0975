// What is published: entries in both module systems, what they load, the command, the manifest.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import manifest from '../../package.json';
import * as opmf from '../../src';
import { VERSION } from '../../src/core/version';
import * as math from '../../src/math';
import * as models from '../../src/models';
import * as node from '../../src/node';
import * as distributed from '../../src/node/distributed';
import * as serve from '../../src/serve';
import { ROOT } from '../docs/blocks';
import { evaluate, LOADERS } from './child';

const entries = {
  ...{ opmf, 'opmf/math': math, 'opmf/models': models, 'opmf/node': node, 'opmf/serve': serve },
  'opmf/distributed': distributed,
} as const;

describe.each(['import', 'require'] as const)('by %s', (how) => {
  test.each(Object.entries(entries))('%s exports what its source does, classes by their names', (entry, source) => {
    const body = `
      const values = Object.entries(${LOADERS[how](entry)}).filter(([name]) => !['default', 'module.exports'].includes(name));
      const isClass = (value) => typeof value === 'function' && /^class\\b/.test(Function.prototype.toString.call(value));
      const classes = values.filter(([, value]) => isClass(value)).map(([name, value]) => [name, value.name]);
      return { names: values.map(([name]) => name), classes };`;
    const { names, classes } = evaluate(body) as { names: string[]; classes: [string, string][] };
    expect(names.sort()).toEqual(Object.keys(source).sort());
    expect(classes.map(([, own]) => own)).toEqual(classes.map(([exported]) => exported));
    if (entry === 'opmf') expect(classes.length).toBeGreaterThan(10);
  });

  test('one entry knows the classes of another', () => {
    const body = `
      const { Interactions, OpmfError } = ${LOADERS[how]('opmf')};
      const { readInteractions } = ${LOADERS[how]('opmf/node')};
      const error = await readInteractions('no such file').catch((thrown) => thrown);
      return error instanceof OpmfError;`;
    expect(evaluate(body)).toBe(true);
  });

  test('no field of a class replaces an export of its name, as the step to CommonJS would have it: rename the field or the export', () => {
    const folder = join(ROOT, 'dist');
    const chunks = readdirSync(folder).filter((name) => name.endsWith('.cjs'));
    const replaced = chunks.flatMap(
      (name) => readFileSync(join(folder, name), 'utf8').match(/this\.(\w+) = exports\.\1 = /g) ?? [],
    );
    expect(replaced).toEqual([]);
    expect(chunks.length).toBeGreaterThan(4);
  });

  test('the package is found under its own name with its manifest', () => {
    expect(evaluate(`return require('opmf/package.json').version`)).toBe(manifest.version);
  });
});

describe('the default entry', () => {
  test.each(['index.js', 'index.cjs'])(
    '%s imports ndarray and seedrandom, nothing of Node and no ndarray-ops',
    (file) => {
      expect([...outsideOf(file)].sort()).toEqual(['ndarray', 'seedrandom/seedrandom.js']);
    },
  );

  test.each(['math.js', 'math.cjs'])('%s imports nothing of Node', (file) => {
    for (const name of outsideOf(file)) expect(name).toMatch(/^ndarray/);
  });

  test('does not load ndarray-ops, not even to train and to look at the tables', () => {
    const body = `
      const { MF, syntheticInteractions } = require('opmf');
      const model = new MF({ rank: 2, epochs: 1 });
      await model.fit(syntheticInteractions({ users: 20, items: 10, ratings: 100 }));
      const shape = model.userFactors.shape;
      const loaded = Object.keys(require.cache).map((path) => path.replaceAll('\\\\\\\\', '/'));
      return [shape, loaded.some((path) => path.includes('/ndarray-ops/')), loaded.some((path) => path.includes('/ndarray/'))];`;
    expect(evaluate(body)).toEqual([[20, 2], false, true]);
  });
});

/** The modules outside of `dist` that a file of it imports, itself or through its chunks. */
function outsideOf(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  const text = readFileSync(join(ROOT, 'dist', file), 'utf8');
  for (const [, name] of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)["']([^"'\n]+)["']/g)) {
    // Examples in docstrings survive in the build; they name the package itself.
    if (name === undefined || name.startsWith('opmf')) continue;
    if (!name.startsWith('.')) found.add(name);
    else for (const inner of outsideOf(join(dirname(file), name), seen)) found.add(inner);
  }
  return found;
}

describe('the command', () => {
  const path = join(ROOT, manifest.bin.opmf);

  test('prints the version of the manifest, which is that of the library', () => {
    expect(execFileSync(process.execPath, [path, '--version'], { encoding: 'utf8' })).toBe(`${manifest.version}\n`);
    expect(VERSION).toBe(manifest.version);
  });

  test('can be run as a program', () => {
    expect(readFileSync(path, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o111).toBe(0o111);
  });

  test('wrong usage exits 2 with one line that helps and no stack trace', () => {
    const run = () => execFileSync(process.execPath, [path, 'comapre'], { encoding: 'utf8', stdio: 'pipe' });
    expect(run).toThrow(
      expect.objectContaining({ status: 2, stderr: expect.stringContaining("did you mean 'compare'?") }),
    );
  });
});

describe('the manifest', () => {
  test('runs nothing when it is installed', () => {
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  });

  test('has at most four direct dependencies', () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(4);
    expect(manifest).not.toHaveProperty('optionalDependencies');
  });

  test('other packages are optional, and none of them is in what is built', () => {
    const peers = Object.keys(manifest.peerDependencies);
    expect(manifest.peerDependenciesMeta).toEqual(Object.fromEntries(peers.map((name) => [name, { optional: true }])));
    const dist = join(ROOT, 'dist');
    const built = readdirSync(dist).filter((name) => /\.c?js$/.test(name));
    const text = built.map((name) => readFileSync(join(dist, name), 'utf8')).join('\n');
    for (const name of ['hyparquet', 'hyparquet-writer', 'bullmq', 'ioredis', '@aws-sdk/client-s3'])
      expect(text).toMatch(new RegExp(`(import|require)\\("${name}"\\)`));
    // Of hyparquet's own code.
    expect(text).not.toContain('parquet file invalid');
    expect(built.length).toBeGreaterThan(10);
  });
});

describe('the package as it would be published', () => {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-pack-'));
  let tarball: string;
  let files: string[];
  beforeAll(() => {
    const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]));
    tarball = join(folder, packed.filename);
    files = packed.files.map(({ path }: { path: string }) => path);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has what it needs, and no sources or tests', () => {
    for (const name of [
      'LICENSE',
      'examples/embed-in-a-service.ts',
      'package.json',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.cts',
      'dist/cli.js',
    ]) {
      expect(files).toContain(name);
    }
    expect(files.filter((name) => /^(src|test|benchmarks)\//.test(name))).toEqual([]);
  });

  test('publint finds nothing', () => {
    expect(run(bin('publint'), ['run', '--strict', ROOT])).toContain('All good');
  });

  test('its types resolve in every module system that the engines have', () => {
    // Subpaths need `exports`, which Node 10's resolution does not read; engines ask for 20.19. A problem is exit code 1.
    const table = run(bin('attw'), [tarball, '--profile', 'node16', '--format', 'ascii', '--no-emoji', '--no-color']);
    for (const entry of ['', '/distributed', '/math', '/node', '/serve']) expect(table).toContain(`"opmf${entry}"`);
  });
});

function bin(name: string): string {
  return join(ROOT, 'node_modules', '.bin', name);
}

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
