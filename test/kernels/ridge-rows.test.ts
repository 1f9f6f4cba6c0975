// Ridge regressions for the rows of sparse data: WebAssembly against JavaScript to the bit, and both against the equations.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { paddedWidth, type RidgeShape, type RidgeSize } from '../../src/kernels/ridge-rows';
import { createRidgeRows } from '../../src/kernels/ridge-rows-wasm';
import type { KernelChoice } from '../../src/wasm/host';

interface Problem {
  readonly shape: RidgeShape;
  readonly seed: number;
  readonly counts: readonly number[];
  readonly others: number;
  readonly isWeighted: boolean;
  readonly hasGram: boolean;
}

const problems = fc.record<Problem>({
  shape: fc.record({
    width: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 33, 40, 64)),
    method: fc.constantFrom('cholesky', 'conjugate-gradient'),
    steps: fc.integer({ min: 1, max: 5 }),
    hasBias: fc.boolean(),
  }),
  seed: fc.integer({ min: 0, max: 1000 }),
  counts: fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 30, max: 70 })), {
    minLength: 1,
    maxLength: 6,
  }),
  others: fc.integer({ min: 1, max: 12 }),
  isWeighted: fc.boolean(),
  hasGram: fc.boolean(),
});

/** The same numbers in each engine. */
function made({ shape, seed, counts, others, isWeighted, hasGram }: Problem, kernels: KernelChoice, single = true) {
  const stream = Stream.of(seed);
  const padded = paddedWidth(shape.width);
  const entries = counts.reduce((sum, count) => sum + count, 0);
  const size: RidgeSize = {
    rows: [counts.length, others],
    most: Math.max(...counts),
    entries,
    hasTargets: isWeighted,
    hasRoots: isWeighted,
    hasGram,
    single,
  };
  const solver = createRidgeRows(shape, size, kernels, 1);
  const draw = () => Math.fround(stream.normal());
  const fill = (rows: { [at: number]: number }, count: number) => {
    for (let r = 0; r < count; r++) for (let j = 0; j < shape.width; j++) rows[r * padded + j] = draw();
  };
  const [own, other] = solver.sides;
  fill(own.rows, counts.length);
  fill(other.rows, others);
  counts.forEach((count, row) => {
    own.starts[row + 1] = own.starts[row]! + count;
    const ridge = () => Math.fround(0.1 + stream.uniform());
    if (shape.hasBias) own.ridges.set([ridge(), ridge()], 2 * row);
    else own.ridges[row] = ridge();
  });
  for (let k = 0; k < entries; k++) {
    own.others[k] = Math.floor(stream.uniform() * others);
    if (own.targets !== null) own.targets[k] = draw();
    if (own.roots !== null) own.roots[k] = Math.fround(stream.uniform());
  }
  if (solver.gram !== null) {
    solver.addBlock(1, 0);
    for (let i = 0; i < padded; i++)
      for (let j = i; j < padded; j++) {
        solver.gram[i * padded + j] = 0.3 * solver.sums[i * padded + j]!;
        solver.gram[j * padded + i] = solver.gram[i * padded + j]!;
      }
  }
  return solver;
}

/** Of the method that has no matrix. */
const multiplied = problems.map(
  (one): Problem => ({ ...one, shape: { ...one.shape, method: 'multiplicative' }, hasGram: false }),
);

test('WebAssembly has the bits of the definition', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 3, arbitrary: problems }, multiplied), (problem) => {
      const [js, wasm] = (['js', 'wasm'] as const).map((kernels) => {
        const solver = made(problem, kernels);
        const end = solver.solve(0, 0, problem.counts.length);
        const { rows, losses } = solver.sides[0];
        return {
          end,
          rows: Float32Array.from(rows),
          losses: Float64Array.from(losses),
          gram: solver.gram && [...solver.gram],
        };
      });
      expect(wasm).toEqual(js);
      expect(js!.end).toBe(problem.counts.length);
    }),
    { numRuns: 300 },
  );
});

/** (G + ridge I + sum of w q q^T) x - sum of w t q, in double, of a row. */
function residual({ shape }: Problem, solver: ReturnType<typeof made>, row: number): number[] {
  const padded = paddedWidth(shape.width);
  const [own, other] = solver.sides;
  const x = own.rows.subarray(row * padded, (row + 1) * padded);
  const rest = Array.from({ length: shape.width }, (_, i) => {
    const isBias = shape.hasBias && i === shape.width - 1;
    let sum = own.ridges[shape.hasBias ? 2 * row + Number(isBias) : row]! * x[i]!;
    if (solver.gram !== null) for (let j = 0; j < shape.width; j++) sum += solver.gram[i * padded + j]! * x[j]!;
    return sum;
  });
  for (let k = own.starts[row]!; k < own.starts[row + 1]!; k++) {
    const q = Array.from(other.rows.subarray(own.others[k]! * padded, own.others[k]! * padded + shape.width));
    let target = own.targets?.[k] ?? 1;
    if (shape.hasBias) {
      target -= q[shape.width - 1]!;
      q[shape.width - 1] = 1;
    }
    const error = q.reduce((sum, value, j) => sum + value * x[j]!, 0) - target;
    q.forEach((value, j) => {
      rest[j]! += (own.roots?.[k] ?? 1) ** 2 * error * value;
    });
  }
  return rest;
}

test('rows solve their equations; those without entries stay as they are', () => {
  fc.assert(
    fc.property(problems, (given) => {
      const problem = { ...given, shape: { ...given.shape, steps: 2 * given.shape.width + 20 } };
      const solver = made(problem, 'auto', false);
      const before = solver.sides[0].rows.slice();
      solver.solve(0, 0, problem.counts.length);
      problem.counts.forEach((count, row) => {
        const padded = paddedWidth(problem.shape.width);
        const part = (rows: { slice(from: number, to: number): unknown }) =>
          rows.slice(row * padded, (row + 1) * padded);
        if (count === 0) expect(part(solver.sides[0].rows)).toEqual(part(before));
        else for (const value of residual(problem, solver, row)) expect(Math.abs(value)).toBeLessThan(1e-4);
      });
    }),
    { numRuns: 100 },
  );
});

test('the loss of a row is what its entries are off, by weight', () => {
  const shape: RidgeShape = { width: 5, method: 'cholesky', steps: 1, hasBias: true };
  const problem: Problem = { shape, seed: 3, counts: [7], others: 4, isWeighted: true, hasGram: false };
  const solver = made(problem, 'auto', false);
  solver.solve(0, 0, 1);
  const [own, other] = solver.sides;
  let sum = 0;
  for (let k = 0; k < 7; k++) {
    const q = other.rows.subarray(own.others[k]! * 8, own.others[k]! * 8 + 5);
    let error = own.rows[4]! + q[4]! - own.targets![k]!;
    for (let j = 0; j < 4; j++) error += q[j]! * own.rows[j]!;
    sum += own.roots![k]! ** 2 * error ** 2;
  }
  expect(own.losses[0]).toBeCloseTo(sum, 12);
});

test.each(['cholesky', 'conjugate-gradient'] as const)(
  '%s: equations without a unique solution are told by their row',
  (method) => {
    const shape: RidgeShape = { width: 4, method, steps: 3, hasBias: false };
    const problem: Problem = { shape, seed: 1, counts: [2, 2], others: 3, isWeighted: false, hasGram: false };
    for (const kernels of ['js', 'wasm'] as const) {
      const solver = made(problem, kernels);
      const [own, other] = solver.sides;
      own.ridges[1] = -40;
      other.rows.fill(0.5);
      expect(solver.solve(0, 0, 2)).toBe(1);
    }
  },
);
