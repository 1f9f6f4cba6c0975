// The Frappe set (Baltrunas et al. 2015) as papers on models of features use it: NFM (He and Chua, SIGIR 2017, section
// 4.1.1) and AFM (Xiao et al., IJCAI 2017). Each of the 96,203 logs is a positive row of ten fields, and two rows beside it
// have the same user and context with an app that the user did not use in that context; 70% of the rows, drawn at random,
// are to train on, 20% to validate, 10% to test. The published draw of train rows could not be had: this is another one.

import { categorical, DataError, type FeatureRows, FeatureTable } from 'opmf';
import { readFeatureTable } from 'opmf/node';
import { type Seed, Stream } from '../../src/core/random';
import { filesOf } from '../files-of';

/** The fields, in the order of the published libFM files. */
export const FRAPPE_FIELDS = [
  ...['user', 'item', 'daytime', 'weekday', 'isweekend'],
  ...['homework', 'cost', 'weather', 'country', 'city'],
] as const;
const ITEM = 1;
/** The first features of a field are for unknown and missing categories, of which this set has none. */
const RESERVED = 2;

export interface FrappeOptions {
  /** Rows that are no logs for each one that is. @defaultValue 2 */
  readonly negatives?: number;
  /** The label of rows that are no logs: 0, or -1 as in the papers, which measure the squared error of 1 and -1. @defaultValue 0 */
  readonly negativeLabel?: 0 | -1;
  /** @defaultValue 1 */
  readonly seed?: Seed;
  /** Where data sets are, instead of where the library looks. */
  readonly dataDir?: string | undefined;
}

/** The three parts; with the defaults 202,027, 57,722 and 28,860 rows, as published. */
export interface FrappeData {
  readonly train: FeatureTable;
  readonly validation: FeatureTable;
  readonly test: FeatureTable;
}

/** Reads the logs, draws the negatives and splits all of it. */
export async function loadFrappe(options: FrappeOptions = {}): Promise<FrappeData> {
  const { negatives = 2, negativeLabel = 0, seed = 1, dataDir } = options;
  const stream = Stream.of(seed);
  const logs = await loadFrappeLogs(dataDir);
  const all = withNegatives(logs, negatives, negativeLabel, stream.fork('negatives'));
  const order = Int32Array.from({ length: all.size }, (_, row) => row);
  stream.fork('split').shuffle(order);
  const toTrain = Math.ceil(0.7 * all.size);
  const toTest = all.size - Math.floor(0.1 * all.size);
  return {
    train: all.take(order.subarray(0, toTrain)),
    validation: all.take(order.subarray(toTrain, toTest)),
    test: all.take(order.subarray(toTest)),
  };
}

/** The logs alone, one row each: all ten fields are categories. */
export async function loadFrappeLogs(dataDir?: string): Promise<FeatureTable> {
  const fields = Object.fromEntries(FRAPPE_FIELDS.map((name) => [name, categorical()]));
  return readFeatureTable(filesOf('frappe', dataDir)('frappe.csv'), { fields, separator: '\t' });
}

/** Each row labelled 1, followed by `count` copies with other items, all different, that its user and context do not have. */
export function withNegatives(logs: FeatureTable, count: number, label: number, stream: Stream): FeatureTable {
  const width = logs.fields.length;
  const { offset, size } = logs.fields[ITEM]!;
  const items = size - RESERVED;
  const contexts = Array.from({ length: logs.size }, (_, row) =>
    logs.indices
      .subarray(row * width, (row + 1) * width)
      .join()
      .replace(`,${logs.indices[row * width + ITEM]},`, ',,'),
  );
  const used = new Map<string, Set<number>>();
  for (const [row, context] of contexts.entries()) {
    const set = used.get(context) ?? new Set();
    used.set(context, set.add(logs.indices[row * width + ITEM]!));
  }
  const rows = logs.size * (1 + count);
  const indices = new Int32Array(rows * width);
  const labels = new Float32Array(rows).fill(label);
  for (let row = 0, to = 0; row < logs.size; row++) {
    const log = logs.indices.subarray(row * width, (row + 1) * width);
    const seen = used.get(contexts[row]!)!;
    if (items - seen.size < count) throw new DataError(`row ${row}: its user has all items but ${items - seen.size}`);
    labels[to] = 1;
    indices.set(log, to++ * width);
    const drawn = new Set<number>();
    while (drawn.size < count) {
      const item = offset + RESERVED + stream.below(items);
      if (seen.has(item) || drawn.has(item)) continue;
      drawn.add(item);
      indices.set(log, to * width);
      indices[to++ * width + ITEM] = item;
    }
  }
  const starts = Int32Array.from({ length: rows + 1 }, (_, row) => row * width);
  const values = new Float32Array(indices.length).fill(1);
  return FeatureTable.fromRows({ size: rows, starts, indices, values, labels, weights: null, fields: logs.fields });
}

/** The rows of several tables of the same fields. */
export function joined(tables: readonly FeatureTable[]): FeatureTable {
  const size = tables.reduce((sum, table) => sum + table.size, 0);
  const fields = tables[0]!.fields;
  const concat = <T extends Int32Array | Float32Array>(make: (length: number) => T, of: (table: FeatureTable) => T) => {
    const all = make(tables.reduce((sum, table) => sum + of(table).length, 0));
    let at = 0;
    for (const table of tables) {
      all.set(of(table), at);
      at += of(table).length;
    }
    return all;
  };
  const rows: FeatureRows = {
    size,
    starts: Int32Array.from({ length: size + 1 }, (_, r) => r * fields.length),
    indices: concat(
      (length) => new Int32Array(length),
      ({ indices }) => indices,
    ),
    values: concat(
      (length) => new Float32Array(length),
      ({ values }) => values,
    ),
    labels: concat(
      (length) => new Float32Array(length),
      ({ labels }) => labels!,
    ),
    weights: null,
    fields,
  };
  return FeatureTable.fromRows(rows);
}
