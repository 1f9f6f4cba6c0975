// The blocked inverse against Cholesky and against its definition, at sizes around the edges of tiles and blocks.

import { Stream } from '../../src/core/random';
import { TaskScheduler } from '../../src/core/scheduler';
import { factorize, invert, solve } from '../../src/kernels/cholesky';

const scheduler = () => new TaskScheduler(undefined);

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

test.each([1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 67, 128, 131, 200])('%d rows', async (n) => {
  const a = definite(n);
  const inverse = a.slice();
  expect(await invert(inverse, n, scheduler())).toBe(true);
  const l = a.slice();
  expect(factorize(l, n)).toBe(true);
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n);
    unit[column] = 1;
    solve(l, n, unit);
    for (let row = 0; row < n; row++) {
      expect(Math.abs(inverse[row * n + column]! - unit[row]!)).toBeLessThan(1e-8);
      expect(inverse[row * n + column]).toBe(inverse[column * n + row]);
    }
  }
});

test('what is not positive definite is refused, in the first block and in a later one', async () => {
  expect(await invert(Float64Array.of(1, 2, 2, 1), 2, scheduler())).toBe(false);
  expect(await invert(Float64Array.of(Number.NaN), 1, scheduler())).toBe(false);
  const late = definite(100);
  late[99 * 100 + 99] = -1;
  expect(await invert(late, 100, scheduler())).toBe(false);
});

test('gives way, and stops when it is told to', async () => {
  const signal = AbortSignal.abort('enough');
  const due = { isDue: () => true, yieldNow: async () => signal.throwIfAborted() };
  await expect(invert(definite(20), 20, due)).rejects.toBe('enough');
});
