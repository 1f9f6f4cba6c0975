// A field once learned, as JSON: what it was described by, every default filled in, and its scale or its vocabulary.

import { FormatError } from '../core/errors';
import { show } from '../core/options';
import type { FieldConfig } from './feature-fields';

/** A field as kept in files. Combinations are listed as `<length of the first>:<first>:<second>`. */
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

/** Any field whose features are categories. */
export type LearnedCategories = {
  readonly name: string;
  readonly minCount: number;
  readonly categories: readonly string[];
} & (
  | { readonly kind: 'categorical'; readonly column: string }
  | { readonly kind: 'multi'; readonly column: string; readonly separator: string }
  | { readonly kind: 'crossed'; readonly of: readonly [string, string]; readonly buckets: number | null }
);

/** A field of which nothing is known but what the caller says; `config` has been checked. */
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

/** Reads a field out of a file. @throws FormatError where it is none */
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
