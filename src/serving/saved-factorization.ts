// A trained factorization as one safetensors file, and back. Always the collapsed tables: a file serves, and what is
// loaded is plain.

import { DataError, FormatError } from '../core/errors';
import { show } from '../core/options';
import type { Tensor } from '../io/files/safetensors';
import { isRule } from '../optimizers/registry';
import type { FittedFactorization, RatingScale, Tables, Unfitted } from './factorization-tables';
import { checkFinite, encodeModel, parseObject, type SavedModel, taker, vector } from './saved-model';

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
  const metadata = { units: JSON.stringify({ ...units, globalMean }), ...(asked && { asked: textOf(asked) }) };
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
  'initScale',
];

/** Of what was asked for, what may differ from the options in force, as JSON: a rule of the caller's own by its configuration. */
function textOf(given: object): string {
  const asked = Object.fromEntries(Object.entries(given).filter(([name]) => LEFT_TO_DATA.includes(name)));
  return JSON.stringify(asked, (_, value) =>
    value !== null && typeof value === 'object' && isRule(value) ? value.config : value,
  );
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
  const rest = Object.entries(options).filter(([name]) => !LEFT_TO_DATA.includes(name));
  const asked = metadata.asked && { ...Object.fromEntries(rest), ...parseObject(metadata.asked, 'asked') };
  return { ...saved, options: options as O, asked: asked || undefined, units, tables, unfitted };
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
