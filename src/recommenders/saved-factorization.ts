// A trained factorization as one safetensors file, and back. Always the collapsed tables: a file serves, and what is
// loaded is plain.

import { FormatError } from '../core/errors';
import type { Tensor } from '../persistence/tensor';
import type { FilledOptions } from './factorization-options';
import type { Fitted, Unfitted } from './fitted';
import { checkFinite, encodeModel, parseObject, type SavedModel, taker, vector } from './saved-model';
import type { Tables } from './served-tables';
import type { Units } from './units';

/** What a file says of a factorization. */
export interface SavedFactorization<O = FilledOptions>
  extends Pick<SavedModel, 'recommender' | 'users' | 'items' | 'seen'> {
  readonly options: O;
  readonly units: Units;
  readonly tables: Tables;
  readonly unfitted?: Unfitted | undefined;
}

/** The bytes of a trained state. Without `history`, who has rated what is left out; how often stays. */
export function encodeFitted(name: string, options: object, fitted: Fitted, history: boolean): Uint8Array {
  const { tables, units, seen, users, items } = fitted;
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
  const metadata = { units: JSON.stringify({ ...units, globalMean }) };
  return encodeModel({ recommender: name, options, users, items, seen, tensors, metadata }, history);
}

/** Reads what `encodeFitted` added to a file. @throws FormatError where it is not there, or inconsistent */
export function decodeFitted<O = FilledOptions>({ tensors, metadata, ...saved }: SavedModel): SavedFactorization<O> {
  const { globalMean, ...units } = parseObject(metadata.units, 'units') as Units & { globalMean: number };
  const { shift, scale, minimum, maximum, start, folded = 1, baseline = 0 } = units;
  for (const value of [globalMean, shift, scale, minimum, maximum, start, folded, baseline]) {
    if (!Number.isFinite(value)) throw new FormatError('metadata.units lacks a number; the file is damaged');
  }
  const { users, items } = saved;
  const [, rank = 0] = tensors.get('userEmbedding')?.shape ?? [];
  const biases = tensors.get('userBias')?.data.length !== 0;
  const take = taker(tensors);
  const embeddings = {
    userEmbedding: take('userEmbedding', Float32Array, users.size * rank),
    itemEmbedding: take('itemEmbedding', Float32Array, items.size * rank),
    userBias: take('userBias', Float32Array, biases ? users.size : 0),
    itemBias: take('itemBias', Float32Array, biases ? items.size : 0),
  };
  checkFinite(embeddings);
  const { userCounts, itemCounts } = saved.seen;
  const unfitted = {
    users: decodeUnfitted('unfitted.users', tensors, userCounts),
    items: decodeUnfitted('unfitted.items', tensors, itemCounts),
  };
  return { ...saved, options: saved.options as O, units, tables: { rank, globalMean, ...embeddings }, unfitted };
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
