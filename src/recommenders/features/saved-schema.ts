// The schema of a model of features in its file: JSON, but for the categories, of which there may be millions: they are
// tensors as ids are, and the JSON has their number in their place.

import { FormatError } from '../../core/errors';
import { FeatureSchema } from '../../data/feature-schema';
import { Vocabulary } from '../../data/vocabulary';
import { decodeIds, encodeIds } from '../../io/files/id-tensors';
import type { Tensor } from '../../io/files/safetensors';

/** A schema without its categories, and the tensors `prefix.0.*`, `prefix.1.*`, ... of those of each field. */
export function encodeSchema(prefix: string, schema: FeatureSchema): { json: object; tensors: [string, Tensor][] } {
  const { fields, ...rest } = schema.toJSON();
  const tensors: [string, Tensor][] = [];
  const short = fields.map((one, k) => {
    if (one.kind === 'numeric') return one;
    tensors.push(...encodeIds(`${prefix}.${k}`, Vocabulary.from(one.categories)));
    return { ...one, categories: one.categories.length };
  });
  return { json: { ...rest, fields: short }, tensors };
}

/** Reads it; files of before have the categories in the JSON. @throws FormatError */
export function decodeSchema(prefix: string, json: unknown, tensors: ReadonlyMap<string, Tensor>): FeatureSchema {
  const { fields } = (json ?? {}) as { fields?: unknown };
  if (!Array.isArray(fields)) return FeatureSchema.fromJSON(json);
  const whole = fields.map((one: unknown, k) => {
    const { categories } = (one ?? {}) as { categories?: unknown };
    if (typeof categories !== 'number') return one;
    const texts = [...decodeIds(`${prefix}.${k}`, tensors)];
    if (texts.length === categories) return { ...(one as object), categories: texts };
    throw new FormatError(
      `'${prefix}.${k}' has ${texts.length} categories, its field ${categories}; the file is damaged`,
    );
  });
  return FeatureSchema.fromJSON({ ...(json as object), fields: whole });
}
