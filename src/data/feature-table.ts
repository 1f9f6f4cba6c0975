// Encodes rows of cells as rows of features, in one pass over the rows and one over the cells kept of them.

import { DataError, isInstance, isNamed, OptionError } from '../core/errors';
import { field, readOptions, seed as seedCheck, show } from '../core/options';
import { ownString } from '../core/plain';
import { Stream } from '../core/random';
import { type Pausable, runToEnd } from '../core/scheduler';
import { VERSION } from '../core/version';
import {
  type FeatureRow,
  type FeatureRows,
  type FeatureTableOptions,
  type FeatureValue,
  type LabelSource,
  readTableOptions,
  type TablePlan,
} from './feature-fields';
import type { FieldColumn } from './feature-schema';
import { columnOf, columnsOf, FeatureSchema, grown, isMissing, newField, numberOf } from './feature-schema';
import { part, partSize, positionsOf, range, requireTwoRows, type splitRandom } from './splits';
import { type Id, requireIterable, Vocabulary, WANTED_ID } from './vocabulary';

/** Creates the error for a cell, in a row counted from 1. */
export type TableFault = (row: number, column: string, message: string) => DataError;

/** Errors for rows that come from memory. */
export function rowFault(owner: string): TableFault {
  return (row, column, message) =>
    new DataError(`${owner}: row ${row} (counting from 1), column ${show(column)}: ${message}`);
}

export interface Encoded {
  readonly rows: FeatureRows;
  readonly schema: FeatureSchema;
  readonly ids: readonly Id[] | null;
}

/** Rows between two yields to the event loop: a few milliseconds. */
const ROWS = 1 << 12;

/** Learns the fields of `plan` from the rows. */
export function* learnRows(rows: Iterable<FeatureRow>, plan: TablePlan, fault: TableFault): Pausable<Encoded> {
  const { label, weight, id } = plan;
  const fields = plan.fields.map(([name, config]) => newField(name, config));
  return yield* read(rows, FeatureSchema.of({ fields, label, weight, id }), true, fault);
}

/** Encodes rows by a schema. */
export function* encodeRows(rows: Iterable<FeatureRow>, schema: FeatureSchema, fault: TableFault): Pausable<Encoded> {
  return yield* read(rows, schema, false, fault);
}

function* read(
  rows: Iterable<FeatureRow>,
  schema: FeatureSchema,
  isNew: boolean,
  fault: TableFault,
): Pausable<Encoded> {
  requireIterable(rows, 'rows', 'an iterable of objects, each a row of cells by column name');
  const { fields, label, weight, id } = schema.learned;
  let size = 0;
  const cellFault = (column: string, value: FeatureValue, wanted: string) =>
    fault(size + 1, column, `the cell is ${show(value)}; want ${wanted}`);
  const columns = fields.map((field) => columnOf(field, isNew, cellFault));
  const labels = label && new TargetColumn(label, -Infinity, isNew, cellFault);
  const weights = weight === null ? null : new TargetColumn({ column: weight, positive: null }, 0, isNew, cellFault);
  const ids = id === null ? null : new IdColumn(id, isNew, cellFault);
  const absent = new Set(isNew ? fields.flatMap(columnsOf) : []);
  for (const row of rows) {
    if (row === null || typeof row !== 'object')
      throw fault(size + 1, '', `the row is ${show(row)}; want an object of cells`);
    for (const name of absent) if (row[name] !== undefined) absent.delete(name);
    for (const column of columns) column.add(row);
    labels?.add(row);
    weights?.add(row);
    ids?.add(row);
    size++;
    if (size % ROWS === 0) yield;
  }
  if (isNew && size === 0) throw new DataError('a table to learn from has no rows; want at least one');
  for (const name of absent) throw fault(size, name, 'no row has this column; check its name');
  const targets = { labels: labels?.take() ?? null, weights: weights?.take() ?? null };
  const learned = columns.map((column) => column.learn(targets.weights));
  const full = isNew ? FeatureSchema.of({ fields: learned, label, weight, id }) : schema;
  const cells = yield* assemble(size, columns, full);
  return { rows: { ...cells, ...targets }, schema: full, ids: ids?.take() ?? null };
}

function* assemble(
  size: number,
  columns: readonly FieldColumn[],
  { fields }: FeatureSchema,
): Pausable<Pick<FeatureRows, 'size' | 'starts' | 'indices' | 'values' | 'fields'>> {
  const entries = columns.reduce((sum, column) => sum + column.entries, 0);
  const starts = new Int32Array(size + 1);
  const indices = new Int32Array(entries);
  const values = new Float32Array(entries);
  let at = 0;
  for (let row = 0; row < size; row++) {
    for (let f = 0; f < columns.length; f++) at = columns[f]!.write(row, fields[f]!.offset, indices, values, at);
    starts[row + 1] = at;
    if (row % ROWS === 0) yield;
  }
  return { size, starts, indices, values, fields };
}

/** A label or weight per row: all rows have one or, if the rows are only to be predicted, none. */
class TargetColumn {
  private cells = new Float64Array(1024);
  private size = 0;
  private isAbsent = false;

  constructor(
    private readonly source: LabelSource,
    private readonly least: number,
    private readonly isNeeded: boolean,
    private readonly fault: (column: string, value: FeatureValue, wanted: string) => Error,
  ) {}

  add(row: FeatureRow): void {
    const { column, positive } = this.source;
    const cell = row[column];
    const isAbsent = isMissing(cell);
    if (this.size === 0) this.isAbsent = isAbsent && !this.isNeeded;
    if (isAbsent !== this.isAbsent)
      throw this.fault(column, cell, this.isAbsent ? 'nothing, as in the rows before' : 'a value in every row');
    this.cells = grown(this.cells, ++this.size);
    if (isAbsent) return;
    const value = positive === null ? numberOf(cell) : Number(positive.includes(String(cell)));
    if (!(Number.isFinite(Math.fround(value)) && value >= this.least)) {
      throw this.fault(
        column,
        cell,
        `a finite number${this.least === 0 ? ' of at least 0' : ', or set label: { column, positive }'}`,
      );
    }
    this.cells[this.size - 1] = value;
  }

  take(): Float32Array | null {
    return this.isAbsent || this.size === 0 ? null : Float32Array.from(this.cells.subarray(0, this.size));
  }
}

/** An id per row, with the same rule as labels. */
class IdColumn {
  private readonly ids = new Vocabulary();
  private size = 0;

  constructor(
    private readonly column: string,
    private readonly isNeeded: boolean,
    private readonly fault: (column: string, value: FeatureValue, wanted: string) => Error,
  ) {}

  add(row: FeatureRow): void {
    const cell = row[this.column];
    const isAbsent = isMissing(cell);
    if (isAbsent && !this.isNeeded && this.ids.size === 0) {
      this.size++;
      return;
    }
    if (this.ids.size < this.size) throw this.fault(this.column, cell, 'nothing, as in the rows before');
    const index = isAbsent ? -1 : this.ids.add(typeof cell === 'string' ? ownString(cell) : (cell as Id));
    if (index < 0) throw this.fault(this.column, cell, WANTED_ID);
    if (index < this.size++) throw this.fault(this.column, cell, `an id once: it is that of row ${index + 1} too`);
  }

  take(): readonly Id[] | null {
    return this.ids.size < this.size || this.size === 0 ? null : [...this.ids];
  }
}

// Checks rows that are already encoded: models index their tables by these numbers without bounds checks.

/** Throws DataError, for `owner`, if the arrays of rows do not fit each other or the fields. Cost: one pass over the entries. */
export function checkFeatureRows(rows: FeatureRows, owner: string): void {
  const broken = (found: string, wanted: string) => new DataError(`${owner}: ${found}; want ${wanted}`);
  if (rows === null || typeof rows !== 'object') throw broken(`rows is ${show(rows)}`, 'an object of columns');
  const { size, starts, indices, values, labels, weights, fields } = rows;
  const demand = (name: string, value: unknown, Kind: new () => object) => {
    if (!(value instanceof Kind)) throw broken(`${name} is ${show(value)}`, `a ${Kind.name}`);
  };
  if (!(Number.isInteger(size) && size >= 0)) throw broken(`size is ${show(size)}`, 'a whole number');
  demand('starts', starts, Int32Array);
  demand('indices', indices, Int32Array);
  demand('values', values, Float32Array);
  if (labels !== null) demand('labels', labels, Float32Array);
  if (weights !== null) demand('weights', weights, Float32Array);
  if (!Array.isArray(fields) || fields.some((one: unknown) => one === null || typeof one !== 'object'))
    throw broken(`fields is ${show(fields)}`, 'an array of { name, kind, offset, size }');
  let features = 0;
  for (const { name, offset, size: count } of fields) {
    if (offset !== features)
      throw broken(`field ${show(name)} starts at ${offset}`, `${features}, where the one before ends`);
    if (!(Number.isInteger(count) && count >= 0))
      throw broken(`field ${show(name)} has size ${show(count)}`, 'a whole number');
    features += count;
  }
  if (starts.length !== size + 1) throw broken(`starts has ${starts.length} entries`, `size + 1, ${size + 1}`);
  if (starts[0] !== 0) throw broken(`starts[0] is ${starts[0]}`, '0');
  if (starts[size] !== indices.length)
    throw broken(`starts ends with ${starts[size]}`, `the ${indices.length} of the indices`);
  if (values.length !== indices.length)
    throw broken(`there are ${values.length} values`, `one for each of the ${indices.length} indices`);
  for (const [name, column, least] of [
    ['labels', labels, -Infinity],
    ['weights', weights, 0],
  ] as const) {
    if (column === null) continue;
    if (column.length !== size) throw broken(`there are ${column.length} ${name}`, `${size}`);
    const at = column.findIndex((value) => !(Number.isFinite(value) && value >= least));
    if (at >= 0)
      throw broken(`${name}[${at}] is ${column[at]}`, `finite numbers${least === 0 ? ' of at least 0' : ''}`);
  }
  for (let row = 0; row < size; row++) {
    const to = starts[row + 1]!;
    if (to < starts[row]!) throw broken(`starts[${row + 1}] is ${to}`, `at least ${starts[row]}, the one before`);
    for (let at = starts[row]!, before = -1; at < to; at++) {
      const feature = indices[at]!;
      if (feature <= before || feature >= features) {
        throw broken(`row ${row} has feature ${feature} after ${before}`, `ascending numbers below ${features}`);
      }
      if (!Number.isFinite(values[at])) throw broken(`row ${row} has the value ${values[at]}`, 'finite numbers');
      before = feature;
    }
  }
}

// Feature tables: rows encoded by a schema that was learned from them or from others.

/** As `instanceof FeatureTable`, for code that would load the class for this alone. */
export const isFeatureTable = (value: unknown): value is FeatureTable => isNamed('FeatureTable', value);

/**
 * Rows of features, encoded: the input of feature models (FM, WideDeep, DeepFM).
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
  readonly fields: FeatureRows['fields'];
  /** The schema that encoded the rows; null if they came encoded. */
  readonly schema: FeatureSchema | null;
  /** The id of each row, if the table was made with `id`; else null. */
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
   * @throws OptionError for invalid fields, an unknown option or a bad value.
   */
  static from(rows: Iterable<FeatureRow>, options: FeatureTableOptions): FeatureTable {
    const plan = readTableOptions('FeatureTable.from', options);
    return FeatureTable.ofEncoded(runToEnd(learnRows(rows, plan, rowFault('FeatureTable.from'))));
  }

  /**
   * Encodes rows by an existing schema: unknown categories become the out-of-vocabulary feature.
   * Labels, weights and ids are read where the rows have them.
   *
   * @throws DataError as `from`, but zero rows are allowed, and so are absent columns: their cells are missing.
   */
  static encode(rows: Iterable<FeatureRow>, schema: FeatureSchema): FeatureTable {
    if (!(schema instanceof FeatureSchema)) {
      const wanted = 'a FeatureSchema: the schema of a table, or FeatureSchema.fromJSON(json)';
      throw new OptionError('schema', schema, `FeatureTable.encode: schema is ${show(schema)}; want ${wanted}`);
    }
    return FeatureTable.ofEncoded(runToEnd(encodeRows(rows, schema, rowFault('FeatureTable.encode'))));
  }

  /**
   * A table of rows that are already encoded; the arrays are not copied.
   *
   * @param ids the id of each row, all different
   * @throws DataError if the arrays do not fit each other, an entry is not finite, or its feature is outside the fields
   * or not in their order; for ids that are invalid, too few, too many, or equal.
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
   * @throws DataError for a position without a row.
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
   * their order. Both parts keep the vocabularies and scales of the whole table: to keep the test out of them, split
   * the rows first, and encode the test part by the schema of the train part.
   *
   * @throws OptionError for a fraction outside (0, 1) or an unknown option.
   * @throws DataError for fewer than 2 rows.
   */
  split(options?: Parameters<typeof splitRandom>[1]): { train: FeatureTable; test: FeatureTable } {
    const { testFraction, seed } = readOptions('FeatureTable.split', options, {
      testFraction: part(0.2),
      seed: field(seedCheck, 1),
    });
    requireTwoRows('FeatureTable.split', this.size);
    const order = range(this.size);
    Stream.of(seed).fork('split-random').shuffle(order);
    const parts = new Uint8Array(this.size);
    for (const at of order.subarray(0, partSize(testFraction, this.size))) parts[at] = 1;
    return { train: this.take(positionsOf(parts, 0)), test: this.take(positionsOf(parts, 1)) };
  }
}
