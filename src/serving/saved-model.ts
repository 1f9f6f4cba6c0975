// What the file of every recommender has: its kind and options, ids, who has rated what and how often. Each kind adds
// tensors of its own. The format is safetensors.

import { FormatError, OpmfError } from '../core/errors';
import type { Vocabulary } from '../data/vocabulary';
import { decodeIds, encodeIds } from '../io/files/id-tensors';
import type { Tensor, TensorData } from '../io/files/safetensors';
import { decodeSealed, encodeSealed, type FileKind } from '../io/files/sealed-file';
import { InteractionHistory } from './interaction-history';

const KIND: FileKind = { format: 'opmf', name: 'model' };

/** Users and items as a file holds them: their ids, who has rated what and how often. */
export interface SavedPeople {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
}

/** A trained state as a file is to hold it. */
export interface ModelFile extends SavedPeople {
  readonly recommender: string;
  readonly options: object;
  /** The tensors of its kind. */
  readonly tensors: Iterable<readonly [string, Tensor]>;
  /** Further metadata of its kind. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What every file says of itself. */
export interface SavedFile {
  readonly recommender: string;
  readonly options: object;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The same, with the users and items of a recommender, before its kind has read its own tensors. */
export interface SavedModel extends SavedFile, SavedPeople {}

/** A file as it is to be written. */
export type FileContent = Omit<ModelFile, keyof SavedPeople>;

/** The bytes of a trained state. Without `history`, who has rated what is left out; how often stays. */
export function encodeModel(model: ModelFile, history: boolean): Uint8Array<ArrayBuffer> {
  return encodeFile({ ...model, tensors: [...model.tensors, ...encodePeople(model, history)] });
}

/** The bytes of a file. */
export function encodeFile({ recommender, options, tensors, metadata }: FileContent): Uint8Array<ArrayBuffer> {
  return encodeSealed(KIND, new Map(tensors), { recommender, options: JSON.stringify(options), ...metadata });
}

/** Opens a file of this library. @throws FormatError where it is something else, or not as it was written */
export function decodeFile(bytes: Uint8Array): SavedFile {
  const { tensors, metadata } = decodeSealed(KIND, bytes);
  const { recommender = '' } = metadata;
  const options = inNamesOfToday(recommender, parseObject(metadata.options, 'options'));
  return { recommender, options, tensors, metadata };
}

/** The options of a file, those of one that 0.1 wrote under the names of today. */
export function inNamesOfToday(recommender: string, options: object): object {
  const { factors, layers, ...rest } = options as Readonly<Record<string, unknown>>;
  if (recommender !== 'neural-cf' || factors === undefined || !Array.isArray(layers)) return options;
  const [inputs, ...hidden] = layers;
  return { ...rest, rank: factors, embeddingDim: inputs / 2, hidden };
}

/** Reads its users and items. @throws FormatError where they are inconsistent */
export function decodeModel(file: SavedFile): SavedModel {
  return { ...file, ...decodePeople(file.tensors) };
}

/** The tensors of ids, of who has rated what and of how often. Without `history`, who has rated what is left out. */
export function encodePeople({ users, items, seen }: SavedPeople, history: boolean): Map<string, Tensor> {
  // Vocabularies are shared with data and may have grown since the fit; the rows of the tables have not.
  const tensors = new Map<string, Tensor>([
    ['userCounts', vector('I32', seen.userCounts)],
    ['itemCounts', vector('I32', seen.itemCounts)],
    ...encodeIds('users', users, seen.userCounts.length),
    ...encodeIds('items', items, seen.itemCounts.length),
  ]);
  // A recommender that was loaded without its history has none to save.
  if (history && seen.isKept) {
    const { offsets, items: list, values, weights } = seen.laidOut();
    tensors.set('history.offsets', vector('I32', offsets));
    tensors.set('history.items', vector('I32', list));
    if (values !== null) tensors.set('history.values', vector('F32', values));
    if (weights !== null) tensors.set('history.weights', vector('F32', weights));
  }
  return tensors;
}

/** Reads them. @throws FormatError where they are missing or inconsistent */
export function decodePeople(tensors: ReadonlyMap<string, Tensor>): SavedPeople {
  const users = decodeIds('users', tensors);
  const items = decodeIds('items', tensors);
  const take = taker(tensors);
  const hasHistory = tensors.has('history.offsets');
  const offsets = hasHistory ? take('history.offsets', Int32Array, users.size + 1) : new Int32Array(0);
  const seenItems = hasHistory ? take('history.items', Int32Array, offsets[users.size]!) : new Int32Array(0);
  checkLists('history', offsets, seenItems, items.size);
  // Files of before the first version have none.
  const values = tensors.has('history.values') ? take('history.values', Float32Array, seenItems.length) : null;
  if (values !== null) checkFinite({ 'history.values': values });
  // There where training had weights.
  const weights = tensors.has('history.weights') ? take('history.weights', Float32Array, seenItems.length) : null;
  for (const weight of weights ?? []) {
    if (!(weight > 0 && weight < Infinity))
      throw new FormatError(`tensor 'history.weights' has ${weight}; want numbers above 0; the file is damaged`);
  }
  const userCounts = take('userCounts', Int32Array, users.size);
  const itemCounts = take('itemCounts', Int32Array, items.size);
  const seen = new InteractionHistory(offsets, seenItems, userCounts, itemCounts, values, weights);
  checkCounts(seen);
  return { users, items, seen };
}

/**
 * Counts say how often a row occurs in the training data: at least as often as the history lists it (which may leave out
 * repeats), and users together as often as items.
 */
function checkCounts({ isKept, offsets, items, userCounts, itemCounts }: InteractionHistory): void {
  const listed = { userCounts: new Int32Array(userCounts.length), itemCounts: new Int32Array(itemCounts.length) };
  if (isKept) {
    for (let user = 0; user < userCounts.length; user++) listed.userCounts[user] = offsets[user + 1]! - offsets[user]!;
    for (const item of items) listed.itemCounts[item]!++;
  }
  const sums = Object.entries({ userCounts, itemCounts }).map(([name, counts]) => {
    const least = listed[name as keyof typeof listed];
    let sum = 0;
    for (let row = 0; row < counts.length; row++) {
      const count = counts[row]!;
      if (count < least[row]!)
        throw new FormatError(
          `tensor '${name}' has ${count} at ${row}; want at least ${least[row]}, as the history has; the file is damaged`,
        );
      sum += count;
    }
    return sum;
  });
  if (sums[0] !== sums[1])
    throw new FormatError(`userCounts add up to ${sums[0]}, itemCounts to ${sums[1]}; the file is damaged`);
}

/** A tensor of one dimension. */
export function vector(dtype: Tensor['dtype'], data: TensorData): Tensor {
  return { dtype, shape: [data.length], data };
}

/** Takes a tensor out of a file with its type and shape checked; one number is the length of a list. */
export function taker(tensors: ReadonlyMap<string, Tensor>) {
  return <T extends TensorData>(
    name: string,
    type: new (length: number) => T,
    ...wanted: readonly [rows: number, columns?: number]
  ): T => {
    const { data, shape = [] } = tensors.get(name) ?? {};
    if (!(data instanceof type) || shape.length !== wanted.length || shape.some((length, k) => length !== wanted[k])) {
      const found = data === undefined ? 'missing' : `${data.constructor.name} of shape ${shape.join(' x ')}`;
      throw new FormatError(
        `tensor '${name}' is ${found}; want ${type.name} of shape ${wanted.join(' x ')}; the file is damaged`,
      );
    }
    return data;
  };
}

/** A number that is not finite cannot have come from a fit, and would go unnoticed into every answer. */
export function checkFinite(tables: Readonly<Record<string, ArrayLike<number>>>): void {
  for (const [name, table] of Object.entries(tables)) {
    for (let at = 0; at < table.length; at++) {
      if (!Number.isFinite(table[at]))
        throw new FormatError(`tensor '${name}' has ${table[at]} at ${at}; want finite numbers; the file is damaged`);
    }
  }
}

/** Lists of items, one after another, must lie where their offsets say, and name items that there are. */
export function checkLists(prefix: string, offsets: Int32Array, items: Int32Array, itemCount: number): void {
  if (offsets.length > 0 && offsets[0] !== 0)
    throw new FormatError(`tensor '${prefix}.offsets' starts at ${offsets[0]}; want 0; the file is damaged`);
  for (let row = 1; row < offsets.length; row++) {
    if (offsets[row]! < offsets[row - 1]!)
      throw new FormatError(`tensor '${prefix}.offsets' falls; the file is damaged`);
  }
  for (const item of items) {
    if (item < 0 || item >= itemCount)
      throw new FormatError(`tensor '${prefix}.items' names item ${item} of ${itemCount}`);
  }
}

/** What refuses something that a file says refuses the file. */
export function readSaved<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OpmfError) || error instanceof FormatError) throw error;
    throw new FormatError(`the options in the file are refused: ${error.message}`);
  }
}

/** A JSON object of the metadata. */
export function parseObject(text: string | undefined, name: string): object {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below, as for JSON of another kind.
  }
  throw new FormatError(`metadata.${name} is no JSON object; the file is damaged`);
}
