// Where products start: maps at init, and parts that can grow apart. Parts that are equal have equal gradients, and a
// part that is 0 beside a row of 0 has none, so neither would ever be of use.

import { Stream } from '../../src/core/random';
import { solveBase } from '../../src/parameters/elementwise-product';
import type { ProductSpec } from '../../src/parameters/overparam';
import { createParameter } from '../../src/parameters/overparam';
import { nameOf, productSpecs } from '../support/product-specs';

const [ROWS, DIM] = [5, 3];
const make = (spec: ProductSpec, sigma = 0.1) =>
  createParameter(
    { name: 'table', group: 'embedding', rows: ROWS, dim: DIM, precision: 'float64' },
    spec,
    sigma,
    Stream.of(1),
  );
const specs = productSpecs(DIM, [1, 2.69, -0.4]);
const elementwise = specs.filter(({ kind }) => kind !== 'dense');
const dense = specs.filter(({ kind }) => kind === 'dense');
const named = (list: readonly ProductSpec[]) => list.map((spec) => [nameOf(spec), spec] as const);

test.each(named(elementwise))('%s: every map is full of init, and has the shape of its scope', (_, spec) => {
  const { factors } = make(spec);
  expect(factors.length).toBe(spec.depth);
  for (const { rows, cols, data } of factors.slice(1)) {
    expect(rows).toBe(spec.scope === 'row' ? ROWS : 1);
    expect(cols).toBe(spec.width * (spec.kind === 'scalar' ? 1 : DIM));
    expect(data.every((value) => value === spec.init)).toBe(true);
  }
});

test.each(named(elementwise.filter(({ width }) => width > 1)))(
  '%s: the parts start different, with the sign of their sum',
  (_, { width, init, depth, ...rest }) => {
    const parameter = make({ width, init, depth, ...rest });
    const { data } = parameter.factors[0]!;
    const table = parameter.collapse();
    const scale = Array.from({ length: depth - 1 }).reduce<number>((product) => product * init, 1);
    for (let row = 0; row < ROWS; row++)
      for (let k = 0; k < DIM; k++) {
        const parts = Array.from({ length: width }, (_, j) => data[(row * width + j) * DIM + k]! * scale);
        const value = table[row * DIM + k]!;
        expect(new Set(parts).size).toBe(width);
        // Each is between a quarter and three quarters of two, and none of more is negligible.
        for (const part of parts) expect(part / value).toBeGreaterThan(1 / (1 + 3 * (width - 1)) - 1e-12);
      }
  },
);

test.each(named(dense))('%s: the maps are init times identities, the last an isometry', (_, spec) => {
  const { factors } = make(spec);
  const { width, init } = spec;
  expect(factors.map(({ rows, cols }) => [rows, cols])).toEqual([
    [ROWS, width],
    ...Array.from({ length: spec.depth - 2 }, () => [width, width]),
    [width, DIM],
  ]);
  for (const { data, cols } of factors.slice(1)) {
    for (let a = 0; a < cols; a++)
      for (let b = 0; b < cols; b++) {
        let inner = 0;
        for (let w = 0; w < width; w++) inner += data[w * cols + a]! * data[w * cols + b]!;
        expect(Math.abs(inner - (a === b ? init * init : 0))).toBeLessThan(1e-14);
      }
  }
});

test.each(named(dense.filter(({ width }) => width > DIM)))(
  '%s: no row of the maps and no column is idle',
  (_, spec) => {
    const { factors } = make(spec);
    const [base, last] = [factors[0]!, factors.at(-1)!];
    for (let w = 0; w < spec.width; w++) {
      expect(last.data.subarray(w * DIM, (w + 1) * DIM).some((value) => Math.abs(value) > 1e-6)).toBe(true);
      expect(Array.from({ length: ROWS }, (_, row) => base.data[row * spec.width + w]!).some((x) => x !== 0)).toBe(
        true,
      );
    }
  },
);

test.each(named(specs))('%s: sigma 0 starts at a product of exactly 0', (_, spec) => {
  expect(
    make(spec, 0)
      .collapse()
      .every((value) => value === 0),
  ).toBe(true);
});

test('tables of one seed start apart by their names', () => {
  const start = (name: string) =>
    createParameter(
      { name, group: 'embedding', rows: 2, dim: 2, precision: 'float64' },
      undefined,
      1,
      Stream.of(1),
    ).collapse();
  expect(start('userEmbedding')).not.toEqual(start('itemEmbedding'));
  expect(start('userEmbedding')).toEqual(start('userEmbedding'));
});

test('rows that are added under shared maps: the shortest base that gives the row; 0 where the maps let nothing through', () => {
  const base = new Float64Array(8);
  // Two terms of rows of 2: maps 3 and 4 for the first element, 0 and 0 for the second. Row 1 is new.
  const maps = [Float64Array.of(3, 0, 4, 0)];
  solveBase({ base, maps, dim: 2, width: 2, scalar: false }, Float64Array.of(50, 7), 1);
  expect([...base]).toEqual([0, 0, 0, 0, 6, 0, 8, 0]);
});
