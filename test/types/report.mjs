// The public API as text: what every entry of the built package declares, without comments and private members, and the
// types that a declaration names without exporting them. `npm run api` writes it to test/types/api.txt, which api.test.ts
// compares: a change of the API is a change of that file. With --json it is printed for the test.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = join(ROOT, 'test', 'types', 'api.txt');

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** The declarations of every entry: opmf -> dist/index.d.ts. */
const entries = Object.entries(manifest.exports)
  .filter(([, conditions]) => typeof conditions === 'object')
  .map(
    ([
      path,
      {
        import: { types },
      },
    ]) => [path.replace('.', 'opmf'), join(ROOT, types)],
  );
const program = ts.createProgram(
  entries.map(([, file]) => file),
  {
    ...{
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    },
    ...{ lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: ['node'], strict: true, noEmit: true },
  },
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

const has = (symbol, flag) => (symbol.flags & flag) !== 0;
const resolved = (symbol) => (has(symbol, ts.SymbolFlags.Alias) ? checker.getAliasedSymbol(symbol) : symbol);
/** The bundler of declarations numbers names that occur twice: `Batch$1`. */
const plainName = (name) => name.replace(/\$\d+$/, '');

/** A class that is exported as a type alone, `type FoldedUser = FoldedUser$1`, is that class. */
function meant(symbol) {
  const [declaration] = symbol.declarations;
  if (!ts.isTypeAliasDeclaration(declaration) || !ts.isTypeReferenceNode(declaration.type)) return symbol;
  const target = checker.getSymbolAtLocation(declaration.type.typeName);
  return target && target !== symbol && plainName(target.name) === plainName(symbol.name) && /\$\d/.test(target.name)
    ? resolved(target)
    : symbol;
}

/** The exports of every entry, by name. */
const exported = new Map(
  entries.map(([entry, file]) => {
    const list = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
    return [entry, list.map((symbol) => [symbol.name, resolved(symbol)]).sort(byName)];
  }),
);
const known = new Set([...exported.values()].flat().flatMap(([, symbol]) => [symbol, meant(symbol)]));

function byName([a], [b]) {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x === y ? (a < b ? -1 : 1) : x < y ? -1 : 1;
}

/** Private and protected members: no caller reaches them. */
const isHidden = (node) =>
  (ts.canHaveModifiers(node) &&
    ts
      .getModifiers(node)
      ?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword)) ||
  (node.name !== undefined && ts.isPrivateIdentifier(node.name));

/** A declaration as text, of a class what a caller reaches. */
function print(declaration) {
  let node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  if (ts.isClassDeclaration(node)) {
    const { modifiers, name, typeParameters, heritageClauses, members } = node;
    const reached = members.filter((member) => !isHidden(member));
    node = ts.factory.createClassDeclaration(modifiers, name, typeParameters, heritageClauses, reached);
  }
  const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
  return text
    .replace(/^export /, '')
    .replace(/^declare /, '')
    .replace(/\b(\w+)\$\d+\b/g, '$1');
}

const isOurs = ({ declarations = [] }) =>
  declarations.some((node) => node.getSourceFile().fileName.startsWith(join(ROOT, 'dist')));

/** Types of this package that a declaration names and no entry exports. */
function unexportedIn(declaration) {
  const found = new Set();
  const visit = (node) => {
    if (isHidden(node)) return;
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : ts.isTypeQueryNode(node)
          ? node.exprName
          : undefined;
    const at = name && checker.getSymbolAtLocation(name);
    const symbol = at && meant(resolved(at));
    if (symbol && !has(symbol, ts.SymbolFlags.TypeParameter) && isOurs(symbol) && !known.has(symbol)) found.add(symbol);
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found;
}

const text = [];
const counts = {};
/** Names that are not exported, and who names them. */
const missing = new Map();
const add = (name, symbol) => {
  for (const declaration of symbol.declarations) {
    text.push(print(declaration));
    for (const other of unexportedIn(declaration)) missing.set(other, (missing.get(other) ?? new Set()).add(name));
  }
  text.push('');
};
for (const [entry, list] of exported) {
  const values = list.filter(([, symbol]) => has(symbol, ts.SymbolFlags.Value) && meant(symbol) === symbol);
  counts[entry] = { exports: list.length, values: values.length };
  text.push(`## ${entry}: ${list.length} exports, ${values.length} of them values`, '');
  for (const [name, symbol] of list) {
    if (meant(symbol) !== symbol) text.push(`// a type only`);
    add(name, meant(symbol));
  }
}
const unexported = Object.fromEntries([...missing].map(([{ name }, users]) => [plainName(name), [...users]]));
if (missing.size > 0) text.push('## Not exported, but named', '');
for (const symbol of [...missing.keys()]) add(plainName(symbol.name), symbol);

const report = `${text.join('\n').trim()}\n`;
if (process.argv.includes('--json')) console.log(JSON.stringify({ report, counts, unexported }));
else {
  writeFileSync(FILE, report);
  for (const [entry, { exports, values }] of Object.entries(counts))
    console.log(`${entry}: ${exports} exports, ${values} values`);
  for (const [name, users] of Object.entries(unexported))
    console.log(`not exported: ${name}, named by ${users.join(', ')}`);
}
