import { writeFile } from 'node:fs/promises';
import { defineConfig, type Options } from 'tsup';
import ts from 'typescript';

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

/**
 * package.json says that no module has side effects, which lets a bundler leave out modules but not statements, and a chunk
 * of ours is one module of many. So what is worked out at the top of a chunk, as `const KNOWN = oneOf('a', 'b')`, is marked:
 * an application that imports one class does not get the constants, and all that they call, of the others.
 */
const pureConstants = {
  name: 'pure-constants',
  renderChunk(code: string) {
    const source = ts.createSourceFile('chunk.js', code, ts.ScriptTarget.Latest);
    const worksSomethingOut = (node: ts.Node): boolean =>
      ts.isCallExpression(node) ||
      ts.isNewExpression(node) ||
      ts.isSpreadAssignment(node) ||
      ts.isSpreadElement(node) ||
      ts.isPropertyAccessExpression(node) ||
      ts.isElementAccessExpression(node) ||
      ts.isTemplateExpression(node) ||
      (!ts.isFunctionLike(node) && !ts.isClassLike(node) && ts.forEachChild(node, worksSomethingOut) === true);
    let [marked, from] = ['', 0];
    for (const statement of source.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer === undefined || !ts.isIdentifier(name) || !worksSomethingOut(initializer)) continue;
        const start = initializer.getStart(source);
        const value = code.slice(start, initializer.end);
        // CommonJS modules load each other here, and the order of that matters.
        if (/\brequire\(|__toESM|__commonJS/.test(value)) continue;
        marked += `${code.slice(from, start)}/* @__PURE__ */ (() => (${value}))()`;
        from = initializer.end;
      }
    }
    return { code: marked + code.slice(from) };
  },
};

/** Docstrings are in the declarations, where editors find them: in the JavaScript they would be a tenth of the tarball. */
const noDocstrings = {
  name: 'no-docstrings',
  renderChunk(code: string) {
    const source = ts.createSourceFile('chunk.js', code, ts.ScriptTarget.Latest);
    const found = new Map<number, number>();
    const visit = (node: ts.Node): void => {
      for (const { pos, end } of ts.getLeadingCommentRanges(code, node.pos) ?? [])
        if (code.startsWith('/**', pos)) found.set(pos, end);
      ts.forEachChild(node, visit);
    };
    visit(source);
    let [kept, from] = ['', 0];
    for (const [pos, end] of [...found].sort(([a], [b]) => a - b)) {
      kept += code.slice(from, pos).trimEnd();
      from = end;
    }
    return { code: kept + code.slice(from) };
  },
};

/** What the package exports. */
const library = {
  index: 'src/index.ts',
  distributed: 'src/node/distributed/index.ts',
  math: 'src/math/index.ts',
  models: 'src/models/index.ts',
  node: 'src/node/index.ts',
  serve: 'src/serve.ts',
};

/** No entries of the package: what imports a package that bundlers cannot shake has a chunk of its own. */
const apart = { 'seed-key': 'src/core/seed-key.ts', 'matrix-view': 'src/parameters/matrix-view.ts' };

const common: Options = {
  splitting: true,
  plugins: [classNames, pureConstants, noDocstrings],
  target: 'es2022',
  platform: 'neutral',
  external: [/^node:/],
};

/** Declarations. What is marked @internal is for the other layers, not for callers. */
const types: Options = {
  ...common,
  format: 'cjs',
  entry: library,
  dts: { only: true, compilerOptions: { stripInternal: true } },
};

/**
 * The library in both module systems, and its types unless `--no-dts` leaves them out; the command line and the program of
 * threads, which import it.
 */
export default defineConfig(({ dts }) => [
  {
    ...common,
    format: 'esm',
    entry: {
      ...{ ...library, ...apart, cli: 'src/node/cli/main.ts', 'fit-worker': 'src/node/fit-worker.ts' },
      'sweep-thread': 'src/node/distributed/sweep-thread.ts',
    },
    clean: true,
    // The types of both module systems are the same, so they are written once: a module may import what CommonJS declares.
    onSuccess: async () => {
      for (const name of Object.keys(library)) await writeFile(`dist/${name}.d.ts`, `export * from './${name}.cjs';\n`);
    },
  },
  // A CommonJS module knows its place by __filename, and import.meta is no syntax there.
  { ...common, format: 'cjs', entry: { ...library, ...apart }, define: { 'import.meta.url': 'undefined' } },
  ...(dts === false ? [] : [types]),
]);
