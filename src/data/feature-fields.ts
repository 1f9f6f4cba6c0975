// Rows of features as sparse columns: the encoded form of a feature table, and the input of every feature model.

import { OptionError } from '../core/errors';
import type { Check } from '../core/options';
import { boolean, check, field, integer, optional, plain, readOptions, show, string, wrong } from '../core/options';

/** What a field of a table holds: a number, one category, several, or the combination of two categories. */
export type FieldKind = FieldRange['kind'];

/**
 * A field of encoded rows: its features have the numbers offset to offset + size - 1.
 */
export type FieldRange = FeatureRows['fields'][number];

/**
 * Rows of features in compressed sparse rows. Row r has the features indices[k] with the values[k] beside them, for k
 * from starts[r] up to starts[r + 1]. Within a row entries are in the order of the fields. A category has the value 1, and
 * so has each of several in a multi-valued field (a model that pools divides); a number has itself, standardized or not.
 *
 * Shapes: `starts` size + 1; `indices` and `values` one entry each; `labels` and `weights`, where there are any, size.
 *
 * @example
 * ```ts
 * import type { FeatureRows } from 'opmf';
 * const rows: FeatureRows = {
 *   size: 2,
 *   starts: Int32Array.of(0, 1, 3),
 *   indices: Int32Array.of(0, 1, 2),
 *   values: Float32Array.of(1, 1, 0.5),
 *   labels: Float32Array.of(0, 1),
 *   weights: null,
 *   fields: [{ name: 'city', kind: 'categorical', offset: 0, size: 2 }, { name: 'age', kind: 'numeric', offset: 2, size: 1 }],
 * };
 * console.log(rows.starts[2]! - rows.starts[1]!); // 2
 * ```
 */
export interface FeatureRows {
  readonly size: number;
  /** Where each row's entries start, and where the last one's end. */
  readonly starts: Int32Array;
  /** Feature numbers, over all fields. */
  readonly indices: Int32Array;
  readonly values: Float32Array;
  readonly labels: Float32Array | null;
  /** The weight of each row's loss; null: 1. */
  readonly weights: Float32Array | null;
  /** In order: each starts where the one before ends. */
  readonly fields: readonly {
    readonly name: string;
    readonly kind: 'numeric' | 'categorical' | 'multi' | 'crossed';
    /** The index of its first feature. */
    readonly offset: number;
    /** How many features it has. */
    readonly size: number;
  }[];
}

/** The features of rows, without labels and weights. */
export type UnlabelledRows = Pick<FeatureRows, 'size' | 'starts' | 'indices' | 'values'>;

// How a caller describes the fields of a table: plain JSON, made by a function per kind and checked here.

/** A cell of a row of features. */
export type FeatureValue = FeatureRow[string];

/**
 * A row of features, by column name. Missing: undefined, null, NaN and ''. Categories are compared as text: 1, '1' are one.
 *
 * @example
 * ```ts
 * import { categorical, type FeatureRow, FeatureTable } from 'opmf';
 * const rows: FeatureRow[] = [{ zone: 7 }, { zone: '7' }, { zone: null }];
 * const table = FeatureTable.from(rows, { fields: { zone: categorical() } });
 * console.log([...table.indices].join(' ')); // 2 2 1
 * ```
 */
export type FeatureRow = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly (string | number | boolean)[]>
>;

/** Any field. */
export type FieldConfig =
  | {
      readonly kind: 'numeric';
      /** The column it is read from. @defaultValue the field's name */
      readonly column?: string | undefined;
      /** Whether to subtract the mean and divide by the standard deviation, both of the rows learned from. @defaultValue true */
      readonly standardize?: boolean | undefined;
    }
  | {
      readonly kind: 'categorical';
      /** The column it is read from. @defaultValue the field's name */
      readonly column?: string | undefined;
      /** Categories that occur in fewer rows share the out-of-vocabulary feature. @defaultValue 1 */
      readonly minCount?: number | undefined;
    }
  | {
      readonly kind: 'multi';
      /** The column it is read from. @defaultValue the field's name */
      readonly column?: string | undefined;
      /** The separator between categories in a string. @defaultValue '|' */
      readonly separator?: string | undefined;
      /** Categories that occur in fewer rows share the out-of-vocabulary feature. @defaultValue 1 */
      readonly minCount?: number | undefined;
    }
  | {
      readonly kind: 'crossed';
      readonly of: readonly [string, string];
      /** Combinations that occur in fewer rows share the out-of-vocabulary feature. @defaultValue 1 */
      readonly minCount?: number | undefined;
      /** Combinations are hashed into this many features instead of being listed. */
      readonly buckets?: number | undefined;
    };

/** The columns and fields of a table. */
export interface FeatureTableOptions {
  /** The fields, in the order of their features. */
  readonly fields: Readonly<Record<string, FieldConfig>>;
  /** The column of the labels; not needed for rows that are only to be predicted. */
  readonly label?: string | { readonly column: string; readonly positive?: readonly string[] | undefined } | undefined;
  /** The column of the weights of each row's loss. */
  readonly weight?: string | undefined;
  /** The column of the ids of the users or items that the rows describe, all different. For `interactionFeatures`. */
  readonly id?: string | undefined;
}

/**
 * A field of one number x: the feature (x - mean) / deviation, and a feature that marks it as missing.
 *
 * A missing number counts as the mean. The deviation is that of the population; a constant column is divided by 1.
 *
 * @throws OptionError for an unknown option.
 * @example
 * ```ts
 * import { FeatureTable, numeric } from 'opmf';
 * const table = FeatureTable.from([{ age: 20 }, { age: 40 }, { age: null }], { fields: { age: numeric() } });
 * console.log([...table.values].join(' ')); // -1 1 0 1
 * console.log([...table.indices].join(' ')); // 0 0 0 1
 * ```
 */
export function numeric(options?: Omit<Extract<FieldConfig, { readonly kind: 'numeric' }>, 'kind'>): FieldConfig {
  return checkField('numeric', { ...given('numeric', options), kind: 'numeric' }) as FieldConfig;
}

/**
 * A field of one category: an out-of-vocabulary feature, one for "missing", then one per category in the order
 * of first appearance.
 *
 * @throws OptionError unless minCount is a whole number of at least 1, or an unknown option.
 * @example
 * ```ts
 * import { categorical, FeatureTable } from 'opmf';
 * const rows = ['Rome', 'Paris', 'Rome', ''].map((city) => ({ city }));
 * const table = FeatureTable.from(rows, { fields: { city: categorical({ minCount: 2 }) } });
 * console.log([...table.indices].join(' ')); // 2 0 2 1
 * ```
 */
export function categorical(
  options?: Omit<Extract<FieldConfig, { readonly kind: 'categorical' }>, 'kind'>,
): FieldConfig {
  return checkField('categorical', { ...given('categorical', options), kind: 'categorical' }) as FieldConfig;
}

/**
 * A field of any number of categories: an array of them, or a string cut at `separator`. Features as in `categorical`;
 * each occurs once a row, in ascending order, with the value 1.
 *
 * @throws OptionError for a bad minCount or separator, or an unknown option.
 * @example
 * ```ts
 * import { FeatureTable, multiValued } from 'opmf';
 * const rows = [{ genres: 'Comedy|Drama' }, { genres: ['Drama'] }];
 * const table = FeatureTable.from(rows, { fields: { genres: multiValued() } });
 * console.log([...table.indices].join(' '), [...table.starts].join(' ')); // 2 3 3 0 2 3
 * ```
 */
export function multiValued(options?: Omit<Extract<FieldConfig, { readonly kind: 'multi' }>, 'kind'>): FieldConfig {
  return checkField('multiValued', { ...given('multiValued', options), kind: 'multi' }) as FieldConfig;
}

/**
 * A field of the combinations of two columns, as categories: listed, or with `buckets` hashed into that many features.
 * Features as in `categorical`; a combination is missing where one of its sides is.
 *
 * Hashing needs no vocabulary, and no combination is unknown to it, but different ones may share a feature.
 *
 * @throws OptionError for a bad minCount or buckets, both of them at once, or an unknown option.
 * @see Weinberger et al., "Feature Hashing for Large Scale Multitask Learning" (ICML 2009); Cheng et al., "Wide & Deep
 * Learning for Recommender Systems" (DLRS 2016), equation 1, for cross-product features
 * @example
 * ```ts
 * import { crossed, FeatureTable } from 'opmf';
 * const rows = [{ city: 'Rome', hour: 8 }, { city: 'Rome', hour: 9 }, { city: 'Rome', hour: 8 }];
 * const table = FeatureTable.from(rows, { fields: { cityXhour: crossed('city', 'hour') } });
 * console.log([...table.indices].join(' ')); // 2 3 2
 * ```
 */
export function crossed(
  first: string,
  second: string,
  options?: Omit<Extract<FieldConfig, { readonly kind: 'crossed' }>, 'kind' | 'of'>,
): FieldConfig {
  return checkField('crossed', { ...given('crossed', options), kind: 'crossed', of: [first, second] }) as FieldConfig;
}

/** A pair of column names. */
const pair: Check<readonly [string, string]> = (value, name) => {
  if (Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'string')) {
    return Object.freeze([...value]) as unknown as readonly [string, string];
  }
  throw wrong(name, value, 'two column names');
};

const someText = check<string>(
  'a string of one or more characters',
  (value) => typeof value === 'string' && value !== '',
);

/** The most features of a field: feature indices are 32-bit. */
const LARGEST = 2 ** 30;
const minCount = field<number | undefined>(integer({ min: 1 }), 1);

/** Checks a field and fills in its defaults. `name` is the option's, dotted. */
export function checkField(owner: string, config: unknown, name = ''): FieldConfig {
  const prefix = name === '' ? '' : `${name}.`;
  const kind = (config as { kind?: unknown } | null | undefined)?.kind;
  const isKind: Check<typeof kind> = (value) => value;
  const common = { kind: field(isKind, kind), column: optional(string) };
  const fields = {
    numeric: { ...common, standardize: field(boolean, true) },
    categorical: { ...common, minCount },
    multi: { ...common, separator: field(someText, '|'), minCount },
    crossed: {
      kind: common.kind,
      of: optional(pair),
      minCount,
      buckets: optional(integer({ min: 1, max: LARGEST })),
    },
  };
  if (typeof kind !== 'string' || !Object.hasOwn(fields, kind)) {
    throw wrong(name === '' ? 'field' : name, config, 'what numeric, categorical, multiValued or crossed gives');
  }
  const read = readOptions<object>(owner, config, fields[kind as keyof typeof fields] as never, prefix) as FieldConfig;
  if (read.kind === 'crossed') {
    if (read.of === undefined) throw wrong(`${prefix}of`, undefined, 'two column names');
    if (read.buckets !== undefined && (read.minCount ?? 1) > 1) {
      const message = 'hashed combinations are not counted; leave minCount or buckets out';
      throw new OptionError(
        `${prefix}minCount`,
        read.minCount,
        `${owner}: ${prefix}minCount is ${show(read.minCount)}, but ${message}`,
      );
    }
  }
  return read;
}

/** The checked source of labels. */
export interface LabelSource {
  readonly column: string;
  /** The names that mean 1; null: labels are numbers. */
  readonly positive: readonly string[] | null;
}

/** The checked options of a table. */
export interface TablePlan {
  readonly fields: readonly (readonly [name: string, config: FieldConfig])[];
  readonly label: LabelSource | null;
  readonly weight: string | null;
  readonly id: string | null;
}

/** Checks the options of a table. */
export function readTableOptions(owner: string, given: unknown): TablePlan {
  const plan = readOptions<TablePlan>(owner, given, {
    fields: field<TablePlan['fields']>((value, name) => checkFields(owner, value, name), []),
    label: field<LabelSource | null>((value, name) => checkLabel(owner, value, name), null),
    weight: field<string | null>(string, null),
    id: field<string | null>(string, null),
  });
  if (plan.fields.length > 0) return plan;
  throw new OptionError(
    'fields',
    plan.fields,
    `${owner}: there are no fields; want fields: { city: categorical(), ... }`,
  );
}

/** The options of a field, all optional. */
function given(owner: string, options: unknown): object {
  return options === undefined ? {} : plain(options, 'options', 'an object with options of a field', owner);
}

function checkFields(owner: string, value: unknown, name: string): TablePlan['fields'] {
  return Object.entries(plain(value, name, 'an object of fields by name')).map(
    ([key, config]) => [key, checkField(owner, config, `${name}.${key}`)] as const,
  );
}

function checkLabel(owner: string, value: unknown, name: string): LabelSource | null {
  if (value === null || typeof value === 'string') return value === null ? null : { column: value, positive: null };
  const texts: Check<readonly string[] | null> = (list, at) => {
    if (list === null || (Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === 'string')))
      return list;
    throw wrong(at, list, "an array of the names that mean 1, such as ['>50K']");
  };
  const read = readOptions<LabelSource>(
    owner,
    value,
    { column: field(someText, ''), positive: field<readonly string[] | null>(texts, null) },
    `${name}.`,
  );
  if (read.column === '') throw wrong(`${name}.column`, undefined, 'the column of the labels');
  return read;
}
