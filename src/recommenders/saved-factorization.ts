// A trained factorization as one safetensors file, and back. Always the collapsed tables: a file serves, and what is
// loaded is plain.

import { FormatError } from '../core/errors';
import type { Vocabulary } from '../interactions/vocabulary';
import type { Real } from '../optimizers/factor';
import { decodeIds, encodeIds } from '../persistence/id-tensors';
import { decodeSafetensors, encodeSafetensors } from '../persistence/safetensors';
import type { Tensor, TensorData } from '../persistence/tensor';
import type { FilledOptions } from './factorization-options';
import type { Fitted } from './fitted';
import { Seen } from './seen';
import type { Tables } from './served-tables';
import type { Units } from './units';

/** The version of the layout; a reader refuses others. */
const VERSION = '1';

/** What a file says of a recommender. */
export interface SavedFactorization {
  readonly recommender: string;
  readonly options: FilledOptions;
  readonly units: Units;
  readonly tables: Tables;
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
}

/** The bytes of a trained state. Without `history`, who has rated what is left out; how often stays. */
export function encodeFitted(name: string, options: FilledOptions, fitted: Fitted, history: boolean): Uint8Array {
  const { tables, units, seen, users, items } = fitted;
  // Vocabularies are shared with data and may have grown since the fit; the rows of the tables have not.
  const [userRows, itemRows] = [seen.userCounts.length, seen.itemCounts.length];
  const tensors = new Map<string, Tensor>([
    ['userEmbedding', { dtype: 'F32', shape: [userRows, tables.rank], data: tables.userEmbedding as Float32Array }],
    ['itemEmbedding', { dtype: 'F32', shape: [itemRows, tables.rank], data: tables.itemEmbedding as Float32Array }],
    ['userBias', vector('F32', tables.userBias as Float32Array)],
    ['itemBias', vector('F32', tables.itemBias as Float32Array)],
    ['userCounts', vector('I32', seen.userCounts)],
    ['itemCounts', vector('I32', seen.itemCounts)],
    ...encodeIds('users', users, userRows),
    ...encodeIds('items', items, itemRows),
  ]);
  // A recommender that was loaded without its history has none to save.
  if (history && seen.offsets.length > 0) {
    tensors.set('history.offsets', vector('I32', seen.offsets));
    tensors.set('history.items', vector('I32', seen.items));
    if (seen.values !== null) tensors.set('history.values', vector('F32', seen.values));
  }
  const { globalMean } = tables;
  return encodeSafetensors(tensors, {
    format: 'opmf',
    version: VERSION,
    recommender: name,
    options: JSON.stringify(options),
    units: JSON.stringify({ ...units, globalMean }),
  });
}

/** Reads the bytes of `encodeFitted`. @throws FormatError where they are something else, or inconsistent */
export function decodeFitted(bytes: Uint8Array): SavedFactorization {
  if (!(bytes instanceof Uint8Array)) throw new FormatError('a model file is a Uint8Array; got something else');
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (metadata.format !== 'opmf')
    throw new FormatError('a safetensors file, but not a model of opmf (metadata.format)');
  if (metadata.version !== VERSION) {
    throw new FormatError(`the file has layout version ${metadata.version}; this version of opmf reads ${VERSION}`);
  }
  const { globalMean, ...units } = parse(metadata.units, 'units') as Units & { globalMean: number };
  for (const value of [
    globalMean,
    units.shift,
    units.scale,
    units.minimum,
    units.maximum,
    units.start,
    units.folded ?? 1,
  ]) {
    if (!Number.isFinite(value)) throw new FormatError('metadata.units lacks a number; the file is damaged');
  }
  const users = decodeIds('users', tensors);
  const items = decodeIds('items', tensors);
  const [, rank = 0] = tensors.get('userEmbedding')?.shape ?? [];
  const biases = tensors.get('userBias')?.data.length !== 0;
  const take = taker(tensors);
  const tables: Tables = {
    rank,
    globalMean,
    userEmbedding: take('userEmbedding', Float32Array, users.size * rank),
    itemEmbedding: take('itemEmbedding', Float32Array, items.size * rank),
    userBias: take('userBias', Float32Array, biases ? users.size : 0),
    itemBias: take('itemBias', Float32Array, biases ? items.size : 0),
  };
  const hasHistory = tensors.has('history.offsets');
  const offsets = hasHistory ? take('history.offsets', Int32Array, users.size + 1) : new Int32Array(0);
  const seenItems = hasHistory ? take('history.items', Int32Array, offsets[users.size]!) : new Int32Array(0);
  checkHistory(offsets, seenItems, items.size);
  // Files of before the first version have none.
  const values = tensors.has('history.values') ? take('history.values', Float32Array, seenItems.length) : null;
  checkFinite({ ...tables, 'history.values': values ?? new Float32Array(0) });
  const seen = new Seen(
    offsets,
    seenItems,
    take('userCounts', Int32Array, users.size),
    take('itemCounts', Int32Array, items.size),
    values,
  );
  const options = parse(metadata.options, 'options') as FilledOptions;
  return { recommender: metadata.recommender ?? '', options, units, tables, users, items, seen };
}

function vector(dtype: Tensor['dtype'], data: TensorData): Tensor {
  return { dtype, shape: [data.length], data };
}

/** Takes a tensor out of a file with its type and length checked. */
function taker(tensors: ReadonlyMap<string, Tensor>) {
  return <T extends TensorData>(name: string, type: new (length: number) => T, length: number): T => {
    const data = tensors.get(name)?.data;
    if (!(data instanceof type) || data.length !== length) {
      throw new FormatError(
        `tensor '${name}' is missing or not ${type.name} of ${length} elements; the file is damaged`,
      );
    }
    return data;
  };
}

/** A number that is not finite cannot have come from a fit, and would go unnoticed into every answer. */
function checkFinite({ rank, globalMean, ...lists }: Tables & { readonly 'history.values': Real }): void {
  for (const [name, table] of Object.entries(lists)) {
    const at = table.findIndex((value) => !Number.isFinite(value));
    if (at >= 0)
      throw new FormatError(`tensor '${name}' has ${table[at]} at ${at}; want finite numbers; the file is damaged`);
  }
}

function checkHistory(offsets: Int32Array, items: Int32Array, itemCount: number): void {
  for (let u = 1; u < offsets.length; u++) {
    if (offsets[u]! < offsets[u - 1]!) throw new FormatError("tensor 'history.offsets' falls; the file is damaged");
  }
  for (const item of items) {
    if (item < 0 || item >= itemCount)
      throw new FormatError(`tensor 'history.items' names item ${item} of ${itemCount}`);
  }
}

function parse(text: string | undefined, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below, as for JSON of another kind.
  }
  throw new FormatError(`metadata.${name} is no JSON object; the file is damaged`);
}
