// What has been learned of the fields of a table, enough to encode other rows alike: plain JSON, kept in model files.

import { FormatError } from '../core/errors';
import { show } from '../core/options';
import { isInstance } from '../core/same-class';
import { VERSION } from '../core/version';
import { MISSING, RESERVED, UNKNOWN } from './feature-columns';
import type { LabelSource } from './feature-fields';
import type { FieldRange } from './features';
import { type LearnedField, learnedField } from './learned-field';

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
 * Features of a numeric field: the number, "missing". Of any other: what the vocabulary lacks, "missing", then the categories
 * (or buckets). Cost: the vocabularies' text.
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
  readonly fields: readonly FieldRange[];
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

  /** @internal What was learned. */
  get learned(): FeatureSchemaJson {
    return this.json;
  }

  /** Plain JSON: what JSON.stringify writes, and `fromJSON` reads. */
  toJSON(): FeatureSchemaJson {
    return this.json;
  }

  /**
   * What a feature stands for: `age`, `age=(missing)`, `city=Rome`, `city=(other)`, `cityXhour=Rome & 8`, `cityXhour=#3`.
   *
   * @throws FormatError for a number that no feature has.
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

function broken(name: string, value: unknown, wanted: string): FormatError {
  return new FormatError(`FeatureSchema: ${name} is ${show(value)}; want ${wanted}`);
}
