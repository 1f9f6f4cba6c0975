// The sources of the checkout or of a commit, for the benchmarks that count files.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { ROOT } from './builds.mjs';

/** Folder of src/, of a commit where one is given: a copy that is removed at the end of the process. */
export function sourceFolder(ref) {
  if (ref === undefined) return join(ROOT, 'src');
  const folder = temporaryFolder('sources');
  const archive = execFileSync('git', ['archive', ref, 'src'], { cwd: ROOT, maxBuffer: 1 << 28 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  return join(folder, 'src');
}

/** A folder of this process, from which the dependencies are found. */
function temporaryFolder(name) {
  const cache = join(realpathSync(join(ROOT, 'node_modules')), '.cache', 'opmf', 'house');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `${name}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every TypeScript file below a folder: `core/errors.ts`. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) =>
      relative(folder, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}

/** Which files each file imports, those of types included, and re-exports. */
export function importsOf(folder) {
  const files = new Set(filesOf(folder));
  const graph = new Map();
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest);
    const found = new Set();
    const add = (node) => {
      if (!node || !ts.isStringLiteralLike(node) || !node.text.startsWith('.')) return;
      const path = posix.join(posix.dirname(file), node.text);
      const target = [`${path}.ts`, `${path}/index.ts`, path].find((name) => files.has(name));
      if (target === undefined) throw new Error(`${file} imports ${node.text}, which is not there`);
      found.add(target);
    };
    const visit = (node) => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
      if (ts.isImportTypeNode(node)) add(node.argument.literal);
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
      ts.forEachChild(node, visit);
    };
    visit(source);
    graph.set(file, found);
  }
  return graph;
}

/** Every file as a module of its own, in JavaScript: the folder they are in. */
export async function transpile(folder) {
  const out = temporaryFolder('transpiled');
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
  const files = filesOf(folder);
  const known = new Set(files);
  const relativeImports = {
    name: 'relative-imports',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, importer, kind }) => {
        if (kind === 'entry-point') return undefined;
        const name = posix.join(posix.dirname(relative(folder, importer).split(sep).join('/')), path);
        return { path: `${path}${known.has(`${name}.ts`) ? '.js' : '/index.js'}`, external: true };
      });
    },
  };
  await build({
    entryPoints: files.map((file) => join(folder, file)),
    outdir: out,
    outbase: folder,
    bundle: true,
    packages: 'external',
    plugins: [relativeImports],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  });
  return out;
}

/** Lines of a file. */
export const linesOf = (folder, file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').length;

/** A file's folder: '' at the top. */
export const folderOf = (file) => (dirname(file) === '.' ? '' : dirname(file));
