// The sets that models of features are measured on: counts as published, and rows that are what the papers say.

import { join } from 'node:path';
import { loadAdult } from '../../benchmarks/models/adult-data';
import { loadFrappe, loadFrappeLogs, withNegatives } from '../../benchmarks/models/frappe-data';
import { categorical, FeatureTable } from '../../src';
import { Stream } from '../../src/core/random';
import { findFile, searchFolders } from '../../src/node/datasets';

function where(set: string, file: string): jest.It {
  const folders = searchFolders(undefined).map((folder) => join(folder, set));
  if (folders.some((folder) => findFile(folder, file) !== undefined)) return test;
  console.warn(`skipped: data set '${set}' is in none of ${folders.join(', ')} (set OPMF_DATA)`);
  return test.skip;
}

/** The features of each row as text, the item (the second field) apart. */
const cells = (table: FeatureTable): [context: string, item: number][] =>
  Array.from({ length: table.size }, (_, row) => {
    const [user, item, ...rest] = table.indices.subarray(table.starts[row], table.starts[row + 1]);
    return [[user, ...rest].join(), item!];
  });

test('negatives: the same user and context, with other items that these do not have', () => {
  const rows = Array.from({ length: 60 }, (_, k) => ({
    user: k % 3,
    item: (7 * k + Math.floor(k / 12)) % 12,
    hour: k % 4,
  }));
  const fields = { user: categorical(), item: categorical(), hour: categorical() };
  const logs = FeatureTable.from(rows, { fields });
  const all = withNegatives(logs, 4, -1, Stream.of(1));
  const had = new Set(cells(logs).map((cell) => cell.join('|')));
  const got = cells(all);
  for (const [row, cell] of cells(logs).entries()) {
    const [positive, ...negatives] = got.slice(5 * row, 5 * row + 5);
    expect(positive).toEqual(cell);
    expect(negatives.every(([context]) => context === cell[0])).toBe(true);
    expect(negatives.some((negative) => had.has(negative.join('|')))).toBe(false);
    expect(new Set(negatives.map(([, item]) => item)).size).toBe(4);
    expect([...all.labels!.subarray(5 * row, 5 * row + 5)]).toEqual([1, -1, -1, -1, -1]);
  }
  // Each of 12 items is drawn, and none but these.
  const drawn = new Set(got.filter((_, row) => row % 5 > 0).map(([, item]) => item - logs.fields[1]!.offset));
  expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, item) => item + 2));
  expect(() => withNegatives(logs, 12, 0, Stream.of(1))).toThrow('its user has all items but');
});

where('frappe', 'frappe.csv')('Frappe: published counts, three parts of one draw', async () => {
  const logs = await loadFrappeLogs();
  expect(logs.size).toBe(96_203);
  expect(logs.fields.map(({ size }) => size - 2)).toEqual([957, 4082, 7, 7, 2, 3, 2, 9, 80, 233]);
  const { train, validation, test: held } = await loadFrappe();
  const parts = [train, validation, held];
  expect(parts.map(({ size }) => size)).toEqual([202_027, 57_722, 28_860]);
  const positives = parts.map(({ labels }) => labels!.reduce((sum, label) => sum + label, 0));
  expect(positives.reduce((sum, count) => sum + count)).toBe(96_203);
  // A third of each part, within five standard deviations.
  for (const [k, { size }] of parts.entries()) {
    expect(Math.abs(positives[k]! - size / 3)).toBeLessThan(5 * Math.sqrt((size * 2) / 9));
  }
  // Every log is in one part, as often as it was read.
  const textOf = (table: FeatureTable, row: number) => table.indices.subarray(10 * row, 10 * row + 10).join();
  const found = parts.flatMap((part) =>
    Array.from(part.labels!, (label, row) => (label === 1 ? textOf(part, row) : '')).filter((text) => text !== ''),
  );
  expect(found.sort()).toEqual(Array.from({ length: logs.size }, (_, row) => textOf(logs, row)).sort());
});

where('adult', 'adult.data')(
  'Adult: published counts; the test part is encoded by what the train part says',
  async () => {
    const { train, test: held } = await loadAdult();
    const positives = (table: FeatureTable) => table.labels!.filter((label) => label === 1).length;
    expect([train.size, positives(train), held.size, positives(held)]).toEqual([32_561, 7841, 16_281, 3846]);
    expect(held.schema).toBe(train.schema);
    // Missing in the UCI files: workclass 1836 and 963, occupation 1843 and 966, native country 583 and 274.
    const missing = (table: FeatureTable, name: string) => {
      const feature = table.fields.find((field) => field.name === name)!.offset + 1;
      return table.indices.filter((index) => index === feature).length;
    };
    const names = ['workclass', 'occupation', 'nativeCountry', 'age', 'education'];
    expect(names.map((name) => missing(train, name))).toEqual([1836, 1843, 583, 0, 0]);
    expect(names.map((name) => missing(held, name))).toEqual([963, 966, 274, 0, 0]);
    expect(train.fields.find(({ name }) => name === 'occupation')!.size).toBe(14 + 2);
    const ages = train.values.filter((_, k) => train.indices[k] === 0);
    expect(ages.reduce((sum, age) => sum + age, 0) / ages.length).toBeCloseTo(0, 5);
    expect(train.schema!.learned.fields[0]).toMatchObject({ mean: expect.closeTo(38.5816, 4) });
  },
);
