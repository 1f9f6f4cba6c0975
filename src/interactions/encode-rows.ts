// Rows of cells into rows of features, in one pass over the rows and one over the cells kept of them.

import { DataError } from '../core/errors';
import { show } from '../core/options';
import { ownString } from '../core/own-string';
import type { Pausable } from '../core/scheduler';
import { columnOf, type FieldColumn, grown, isMissing, numberOf } from './feature-columns';
import type { FeatureRow, FeatureValue, LabelSource, TablePlan } from './feature-fields';
import { FeatureSchema } from './feature-schema';
import type { FeatureRows } from './features';
import { requireIterable } from './iterable';
import { columnsOf, newField } from './learned-field';
import { type Id, Vocabulary, WANTED_ID } from './vocabulary';

/** A cell at fault, in a row counted from 1. */
export type TableFault = (row: number, column: string, message: string) => DataError;

/** Faults of rows that come from memory. */
export function rowFault(owner: string): TableFault {
  return (row, column, message) =>
    new DataError(`${owner}: row ${row} (counting from 1), column ${show(column)}: ${message}`);
}

export interface Encoded {
  readonly rows: FeatureRows;
  readonly schema: FeatureSchema;
  readonly ids: readonly Id[] | null;
}

/** Rows between two turns of the event loop: a few milliseconds. */
const ROWS = 1 << 12;

/** Learns the fields of `plan` from the rows. */
export function* learnRows(rows: Iterable<FeatureRow>, plan: TablePlan, fault: TableFault): Pausable<Encoded> {
  const { label, weight, id } = plan;
  const fields = plan.fields.map(([name, config]) => newField(name, config));
  return yield* read(rows, FeatureSchema.of({ fields, label, weight, id }), true, fault);
}

/** Encodes rows by what has been learned. */
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

/** A label or a weight a row: all rows have one, or, of rows that are not learned from, none. */
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

/** An id a row, as of labels. */
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
