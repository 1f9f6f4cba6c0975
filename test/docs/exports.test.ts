// Every export of an entry is documented: a value with an example, a type at least with a sentence.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './blocks';

interface Export {
  readonly name: string;
  readonly isType: boolean;
  readonly declarations: readonly ts.Node[];
}

const sources = new Map<string, ts.SourceFile>();

for (const entry of [
  ...['src/index.ts', 'src/math/index.ts', 'src/models/index.ts', 'src/node/index.ts'],
  'src/node/distributed/index.ts',
]) {
  const all = exportsOf(entry);

  test(`${entry} exports something`, () => {
    expect(all.length).toBeGreaterThan(5);
  });

  test.each(all.map((one) => [one.name, one] as const))(
    `${entry}: %s is documented`,
    (_, { name, isType, declarations }) => {
      expect([name, declarations.length]).not.toEqual([name, 0]);
      const docs = declarations.flatMap((declaration) => ts.getJSDocCommentsAndTags(declaration)).filter(ts.isJSDoc);
      expect(docs.map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '').join('')).toMatch(/\w+/);
      if (isType || declarations.every(isTypeOnly)) return;
      const examples = docs.flatMap(({ tags = [] }) => tags.filter(({ tagName }) => tagName.text === 'example'));
      expect(examples.map((tag) => ts.getTextOfJSDocComment(tag.comment) ?? '').join('')).toContain('```ts');
    },
  );
}

/** The exports of an entry, which only re-exports, with what declares them. */
function exportsOf(entry: string): Export[] {
  return sourceOf(entry).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return [];
    if (!ts.isNamedExports(statement.exportClause)) return [];
    return statement.exportClause.elements.map((element) => {
      const name = (element.propertyName ?? element.name).text;
      const isType = statement.isTypeOnly || element.isTypeOnly;
      return { name, isType, declarations: declarationsOf(moduleOf(entry, statement), name) };
    });
  });
}

/** The declarations of a name in a file, through re-exports. */
function declarationsOf(file: string, name: string): ts.Node[] {
  return sourceOf(file).statements.flatMap((statement): ts.Node[] => {
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined) {
      const clause = statement.exportClause;
      const found = clause !== undefined && ts.isNamedExports(clause) ? clause.elements : [];
      const element = found.find((one) => one.name.text === name);
      if (element === undefined) return [];
      return declarationsOf(moduleOf(file, statement), (element.propertyName ?? element.name).text);
    }
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.filter((one) => one.name.getText() === name);
    }
    const declared = statement as ts.Node & { readonly name?: ts.Identifier };
    return declared.name?.text === name ? [statement] : [];
  });
}

function isTypeOnly(node: ts.Node): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function moduleOf(file: string, { moduleSpecifier }: ts.ExportDeclaration): string {
  return `${join(dirname(file), (moduleSpecifier as ts.StringLiteral).text)}.ts`;
}

function sourceOf(file: string): ts.SourceFile {
  const known = sources.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  sources.set(file, source);
  return source;
}
