// The sources of the library as data: what each file imports, and which uses of Math and ** it makes. Read with the
// TypeScript parser, so that strings and comments that look like imports are not taken for any.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** One import, re-export, dynamic import or type import of a file. */
export interface Import {
  readonly specifier: string;
  /** The file it names, relative to src; undefined for a package. */
  readonly target: string | undefined;
  /** Erased by the compiler. `import { type A }` is not: under verbatimModuleSyntax the module is still loaded. */
  readonly typeOnly: boolean;
  /** Loaded when it is asked for. */
  readonly dynamic: boolean;
}

/** One file, its path relative to src and with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Arithmetic whose last bit an engine may choose: `Math.exp`, `x ** y`. */
  readonly looseArithmetic: readonly string[];
}

/** The members of Math that ECMAScript defines to the bit; all others may be approximated. */
const EXACT = new Set(
  'abs ceil clz32 floor fround imul max min round sign sqrt trunc E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2'.split(' '),
);

/** Every .ts file below a folder. */
export function readSources(root: string): SourceFile[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => path.split('\\').join('/'));
  return parseSources(
    new Map(paths.filter((path) => path.endsWith('.ts')).map((path) => [path, readFileSync(join(root, path), 'utf8')])),
  );
}

/** Files given as text, by path. */
export function parseSources(texts: ReadonlyMap<string, string>): SourceFile[] {
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => parse(path, text, texts));
}

function parse(path: string, text: string, all: ReadonlyMap<string, string>): SourceFile {
  const imports: Import[] = [];
  const looseArithmetic: string[] = [];
  const add = (node: ts.Node | undefined, typeOnly: boolean, dynamic = false) => {
    if (node === undefined || !ts.isStringLiteralLike(node)) return;
    imports.push({ specifier: node.text, target: resolve(path, node.text, all), typeOnly, dynamic });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node.arguments[0], false, true);
    else if (ts.isIdentifier(node) && node.text === 'Math' && !isMemberName(node)) {
      const use = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : 'as a value';
      if (!EXACT.has(use)) looseArithmetic.push(`Math ${use}`);
    } else if (ts.isBinaryExpression(node) && isPower(node) && !(isNumber(node.left) && isNumber(node.right)))
      looseArithmetic.push(node.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true));
  return { path, text, imports, looseArithmetic };
}

function resolve(from: string, specifier: string, all: ReadonlyMap<string, string>): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(from), specifier).replace(/\.(js|ts)$/, '');
  for (const candidate of [`${path}.ts`, `${path}/index.ts`]) if (all.has(candidate)) return candidate;
  // A file that does not exist (or lies outside src) is kept as it is written: no layer holds it.
  return path;
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

function isMemberName(node: ts.Identifier): boolean {
  return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
}

function isPower({ operatorToken }: ts.BinaryExpression): boolean {
  return [ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.AsteriskAsteriskEqualsToken].includes(operatorToken.kind);
}

function isNumber(node: ts.Expression): boolean {
  return ts.isNumericLiteral(ts.isPrefixUnaryExpression(node) ? node.operand : node);
}
