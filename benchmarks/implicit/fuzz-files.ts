// Mutations of saved models: bits, bytes, splices, lengths, words of the header. What comes of each.

import {
  ALS,
  EASE,
  FormatError,
  ItemKNN,
  loadRecommender,
  MF,
  NeuralCF,
  NMF,
  OverparamMF,
  Popularity,
  SVDpp,
  syntheticInteractions,
} from 'opmf';
import { Stream } from '../../src/core/random';

/** What became of the files. */
export interface FuzzCounts {
  refused: number;
  loaded: number;
}

/** Words of a header that mean something, to be put where others are. */
const WORDS = [
  '__proto__',
  '__metadata__',
  'F64',
  'I32',
  '9007199254740993',
  '-1',
  '1e9',
  'null',
  '{}',
  '[]',
  '"',
  '}',
];

/** Small files of every kind. */
export async function samples(): Promise<Uint8Array[]> {
  // Nobody has every item: negatives are drawn from the others.
  const data = syntheticInteractions({ users: 12, items: 30, ratings: 60 });
  const small = { rank: 2, epochs: 1 };
  const models = [
    new MF(small),
    new OverparamMF(small),
    new ALS(small),
    new SVDpp(small),
    new NMF(small),
    new Popularity(),
    new ItemKNN(),
    new EASE(),
    new NeuralCF({ factors: 2, layers: [4, 3], epochs: 1 }),
  ];
  const files: Uint8Array[] = [];
  for (const model of models) {
    await model.fit(data);
    files.push(model.save());
  }
  return files;
}

/** Loads so many mutated files, and asks what loads. @throws what is no FormatError, and for an answer that is no number */
export function fuzz(files: readonly Uint8Array[], times: number, seed: number): FuzzCounts {
  const stream = Stream.of(seed).fork('fuzz');
  const counts: FuzzCounts = { refused: 0, loaded: 0 };
  for (let k = 0; k < times; k++) {
    const bytes = mutate(files[stream.below(files.length)]!, stream);
    let model: ReturnType<typeof loadRecommender>;
    try {
      model = loadRecommender(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      counts.refused++;
      continue;
    }
    counts.loaded++;
    const predictions = model.predictMany([
      ['1', '1'],
      ['2', 'x'],
    ]);
    const scores = model.recommend('1', { n: 3, filterSeen: false }).map(({ score }) => score);
    for (const value of [...predictions, ...scores])
      if (Number.isNaN(value)) throw new Error(`mutation ${k} of seed ${seed} loads, and answers NaN`);
  }
  return counts;
}

function mutate(file: Uint8Array, stream: Stream): Uint8Array {
  let bytes = file.slice();
  for (let edits = 1 + stream.below(3); edits > 0 && bytes.length > 0; edits--) {
    const at = stream.below(bytes.length);
    const kind = stream.below(6);
    if (kind === 0) bytes[at]! ^= 1 << stream.below(8);
    else if (kind === 1) bytes[at] = stream.below(256);
    else if (kind === 2) bytes = bytes.slice(0, at);
    else if (kind === 3) bytes.copyWithin(at, stream.below(bytes.length), stream.below(bytes.length));
    else if (kind === 4) bytes[stream.below(8)] = stream.below(256);
    else {
      const word = WORDS[stream.below(WORDS.length)]!;
      const header = Math.min(bytes.length, 2048);
      const place = stream.below(header);
      for (let c = 0; c < word.length && place + c < bytes.length; c++) bytes[place + c] = word.charCodeAt(c);
    }
  }
  return bytes;
}
