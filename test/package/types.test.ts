// The declarations of the package against what is there: its values are in the module, and its bytes are what the types of
// the platform take. Both module formats.

import { join } from 'node:path';
import ts from 'typescript';
import { filesIn, ROOT } from '../docs/blocks';
import { evaluate, LOADERS } from './child';

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: [],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
};

describe.each([
  ['import', 'd.ts'],
  ['require', 'd.cts'],
] as const)('by %s', (how, ending) => {
  test.each([
    ['opmf', 'index'],
    ['opmf/distributed', 'distributed'],
    ['opmf/math', 'math'],
    ['opmf/models', 'models'],
    ['opmf/node', 'node'],
    ['opmf/serve', 'serve'],
  ])('the values that the types of %s declare are those of the module', (entry, file) => {
    const found = evaluate(`return Object.keys(${LOADERS[how](entry)})`) as string[];
    const exported = found.filter((name) => name !== 'default' && name !== 'module.exports');
    expect(valuesOf(join(ROOT, 'dist', `${file}.${ending}`)).sort()).toEqual(exported.sort());
  });

  test('bytes are what Blob, Response and crypto.subtle take', () => {
    expect(
      problemsOf(
        how === 'import' ? 'm' : 'c',
        `
        import { encodeNpy, MF, FM, ItemKNN, type Recommender } from 'opmf';
        import { checkpointFile } from 'opmf/node';
        export const blob = (model: MF) => new Blob([model.save(), new ItemKNN().save(), new FM().save()]);
        export const answer = (model: Recommender) => new Response(model.save({ history: false }));
        export const digest = (model: MF) => crypto.subtle.digest('SHA-256', model.save());
        export const npy = new Response(encodeNpy(new Float32Array(6), 2, 3));
        export const fit = (model: MF, data: Parameters<MF['fit']>[0]) =>
          model.fit(data, { checkpoint: { every: 1, write: (bytes) => void new Blob([bytes]) } });
        export const kept = async () => new Response(await checkpointFile('fit').read());`,
      ),
    ).toEqual([]);
  });

  test('what is only a type is no value', () => {
    const [problem] = problemsOf(how === 'import' ? 'm' : 'c', "import { FoldedUser } from 'opmf';\nnew FoldedUser();");
    expect(problem).toMatch(/'FoldedUser' only refers to a type/);
  });
});

test('examples run where types are only stripped', () => {
  const files = filesIn('examples', '.ts').map((file) => join(ROOT, file));
  const program = ts.createProgram(files, {
    ...OPTIONS,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ['node'],
    // An example that is a package of its own has not been installed.
    paths: { opmf: [join(ROOT, 'dist/index.d.ts')], 'opmf/*': [join(ROOT, 'dist/*.d.ts')] },
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
  });
  expect(files.length).toBeGreaterThan(1);
  expect(textsOf(ts.getPreEmitDiagnostics(program).filter(({ file }) => files.includes(file?.fileName ?? '')))).toEqual(
    [],
  );
});

/** The values that a declaration file exports. */
function valuesOf(file: string): string[] {
  const program = ts.createProgram([file], OPTIONS);
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
  return exported
    .filter((symbol) => {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
      const isType = symbol.declarations?.some(
        (one) => ts.isExportSpecifier(one) && ts.isTypeOnlyExportDeclaration(one),
      );
      return (target.flags & ts.SymbolFlags.Value) !== 0 && !isType;
    })
    .map(({ name }) => name);
}

/** What the compiler says of a module that uses the package as its users do. */
function problemsOf(kind: 'm' | 'c', code: string): string[] {
  const path = join(ROOT, `user-of-the-package.${kind}ts`);
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => file === path || fileExists(file);
  host.readFile = (file) => (file === path ? code : readFile(file));
  host.getSourceFile = (file, language, ...rest) =>
    file === path ? ts.createSourceFile(file, code, language) : getSourceFile(file, language, ...rest);
  const program = ts.createProgram([path], OPTIONS, host);
  const source = program.getSourceFile(path)!;
  return textsOf([...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
}

function textsOf(found: readonly ts.Diagnostic[]): string[] {
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
