// The blocked inverse against Cholesky and against its definition, at sizes around the edges of tiles and blocks.

import { Stream } from '../../src/core/random';
import { factorize, solve } from '../../src/kernels/cholesky';
import { INVERSE_STEPS, inTiles, inverseLengths, invert, jsInverse, writeInverse } from '../../src/kernels/inverse';
import { ANY_MEMORY } from '../../src/kernels/program';
import { ModuleBuilder } from '../../src/wasm/assembler';
import { compile, createMemory, instantiate, layOut, type Part } from '../../src/wasm/host';

/** M M^T + n I of small random numbers; what is above the diagonal is not to be read. */
function definite(n: number): Float64Array {
  const stream = Stream.of(n);
  const m = Float64Array.from({ length: n * n }, () => stream.uniform() - 0.5);
  const a = new Float64Array(n * n).fill(Number.NaN);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 0.01 * n : 0;
      for (let k = 0; k < n; k++) sum += m[i * n + k]! * m[j * n + k]!;
      a[i * n + j] = sum;
    }
  }
  return a;
}

type Steps = Readonly<Record<string, (...operands: number[]) => unknown>>;

/** The inverse in JavaScript or WebAssembly, the calls of a stratum from first to last or the other way. */
async function inverse(a: Float64Array, kernels: 'js' | 'wasm', isReversed = false): Promise<Float64Array | null> {
  const n = Math.sqrt(a.length);
  const padded = inTiles(n);
  const layout = layOut(inverseLengths(padded));
  const memory = createMemory(layout.bytes);
  const arrays = layout.views(memory.buffer);
  for (let i = 0; i < padded; i++) {
    if (i < n) arrays.matrix.set(a.subarray(i * n, (i + 1) * n), i * padded);
    // Only above the diagonal is the padding not 0.
    if (i < n) arrays.matrix.fill(Number.NaN, i * padded + n, (i + 1) * padded);
    else arrays.matrix[i * padded + i] = 1;
  }
  const module = new ModuleBuilder();
  writeInverse(module, padded, layout.at);
  const steps = (
    kernels === 'js' ? jsInverse(arrays, padded) : instantiate(compile(module.encode(ANY_MEMORY)), memory)
  ) as Steps;
  const run = async (strata: Part[][]) => {
    for (const parts of strata)
      for (const { call } of isReversed ? [...parts].reverse() : parts) {
        const [step, ...operands] = call(0);
        steps[INVERSE_STEPS[step]!]!(...operands);
      }
  };
  if (!(await invert(arrays, padded, run))) return null;
  return Float64Array.from({ length: n * n }, (_, at) => arrays.matrix[Math.floor(at / n) * padded + (at % n)]!);
}

const bytesOf = ({ buffer }: Float64Array) => Buffer.from(buffer as ArrayBuffer);

test.each([1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 67, 128, 131, 200])('%d rows', async (n) => {
  const a = definite(n);
  const found = (await inverse(a, 'js'))!;
  for (const kernels of ['js', 'wasm'] as const)
    for (const isReversed of [false, true])
      expect(bytesOf((await inverse(a, kernels, isReversed))!).equals(bytesOf(found))).toBe(true);
  const l = a.slice();
  expect(factorize(l, n)).toBe(true);
  let worst = 0;
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n);
    unit[column] = 1;
    solve(l, n, unit);
    for (let row = 0; row < n; row++) {
      const isSame = found[row * n + column] === found[column * n + row];
      worst = Math.max(worst, isSame ? Math.abs(found[row * n + column]! - unit[row]!) : Infinity);
    }
  }
  expect(worst).toBeLessThan(1e-8);
});

test('what is not positive definite is refused, in the first block and in a later one', async () => {
  expect(await inverse(Float64Array.of(1, 2, 2, 1), 'js')).toBe(null);
  expect(await inverse(Float64Array.of(Number.NaN), 'js')).toBe(null);
  const late = definite(100);
  late[99 * 100 + 99] = -1;
  expect(await inverse(late, 'wasm')).toBe(null);
});
