// What every update rule must keep, run over each implementation: which rows it may touch, what order and precision may
// change, what its memory looks like, and that it descends. It does not know the rules' formulas.

import { Stream } from '../../src/core/random';
import type { Factor, Real, RowGradient } from '../../src/optimizers/factor';
import { LearningRates } from '../../src/optimizers/learning-rate';
import type { Optimizer } from '../../src/optimizers/optimizer';

export type Precision = 'float32' | 'float64';

export function realArray(length: number, precision: Precision): Real {
  return precision === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** A rows x cols factor of normal draws that float32 holds exactly. */
export function factorOf(rows: number, cols: number, precision: Precision = 'float64'): Factor {
  const stream = Stream.of(7);
  const data = realArray(rows * cols, precision);
  for (let k = 0; k < data.length; k++) data[k] = Math.fround(stream.normal());
  return { name: 'table', role: 'base', group: 'embedding', rows, cols, data };
}

/** The memory of a rule for a factor, at its start. */
export function stateOf({ slots }: Optimizer, { rows, cols, data }: Factor): Real[] {
  const precision = data instanceof Float32Array ? 'float32' : 'float64';
  return slots.map(({ shape, initial = 0 }) => {
    const length = shape === 'element' ? rows * cols : shape === 'row' ? rows : 1;
    return realArray(length, precision).fill(initial);
  });
}

/** Random gradients, one a step: some rows in some order, or every row (`ids` null). */
export function randomGradients(rows: number, cols: number, steps: number, dense = false): RowGradient[] {
  const stream = Stream.of('gradients');
  return Array.from({ length: steps }, () => {
    const ids = Int32Array.from({ length: rows }, (_, row) => row);
    stream.shuffle(ids);
    const count = dense ? rows : 1 + stream.below(rows);
    const values = Float32Array.from({ length: rows * cols }, () => stream.normal());
    return { ids: dense ? null : ids, count, values };
  });
}

function run(
  optimizer: Optimizer,
  factor: Factor,
  gradients: readonly RowGradient[],
): { factor: Factor; state: Real[] } {
  const state = stateOf(optimizer, factor);
  const rates = new LearningRates(optimizer.config.learningRate);
  for (const [k, gradient] of gradients.entries()) {
    rates.begin(k + 1, k / gradients.length);
    optimizer.update(factor, gradient, state, rates);
  }
  return { factor, state };
}

function bytesOf({ factor, state }: { factor: Factor; state: Real[] }): string {
  return [factor.data, ...state].map((array) => Buffer.from(array.buffer).toString('hex')).join(' ');
}

/**
 * @param make - a fresh rule, with a rate at which the least-squares problem converges.
 * @param steps - how many steps that takes.
 */
export function optimizerContract(name: string, make: () => Optimizer, steps: number): void {
  const rows = 6;
  const cols = 5;

  describe(name, () => {
    test('is described by plain JSON', () => {
      const { config } = make();
      expect(JSON.parse(JSON.stringify(config))).toEqual(config);
      expect(typeof config.name).toBe('string');
    });

    test('names its slots apart, and finds them as they were shaped', () => {
      const { slots } = make();
      expect(new Set(slots.map((slot) => slot.name)).size).toBe(slots.length);
      const factor = factorOf(rows, cols);
      const { state } = run(make(), factor, randomGradients(rows, cols, 3));
      for (const [k, { shape }] of slots.entries()) {
        expect(['element', 'row', 'factor']).toContain(shape);
        expect(state[k]!.some((value) => value !== 0)).toBe(true);
        expect(state[k]!.every(Number.isFinite)).toBe(true);
      }
    });

    test.each<Precision>(['float32', 'float64'])(
      '%s: rows that a gradient does not name keep their bytes and their memory',
      (precision) => {
        const optimizer = make();
        const factor = factorOf(rows, cols, precision);
        const state = stateOf(optimizer, factor);
        const rates = new LearningRates(optimizer.config.learningRate);
        for (const [k, gradient] of randomGradients(rows, cols, 5).entries()) {
          rates.begin(k + 1, 0);
          optimizer.update(factor, gradient, state, rates);
        }
        // Values that arithmetic would not leave alone, also where they would only be added to 0.
        factor.data.set([-0, Number.NaN, Number.POSITIVE_INFINITY, 1e-42, -1], 2 * cols);
        const rowBytes = (row: number) =>
          [factor.data, ...state]
            .filter((array) => array.length > 1)
            .map((array) => {
              const width = array.length / rows;
              return Buffer.from(array.slice(row * width, (row + 1) * width).buffer).toString('hex');
            })
            .join(' ');
        const before = Array.from({ length: rows }, (_, row) => rowBytes(row));
        // The third id lies beyond the count.
        const values = new Float32Array(3 * cols).fill(0.5);
        rates.begin(6, 0.5);
        optimizer.update(factor, { ids: Int32Array.of(4, 1, 3), count: 2, values }, state, rates);
        for (let row = 0; row < rows; row++) expect(rowBytes(row) === before[row]).toBe(row !== 4 && row !== 1);
      },
    );

    test('ids null means every row in order, to the bit', () => {
      const dense = randomGradients(rows, cols, 20, true);
      const ids = Int32Array.from({ length: rows }, (_, row) => row);
      const named = dense.map((gradient) => ({ ...gradient, ids }));
      const left = run(make(), factorOf(rows, cols, 'float32'), dense);
      expect(bytesOf(left)).toBe(bytesOf(run(make(), factorOf(rows, cols, 'float32'), named)));
      expect(left.factor.data).not.toEqual(factorOf(rows, cols, 'float32').data);
    });

    test('the order of the rows in a gradient does not matter, to the bit', () => {
      const gradients = randomGradients(rows, cols, 20);
      const reversed = gradients.map(({ ids, count, values }) => {
        const order = Array.from({ length: count }, (_, i) => count - 1 - i);
        return {
          ids: Int32Array.from(order, (i) => ids![i]!),
          count,
          values: Float32Array.from(order.flatMap((i) => [...values.subarray(i * cols, (i + 1) * cols)])),
        };
      });
      const left = run(make(), factorOf(rows, cols, 'float32'), gradients);
      expect(bytesOf(left)).toBe(bytesOf(run(make(), factorOf(rows, cols, 'float32'), reversed)));
    });

    test('many rows in one gradient are as many gradients of one row', () => {
      const gradients = randomGradients(rows, cols, 10);
      const whole = run(make(), factorOf(rows, cols, 'float32'), gradients);
      const optimizer = make();
      const factor = factorOf(rows, cols, 'float32');
      const state = stateOf(optimizer, factor);
      const rates = new LearningRates(optimizer.config.learningRate);
      for (const [k, { ids, count, values }] of gradients.entries()) {
        rates.begin(k + 1, k / gradients.length);
        for (let i = 0; i < count; i++) {
          const one = { ids: ids!.slice(i, i + 1), count: 1, values: values.slice(i * cols, (i + 1) * cols) };
          optimizer.update(factor, one, state, rates);
        }
      }
      expect(bytesOf({ factor, state })).toBe(bytesOf(whole));
    });

    test('a rule carries nothing over from another factor or fit', () => {
      const used = make();
      run(used, factorOf(3, 2), randomGradients(3, 2, 7));
      const again = run(used, factorOf(rows, cols), randomGradients(rows, cols, 7));
      expect(bytesOf(again)).toBe(bytesOf(run(make(), factorOf(rows, cols), randomGradients(rows, cols, 7))));
    });

    test('leaves the gradient as it was', () => {
      const [gradient] = randomGradients(rows, cols, 1);
      const copy = { ids: gradient!.ids!.slice(), values: gradient!.values.slice() };
      run(make(), factorOf(rows, cols), [gradient!]);
      expect(gradient).toMatchObject(copy);
    });

    test('float32 follows float64 within 1e-5', () => {
      const gradients = randomGradients(rows, cols, 50);
      const single = run(make(), factorOf(rows, cols, 'float32'), gradients).factor.data;
      const double = run(make(), factorOf(rows, cols, 'float64'), gradients).factor.data;
      for (let k = 0; k < double.length; k++) {
        expect(Math.abs(single[k]! - double[k]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(double[k]!)));
      }
    });

    test.each<Precision>(['float32', 'float64'])('%s: a gradient of exactly 0 gives finite numbers', (precision) => {
      const gradient = { ids: null, count: rows, values: new Float32Array(rows * cols) };
      const { factor } = run(make(), factorOf(rows, cols, precision), [gradient, gradient]);
      expect(factor.data.every(Number.isFinite)).toBe(true);
    });

    test('the step is proportional to the learning rate of the factor', () => {
      // One step from the start, at the rate and at half of it: float64, so only rounding separates them.
      const [gradient] = randomGradients(rows, cols, 1, true);
      const moved = (scale: number) => {
        const factor = factorOf(rows, cols);
        const optimizer = make();
        const step = { step: 1, progress: 0, learningRateOf: () => 0.01 * scale };
        optimizer.update(factor, gradient!, stateOf(optimizer, factor), step);
        const start = factorOf(rows, cols).data;
        return factor.data.map((value, k) => value - start[k]!);
      };
      const full = moved(1);
      const half = moved(0.5);
      for (let k = 0; k < full.length; k++) expect(Math.abs(full[k]! - 2 * half[k]!)).toBeLessThan(1e-14);
      expect(full.some((value) => Math.abs(value) > 1e-6)).toBe(true);
    });

    test('converges on a small least-squares problem', () => {
      // 1/2 |A X - B|^2 with A well conditioned and B in its range: the least value is 0.
      const stream = Stream.of(11);
      const size = 4;
      const a = Array.from({ length: size }, (_, r) =>
        Array.from({ length: size }, (_, c) => (r === c ? 1 : 0.2 * stream.normal())),
      );
      const target = Float64Array.from({ length: size * 2 }, () => stream.normal());
      const factor: Factor = {
        name: 'x',
        role: 'base',
        group: 'embedding',
        rows: size,
        cols: 2,
        data: new Float64Array(size * 2),
      };
      const values = new Float64Array(size * 2);
      const residual = new Float64Array(size * 2);
      const evaluate = (): number => {
        let loss = 0;
        values.fill(0);
        for (let r = 0; r < size; r++) {
          for (let d = 0; d < 2; d++) {
            let sum = 0;
            for (let c = 0; c < size; c++) sum += a[r]![c]! * (factor.data[c * 2 + d]! - target[c * 2 + d]!);
            residual[r * 2 + d] = sum;
            loss += (sum * sum) / 2;
          }
        }
        for (let c = 0; c < size; c++) {
          for (let d = 0; d < 2; d++)
            for (let r = 0; r < size; r++) values[c * 2 + d]! += a[r]![c]! * residual[r * 2 + d]!;
        }
        return loss;
      };
      const optimizer = make();
      const state = stateOf(optimizer, factor);
      const rates = new LearningRates(optimizer.config.learningRate);
      const start = evaluate();
      for (let k = 1; k <= steps; k++) {
        rates.begin(k, (k - 1) / steps);
        optimizer.update(factor, { ids: null, count: size, values }, state, rates);
        evaluate();
      }
      expect(evaluate() / start).toBeLessThan(1e-3);
    });
  });
}
