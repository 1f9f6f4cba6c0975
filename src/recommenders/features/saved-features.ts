// A fitted model of features as bytes, and back: its options, its schema (or the fields of rows that came encoded) and its
// tables, products multiplied out.

import { FormatError } from '../../core/errors';
import { FeatureSchema } from '../../interactions/feature-schema';
import type { FieldRange } from '../../interactions/features';
import type { FeatureModel } from '../../models/feature-model';
import type { Tensor } from '../../persistence/tensor';
import { remake } from '../restore';
import { checkFinite, encodeFile, parseObject, type SavedFile, taker } from '../saved-model';
import type { RowLayout } from './check-rows';
import { decodePairing, encodePairing } from './saved-pairing';

const KINDS: readonly string[] = ['numeric', 'categorical', 'multi', 'crossed'] satisfies FieldRange['kind'][];

/** The bytes of a trained model. Without `history`, who has rated what is left out. */
export function encodeFeatureModel(
  recommender: string,
  options: object,
  { fields, schema, pairing }: RowLayout,
  model: FeatureModel,
  history: boolean,
): Uint8Array {
  const tables = model.parameters.map((parameter): [string, Tensor] => {
    const data = parameter.collapse() as Float32Array;
    return [parameter.name, { dtype: 'F32', shape: [parameter.rows, parameter.dim], data }];
  });
  const pairs = pairing && encodePairing(pairing, history);
  const form = schema === null ? { fields: fieldsText(fields) } : { schema: JSON.stringify(schema) };
  const tensors = [...tables, ...(pairs?.tensors ?? [])];
  return encodeFile({ recommender, options, tensors, metadata: { ...form, ...pairs?.metadata } });
}

/** Reads such a file: `make` gives the recommender of the options and its plain model, whose tables are then filled. */
export function decodeFeatureModel<R>(
  { options, tensors, metadata }: SavedFile,
  make: (options: object, layout: RowLayout) => { recommender: R; model: FeatureModel },
): R {
  const schema = metadata.schema === undefined ? null : FeatureSchema.fromJSON(parseObject(metadata.schema, 'schema'));
  const fields = schema === null ? readFields(metadata.fields) : schema.fields;
  // What it says must be what is there before memory is asked for.
  const rows = fields.reduce((sum, { size }) => sum + size, 0);
  if (tensors.get('embedding')?.shape[0] !== rows)
    throw new FormatError(`the fields have ${rows} features, tensor 'embedding' does not; the file is damaged`);
  const { recommender, model } = remake(() => {
    const pairing = decodePairing(tensors, metadata);
    if (pairing !== undefined && fieldsText(pairing.fields) !== fieldsText(fields))
      throw new FormatError('the users, items and tables in the file do not have its fields; the file is damaged');
    return make(options, pairing === undefined ? { fields, schema } : { fields, schema, pairing });
  });
  const take = taker(tensors);
  for (const parameter of model.parameters) {
    const data = take(parameter.name, Float32Array, parameter.rows * parameter.dim);
    checkFinite({ [parameter.name]: data });
    parameter.assign(data);
  }
  return recommender;
}

/** The same for equal fields, in whatever order a caller wrote their properties. */
function fieldsText(fields: readonly FieldRange[]): string {
  return JSON.stringify(fields.map(({ name, kind, offset, size }) => ({ name, kind, offset, size })));
}

function readFields(text: string | undefined): readonly FieldRange[] {
  const fields = parseObject(text, 'fields');
  let next = 0;
  const isField = (one: Partial<FieldRange> | null): boolean => {
    if (typeof one !== 'object' || one === null || typeof one.name !== 'string') return false;
    const { kind, offset, size } = one;
    if (!KINDS.includes(kind as string) || offset !== next || !Number.isInteger(size) || size! < 0) return false;
    next += size!;
    return Number.isSafeInteger(next);
  };
  if (!Array.isArray(fields) || !fields.every(isField))
    throw new FormatError('metadata.fields is no list of fields, each where the one before ends; the file is damaged');
  return fields;
}
