// Tables of features: rows encoded by a schema that was learned from them, or from others.

import { DataError, OptionError } from '../core/errors';
import { field, number, readOptions, seed as seedCheck, show } from '../core/options';
import { type Seed, Stream } from '../core/random';
import { isInstance } from '../core/same-class';
import { runToEnd } from '../core/scheduler';
import { VERSION } from '../core/version';
import { type Encoded, encodeRows, learnRows, rowFault } from './encode-rows';
import { type FeatureRow, type FeatureTableOptions, readTableOptions } from './feature-fields';
import { checkFeatureRows } from './feature-rows-check';
import { FeatureSchema } from './feature-schema';
import type { FeatureRows, FieldRange } from './features';
import { partSize, positionsOf, range, requireTwoRows } from './split';
import type { SplitRandomOptions } from './split-random';
import { type Id, Vocabulary } from './vocabulary';

/**
 * Rows of features, encoded: what models of features (FM and its family) learn from and predict.
 *
 * Shapes: as `FeatureRows`. Cost: 4 bytes a row, 8 an entry; learning goes over the rows once and keeps 4 or 8 bytes a cell
 * meanwhile. A million rows of ten fields take a few seconds.
 *
 * @see Rendle, "Factorization Machines" (ICDM 2010), figure 1, for rows of this form
 * @example
 * ```ts
 * import { categorical, FeatureTable, numeric } from 'opmf';
 * const rows = [
 *   { age: 20, city: 'Rome', clicked: 1 },
 *   { age: 40, city: null, clicked: 0 },
 * ];
 * const table = FeatureTable.from(rows, { fields: { age: numeric(), city: categorical() }, label: 'clicked' });
 * console.log(table.size, table.features); // 2 5
 * console.log([...table.indices].join(' '), [...table.values].join(' ')); // 0 4 0 3 -1 1 1 1
 * const other = table.encode([{ age: 30, city: 'Oslo' }]);
 * console.log([...other.indices].join(' '), [...other.values].join(' ')); // 0 2 0 1
 * ```
 */
export class FeatureTable implements FeatureRows {
  /** @internal */
  static readonly opmf = 'FeatureTable';
  /** @internal */
  static readonly version = VERSION;
  /** @internal Objects of the same class of the other module format are instances too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses ask for themselves
    return isInstance(this, value);
  }

  readonly size: number;
  readonly starts: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
  readonly labels: Float32Array | null;
  readonly weights: Float32Array | null;
  readonly fields: readonly FieldRange[];
  /** What the rows were encoded by; null where they came encoded. */
  readonly schema: FeatureSchema | null;
  /** Whose row each is, where the table was made with `id`; else null. */
  readonly ids: readonly Id[] | null;

  private constructor(rows: FeatureRows, schema: FeatureSchema | null, ids: readonly Id[] | null) {
    this.size = rows.size;
    this.starts = rows.starts;
    this.indices = rows.indices;
    this.values = rows.values;
    this.labels = rows.labels;
    this.weights = rows.weights;
    this.fields = rows.fields;
    this.schema = schema;
    this.ids = ids;
  }

  /**
   * Learns vocabularies and scales from rows, and encodes them.
   *
   * @throws DataError naming the row (from 1) and column of a cell that does not fit its field; for no rows; for a column that
   * no row has; for labels, weights or ids that only some rows have; for an id that two rows have.
   * @throws OptionError for fields that are none, an unknown option or a bad value.
   */
  static from(rows: Iterable<FeatureRow>, options: FeatureTableOptions): FeatureTable {
    const plan = readTableOptions('FeatureTable.from', options);
    return FeatureTable.ofEncoded(runToEnd(learnRows(rows, plan, rowFault('FeatureTable.from'))));
  }

  /**
   * Encodes rows by a schema that was learned before: categories that it lacks become the out-of-vocabulary feature.
   * Labels, weights and ids are read where the rows have them.
   *
   * @throws DataError as `from`, but there may be no rows, and columns may be absent: their cells are missing.
   */
  static encode(rows: Iterable<FeatureRow>, schema: FeatureSchema): FeatureTable {
    if (!(schema instanceof FeatureSchema)) {
      const wanted = 'a FeatureSchema: the schema of a table, or FeatureSchema.fromJSON(json)';
      throw new OptionError('schema', schema, `FeatureTable.encode: schema is ${show(schema)}; want ${wanted}`);
    }
    return FeatureTable.ofEncoded(runToEnd(encodeRows(rows, schema, rowFault('FeatureTable.encode'))));
  }

  /**
   * A table of rows that are encoded already; the arrays are not copied.
   *
   * @param ids whose row each is: of each another
   * @throws DataError where they do not fit each other, an entry is not finite, or its feature is not of the fields or not
   * in their order; for ids that are none, or too few, too many, or equal.
   */
  static fromRows(rows: FeatureRows, ids?: readonly Id[]): FeatureTable {
    if (rows instanceof FeatureTable && ids === undefined) return rows;
    if (ids !== undefined && !Array.isArray(ids))
      throw new DataError(`FeatureTable.fromRows: ids is ${show(ids)}; want an array of ids`);
    checkFeatureRows(rows, 'FeatureTable.fromRows');
    if (ids === undefined) return new FeatureTable(rows, null, null);
    const all = Vocabulary.from(ids);
    if (all.size === rows.size && ids.length === rows.size) {
      return new FeatureTable(rows, rows instanceof FeatureTable ? rows.schema : null, [...all]);
    }
    throw new DataError(
      `FeatureTable.fromRows: there are ${ids.length} ids, ${all.size} of them different; want one for each of the ${rows.size} rows`,
    );
  }

  /** @internal */
  static ofEncoded({ rows, schema, ids }: Encoded): FeatureTable {
    return new FeatureTable(rows, schema, ids);
  }

  /** The number of features of all fields. */
  get features(): number {
    const last = this.fields.at(-1);
    return last === undefined ? 0 : last.offset + last.size;
  }

  /** Encodes other rows by this table's schema, as `FeatureTable.encode` does. @throws DataError where it has none */
  encode(rows: Iterable<FeatureRow>): FeatureTable {
    if (this.schema !== null) return FeatureTable.encode(rows, this.schema);
    throw new DataError(
      'FeatureTable.encode: the table came encoded and has no schema; want one that FeatureTable.from made',
    );
  }

  /**
   * The rows at some positions, in their order, as a table of the same features.
   *
   * @throws DataError for a position that no row has.
   */
  take(rows: ArrayLike<number>): FeatureTable {
    const isList = typeof rows === 'object' && rows !== null && Number.isInteger(rows.length) && rows.length >= 0;
    if (!isList || rows.length >= 2 ** 31)
      throw new DataError(`FeatureTable.take: rows is ${show(rows)}; want a list of row numbers`);
    const starts = new Int32Array(rows.length + 1);
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k]!;
      if (!(Number.isInteger(row) && row >= 0 && row < this.size)) {
        throw new DataError(
          `FeatureTable.take: rows[${k}] is ${show(row)}; want a whole number from 0 to ${this.size - 1}`,
        );
      }
      starts[k + 1] = starts[k]! + this.starts[row + 1]! - this.starts[row]!;
    }
    const indices = new Int32Array(starts[rows.length]!);
    const values = new Float32Array(indices.length);
    for (let k = 0; k < rows.length; k++) {
      let to = starts[k]!;
      for (let at = this.starts[rows[k]!]!; at < this.starts[rows[k]! + 1]!; at++, to++) {
        indices[to] = this.indices[at]!;
        values[to] = this.values[at]!;
      }
    }
    const pick = (column: Float32Array | null) => column && Float32Array.from(rows, (row) => column[row]!);
    const [labels, weights] = [pick(this.labels), pick(this.weights)];
    return new FeatureTable(
      { size: rows.length, starts, indices, values, labels, weights, fields: this.fields },
      this.schema,
      this.ids && Array.from(rows, (row) => this.ids![row]!),
    );
  }

  /**
   * Splits rows at random: round(testFraction * size) of them become the test part, but neither part is ever empty. Rows keep
   * their order. Vocabularies and scales stay those of the whole: where the test must not know of them, split the rows first,
   * and encode the test part by the schema of the other.
   *
   * @throws OptionError for a fraction outside (0, 1) or an unknown option.
   * @throws DataError for fewer than 2 rows.
   */
  split(options?: SplitRandomOptions): { train: FeatureTable; test: FeatureTable } {
    const { testFraction, seed } = readOptions<{ testFraction: number; seed: Seed }>('FeatureTable.split', options, {
      testFraction: field(number({ min: 0, max: 1, above: true, below: true }), 0.2),
      seed: field<Seed>(seedCheck, 1),
    });
    requireTwoRows('FeatureTable.split', this.size);
    const order = range(this.size);
    Stream.of(seed).fork('split-random').shuffle(order);
    const parts = new Uint8Array(this.size);
    for (const at of order.subarray(0, partSize(testFraction, this.size))) parts[at] = 1;
    return { train: this.take(positionsOf(parts, 0)), test: this.take(positionsOf(parts, 1)) };
  }
}
