// A fitted model of features as bytes, and back: its options, its schema (or the fields of rows that came encoded) and its
// tables, products multiplied out.

import { FormatError } from '../../core/errors';
import type { FieldRange } from '../../data/feature-fields';
import type { Tensor } from '../../io/files/safetensors';
import type { FeatureModel } from '../../models/feature-models';
import { layerDims } from '../../models/layers';
import { checkFinite, encodeFile, parseObject, type SavedFile, taker } from '../../serving/saved-model';
import { remake } from '../restore';
import type { RowLayout } from './check-rows';
import { fieldsText, readFields } from './saved-fields';
import { decodePairing, encodePairing } from './saved-pairing';
import { decodeSchema, encodeSchema } from './saved-schema';

/** The bytes of a trained model. Without `history`, who has rated what is left out. */
export function encodeFeatureModel(
  recommender: string,
  options: object,
  { fields, schema, pairing }: RowLayout,
  model: FeatureModel,
  history: boolean,
): Uint8Array<ArrayBuffer> {
  const tables = model.parameters.map((parameter): [string, Tensor] => {
    const data = parameter.collapse() as Float32Array;
    return [parameter.name, { dtype: 'F32', shape: [parameter.rows, parameter.dim], data }];
  });
  const pairs = pairing && encodePairing(pairing, history);
  const learned = schema && encodeSchema('schema', schema);
  const form = learned === null ? { fields: fieldsText(fields) } : { schema: JSON.stringify(learned.json) };
  const tensors = [...tables, ...(learned?.tensors ?? []), ...(pairs?.tensors ?? [])];
  return encodeFile({ recommender, options, tensors, metadata: { ...form, ...pairs?.metadata } });
}

/** Reads such a file: `make` gives the recommender of the options and its plain model, whose tables are then filled. */
export function decodeFeatureModel<R extends { readonly options: object }>(
  { recommender: kind, options, tensors, metadata }: SavedFile,
  make: (options: object, layout: RowLayout) => { recommender: R; model: FeatureModel },
): R {
  const schema =
    metadata.schema === undefined ? null : decodeSchema('schema', parseObject(metadata.schema, 'schema'), tensors);
  const fields = schema === null ? readFields(parseObject(metadata.fields, 'fields'), 'fields') : schema.fields;
  checkTables(options, kind === 'wide-deep' ? fields.filter((one) => one.kind !== 'crossed') : fields, fields, tensors);
  let model!: FeatureModel;
  const recommender = remake(options, () => {
    const pairing = decodePairing(tensors, metadata);
    if (pairing !== undefined && fieldsText(pairing.fields) !== fieldsText(fields))
      throw new FormatError('the users, items and tables in the file do not have its fields; the file is damaged');
    const made = make(options, pairing === undefined ? { fields, schema } : { fields, schema, pairing });
    model = made.model;
    return made.recommender;
  });
  const take = taker(tensors);
  for (const parameter of model.parameters) {
    const data = take(parameter.name, Float32Array, parameter.rows, parameter.dim);
    checkFinite({ [parameter.name]: data });
    // Of running means and variances the second row.
    if (parameter.name.endsWith('Statistics') && data.subarray(parameter.dim).some((variance) => variance < 0))
      throw new FormatError(`tensor '${parameter.name}' has a variance below 0; the file is damaged`);
    parameter.assign(data);
  }
  return recommender;
}

/** What the options and the fields say of the largest tables must be what is there, before memory is asked for. */
function checkTables(
  options: object,
  deepFields: readonly FieldRange[],
  fields: readonly FieldRange[],
  tensors: ReadonlyMap<string, Tensor>,
): void {
  const { rank, embeddingDim: dim = rank, hidden } = options as Record<string, unknown>;
  const rows = fields.reduce((sum, { size }) => sum + size, 0);
  const want = (name: string, ...shape: readonly unknown[]) => {
    const found = tensors.get(name)?.shape ?? [];
    if (found.length !== shape.length || found.some((length, k) => length !== shape[k]))
      throw new FormatError(
        `tensor '${name}' has the shape ${found.join(' x ')}, where the fields and options have ${shape.join(' x ')}; the file is damaged`,
      );
  };
  want('embedding', rows, dim);
  if (!Array.isArray(hidden)) return;
  let inputs: unknown = deepFields.length * (dim as number);
  for (const [name, outputs] of layerDims('deep', hidden)) {
    want(name, inputs, outputs);
    inputs = outputs;
  }
}
