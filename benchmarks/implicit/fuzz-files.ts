// Mutations of saved models: bits, bytes, splices, lengths, words of the header. What comes of each.

import {
  ALS,
  categorical,
  DataError,
  DeepFM,
  EASE,
  FeatureTable,
  FM,
  FormatError,
  ItemKNN,
  loadRecommender,
  MF,
  multiValued,
  NeuralCF,
  NMF,
  numeric,
  OverparamMF,
  Popularity,
  SVDpp,
  syntheticInteractions,
  UnsupportedError,
  WideDeep,
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

/** A file of some kind, and how one is loaded and asked. */
export interface Sample {
  readonly file: Uint8Array;
  /** What is loaded gives its answers when it is called. @throws FormatError */
  load(bytes: Uint8Array): () => Iterable<number>;
}

/** Small files of every kind. */
export async function samples(): Promise<Sample[]> {
  // Nobody has every item: negatives are drawn from the others.
  const data = syntheticInteractions({ users: 12, items: 30, ratings: 60 });
  const small = { rank: 2, epochs: 1 };
  const found: Sample[] = [];
  for (const model of [
    new MF(small),
    new OverparamMF(small),
    new ALS(small),
    new SVDpp(small),
    new NMF(small),
    new Popularity(),
    new ItemKNN(),
    new EASE(),
    new NeuralCF({ factors: 2, layers: [4, 3], epochs: 1 }),
  ]) {
    await model.fit(data);
    found.push({ file: model.save(), load: loadOfIds });
  }
  const table = FeatureTable.from(CUPS, {
    label: 'liked',
    fields: { colour: categorical(), grams: numeric(), tags: multiValued() },
  });
  const deep = { hidden: [3], embeddingDim: 2, epochs: 1, batchNorm: true };
  const fm = new FM({ ...small, task: 'regression' });
  await fm.fit(data, { itemFeatures: FeatureTable.from(ITEMS, { id: 'item', fields: { colour: categorical() } }) });
  const pairs = [
    ['1', '1'],
    ['2', 'x'],
  ] as const;
  found.push({ file: fm.save(), load: (bytes) => bind(FM.load(bytes), (model) => model.predictMany(pairs)) });
  for (const [model, load] of [
    [new FM(small), FM.load],
    [new WideDeep({ ...deep, wide: ['colour'] }), WideDeep.load],
    [new DeepFM(deep), DeepFM.load],
  ] as const) {
    await model.fit(table);
    // A file may have come to other fields, whose rows these are not.
    const answers = (loaded: FM | WideDeep | DeepFM) =>
      loaded.schema === null ? [] : loaded.predictRows(FeatureTable.encode([{}], loaded.schema));
    found.push({ file: model.save(), load: (bytes) => bind(load(bytes), answers) });
  }
  return found;
}

const CUPS = Array.from({ length: 20 }, (_, cup) => ({
  colour: ['black', 'green'][cup % 2],
  grams: cup % 7,
  tags: ['a', 'b', 'c'].slice(cup % 3),
  liked: cup % 2,
}));
const ITEMS = Array.from({ length: 9 }, (_, item) => ({ item: String(item), colour: ['black', 'green'][item % 2] }));

const bind =
  <M>(model: M, ask: (model: M) => Iterable<number>) =>
  () =>
    ask(model);

function loadOfIds(bytes: Uint8Array): () => Iterable<number> {
  const model = loadRecommender(bytes);
  return () => [
    ...model.predictMany([
      ['1', '1'],
      ['2', 'x'],
    ]),
    ...model.recommend('1', { n: 3, filterSeen: false }).map(({ score }) => score),
  ];
}

/** Loads so many mutated files, and asks what loads. @throws what is no error of ours, and for an answer that is no number */
export function fuzz(files: readonly Sample[], times: number, seed: number): FuzzCounts {
  const stream = Stream.of(seed).fork('fuzz');
  const counts: FuzzCounts = { refused: 0, loaded: 0 };
  for (let k = 0; k < times; k++) {
    const { file, load } = files[stream.below(files.length)]!;
    const bytes = mutate(file, stream);
    let ask: () => Iterable<number>;
    try {
      ask = load(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      counts.refused++;
      continue;
    }
    counts.loaded++;
    for (const value of answersOf(ask))
      if (Number.isNaN(value)) throw new Error(`mutation ${k} of seed ${seed} loads, and answers NaN`);
  }
  return counts;
}

/** What is answered; nothing where the model says that it cannot. */
function answersOf(ask: () => Iterable<number>): Iterable<number> {
  try {
    return ask();
  } catch (error) {
    if (error instanceof DataError || error instanceof UnsupportedError) return [];
    throw error;
  }
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
