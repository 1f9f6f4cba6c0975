// Mutations of saved models: bits, bytes, splices, lengths, words of the header, and numbers of tensors and of metadata.
// What comes of each.

import {
  ALS,
  categorical,
  crossed,
  DeepFM,
  EASE,
  type Explains,
  FeatureTable,
  FM,
  type FoldsIn,
  FormatError,
  Interactions,
  ItemKNN,
  loadRecommender,
  MF,
  multiValued,
  NeuralCF,
  NMF,
  numeric,
  OpmfError,
  OverparamMF,
  type PartialFits,
  Popularity,
  type Recommender,
  type Similar,
  SVDpp,
  syntheticInteractions,
  WideDeep,
} from 'opmf';
import { Stream } from '../../src/core/random';
import { decodeSafetensors, encodeSafetensors, seal } from '../../src/io/files/safetensors';

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

/** Values to be put where others are, in tensors and in the JSON of metadata. */
const NUMBERS = [-1, 0, 1, 2, 0.5, -1e-3, 1e9, 2 ** 31 - 1, -(2 ** 31), 1e30, -1e300, 5e-324, Number.NaN, Infinity];
const VALUES: readonly unknown[] = [...NUMBERS.slice(0, -2), null, true, '', '1', [], {}, [[]], 'sigmoid', 'implicit'];

/** What is loaded, asked for all that it can answer. */
type Ask = () => Promise<Iterable<number>>;

/** A file of some kind, and how one is loaded and asked. */
export interface Sample {
  readonly name: string;
  readonly file: Uint8Array;
  /** @throws FormatError */
  load(bytes: Uint8Array): Ask;
}

/** Small files of every kind. */
export async function samples(): Promise<Sample[]> {
  // Nobody has every item: negatives are drawn from the others.
  const data = syntheticInteractions({ users: 12, items: 30, ratings: 60 });
  const small = { rank: 2, epochs: 1 };
  const found: Sample[] = [];
  for (const model of [
    new MF(small),
    new MF({ ...small, link: 'sigmoid' }),
    new MF({ ...small, loss: 'bpr' }),
    new MF({ ...small, loss: 'warp' }),
    new MF({ ...small, loss: 'softmax', negatives: 2 }),
    new MF({ ...small, loss: 'logistic', negatives: 2 }),
    new OverparamMF(small),
    new ALS(small),
    new ALS({ ...small, feedback: 'explicit', regularizationExponent: 0.5 }),
    new SVDpp(small),
    new NMF(small),
    new Popularity(),
    new ItemKNN(),
    new EASE(),
    new NeuralCF({ rank: 2, embeddingDim: 2, hidden: [3], epochs: 1 }),
  ]) {
    await model.fit(data);
    found.push({ name: model.name, file: model.save(), load: loadOfIds });
    found.push({ name: `${model.name} without history`, file: model.save({ history: false }), load: loadOfIds });
  }
  const table = FeatureTable.from(CUPS, {
    label: 'liked',
    fields: {
      colour: categorical(),
      grams: numeric(),
      tags: multiValued(),
      both: crossed('colour', 'grams'),
    },
  });
  const deep = { hidden: [3], embeddingDim: 2, epochs: 1, batchNorm: true };
  const pairs = { ...small, task: 'regression' } as const;
  const side = { itemFeatures: FeatureTable.from(ITEMS, { id: 'item', fields: { colour: categorical() } }) };
  for (const model of [new FM(pairs), new DeepFM({ ...deep, task: 'ranking' })]) {
    await model.fit(data, side);
    found.push({ name: `${model.name} of pairs`, file: model.save(), load: loadOfIds });
  }
  for (const [model, load] of [
    [new FM(small), FM.load],
    [new WideDeep({ ...deep, wide: ['colour'] }), WideDeep.load],
    [new DeepFM(deep), DeepFM.load],
  ] as const) {
    await model.fit(table);
    found.push({ name: model.name, file: model.save(), load: (bytes) => askOfRows(load(bytes)) });
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

type Question = () => Iterable<number> | Promise<Iterable<number>>;

/** A file may have come to other fields, whose rows these are not. */
function askOfRows(loaded: FM | WideDeep | DeepFM): Ask {
  const { schema } = loaded;
  return answering([
    () => (schema === null ? [] : loaded.predictRows(FeatureTable.encode(CUPS.slice(0, 2), schema))),
    () => (loadRecommender(loaded.save()).isFitted ? [] : []),
  ]);
}

/** Everything that a recommender answers, and what it makes of more. */
function loadOfIds(bytes: Uint8Array): Ask {
  const model = loadRecommender(bytes) as Recommender & Partial<Similar & FoldsIn & Explains & PartialFits>;
  const history = ['1', '2', '3'].map((itemId, k) => ({ itemId, value: 1 + (k % 2) }));
  return answering([
    () =>
      model.predictMany([
        ['1', '1'],
        ['2', 'x'],
      ]),
    () => scoresOf(model.recommend('1', { n: 3, filterSeen: false })),
    async () => [...(await model.recommendMany(['1', '2', 'x'], { n: 3 })).values()].flatMap(scoresOf),
    () => (model.similarItems?.('1', { n: 3 }) ?? []).map(({ score }) => score),
    () => (model.similarUsers?.('1', { n: 3 }) ?? []).map(({ score }) => score),
    () => (model.explain?.('1', '2') ?? []).map(({ contribution }) => contribution),
    () => {
      const folded = model.foldInUser?.(history);
      if (folded === undefined) return [];
      return [folded.predict('4'), ...scoresOf(folded.recommend({ n: 3 }))];
    },
    () => [model.foldInItem?.(['1', '2'].map((userId) => ({ userId, value: 1 }))).predict('3') ?? 0],
    async () => {
      await model.partialFit?.(Interactions.from([...MORE.map((item) => ['1', item, 1] as const), ['new', '2', 1]]));
      return [];
    },
    () => model.predictMany([['1', '1']]),
    () => loadRecommender(model.save()).predictMany([['1', '1']]),
  ]);
}

/** All answers to some questions. */
const answering = (questions: readonly Question[]) => async () => {
  const answers: number[] = [];
  for (const question of questions) {
    try {
      answers.push(...(await question()));
    } catch (error) {
      // What it cannot do, or not with such numbers, it says. What it saves must load.
      if (!(error instanceof OpmfError) || error instanceof FormatError) throw error;
    }
  }
  return answers;
};

const MORE = Array.from({ length: 12 }, (_, k) => String(k));
const scoresOf = (list: Iterable<{ score: number }>) => Array.from(list, ({ score }) => score);

/**
 * Loads so many changed files, and asks what loads. `tell` hears of each before it is tried.
 * @throws what is no error of ours, and for an answer that is no number
 */
export async function fuzz(
  files: readonly Sample[],
  times: number,
  seed: number,
  tell: (mutation: number, name: string) => void = () => {},
): Promise<FuzzCounts> {
  const stream = Stream.of(seed).fork('fuzz');
  const counts: FuzzCounts = { refused: 0, loaded: 0 };
  for (let k = 0; k < times; k++) {
    const { file, load, name } = files[stream.below(files.length)]!;
    const bytes = stream.below(2) === 0 ? mutateBytes(file, stream) : mutateContent(file, stream);
    tell(k, name);
    const place = `mutation ${k} of seed ${seed}, ${name}`;
    let ask: Ask;
    try {
      ask = load(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw new Error(`${place}: loading`, { cause: error });
      counts.refused++;
      continue;
    }
    counts.loaded++;
    let answers: Iterable<number>;
    try {
      answers = await ask();
    } catch (error) {
      throw new Error(`${place}: loads, and then`, { cause: error });
    }
    for (const [at, value] of [...answers].entries())
      if (Number.isNaN(value)) throw new Error(`${place}: loads, and answer ${at} is NaN`, { cause: said(bytes) });
  }
  return counts;
}

const said = (bytes: Uint8Array) => JSON.stringify(decodeSafetensors(bytes).metadata);

/** Changes what a file says and writes it anew: as today, with a checksum that is right, or as before there was one. */
function mutateContent(file: Uint8Array, stream: Stream): Uint8Array {
  const { tensors: all, metadata: said } = decodeSafetensors(file);
  const tensors = new Map(all);
  const metadata: Record<string, string> = { ...said };
  const pick = <T>(list: readonly T[]): T => list[stream.below(list.length)]!;
  for (let edits = 1 + stream.below(3); edits > 0 && tensors.size > 0; edits--) {
    const [name, tensor] = pick([...tensors]);
    const kind = stream.below(8);
    const at = stream.below(Math.max(tensor.data.length, 1));
    if (kind < 3 && tensor.data.length > 0) tensor.data[at] = pick(NUMBERS);
    else if (kind === 3 && tensor.data.length > 0) tensor.data[at]! += pick([-1, 1]);
    else if (kind === 4) tensors.delete(name);
    else if (kind === 5) {
      const data = tensor.data.slice(at);
      tensors.set(name, { dtype: tensor.dtype, shape: [data.length], data });
    } else if (kind === 6) delete metadata[pick(Object.keys(metadata))];
    else {
      const key = pick(['options', 'options', 'units', 'schema', 'fields', 'itemFeatures', 'recommender']);
      const text = metadata[key];
      if (text?.startsWith('{')) metadata[key] = JSON.stringify(edited(JSON.parse(text), stream));
      else if (key === 'recommender') metadata[key] = pick(['mf', 'als', 'ease', 'popularity', 'fm', 'deep-fm', 'x']);
    }
  }
  const { checksum: _, ...rest } = metadata;
  if (stream.below(2) === 0) return encodeSafetensors(tensors, { ...rest, version: '1' });
  const bytes = encodeSafetensors(tensors, { checksum: 'xxh32:00000000', ...rest });
  seal(bytes);
  return bytes;
}

/** A JSON value with one of its parts replaced or left out. */
function edited(value: unknown, stream: Stream): unknown {
  if (typeof value !== 'object' || value === null || stream.below(8) === 0) return VALUES[stream.below(VALUES.length)];
  const keys = Object.keys(value);
  if (keys.length === 0) return value;
  const key = keys[stream.below(keys.length)]!;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const parts = copy as Record<string, unknown>;
  if (stream.below(8) === 0) delete parts[key];
  else parts[key] = edited(parts[key], stream);
  return copy;
}

/** Changes bytes; half of the time the checksum is made right again. */
function mutateBytes(file: Uint8Array, stream: Stream): Uint8Array {
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
  if (stream.below(2) === 0 && bytes.length > 100) seal(bytes);
  return bytes;
}
