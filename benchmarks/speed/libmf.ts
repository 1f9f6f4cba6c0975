// npm libmf (LIBMF of Chin et al. by a prebuilt C++ library). Ratings are handed over packed, as the C structs that the
// library wants: its documented form, an array of objects, is turned into them first, and that time is not held against
// it except in the row that says so.

import type { Interactions } from 'opmf';

/** What the package exports, as far as it is used here. */
export interface LibmfModule {
  readonly Model: new (
    options: object,
  ) => {
    fit(data: LibmfData): void;
    rmse(data: LibmfData): number;
    destroy(): void;
  };
}

/** The package's Matrix: it reads `data` by iteration and length, and passes it on. */
interface LibmfData {
  readonly data: ArrayLike<unknown> & Iterable<{ u: number; v: number }>;
}

export interface LibmfOptions {
  readonly rank: number;
  readonly iterations: number;
  readonly learningRate?: number;
  readonly lambda?: number;
}

export type LibmfPackage = ReturnType<typeof libmf>;

export function libmf({ Model }: LibmfModule) {
  return {
    pack,
    copy,
    unpack,
    /** Seconds of the call of `fit`, and the RMSE on a test set where one is given. One thread: two do not repeat. */
    fit({ rank, iterations, learningRate, lambda }: LibmfOptions, train: LibmfData, test?: LibmfData) {
      const model = new Model({
        factors: rank,
        iterations,
        threads: 1,
        quiet: true,
        ...(learningRate !== undefined && { learningRate }),
        ...(lambda !== undefined && { lambdaP2: lambda, lambdaQ2: lambda }),
      });
      const started = performance.now();
      model.fit(train);
      const seconds = (performance.now() - started) / 1000;
      const rmse = test === undefined ? Number.NaN : model.rmse(test);
      model.destroy();
      return { seconds, rmse };
    },
  };
}

/** The ratings as C structs { int, int, float }, the users and items counted from 0. */
export interface Packed extends LibmfData {
  readonly words: Int32Array;
  readonly largest: { readonly u: number; readonly v: number };
}

function pack({ userIndex, itemIndex, values, size }: Interactions): Packed {
  const words = new Int32Array(3 * size);
  const numbers = new Float32Array(words.buffer);
  const largest = { u: 0, v: 0 };
  for (let at = 0; at < size; at++) {
    words[3 * at] = userIndex[at]!;
    words[3 * at + 1] = itemIndex[at]!;
    numbers[3 * at + 2] = values[at]!;
    largest.u = Math.max(largest.u, userIndex[at]!);
    largest.v = Math.max(largest.v, itemIndex[at]!);
  }
  return packed(words, largest);
}

/** A fit reorders the ratings in place: each wants its own. */
function copy({ words, largest }: Packed): Packed {
  return packed(words.slice(), largest);
}

/** The package counts rows by `length`, and looks through them for the largest numbers. */
function packed(words: Int32Array, largest: Packed['largest']): Packed {
  const data = new Int32Array(words.buffer);
  Object.defineProperties(data, {
    length: { value: words.length / 3 },
    [Symbol.iterator]: { value: () => [largest].values() },
  });
  return { data: data as unknown as LibmfData['data'], words, largest };
}

/** The ratings in the documented form. */
function unpack({ userIndex, itemIndex, values }: Interactions): LibmfData {
  return { data: Array.from(values, (r, at) => ({ u: userIndex[at]!, v: itemIndex[at]!, r })) };
}
