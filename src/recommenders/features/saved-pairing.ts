// The users and items of a model of features in its file: their ids, and the tables of what is known of them.

import { FormatError } from '../../core/errors';
import { FeatureTable } from '../../data/feature-table';
import type { SideFeatures } from '../../data/pair-features';
import { Vocabulary } from '../../data/vocabulary';
import { decodeIds, encodeIds } from '../../io/files/id-tensors';
import type { Tensor } from '../../io/files/safetensors';
import { decodePeople, encodePeople, parseObject, taker, vector } from '../../serving/saved-model';
import { Pairing } from './pairing';
import { fieldsText, readFields } from './saved-fields';
import { decodeSchema, encodeSchema } from './saved-schema';

type SideName = keyof SideFeatures;
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
  const table = (name: SideName): FeatureTable | undefined => {
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
    const rows = { size, starts, indices, values, labels: null, weights: null, fields: readFields(fields, name) };
    const ids = [...decodeIds(`${name}.ids`, tensors)];
    const checked = FeatureTable.fromRows(rows, ids);
    if (schema === null) return checked;
    const learned = decodeSchema(`${name}.schema`, schema, tensors);
    if (fieldsText(learned.fields) !== fieldsText(checked.fields))
      throw new FormatError(`the schema of metadata.${name} has other fields than its rows; the file is damaged`);
    return FeatureTable.ofEncoded({ rows: checked, schema: learned, ids });
  };
  const side = { userFeatures: table('userFeatures'), itemFeatures: table('itemFeatures') };
  return new Pairing('load', decodePeople(tensors), side);
}
