// A fitted model of features as bytes, and back: its options, its schema (or the fields of rows that came encoded) and its
// tables, products multiplied out.

import { FormatError } from '../../core/errors';
import type { FieldRange } from '../../data/feature-fields';
import { FeatureSchema } from '../../data/feature-schema';
import { checkFeatureRows } from '../../data/feature-table';
import type { SideTable, SideTables } from '../../data/pair-features';
import { Vocabulary } from '../../data/vocabulary';
import { decodeIds, encodeIds, type Tensor } from '../../io/files/safetensors';
import type { FeatureModel } from '../../models/feature-models';
import { layerDims } from '../../models/forward';
import {
  askedText,
  checkFinite,
  decodePeople,
  encodeFile,
  encodePeople,
  parseObject,
  readSaved,
  type SavedFile,
  taker,
  vector,
} from '../saved-model';
import type { RowLayout } from './feature-rows';
import { Pairing } from './pairing';

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

/** A schema without its categories, and the tensors `prefix.0.*`, `prefix.1.*`, ... of those of each field. */
export function encodeSchema(prefix: string, schema: FeatureSchema): { json: object; tensors: [string, Tensor][] } {
  const { fields, ...rest } = schema.learned;
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

type SideName = keyof SideTables;
const SIDES: readonly SideName[] = ['userFeatures', 'itemFeatures'];

/** The tensors and the metadata of users and items. Without `history`, who has rated what is left out. */
export function encodePairing({ people, side }: Pairing, history: boolean) {
  const tensors = encodePeople(people, history);
  const metadata: Record<string, string> = {};
  for (const name of SIDES) {
    const table = side[name];
    if (table === undefined) continue;
    const { size, fields, schema, starts, indices, values } = table;
    const learned = schema && encodeSchema(`${name}.schema`, schema);
    for (const [key, tensor] of learned?.tensors ?? []) tensors.set(key, tensor);
    metadata[name] = JSON.stringify({ size, fields, schema: learned?.json ?? null });
    tensors.set(`${name}.starts`, vector('I32', starts));
    tensors.set(`${name}.indices`, vector('I32', indices));
    tensors.set(`${name}.values`, vector('F32', values));
    for (const [key, tensor] of encodeIds(`${name}.ids`, Vocabulary.from(table.ids!))) tensors.set(key, tensor);
  }
  return { tensors, metadata };
}

/** Reads them; undefined where the file has none. @throws FormatError where they are damaged, or errors of what they make */
export function decodePairing(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Pairing | undefined {
  if (!tensors.has('users.kinds')) return undefined;
  const table = (name: SideName): SideTable | undefined => {
    if (metadata[name] === undefined) return undefined;
    const saved = parseObject(metadata[name], name) as { size: number; fields: unknown; schema: unknown };
    const { size, fields, schema } = saved;
    if (!Number.isSafeInteger(size) || size < 0)
      throw new FormatError(`metadata.${name} is no table of features; the file is damaged`);
    const take = taker(tensors);
    const starts = take(`${name}.starts`, Int32Array, size + 1);
    const entries = starts[size]!;
    const indices = take(`${name}.indices`, Int32Array, entries);
    const values = take(`${name}.values`, Float32Array, entries);
    const ids = [...decodeIds(`${name}.ids`, tensors)];
    if (ids.length !== size)
      throw new FormatError(`metadata.${name} has ${size} rows and ${ids.length} ids; the file is damaged`);
    const learned = schema === null ? null : decodeSchema(`${name}.schema`, schema, tensors);
    const own = readFields(fields, name);
    const rows = { size, starts, indices, values, labels: null, weights: null, fields: own, ids, schema: learned };
    checkFeatureRows(rows, name);
    if (learned !== null && fieldsText(learned.fields) !== fieldsText(own))
      throw new FormatError(`the schema of metadata.${name} has other fields than its rows; the file is damaged`);
    return rows;
  };
  const side = { userFeatures: table('userFeatures'), itemFeatures: table('itemFeatures') };
  return new Pairing('load', decodePeople(tensors), side);
}

/** The bytes of a trained model. Without `history`, who has rated what is left out. */
export function encodeFeatureModel(
  recommender: string,
  options: object,
  /** What the recommender was asked for: data have decided some of the options. */
  asked: object,
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
  return encodeFile({
    recommender,
    options,
    tensors,
    metadata: { ...form, asked: askedText(asked), ...pairs?.metadata },
  });
}

/** Reads what such a file says of rows. @throws FormatError where it is damaged, or its tables are not of these rows */
export function decodeLayout({ recommender: kind, options, tensors, metadata }: SavedFile): RowLayout {
  const schema =
    metadata.schema === undefined ? null : decodeSchema('schema', parseObject(metadata.schema, 'schema'), tensors);
  const fields = schema === null ? readFields(parseObject(metadata.fields, 'fields'), 'fields') : schema.fields;
  checkTables(options, kind === 'wide-deep' ? fields.filter((one) => one.kind !== 'crossed') : fields, fields, tensors);
  const pairing = readSaved(() => decodePairing(tensors, metadata));
  if (pairing === undefined) return { fields, schema };
  if (fieldsText(pairing.fields) !== fieldsText(fields))
    throw new FormatError('the users, items and tables in the file do not have its fields; the file is damaged');
  return { fields, schema, pairing };
}

/** Takes a table of a model out of its file. @throws FormatError where it is not there, or its numbers are none of a fit */
export function takeTable({ tensors }: SavedFile, name: string, rows: number, dim: number): Float32Array {
  const table = taker(tensors)(name, Float32Array, rows, dim);
  checkFinite({ [name]: table });
  // Of running means and variances the second row.
  if (name.endsWith('Statistics') && table.subarray(dim).some((variance) => variance < 0))
    throw new FormatError(`tensor '${name}' has a variance below 0; the file is damaged`);
  return table;
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
