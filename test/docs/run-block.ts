// Runs an example against the sources: as CommonJS in an async function, with `opmf` and its entries bound to src. A
// statement `console.log(...); // text` must print that text (white space apart) each time it runs, and must run.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { format } from 'node:util';
import ts from 'typescript';
import * as opmf from '../../src';
import * as math from '../../src/math';
import * as models from '../../src/models';
import * as node from '../../src/node';
import * as serve from '../../src/serve';
import { type Block, ROOT } from './blocks';

/** A `console.log` of an example, and what its comment says that it prints. */
interface Print {
  readonly line: number;
  readonly expected: string | undefined;
  readonly printed: string[];
}

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...given: unknown[]) => Promise<void>;
const entries: Readonly<Record<string, unknown>> = {
  opmf,
  'opmf/math': math,
  'opmf/models': models,
  'opmf/node': node,
  'opmf/serve': serve,
};
const load = createRequire(__filename);

/** Runs an example; resolves to the number of lines it checked. @throws Error naming file and line */
export async function runBlock({ file, line, code }: Block): Promise<number> {
  const { prints, code: instrumented } = instrument(code);
  const { outputText } = ts.transpileModule(instrumented, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
  });
  const print = (at: number) => {
    return (...given: unknown[]) => prints[at]!.printed.push(format(...given));
  };
  try {
    await new AsyncFunction('require', 'exports', 'print$', outputText)(requireFrom, {}, print);
  } catch (error) {
    throw new Error(`${file}:${line}: the example throws ${String(error)}`, { cause: error });
  }
  const checked = prints.filter(({ expected }) => expected !== undefined);
  for (const { line: at, expected, printed } of checked) {
    const place = `${file}:${line + at}`;
    if (printed.length === 0) throw new Error(`${place}: never printed; the comment says ${expected}`);
    const wrong = printed.find((text) => squeeze(text) !== squeeze(expected!));
    if (wrong !== undefined) throw new Error(`${place}: printed ${wrong}; the comment says ${expected}`);
  }
  return checked.length;
}

/** Names every `console.log` by its number. */
function instrument(code: string): { prints: Print[]; code: string } {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const prints: Print[] = [];
  const edits: { from: number; to: number; at: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText(source) === 'console.log') {
      const end = ts.isExpressionStatement(node.parent) ? node.parent.end : node.end;
      const rest = code.slice(end, lineEnd(code, end));
      const line = source.getLineAndCharacterOfPosition(end).line;
      edits.push({ from: node.expression.getStart(source), to: node.expression.end, at: prints.length });
      prints.push({ line, expected: /^\s*\/\/ (.*)$/.exec(rest)?.[1], printed: [] });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  let text = code;
  for (const { from, to, at } of edits.reverse()) text = `${text.slice(0, from)}print$(${at})${text.slice(to)}`;
  return { prints, code: text };
}

function requireFrom(name: string): unknown {
  // Its threads are files of the built package.
  if (name === 'opmf/distributed') return load(join(ROOT, 'dist', 'distributed.cjs'));
  return Object.hasOwn(entries, name) ? entries[name] : load(name);
}

function lineEnd(code: string, from: number): number {
  const end = code.indexOf('\n', from);
  return end < 0 ? code.length : end;
}

function squeeze(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
