// The fields of rows of features in a file.

import { FormatError } from '../../core/errors';
import type { FieldRange } from '../../data/feature-fields';

const KINDS: readonly string[] = ['numeric', 'categorical', 'multi', 'crossed'] satisfies FieldRange['kind'][];

/** The same for equal fields, in whatever order a caller wrote their properties. */
export function fieldsText(fields: readonly FieldRange[]): string {
  return JSON.stringify(fields.map(({ name, kind, offset, size }) => ({ name, kind, offset, size })));
}

/** Reads the fields that `metadata[key]` has. @throws FormatError where they are none, or do not follow one another */
export function readFields(fields: unknown, key: string): readonly FieldRange[] {
  let next = 0;
  const isField = (one: Partial<FieldRange> | null): boolean => {
    if (typeof one !== 'object' || one === null || typeof one.name !== 'string') return false;
    const { kind, offset, size } = one;
    if (!KINDS.includes(kind as string) || offset !== next || !Number.isInteger(size) || size! < 0) return false;
    next += size!;
    return next < 2 ** 31;
  };
  if (!Array.isArray(fields) || !fields.every(isField)) {
    throw new FormatError(`metadata.${key} has no list of fields, each where the one before ends; the file is damaged`);
  }
  return fields;
}
