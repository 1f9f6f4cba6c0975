// What every parameterization of a table must keep: what a step selects, the gradient of every element of every factor,
// the product as one table and back again, growth, and values of before the step. It knows no kind of product.

import { Stream } from '../../src/core/random';
import type { Factor, Real } from '../../src/optimizers/factor';
import type { Parameter, Precision } from '../../src/parameters/parameter';
import { Penalty } from '../../src/parameters/parameter';
import { pulledBack, worstGradientError } from '../support/gradient-check';
import { relativeError, rowError, ulpError } from '../support/relative-error';

/** How a parameterization is made: its start is that of a plain table of the same seed. */
export type Make = (rows: number, dim: number, precision: Precision, seed: number) => Parameter;

export interface Traits {
  /** collapse gives back what assign was given to 4 ulp of each element; else of the largest element of the row. */
  readonly exact: boolean;
  /** Elements of a row are mixed by maps: rounding under trained maps grows with the square of their condition. */
  readonly mixing: boolean;
}

const ROWS = 6;
const DIM = 3;
/** Rows of a step: 3 thrice, 0 twice; the last two are beyond the count. */
const STEP = Int32Array.of(3, 0, 3, 5, 3, 0, 1, 1);
const COUNT = 6;

/** Factors far from their start, as training leaves them. */
export function scatter(parameter: Parameter, seed = 3): void {
  const stream = Stream.of(seed);
  for (const { data } of parameter.factors) for (let i = 0; i < data.length; i++) data[i] = 0.8 * stream.normal();
}

function randomTable(length: number, precision: Precision, seed = 5): Real {
  const stream = Stream.of(seed);
  const table = precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  return table.map(() => stream.normal());
}

/** The values of a step's rows, in the order of the step. */
function selected({ values, at, dim }: Parameter, count: number): number[] {
  return Array.from({ length: count * dim }, (_, i) => values[at[Math.floor(i / dim)]! * dim + (i % dim)]!);
}

/** A function of a step's values that is linear in none of them, and its gradient into the parameter's. */
function curved(parameter: Parameter, count: number): { value: () => number; leaveGradient: () => void } {
  const stream = Stream.of(9);
  const slopes = Float64Array.from({ length: count * parameter.dim }, () => stream.normal());
  const bends = Float64Array.from({ length: count * parameter.dim }, () => stream.normal());
  return {
    value: () => selected(parameter, count).reduce((sum, e, i) => sum + slopes[i]! * e + 0.5 * bends[i]! * e * e, 0),
    leaveGradient() {
      const { grads, slot, dim } = parameter;
      for (const [i, e] of selected(parameter, count).entries())
        grads[slot[Math.floor(i / dim)]! * dim + (i % dim)]! += slopes[i]! + bends[i]! * e;
    },
  };
}

/** The error of the gradients that a step leaves in the factors, against differences of each of their elements. */
function stepError(parameter: Parameter, rows: Int32Array | null, count: number): { error: number; factor: string } {
  parameter.select(rows, count);
  parameter.clear();
  const { value, leaveGradient } = curved(parameter, count);
  leaveGradient();
  const gradients = pulledBack([parameter]);
  return worstGradientError([parameter], gradients, () => {
    parameter.select(rows, count);
    return value();
  });
}

const bytes = (data: Real): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

export function parameterContract(title: string, make: Make, { exact, mixing }: Traits): void {
  const trained = (precision: Precision = 'float64'): Parameter => {
    const parameter = make(ROWS, DIM, precision, 1);
    scatter(parameter);
    return parameter;
  };
  /** How far a table is from what was assigned, and how far it may be. */
  const expectTable = (got: Real, wanted: Real, precision: Precision) => {
    if (exact) expect(ulpError(got, wanted, precision)).toBeLessThanOrEqual(4);
    // Each element is a sum over the inner dimension of products that are rounded.
    else expect(rowError(got, wanted, DIM)).toBeLessThanOrEqual(8 * (precision === 'float64' ? 2 ** -52 : 2 ** -23));
  };

  describe(title, () => {
    test('its factors are tables of the precision asked for: the base first, names of their own', () => {
      for (const precision of ['float32', 'float64'] as const) {
        const { factors, name, rows, dim } = make(ROWS, DIM, precision, 1);
        expect({ rows, dim }).toEqual({ rows: ROWS, dim: DIM });
        expect(factors.map(({ role }) => role)).toEqual(factors.map((_, i) => (i === 0 ? 'base' : 'map')));
        expect(factors[0]!.name).toBe(name);
        expect(factors[0]!.rows).toBe(ROWS);
        expect(new Set(factors.map((factor) => factor.name)).size).toBe(factors.length);
        for (const { data, rows, cols, group } of factors) {
          expect(data).toBeInstanceOf(precision === 'float64' ? Float64Array : Float32Array);
          expect(data.length).toBe(rows * cols);
          expect(group).toBe('embedding');
        }
      }
    });

    test('select gives each row one slot and counts how often it is named; clear starts its gradients at 0', () => {
      const parameter = trained();
      for (let again = 0; again < 2; again++) {
        parameter.select(STEP, COUNT);
        const { slot, slotCount, slotRow, slotAt, occurrences, grads, values } = parameter;
        expect(slotCount).toBe(3);
        expect([...slotRow.subarray(0, 3)].sort()).toEqual([0, 3, 5]);
        for (let s = 0; s < COUNT; s++) expect(slotRow[slot[s]!]).toBe(STEP[s]);
        const table = parameter.collapse();
        for (let u = 0; u < slotCount; u++) {
          const row = slotRow[u]!;
          expect(occurrences[u]).toBe(STEP.subarray(0, COUNT).filter((named) => named === row).length);
          const from = slotAt[u]! * DIM;
          expect(relativeError(values.subarray(from, from + DIM), table.subarray(row * DIM, (row + 1) * DIM))).toBe(0);
        }
        parameter.clear();
        expect([...grads.subarray(0, slotCount * DIM)].every((g) => g === 0)).toBe(true);
        grads.fill(7);
        parameter.select(STEP.subarray(3), 1);
        parameter.clear();
        expect([parameter.slotCount, parameter.slotRow[0], parameter.occurrences[0], parameter.slot[0]]).toEqual([
          1, 5, 1, 0,
        ]);
        expect([...parameter.grads.subarray(0, DIM)]).toEqual(new Array(DIM).fill(0));
        parameter.grads.fill(7);
      }
    });

    test('select of null is every row in order, of nothing is nothing', () => {
      const parameter = trained();
      parameter.select(null, ROWS);
      const all = Array.from({ length: ROWS }, (_, row) => row);
      expect(parameter.slotCount).toBe(ROWS);
      expect([...parameter.slot.subarray(0, ROWS)]).toEqual(all);
      expect([...parameter.slotRow.subarray(0, ROWS)]).toEqual(all);
      expect([...parameter.occurrences.subarray(0, ROWS)]).toEqual(all.map(() => 1));
      expect(selected(parameter, ROWS)).toEqual([...parameter.collapse()]);
      parameter.select(STEP, 0);
      expect(parameter.slotCount).toBe(0);
    });

    test.each(['float32', 'float64'] as const)('%s: the values of a step are the rows of the product', (precision) => {
      const parameter = trained(precision);
      const table = parameter.collapse();
      parameter.select(STEP, COUNT);
      const wanted = [...STEP.subarray(0, COUNT)].flatMap((row) => [...table.subarray(row * DIM, (row + 1) * DIM)]);
      expect(selected(parameter, COUNT)).toEqual(wanted);
    });

    test('no step allocates once there is room for it', () => {
      const parameter = trained();
      parameter.reserve(COUNT);
      const { values, grads } = parameter;
      for (const count of [1, COUNT, 3]) {
        parameter.select(STEP, count);
        expect(parameter.values).toBe(values);
        expect(parameter.grads).toBe(grads);
      }
    });

    test('pullback is the gradient by every element of every factor', () => {
      expect(stepError(trained(), STEP, COUNT).error).toBeLessThanOrEqual(1e-6);
      expect(stepError(trained(), STEP.subarray(1), 1).error).toBeLessThanOrEqual(1e-6);
      expect(stepError(trained(), null, ROWS).error).toBeLessThanOrEqual(1e-6);
    });

    test('pullback is right at the start of training too', () => {
      expect(stepError(make(ROWS, DIM, 'float64', 1), STEP, COUNT).error).toBeLessThanOrEqual(1e-6);
    });

    test('pullback uses the values of before the step, whatever the sink does to the factors', () => {
      const gradients = (accept: (factor: Factor) => void): string[] => {
        const parameter = trained();
        parameter.select(STEP, COUNT);
        parameter.clear();
        curved(parameter, COUNT).leaveGradient();
        const seen: string[] = [];
        parameter.pullback({
          accept(factor, { ids, count, values }) {
            seen.push(`${ids?.subarray(0, count).join()} ${count} ${bytes(values.slice(0, count * factor.cols))}`);
            accept(factor);
          },
        });
        return seen;
      };
      expect(gradients((factor) => factor.data.fill(99))).toEqual(gradients(() => {}));
    });

    test('the start is the plain table of the same seed', () => {
      for (const precision of ['float32', 'float64'] as const) {
        const wanted = make(ROWS, DIM, precision, 1).collapse();
        const plain = plainStart(precision, 1);
        expectTable(wanted, plain, precision);
        expect(relativeError(plainStart(precision, 2), plain)).toBeGreaterThan(0.01);
      }
    });
    const plainStart = (precision: Precision, seed: number): Real => {
      const draws = Stream.of(seed).fork('table').fork('start');
      const table = precision === 'float64' ? new Float64Array(ROWS * DIM) : new Float32Array(ROWS * DIM);
      draws.normals(table, 0, table.length, 0.1);
      return table;
    };

    test.each(['float32', 'float64'] as const)('%s: collapse gives back what assign was given', (precision) => {
      const parameter = trained(precision);
      const wanted = randomTable(ROWS * DIM, precision);
      parameter.assign(wanted);
      expectTable(parameter.collapse(), wanted, precision);
      const start = make(ROWS, DIM, precision, 1);
      for (const [i, { data, role }] of parameter.factors.entries())
        if (role === 'map') expect(bytes(data)).toBe(bytes(start.factors[i]!.data));
    });

    test('collapse of a part is that part of the table', () => {
      const parameter = make(ROWS, DIM, 'float64', 1);
      scatter(parameter);
      const table = parameter.collapse();
      expect(parameter.collapse(2, 5)).toEqual(table.slice(2 * DIM, 5 * DIM));
    });

    test('collapse is a table in memory of its own', () => {
      const parameter = trained();
      const table = parameter.collapse();
      const copy = table.slice();
      table.fill(9);
      expect(parameter.collapse()).toEqual(copy);
      scatter(parameter, 4);
      expect([...table].every((value) => value === 9)).toBe(true);
    });

    test.each(['float32', 'float64'] as const)(
      '%s: growth keeps what was there and gives new rows their values',
      (precision) => {
        const parameter = trained(precision);
        const before = parameter.factors.map(({ data }) => bytes(data));
        const table = parameter.collapse();
        const added = randomTable(4 * DIM, precision);
        parameter.grow(added.slice(0, 3 * DIM));
        parameter.grow(added.slice(3 * DIM));
        expect(parameter.rows).toBe(ROWS + 4);
        for (const [i, { data, rows, cols }] of parameter.factors.entries()) {
          expect(data.length).toBe(rows * cols);
          expect(bytes(data).slice(0, before[i]!.length)).toBe(before[i]);
        }
        const grown = parameter.collapse();
        expect(bytes(grown.slice(0, table.length))).toBe(bytes(table));
        const eps = precision === 'float64' ? 2 ** -52 : 2 ** -23;
        expect(rowError(grown.slice(table.length), added, DIM)).toBeLessThanOrEqual((mixing ? 1000 : 4) * eps);
      },
    );

    test('grown rows are trained as others are', () => {
      const parameter = trained();
      parameter.grow(randomTable(3 * DIM, 'float64'));
      expect(stepError(parameter, Int32Array.of(8, 0, 8, 6, 7), 5).error).toBeLessThanOrEqual(1e-6);
      expect(stepError(parameter, null, ROWS + 3).error).toBeLessThanOrEqual(1e-6);
    });

    test('rescale multiplies the product', () => {
      const parameter = trained();
      const before = parameter.collapse();
      parameter.rescale(-2.5);
      const wanted = before.map((value) => -2.5 * value);
      // Beside the largest of the row: an element of a dense product is a sum, and may cancel.
      expect(rowError(parameter.collapse(), wanted, DIM)).toBeLessThanOrEqual(1e-14);
    });

    test.each([
      ['constant', null],
      ['by frequency', Int32Array.of(3, 1, 0, 40, 2, 500)],
    ])('the penalty, %s, is the gradient of 1/2 lambda |e|^2 per occurrence', (_, counts) => {
      const parameter = trained();
      const lambda = 0.7;
      const strength = (row: number) => (counts === null ? lambda : lambda * Math.sqrt(20 / Math.max(counts[row]!, 1)));
      const objective = (): number => {
        parameter.select(STEP, COUNT);
        const squares = selected(parameter, COUNT).map((e, i) => strength(STEP[Math.floor(i / DIM)]!) * e * e);
        return squares.reduce((sum, square) => sum + square, 0) / (2 * COUNT);
      };
      parameter.select(STEP, COUNT);
      new Penalty(parameter, lambda, counts).start(COUNT);
      const gradients = pulledBack([parameter]);
      expect(worstGradientError([parameter], gradients, objective).error).toBeLessThanOrEqual(1e-6);
    });
  });
}
