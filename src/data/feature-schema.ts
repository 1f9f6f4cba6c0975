// A learned field, as JSON: its description with every default filled in, and its scale or vocabulary.

import { FormatError, isInstance } from '../core/errors';
import { show } from '../core/options';
import { ownString } from '../core/plain';
import { hash } from '../core/random';
import { VERSION } from '../core/version';
import type { FeatureRow, FeatureRows, FeatureValue, FieldConfig, LabelSource } from './feature-fields';

/** A field as stored in files. Combinations are listed as `<length of the first>:<first>:<second>`. */
export type LearnedField =
  | {
      readonly kind: 'numeric';
      readonly name: string;
      readonly column: string;
      readonly standardize: boolean;
      readonly mean: number;
      readonly deviation: number;
    }
  | LearnedCategories;

/** A learned field whose features are categories. */
export type LearnedCategories = {
  readonly name: string;
  readonly minCount: number;
  readonly categories: readonly string[];
} & (
  | { readonly kind: 'categorical'; readonly column: string }
  | { readonly kind: 'multi'; readonly column: string; readonly separator: string }
  | { readonly kind: 'crossed'; readonly of: readonly [string, string]; readonly buckets: number | null }
);

/** A field before learning; `config` has been checked. */
export function newField(name: string, config: FieldConfig): LearnedField {
  if (config.kind === 'numeric') {
    const { column = name, standardize = true } = config;
    return { kind: 'numeric', name, column, standardize, mean: 0, deviation: 1 };
  }
  const common = { name, minCount: config.minCount ?? 1, categories: [] };
  if (config.kind === 'crossed') return { kind: 'crossed', ...common, of: config.of, buckets: config.buckets ?? null };
  const { column = name } = config;
  if (config.kind === 'categorical') return { kind: 'categorical', ...common, column };
  return { kind: 'multi', ...common, column, separator: config.separator ?? '|' };
}

/** The columns that a field reads. */
export function columnsOf(field: LearnedField): readonly string[] {
  return field.kind === 'crossed' ? field.of : [field.column];
}

/** Reads a field from a file. @throws FormatError if it is invalid */
export function learnedField(json: Readonly<Record<string, unknown>>, at: string): LearnedField {
  const { kind, name } = json;
  if (!isText(name)) throw broken(`${at}.name`, name, 'a string');
  const check = <T>(key: string, is: (value: unknown) => value is T, wanted: string): T => {
    const value = json[key];
    if (is(value)) return value;
    throw broken(`${at}.${key}`, value, wanted);
  };
  if (kind === 'numeric') {
    return {
      ...{ kind, name },
      column: check('column', isText, 'a string'),
      standardize: check('standardize', (value) => typeof value === 'boolean', 'true or false'),
      mean: check('mean', isNumber, 'a finite number'),
      deviation: check('deviation', isPositive, 'a finite number above 0'),
    };
  }
  const common = {
    name,
    minCount: check('minCount', isCount, 'a whole number of at least 1'),
    categories: check('categories', isVocabulary, 'an array of different strings'),
  };
  if (kind === 'categorical') return { kind, ...common, column: check('column', isText, 'a string') };
  if (kind === 'multi') {
    const separator = check('separator', isSomeText, 'a string of one or more characters');
    return { kind, ...common, column: check('column', isText, 'a string'), separator };
  }
  if (kind !== 'crossed') throw broken(`${at}.kind`, kind, 'numeric, categorical, multi or crossed');
  const buckets = check('buckets', isCountOrNull, 'a whole number of at least 1, or null');
  return { kind, ...common, of: check('of', isPair, 'two strings'), buckets };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isSomeText = (value: unknown): value is string => isText(value) && value !== '';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isPositive = (value: unknown): value is number => isNumber(value) && value > 0;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
const isCountOrNull = (value: unknown): value is number | null => value === null || isCount(value);
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isVocabulary = (value: unknown): value is readonly string[] =>
  isTexts(value) && new Set(value).size === value.length;
const isPair = (value: unknown): value is readonly [string, string] => isTexts(value) && value.length === 2;

function broken(name: string, value: unknown, wanted: string): FormatError {
  return new FormatError(`FeatureSchema: ${name} is ${show(value)}; want ${wanted}`);
}

// Encodes a field of a table while rows arrive: cells become numbers or codes at once, and after the last row the
// field's mean or vocabulary is known. One pass over the rows, which may be a stream; a field that is already learned
// only looks up.

/** The first two features of a categorical field. */
export const UNKNOWN = 0;
export const MISSING = 1;
/** How many features a categorical field has besides its categories. */
export const RESERVED = 2;

/** Creates the error for a bad cell: the caller knows the row. */
export type CellFault = (column: string, value: FeatureValue, wanted: string) => Error;

/** The cells of a field, row after row. */
export interface FieldColumn {
  add(row: FeatureRow): void;
  /**
   * What all the rows so far teach about the field; the field itself if it was learned before. `weights`: rows of
   * weight 0 are ignored.
   */
  learn(weights: ArrayLike<number> | null): LearnedField;
  /** The number of entries of all rows. */
  readonly entries: number;
  /** Writes the entries of a row from `at` on; returns where they end. */
  write(row: number, offset: number, indices: Int32Array, values: Float32Array, at: number): number;
}

/** The column of a field. `isNew`: it is to be learned from the rows. */
export function columnOf(field: LearnedField, isNew: boolean, fault: CellFault): FieldColumn {
  return field.kind === 'numeric' ? new NumberColumn(field, isNew, fault) : new CategoryColumn(field, isNew, fault);
}

export function isMissing(value: FeatureValue): value is null | undefined | '' {
  return value === undefined || value === null || value === '' || (typeof value === 'number' && Number.isNaN(value));
}

/** A cell as a number; NaN if it is not one. */
export function numberOf(value: FeatureValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return value.trim() === '' ? Number.NaN : Number(value);
  return typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** An array of at least `length` entries that starts with those of `array`. */
export function grown<T extends Int32Array | Float64Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(length, 2 * array.length));
  larger.set(array);
  return larger;
}

class NumberColumn implements FieldColumn {
  /** NaN: missing. */
  private cells = new Float64Array(1024);
  private size = 0;
  private missing = 0;

  constructor(
    private field: Extract<LearnedField, { kind: 'numeric' }>,
    private readonly isNew: boolean,
    private readonly fault: CellFault,
  ) {}

  get entries(): number {
    return this.size + this.missing;
  }

  add(row: FeatureRow): void {
    const { column } = this.field;
    const cell = row[column];
    let value = Number.NaN;
    if (isMissing(cell)) this.missing++;
    else {
      value = numberOf(cell);
      if (!Number.isFinite(Math.fround(value))) throw this.fault(column, cell, 'a finite number, or nothing');
    }
    this.cells = grown(this.cells, this.size + 1);
    this.cells[this.size++] = value;
  }

  learn(weights: ArrayLike<number> | null): LearnedField {
    if (!this.isNew) return this.field;
    const isCounted = (r: number) => !Number.isNaN(this.cells[r]!) && (weights === null || weights[r]! > 0);
    let [count, sum] = [0, 0];
    for (let r = 0; r < this.size; r++) {
      if (!isCounted(r)) continue;
      count++;
      sum += this.cells[r]!;
    }
    const mean = count === 0 ? 0 : sum / count;
    let squares = 0;
    for (let r = 0; r < this.size; r++) {
      const cell = this.cells[r]!;
      if (isCounted(r)) squares += (cell - mean) * (cell - mean);
    }
    // For a constant column the deviation is 0, or a rounding error.
    const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
    this.field = { ...this.field, mean, deviation: deviation > 1e-12 * Math.abs(mean) ? deviation : 1 };
    return this.field;
  }

  write(row: number, offset: number, indices: Int32Array, values: Float32Array, at: number): number {
    const { mean, deviation, standardize } = this.field;
    const cell = this.cells[row]!;
    const isAbsent = Number.isNaN(cell);
    const value = isAbsent ? mean : cell;
    indices[at] = offset;
    values[at++] = standardize ? (value - mean) / deviation : value;
    if (!isAbsent) return at;
    indices[at] = offset + 1;
    values[at++] = 1;
    return at;
  }
}

class CategoryColumn implements FieldColumn {
  private readonly field: LearnedCategories;
  /** Whether the categories of the rows are to be listed and counted. */
  private readonly isListed: boolean;
  /** The code of every category. */
  private readonly codes = new Map<string, number>();
  /** The number of rows with each code; counted while learning. */
  private counts = new Int32Array(64);
  /** The codes of all rows, and where each row starts if a row may have several. */
  private cells = new Int32Array(1024);
  private starts: Int32Array | null = null;
  private size = 0;
  private filled = 0;
  /** The last row, from 1, with each code; and whether the codes of the current row are in ascending order. */
  private lastRows = new Int32Array(64);
  private isSorted = true;
  private rowStart = 0;

  constructor(
    field: LearnedCategories,
    isNew: boolean,
    private readonly fault: CellFault,
  ) {
    this.field = field;
    this.isListed = isNew && !(field.kind === 'crossed' && field.buckets !== null);
    if (field.kind === 'multi') this.starts = new Int32Array(1024);
    for (const [k, category] of field.categories.entries()) this.codes.set(category, RESERVED + k);
  }

  get entries(): number {
    return this.filled;
  }

  add(row: FeatureRow): void {
    const field = this.field;
    if (field.kind === 'multi') this.addSeveral(row[field.column], field.column, field.separator);
    else if (field.kind === 'categorical') {
      const cell = row[field.column];
      this.put(isMissing(cell) ? MISSING : this.codeOf(this.text(cell, field.column)));
    } else {
      const [first, second] = field.of;
      const [a, b] = [row[first], row[second]];
      const isAbsent = isMissing(a) || isMissing(b);
      this.put(isAbsent ? MISSING : this.codeOfPair(this.text(a, first), this.text(b, second)));
    }
    this.size++;
    if (this.starts === null) return;
    this.starts = grown(this.starts, this.size + 1);
    this.starts[this.size] = this.filled;
  }

  learn(weights: ArrayLike<number> | null): LearnedField {
    const field = this.field;
    if (!this.isListed) return field;
    const kept: string[] = [];
    const newCode = new Int32Array(RESERVED + this.codes.size);
    newCode[MISSING] = MISSING;
    for (const [category, code] of weights === null ? this.codes : this.recounted(weights)) {
      if (this.counts[code]! < field.minCount) continue;
      newCode[code] = RESERVED + kept.length;
      kept.push(category);
    }
    for (let k = 0; k < this.filled; k++) this.cells[k] = newCode[this.cells[k]!]!;
    if (this.starts !== null) this.dropRepeats(this.starts);
    return { ...field, categories: kept };
  }

  write(row: number, offset: number, indices: Int32Array, values: Float32Array, at: number): number {
    const from = this.starts === null ? row : this.starts[row]!;
    const to = this.starts === null ? row + 1 : this.starts[row + 1]!;
    for (let k = from; k < to; k++) {
      indices[at] = offset + this.cells[k]!;
      values[at++] = 1;
    }
    return at;
  }

  /** Counts only rows of positive weight; codes are in the order of the first such row. */
  private recounted(weights: ArrayLike<number>): [string, number][] {
    const { counts, cells, starts, codes } = this;
    counts.fill(0);
    const names = [...codes.keys()];
    const found: [string, number][] = [];
    for (let row = 0; row < this.size; row++) {
      if (!(weights[row]! > 0)) continue;
      const to = starts === null ? row + 1 : starts[row + 1]!;
      for (let k = starts === null ? row : starts[row]!; k < to; k++) {
        const code = cells[k]!;
        if (counts[code]!++ === 0 && code >= RESERVED) found.push([names[code - RESERVED]!, code]);
      }
    }
    return found;
  }

  private addSeveral(cell: FeatureValue, column: string, separator: string): void {
    const start = this.filled;
    this.rowStart = start;
    const parts =
      typeof cell === 'string' ? cell.split(separator) : Array.isArray(cell) ? (cell as FeatureValue[]) : [cell];
    for (const part of parts) {
      const trimmed = typeof part === 'string' ? part.trim() : part;
      if (isMissing(trimmed)) continue;
      this.put(this.codeOf(this.text(trimmed, column)));
    }
    if (this.filled === start) this.put(MISSING);
    this.sortFrom(start);
  }

  /**
   * Rare categories were merged into one, which may now occur several times in a row and out of order. In place: a row
   * never gets longer, so writing does not overtake reading.
   */
  private dropRepeats(starts: Int32Array): void {
    const filled = this.filled;
    this.filled = 0;
    this.lastRows.fill(0);
    for (let row = 0, from = 0; row < this.size; row++) {
      const to = row + 1 < this.size ? starts[row + 1]! : filled;
      const start = this.filled;
      this.rowStart = start;
      for (let k = from; k < to; k++) this.place(this.cells[k]!, row + 1);
      this.sortFrom(start);
      starts[row] = start;
      from = to;
    }
    starts[this.size] = this.filled;
  }

  /** Adds the next code of the current row. */
  private put(code: number): void {
    if (!this.place(code, this.size + 1) || !this.isListed) return;
    this.counts = grown(this.counts, code + 1);
    this.counts[code]!++;
  }

  /** Adds a code to a row; false if the row has it already. */
  private place(code: number, row: number): boolean {
    if (this.starts !== null) {
      this.lastRows = grown(this.lastRows, code + 1);
      if (this.lastRows[code] === row) return false;
      this.lastRows[code] = row;
      if (this.filled > this.rowStart && code < this.cells[this.filled - 1]!) this.isSorted = false;
    }
    this.cells = grown(this.cells, this.filled + 1);
    this.cells[this.filled++] = code;
    return true;
  }

  /** Sorts the codes from `start` on in ascending order. */
  private sortFrom(start: number): void {
    if (!this.isSorted) this.cells.subarray(start, this.filled).sort();
    this.isSorted = true;
  }

  private codeOf(category: string): number {
    const known = this.codes.get(category);
    if (known !== undefined) return known;
    if (!this.isListed) return UNKNOWN;
    const code = RESERVED + this.codes.size;
    this.codes.set(ownString(category), code);
    return code;
  }

  /** The length tells 'a' with 'bc' and 'ab' with 'c' apart. */
  private codeOfPair(first: string, second: string): number {
    const key = `${first.length}:${first}:${second}`;
    const { buckets } = this.field as { buckets: number | null };
    return buckets === null ? this.codeOf(key) : RESERVED + ((hash(key)[0] >>> 0) % buckets);
  }

  private text(cell: FeatureValue, column: string): string {
    if (typeof cell === 'string') return cell;
    if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
    throw this.fault(column, cell, 'a string, a number, true, false or nothing');
  }
}

// What was learned of the fields of a table, enough to encode other rows in the same way: plain JSON, stored in model
// files.

/** The JSON of a schema. */
export interface FeatureSchemaJson {
  readonly fields: readonly LearnedField[];
  readonly label: LabelSource | null;
  readonly weight: string | null;
  readonly id: string | null;
}

/**
 * The fields of a table as learned: scales of numbers, vocabularies of categories, and the numbers of their features.
 *
 * Features of a numeric field: the number, "missing". Of any other: out-of-vocabulary, "missing", then the categories
 * (or buckets). Memory: the text of the vocabularies.
 *
 * @example
 * ```ts
 * import { categorical, FeatureSchema, FeatureTable, numeric } from 'opmf';
 * const rows = [{ age: 20, city: 'Rome' }, { age: 40, city: 'Paris' }];
 * const { schema } = FeatureTable.from(rows, { fields: { age: numeric(), city: categorical() } });
 * console.log(schema!.size, schema!.nameOf(4)); // 6 city=Rome
 * const same = FeatureSchema.fromJSON(JSON.parse(JSON.stringify(schema)));
 * console.log([...FeatureTable.encode([{ age: 30, city: 'Oslo' }], same).indices].join(' ')); // 0 2
 * ```
 */
export class FeatureSchema {
  /** @internal */
  static readonly opmf = 'FeatureSchema';
  /** @internal */
  static readonly version = VERSION;
  /** @internal Objects of the same class of the other module format are instances too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses ask for themselves
    return isInstance(this, value);
  }

  /** The features of each field. */
  readonly fields: FeatureRows['fields'];
  /** The number of features of all fields. */
  readonly size: number;

  private constructor(private readonly json: FeatureSchemaJson) {
    let offset = 0;
    this.fields = json.fields.map((field) => {
      const range = { name: field.name, kind: field.kind, offset, size: sizeOf(field) };
      offset += range.size;
      return range;
    });
    this.size = offset;
  }

  /** @internal */
  static of(json: FeatureSchemaJson): FeatureSchema {
    return new FeatureSchema(json);
  }

  /**
   * The schema that `toJSON` gave.
   *
   * @throws FormatError for anything else.
   */
  static fromJSON(json: unknown): FeatureSchema {
    const { fields, label = null, weight = null, id = null } = asRecord(json, 'the schema');
    if (!Array.isArray(fields) || fields.length === 0) throw broken('fields', fields, 'an array of one or more fields');
    const learned = fields.map((field, k) => learnedField(asRecord(field, `fields[${k}]`), `fields[${k}]`));
    if (new Set(learned.map(({ name }) => name)).size < learned.length)
      throw broken('fields', fields, 'fields of different names');
    if (weight !== null && typeof weight !== 'string') throw broken('weight', weight, 'a string or null');
    if (id !== null && typeof id !== 'string') throw broken('id', id, 'a string or null');
    const schema = new FeatureSchema({ fields: learned, label: labelOf(label), weight, id });
    if (schema.size < 2 ** 31) return schema;
    throw broken('fields', schema.size, 'fewer than 2^31 features');
  }

  /** @internal The learned fields as JSON. */
  get learned(): FeatureSchemaJson {
    return this.json;
  }

  /** Plain JSON: what JSON.stringify writes, and `fromJSON` reads. */
  toJSON(): object {
    return this.json;
  }

  /**
   * The name of a feature: `age`, `age=(missing)`, `city=Rome`, `city=(other)`, `cityXhour=Rome & 8`, `cityXhour=#3`.
   *
   * @throws FormatError for an index without a feature.
   */
  nameOf(feature: number): string {
    const at = this.fields.findIndex(({ offset, size }) => feature >= offset && feature < offset + size);
    if (at < 0 || !Number.isInteger(feature))
      throw broken('feature', feature, `a whole number from 0 to ${this.size - 1}`);
    const learned = this.json.fields[at]!;
    const slot = feature - this.fields[at]!.offset;
    const { name } = learned;
    if (learned.kind === 'numeric') return slot === 0 ? name : `${name}=(missing)`;
    if (slot === UNKNOWN) return `${name}=(other)`;
    if (slot === MISSING) return `${name}=(missing)`;
    const category = learned.categories[slot - RESERVED];
    if (category === undefined) return `${name}=#${slot - RESERVED}`;
    if (learned.kind !== 'crossed') return `${name}=${category}`;
    const colon = category.indexOf(':');
    const split = colon + 1 + Number(category.slice(0, colon));
    return `${name}=${category.slice(colon + 1, split)} & ${category.slice(split + 1)}`;
  }
}

function sizeOf(field: LearnedField): number {
  if (field.kind === 'numeric') return 2;
  return RESERVED + (field.kind === 'crossed' && field.buckets !== null ? field.buckets : field.categories.length);
}

function labelOf(label: unknown): LabelSource | null {
  if (label === null) return null;
  const { column, positive = null } = asRecord(label, 'label');
  if (typeof column !== 'string') throw broken('label.column', column, 'a string');
  if (positive === null) return { column, positive };
  if (Array.isArray(positive) && positive.every((one) => typeof one === 'string')) return { column, positive };
  throw broken('label.positive', positive, 'an array of strings or null');
}

function asRecord(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw broken(name, value, 'an object');
}
