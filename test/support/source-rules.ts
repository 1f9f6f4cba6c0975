// The house rules of ARCHITECTURE as functions of the parsed sources. Each gives its violations, one line a case.

import type { Import, SourceFile } from './source-graph';

/** From the bottom: a file imports from its own folder or from one before it. */
export const LAYERS = [
  'core',
  'wasm',
  'kernels',
  'math',
  'data',
  'io',
  'optimizers',
  'parameters',
  'models',
  'metrics',
  'training',
  'serving',
  'recommenders',
  'evaluation',
  'report',
  'node',
] as const;

/** Where the same seed must give the same bits in every engine. */
export const EXACT_LAYERS = ['core', 'wasm', 'kernels', 'data', 'optimizers', 'parameters', 'models', 'training'];

/** The number of a file's layer; `index.ts` stands just below `node`; undefined where no layer holds the file. */
function levelOf(path: string): number | undefined {
  if (path === 'index.ts' || path === 'serve.ts') return LAYERS.length - 1.5;
  const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
  const level = (LAYERS as readonly string[]).indexOf(folder);
  return level < 0 ? undefined : level;
}

const isValue = ({ typeOnly }: Import): boolean => !typeOnly;

/** Every file lies in a layer, and no import, of a type either, points upward or out of src. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, imports }) => {
    const level = levelOf(path);
    if (level === undefined) return [`${path} is in no layer`];
    return imports.flatMap(({ target, specifier }) => {
      if (target === undefined) return [];
      const of = levelOf(target);
      if (of === undefined || !files.some((file) => file.path === target)) return [`${path} -> ${specifier} (no file)`];
      return of <= level ? [] : [`${path} -> ${target}`];
    });
  });
}

/**
 * Packages and built-in modules: `node:*` for src/node alone, ndarray-ops for src/math, optional packages for src/node, which
 * loads them when they are needed, the rest from dependencies.
 */
export function packageViolations(
  files: readonly SourceFile[],
  dependencies: readonly string[],
  optional: readonly string[],
): string[] {
  return files.flatMap(({ path, imports }) =>
    imports
      .filter((one) => one.target === undefined && !isAllowed(path, one, dependencies, optional))
      .map(({ specifier }) => `${path} -> ${specifier}`),
  );
}

function isAllowed(
  path: string,
  { specifier, typeOnly, dynamic }: Import,
  dependencies: readonly string[],
  optional: readonly string[],
): boolean {
  if (specifier.startsWith('node:')) return path.startsWith('node/');
  if (optional.includes(specifier)) return path.startsWith('node/') && (typeOnly || dynamic);
  if (specifier.startsWith('ndarray-ops')) return path.startsWith('math/');
  return dependencies.some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

/** What loading `entry` loads that it must not: src/math, ndarray-ops, built-in modules of Node. */
export function entryViolations(files: readonly SourceFile[], entry: string): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set([entry]);
  const found: string[] = [];
  for (const path of reached) {
    for (const { specifier, target } of byPath.get(path)?.imports.filter(isValue) ?? []) {
      if (target === undefined) {
        if (/^(ndarray-ops|node:)/.test(specifier)) found.push(`${path} -> ${specifier}`);
      } else if (target.startsWith('math/')) found.push(`${path} -> ${target}`);
      else reached.add(target);
    }
  }
  return found;
}

/** Circles of imports, those of types too, each once, as `a.ts -> b.ts -> a.ts`. */
export function cycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined) walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of files) walk(path, []);
  return found;
}

/** What is too small to stand alone: files of under `least` lines with a single importer, in their own folder. */
export function crumbViolations(files: readonly SourceFile[], least = 40): string[] {
  return files.flatMap(({ path, text }) => {
    const importers = files.filter(({ imports }) => imports.some(({ target }) => target === path));
    const isAlone = importers.length === 1 && folderOf(importers[0]!.path) === folderOf(path);
    return isAlone && text.split('\n').length - 1 < least ? [`${path} <- ${importers[0]!.path}`] : [];
  });
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Names that say nothing of what a file is for, and names that are not kebab-case. */
export function nameViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) =>
      path
        .replace(/(\.d)?\.ts$/, '')
        .split('/')
        .some((part) => /\b(utils?|helpers?|common)\b/.test(part) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)),
    )
    .map(({ path }) => path);
}

/** Arithmetic that differs in the last bit from engine to engine, where the bits matter. */
export function arithmeticViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => EXACT_LAYERS.some((layer) => path.startsWith(`${layer}/`)))
    .flatMap(({ path, looseArithmetic }) => looseArithmetic.map((use) => `${path}: ${use}`));
}

/** Files that do not say first what they are. */
export function openingViolations(files: readonly SourceFile[]): string[] {
  return files.filter(({ text }) => !/^(#!.*\n)?(\/\/ \S|\/\*)/.test(text)).map(({ path }) => path);
}
