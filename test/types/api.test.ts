// The public API is what test/types/api.txt says, and its types promise what test/types/expectations.ts says: both of the
// built declarations. After a wanted change: npm run api, look at the difference, commit it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../docs/blocks';

interface Api {
  readonly report: string;
  readonly counts: Readonly<Record<string, { readonly exports: number; readonly values: number }>>;
  readonly unexported: Readonly<Record<string, readonly string[]>>;
}
/** At most as many exports of opmf, and as many types that it names and does not export. */
const MOST = { exports: 153, unexported: 0 };

const program = join(__dirname, 'report.mjs');
const api: Api = JSON.parse(execFileSync(process.execPath, [program, '--json'], { encoding: 'utf8' }));

test('the declarations are those of test/types/api.txt; if they are to change: npm run api', () => {
  // Line by line, so that a difference is told as the lines that differ.
  const lines = (text: string) => text.split('\n');
  expect(lines(api.report)).toEqual(lines(readFileSync(join(__dirname, 'api.txt'), 'utf8')));
});

test('there are not more exports, and not more types that are named and not exported', () => {
  expect(api.counts.opmf!.exports).toBeLessThanOrEqual(MOST.exports);
  expect(Object.keys(api.unexported).length).toBeLessThanOrEqual(MOST.unexported);
});

test('the built types promise what they should', () => {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, paths: { opmf: ['./dist/index.d.ts'] }, types: ['node'] },
    ROOT,
  );
  const compiled = ts.createProgram([join(__dirname, 'expectations.ts')], options);
  const found = ts.getPreEmitDiagnostics(compiled);
  const told = found.map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  expect(told).toEqual([]);
  // Of the built package, not of the sources.
  expect(compiled.getSourceFiles().some(({ fileName }) => fileName.endsWith('dist/index.d.ts'))).toBe(true);
  expect(compiled.getSourceFiles().some(({ fileName }) => fileName.includes('/src/index.ts'))).toBe(false);
});
