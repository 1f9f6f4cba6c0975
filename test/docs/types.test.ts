// Every example of the documentation compiles as it stands under the strict options of this project.

import { join } from 'node:path';
import ts from 'typescript';
import { type Block, blocksOf, documentedFiles, ROOT } from './blocks';

test('every example compiles', () => {
  const blocks = documentedFiles().flatMap((file) => blocksOf(file).blocks);
  expect(problemsOf(blocks)).toEqual([]);
});

test('a wrong type is found, at its line', () => {
  const code = "import { MF } from 'opmf';\nnew MF({ rank: 'many' });";
  expect(problemsOf([{ file: 'docs/some.md', line: 10, code }])).toEqual([
    "docs/some.md:11: Type 'string' is not assignable to type 'number'.",
  ]);
});

/** What the compiler says of some examples, each a module of its own in a file that is not there. */
function problemsOf(blocks: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const settings = { ...options, paths: config.compilerOptions.paths, noUnusedLocals: false, noEmit: true };
  const files = new Map(blocks.map((block, at) => [join(ROOT, 'test', 'docs', `example-${at}.ts`), block]));
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => (files.has(path) ? `${files.get(path)!.code}\nexport {};` : readFile(path));
  const { getSourceFile } = host;
  host.getSourceFile = (path, language, ...rest) =>
    files.has(path)
      ? ts.createSourceFile(path, host.readFile(path)!, language)
      : getSourceFile(path, language, ...rest);
  const program = ts.createProgram([...files.keys()], settings, host);
  return [...files].flatMap(([path, { file, line }]) => {
    const source = program.getSourceFile(path)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const at = line + source.getLineAndCharacterOfPosition(start).line;
      return `${file}:${at}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}
