// The penalty on one table by hand; that it is a gradient, for every product, is in the contract of parameters.

import { Stream } from '../../src/core/random';
import { createParameter } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/parameter';

function selectedTable() {
  const shape = { name: 'table', group: 'embedding', rows: 3, dim: 2, precision: 'float64' } as const;
  const table = createParameter(shape, undefined, 0, Stream.of(1));
  table.assign(Float64Array.of(1, 2, 3, 4, 5, 6));
  table.select(Int32Array.of(2, 0, 2), 3);
  return table;
}

test('starts gradients at lambda, times the occurrences, over the ratings of the step, times the value', () => {
  const table = selectedTable();
  table.grads.fill(10);
  new Penalty(table, 0.3, null).start(3);
  // Slot 0 is row 2, named twice; slot 1 is row 0, named once.
  const wanted = [0.2 * 5, 0.2 * 6, 0.1 * 1, 0.1 * 2];
  for (const [i, value] of wanted.entries()) expect(table.grads[i]).toBeCloseTo(value, 14);
});

test('by frequency a row with n ratings has lambda sqrt(20 / n): 20 ratings change nothing, 5 double it', () => {
  const table = selectedTable();
  new Penalty(table, 0.3, Int32Array.of(5, 7, 20)).start(3);
  const wanted = [0.2 * 5, 0.2 * 6, 2 * 0.1 * 1, 2 * 0.1 * 2];
  for (const [i, value] of wanted.entries()) expect(table.grads[i]).toBeCloseTo(value, 14);
});

test('a strength of 0 starts gradients at 0, a row that was never rated has a finite one', () => {
  const table = selectedTable();
  table.grads.fill(10);
  new Penalty(table, 0, null).start(3);
  expect([...table.grads.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  new Penalty(table, 1, new Int32Array(3)).start(3);
  expect([...table.grads.subarray(0, 4)].every(Number.isFinite)).toBe(true);
});

test.each([null, Int32Array.of(5, 7, 20)])(
  'a weighted step: occurrences count as their ratings weigh (counts %p)',
  (counts) => {
    const table = selectedTable();
    table.grads.fill(10);
    table.weigh(Float64Array.of(0.5, 2, 3), 3);
    new Penalty(table, 0.3, counts).start(3, true);
    // Row 2 weighs .5 + 3, row 0 weighs 2; by frequency row 0, with 5 ratings, has the double.
    const double = counts === null ? 1 : 2;
    const wanted = [0.35 * 5, 0.35 * 6, double * 0.2 * 1, double * 0.2 * 2];
    for (const [i, value] of wanted.entries()) expect(table.grads[i]).toBeCloseTo(value, 14);
  },
);

test('in float32 the strength and its product with the value round one by one', () => {
  const { fround } = Math;
  const shape = { name: 'table', group: 'bias', rows: 1, dim: 20, precision: 'float32' } as const;
  const table = createParameter(shape, undefined, 1, Stream.of(1));
  table.select(Int32Array.of(0, 0), 2);
  new Penalty(table, 0.3, null).start(7);
  const values = Array.from(table.values.subarray(0, 20));
  const strength = (0.3 * 2) / 7;
  const wanted = values.map((value) => fround(fround(strength) * value));
  expect([...table.grads.subarray(0, 20)]).toEqual(wanted);
  // In double, rounded once on store, some would be other numbers.
  expect(values.map((value) => fround(strength * value))).not.toEqual(wanted);
});

test('what a whole batch goes through has its penalty once a step, weighted or not, however many ratings it has', () => {
  for (const isWeighted of [false, true]) {
    const shape = { name: 'layer', group: 'dense', rows: 2, dim: 2, precision: 'float64' } as const;
    const layer = createParameter(shape, undefined, 0, Stream.of(1));
    layer.assign(Float64Array.of(1, 2, 3, 4));
    layer.select(null, 2);
    new Penalty(layer, 0.3, null, true).start(50, isWeighted);
    for (let i = 0; i < 4; i++) expect(layer.grads[i]).toBeCloseTo(0.3 * (i + 1), 14);
  }
});
