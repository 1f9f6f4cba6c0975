// What the file of every recommender has: its kind and options, ids, who has rated what and how often. Each kind adds
// tensors of its own. The format is safetensors.

import { DataError, FormatError, OpmfError, UnsupportedError } from '../core/errors';
import { show } from '../core/options';
import type { Vocabulary } from '../data/vocabulary';
import type { FileKind, Tensor, TensorData } from '../io/files/safetensors';
import { decodeIds, decodeSealed, encodeIds, encodeSealed } from '../io/files/safetensors';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { isRule, OPTIMIZER_NAMES } from '../optimizers/registry';
import type { FittedFactorization, RatingScale, Tables, Unfitted } from './factorization-tables';
import { InteractionHistory, laidOut } from './interaction-history';

/** What files of this library say they are. */
export const MODEL_FILE: FileKind = { format: 'opmf', name: 'model' };

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
  /** Its users and items, where they are not to be read from the tensors: some of the users alone. */
  readonly people?: SavedPeople;
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
  return encodeSealed(MODEL_FILE, new Map(tensors), { recommender, options: JSON.stringify(options), ...metadata });
}

/** Opens a file of this library. @throws FormatError where it is something else, or not as it was written */
export function decodeFile(bytes: Uint8Array): SavedFile {
  const { tensors, metadata } = decodeSealed(MODEL_FILE, bytes);
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
  return { ...file, ...(file.people ?? decodePeople(file.tensors)) };
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
    const { offsets, items: list, values, weights } = laidOut(seen);
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

// The file of a trained factorization. Always the collapsed tables: a file serves, and what is loaded is plain.

/** The least and the largest of float32 with all its digits. */
const LEAST = 2 ** -126;
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** What a file says of a factorization. */
export interface SavedFactorization<O = object> extends Pick<SavedModel, 'recommender' | 'users' | 'items' | 'seen'> {
  readonly options: O;
  /** What the recommender was asked for, where data have decided some of the options. */
  readonly asked?: object | undefined;
  readonly units: RatingScale;
  readonly tables: Tables;
  readonly unfitted?: Unfitted | undefined;
}

/** The bytes of a trained state. Without `history`, who has rated what is left out; how often stays. */
export function encodeFitted(
  name: string,
  options: object,
  fitted: FittedFactorization,
  history: boolean,
  asked?: object,
): Uint8Array<ArrayBuffer> {
  const { tables, units, seen, users, items } = fitted;
  if (canOverflow(tables)) {
    throw new DataError(
      `${name}: the tables hold numbers that are not finite, or whose products are beyond float32, and no reader would take them; fit again with a lower learning rate`,
    );
  }
  const [userRows, itemRows] = [seen.userCounts.length, seen.itemCounts.length];
  const tensors: [string, Tensor][] = [
    ['userEmbedding', { dtype: 'F32', shape: [userRows, tables.rank], data: tables.userEmbedding as Float32Array }],
    ['itemEmbedding', { dtype: 'F32', shape: [itemRows, tables.rank], data: tables.itemEmbedding as Float32Array }],
    ['userBias', vector('F32', tables.userBias as Float32Array)],
    ['itemBias', vector('F32', tables.itemBias as Float32Array)],
  ];
  // partialFit needs the history, and goes on counting where it was.
  if (history && seen.isKept) tensors.push(...encodeUnfitted(fitted.unfitted));
  const { globalMean } = tables;
  const metadata = { units: JSON.stringify({ ...units, globalMean }), ...(asked && { asked: askedText(asked) }) };
  return encodeModel({ recommender: name, options, users, items, seen, tensors, metadata }, history);
}

/** Options whose defaults depend on the data; what the others are, the options in force say. */
const LEFT_TO_DATA = [
  'overparam',
  'loss',
  'negatives',
  'optimizer',
  'epochs',
  'batchSize',
  'regularization',
  'unobservedWeight',
  'initScale',
];

/** Of what was asked for, what may differ from the options in force, as JSON: a rule of the caller's own by its configuration. */
export function askedText(given: object): string {
  const asked = Object.fromEntries(Object.entries(given).filter(([name]) => LEFT_TO_DATA.includes(name)));
  return JSON.stringify(asked, (_, value) => (isRule(value) ? value.config : value));
}

/** Reads what `encodeFitted` added to a file. @throws FormatError where it is not there, or inconsistent */
export function decodeFitted<O = object>({ tensors, metadata, ...saved }: SavedModel): SavedFactorization<O> {
  const { globalMean, ...units } = readUnits(metadata.units);
  const { users, items, options } = saved;
  const [, rank = 0] = tensors.get('userEmbedding')?.shape ?? [];
  const said = options as { rank?: unknown; loss?: unknown };
  if (said.rank !== rank)
    throw new FormatError(`the options have rank ${show(said.rank)}, the vectors ${rank} numbers; the file is damaged`);
  // What was trained has a loss: data have decided what 'auto' stands for.
  if (said.loss === 'auto') throw new FormatError("options.loss is 'auto'; want that of a fit; the file is damaged");
  const biases = tensors.get('userBias')?.data.length !== 0;
  const take = taker(tensors);
  const embeddings = {
    userEmbedding: take('userEmbedding', Float32Array, users.size, rank),
    itemEmbedding: take('itemEmbedding', Float32Array, items.size, rank),
    userBias: take('userBias', Float32Array, biases ? users.size : 0),
    itemBias: take('itemBias', Float32Array, biases ? items.size : 0),
  };
  checkFinite(embeddings);
  const tables = { rank, globalMean, ...embeddings };
  if (canOverflow(tables))
    throw new FormatError('the tables have numbers whose products are beyond float32; the file is damaged');
  const { userCounts, itemCounts } = saved.seen;
  const unfitted = {
    users: decodeUnfitted('unfitted.users', tensors, userCounts),
    items: decodeUnfitted('unfitted.items', tensors, itemCounts),
  };
  return { ...saved, options: options as O, asked: askedOf(options, metadata.asked), units, tables, unfitted };
}

/** What a recommender was asked for, of the options in force and the text that `askedText` gave; undefined without. */
export function askedOf(options: object, text: string | undefined): object | undefined {
  if (text === undefined) return undefined;
  const rest = Object.entries(options).filter(([name]) => !LEFT_TO_DATA.includes(name));
  return { ...Object.fromEntries(rest), ...parseObject(text, 'asked') };
}

/** Whether a sum of a score might leave float32: Infinity - Infinity is no number. */
function canOverflow({ rank, globalMean, userEmbedding, itemEmbedding, userBias, itemBias }: Tables): boolean {
  const product = rank * largest(userEmbedding) * largest(itemEmbedding);
  return !Number.isFinite(Math.fround(product + largest(userBias) + largest(itemBias) + Math.abs(globalMean)));
}

function largest(table: ArrayLike<number>): number {
  let most = 0;
  for (let at = 0; at < table.length; at++) most = Math.max(most, Math.abs(table[at]!));
  return most;
}

/** Units as `chooseUnits` makes them: what answers, fold-in and partialFit divide by is above 0. */
function readUnits(text: string | undefined): RatingScale & { globalMean: number } {
  const units = parseObject(text, 'units') as RatingScale & { globalMean: number };
  const { link, globalMean, shift, scale, minimum, maximum, start, folded = 1, baseline = 0 } = units;
  const { meanWeight = 1, pairs = 1 } = units;
  const damaged = (found: string) => new FormatError(`metadata.units: ${found}; the file is damaged`);
  // Ratings are float32, and so are the mean and the deviation of some.
  const check = (numbers: Record<string, unknown>, least: number, most: number, wanted: string) => {
    for (const [name, value] of Object.entries(numbers)) {
      if (typeof value === 'number' && value >= least && value <= most) continue;
      throw damaged(`${name} is ${show(value)}; want a number ${wanted}`);
    }
  };
  check({ globalMean, shift, start, baseline }, -MOST, MOST, 'within float32');
  check({ scale, folded, meanWeight }, LEAST, MOST, 'above 0, within float32');
  check({ pairs }, 1, Number.MAX_SAFE_INTEGER, 'of at least 1');
  check({ minimum, maximum }, -Number.MAX_VALUE, Number.MAX_VALUE, 'that is finite');
  if (link !== 'identity' && link !== 'sigmoid') throw damaged(`link is ${show(link)}; want 'identity' or 'sigmoid'`);
  if (minimum > maximum) throw damaged(`minimum is ${minimum} and maximum ${maximum}`);
  const range = (maximum - minimum) / scale;
  if (link === 'sigmoid' && !(range > 0 && range < Infinity))
    throw damaged(`a sigmoid from ${minimum} to ${maximum} has no range`);
  return units;
}

/** Rows and how much of each is new, in turns; nothing where nothing is. */
function encodeUnfitted(unfitted: Unfitted | undefined): [string, Tensor][] {
  const sides = [
    ['unfitted.users', unfitted?.users],
    ['unfitted.items', unfitted?.items],
  ] as const;
  return sides
    .filter(([, counts]) => counts !== undefined && counts.size > 0)
    .map(([name, counts]) => [name, vector('I32', Int32Array.from([...counts!].flat()))]);
}

/** Files of before it was counted have none. @throws FormatError for rows or counts that cannot be */
function decodeUnfitted(name: string, tensors: SavedModel['tensors'], counts: Int32Array): Map<number, number> {
  const data = tensors.get(name)?.data ?? new Int32Array(0);
  const unfitted = new Map<number, number>();
  for (let k = 0; k < data.length; k += 2) {
    const [row, count] = [Number(data[k]), Number(data[k + 1])];
    if (!(data instanceof Int32Array) || !(count > 0 && count <= counts[row]!) || unfitted.has(row))
      throw new FormatError(`tensor '${name}' is no list of rows and counts; the file is damaged`);
    unfitted.set(row, count);
  }
  return unfitted;
}

// From a file to a recommender of the kind that wrote it.

/** Reads a file that must be of one kind. */
export function restore<T extends WithOptions>(bytes: Uint8Array, kind: string, make: (saved: SavedModel) => T): T {
  return ofUsersAndItems(fileOf(bytes, kind), make);
}

/** Opens a file that must be of one kind. @throws FormatError */
export function fileOf(bytes: Uint8Array, kind: string): SavedFile {
  const file = decodeFile(bytes);
  if (file.recommender === kind) return file;
  throw new FormatError(
    `the file holds a '${file.recommender}', not a '${kind}'; loadRecommender(bytes) takes every kind`,
  );
}

/** Makes a recommender of a file that has users and items. */
export function ofUsersAndItems<T extends WithOptions>(file: SavedFile, make: (saved: SavedModel) => T): T {
  const saved = decodeModel(file);
  return remake(file.options, () => make(saved));
}

/**
 * Makes a recommender of what a file said. Files hold options filled in: what is refused, left out or comes to something
 * else is damage.
 * @throws FormatError naming the option
 */
export function remake<T extends WithOptions>(options: object, make: () => T): T {
  const made = readSaved(make);
  checkFilled('options', options, made.options);
  return made;
}

interface WithOptions {
  readonly options: object;
}

/**
 * Compares what a file says with what it comes to, whatever the order of properties. Files of before `threads` were an option of
 * their kind leave them out. @throws FormatError
 */
function checkFilled(name: string, said: unknown, filled: unknown): void {
  if (typeof filled === 'object' && filled !== null && typeof said === 'object' && said !== null) {
    for (const key of new Set([...Object.keys(filled), ...Object.keys(said)]))
      if (key !== 'threads' || key in said)
        checkFilled(`${name}.${key}`, (said as Record<string, unknown>)[key], (filled as Record<string, unknown>)[key]);
    if (Array.isArray(said) === Array.isArray(filled)) return;
  } else if (said === filled) return;
  throw new FormatError(`${name} is ${show(said)} in the file, which comes to ${show(filled)}; the file is damaged`);
}

/** Saved options with such a rule, where they have an optimizer. */
export function withSavedRule<O extends { readonly optimizer?: unknown }>(options: O): O {
  const { optimizer } = options;
  return optimizer === undefined ? options : { ...options, optimizer: savedRule(optimizer as OptimizerConfig) };
}

/**
 * The update rule of a saved configuration. A rule of the caller's own is not in the file: the recommender serves
 * without it, and says so when it is to be trained again.
 */
export function savedRule(config: OptimizerConfig): Optimizer | OptimizerConfig {
  const name: unknown = config?.name;
  if (typeof name !== 'string' || OPTIMIZER_NAMES.some((known) => known === name)) return config;
  const update = () => {
    throw new UnsupportedError(
      `the update rule '${name}' is the caller's own and not in the file; to train again, make a new recommender with it`,
    );
  };
  return { config, slots: [], update };
}
