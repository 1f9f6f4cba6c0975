// On what a training runs changes nothing: the factors of the build, in WebAssembly and in JavaScript, on one thread and
// on several, are the same bits.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { evaluate, LOADERS } from './child';

const program = join(__dirname, 'programs', 'factors.cjs');

function factorsOf(kernels: string, threads: number, flags: readonly string[] = []): string {
  const line = execFileSync(process.execPath, [...flags, program, kernels, String(threads)], { encoding: 'utf8' });
  return /: ([0-9a-f]{64})$/.exec(line.trim())![1]!;
}

let expected: string;
beforeAll(() => {
  expected = factorsOf('wasm', 1);
});

test.each([
  ['js', 1],
  ['js', 2],
  ['wasm', 1],
  ['wasm', 2],
  ['wasm', 3],
  ['wasm', 4],
] as const)('kernels %s on %d threads', (kernels, threads) => {
  expect(factorsOf(kernels, threads)).toBe(expected);
});

test('where code may not be generated from strings', () => {
  expect(factorsOf('auto', 2, ['--disallow-code-generation-from-strings'])).toBe(expected);
});

test('where there is no WebAssembly: JavaScript serves, and who demands the other is told', () => {
  const body = `
    const { MF, syntheticInteractions, UnsupportedError } = ${LOADERS.require('opmf')};
    const data = syntheticInteractions({ users: 40, items: 30, ratings: 400 });
    const model = new MF({ rank: 4, epochs: 2 });
    await model.fit(data);
    const demanded = await new MF({ kernels: 'wasm' }).fit(data).catch((error) => error);
    return [typeof WebAssembly, [...model.predictMany(data)], demanded instanceof UnsupportedError];`;
  const [, predictions] = evaluate(body, []) as unknown[];
  expect(evaluate(body, ['--jitless'])).toEqual(['undefined', predictions, true]);
});
