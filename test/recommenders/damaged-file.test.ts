// Damaged files: whatever changed since a file was written is found by its checksum; a file of before there were checksums,
// or one that somebody made, by the numbers that the answers rely on.

import {
  ALS,
  categorical,
  crossed,
  DeepFM,
  EASE,
  FeatureTable,
  FM,
  FormatError,
  ItemKNN,
  loadRecommender,
  MF,
  NeuralCF,
  NMF,
  numeric,
  OverparamMF,
  Popularity,
  syntheticInteractions,
  WideDeep,
} from 'opmf';
import type { Tensor } from '../../src/io/files/safetensors';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/files/safetensors';

const data = syntheticInteractions({ users: 12, items: 30, ratings: 80 });
const items = FeatureTable.from(
  Array.from({ length: 9 }, (_, k) => ({ item: String(k), colour: ['black', 'green'][k % 2], grams: k })),
  { id: 'item', fields: { colour: categorical(), grams: numeric(), both: crossed('colour', 'grams') } },
);
const small = { rank: 2, epochs: 1 };
const deep = { hidden: [3], embeddingDim: 2, epochs: 1, task: 'regression' } as const;
const KINDS = {
  mf: new MF(small),
  'overparam-mf': new OverparamMF(small),
  sigmoid: new MF({ ...small, link: 'sigmoid' }),
  als: new ALS(small),
  nmf: new NMF(small),
  popularity: new Popularity(),
  'item-knn': new ItemKNN(),
  ease: new EASE(),
  'neural-cf': new NeuralCF({ rank: 2, embeddingDim: 2, hidden: [3], epochs: 1 }),
  fm: new FM({ ...small, task: 'regression' }),
  'wide-deep': new WideDeep({ ...deep, batchNorm: true }),
  'deep-fm': new DeepFM(deep),
} as const;
type Kind = keyof typeof KINDS;
const files = {} as Record<Kind, Uint8Array>;
beforeAll(async () => {
  for (const [kind, model] of Object.entries(KINDS)) {
    if (model instanceof FM || model instanceof WideDeep || model instanceof DeepFM)
      await model.fit(data, { itemFeatures: items });
    else await model.fit(data);
    files[kind as Kind] = model.save();
  }
});

/** A file as the version before checksums wrote it, with something changed. */
function written(
  kind: Kind,
  change: (tensors: Map<string, Tensor>, metadata: Record<string, string>) => void = () => {},
) {
  const { tensors, metadata } = decodeSafetensors(files[kind]);
  const { checksum: _, ...rest } = metadata;
  const [all, said] = [new Map(tensors), { ...rest, version: '1' }];
  change(all, said);
  return encodeSafetensors(all, said);
}

/** The paths of all properties of some JSON. */
function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => [[key], ...pathsOf(part).map((path) => [key, ...path])]);
}

test("a trained loss is never 'auto'", () => {
  for (const kind of ['mf', 'overparam-mf'] as const) {
    const bytes = written(kind, (_, said) => {
      said.options = said.options!.replace('"loss":"squared"', '"loss":"auto"');
    });
    expect(() => loadRecommender(bytes)).toThrow(FormatError);
  }
});

describe.each(Object.keys(KINDS) as Kind[])('%s', (kind) => {
  test('a file of before checksums answers alike', () => {
    const [now, before] = [loadRecommender(files[kind]), loadRecommender(written(kind))];
    expect(before.predictMany(data)).toEqual(now.predictMany(data));
    expect(before.recommend('1')).toEqual(now.recommend('1'));
    expect(Buffer.compare(before.save(), now.save())).toBe(0);
  });

  test('an option that is left out, or only in part, is a FormatError', () => {
    const { metadata } = decodeSafetensors(files[kind]);
    const missed: string[] = [];
    for (const path of pathsOf(JSON.parse(metadata.options!))) {
      const bytes = written(kind, (_, said) => {
        const options = JSON.parse(said.options!);
        delete path.slice(0, -1).reduce((part, key) => part[key], options)[path.at(-1)!];
        said.options = JSON.stringify(options);
      });
      try {
        loadRecommender(bytes);
        missed.push(path.join('.'));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
    // Biases and maps have the rate of embeddings where they have none of their own; files of before have no threads.
    const optional = (path: string) => path === 'threads' || path.startsWith('optimizer.learningRate.rate.');
    expect(missed.filter((path) => !optional(path))).toEqual([]);
  });

  test('a flipped bit anywhere is found', () => {
    const bytes = files[kind].slice();
    const found = new Map<string, number>();
    // Every bit of a file is tried in test/io/files/sealed-file.test.ts.
    for (let at = 0; at < bytes.length; at += 1 + (bytes.length >> 8)) {
      const bit = 1 << ((at * 5) % 8);
      bytes[at]! ^= bit;
      const name = outcome(bytes);
      found.set(name, (found.get(name) ?? 0) + 1);
      bytes[at]! ^= bit;
    }
    expect([...found.keys()]).toEqual(['FormatError']);
  });
});

function outcome(bytes: Uint8Array): string {
  try {
    return `loads as ${loadRecommender(bytes).name}`;
  } catch (error) {
    return (error as Error).name;
  }
}

const put =
  (name: string, at: number, value: number) =>
  (tensors: Map<string, Tensor>): void => {
    tensors.get(name)!.data[at] = value;
  };
const say =
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any form
    (key: string, change: (json: any) => void) =>
    (_: unknown, metadata: Record<string, string>): void => {
      const json = JSON.parse(metadata[key]!);
      change(json);
      metadata[key] = JSON.stringify(json);
    };

test.each<readonly [string, Kind, Parameters<typeof written>[1], string | RegExp]>([
  ...['userEmbedding', 'itemEmbedding', 'userBias', 'itemBias'].map(
    (name) => [`NaN in ${name}`, 'mf', put(name, 3, Number.NaN), `tensor '${name}' has NaN at 3`] as const,
  ),
  ['a count with a flipped bit', 'als', put('userCounts', 2, -(2 ** 31) + 6), "tensor 'userCounts' has"],
  ['a count below its history', 'als', put('itemCounts', 0, 0), "tensor 'itemCounts' has 0 at 0"],
  ['a count above its history', 'mf', put('userCounts', 0, 1000), 'userCounts add up to'],
  ['a count of another kind', 'popularity', put('itemCounts', 0, 2 ** 30), 'itemCounts to'],
  ['offsets that start later', 'mf', put('history.offsets', 0, 1), 'starts at 1'],
  ['offsets that fall', 'mf', put('history.offsets', 2, 70), 'falls'],
  ['an item that is none', 'mf', put('history.items', 2, 30), 'names item 30 of 30'],
  ['a rating that is none', 'mf', put('history.values', 2, Infinity), 'has Infinity at 2'],
  ['folded -1', 'mf', say('units', (units) => (units.folded = -1)), 'folded is -1; want a number above 0'],
  ['folded 0', 'als', say('units', (units) => (units.folded = 0)), 'folded is 0'],
  ['a scale below 0', 'mf', say('units', (units) => (units.scale = -2)), 'scale is -2'],
  ['a scale of nothing', 'mf', say('units', (units) => (units.scale = 5e-324)), 'scale is 5e-324'],
  ['a shift that is a text', 'mf', say('units', (units) => (units.shift = '1')), 'shift is "1"'],
  ['another link', 'mf', say('units', (units) => (units.link = 'tanh')), 'link is "tanh"'],
  ['a range turned round', 'mf', say('units', (units) => (units.minimum = 9)), 'minimum is 9 and maximum 5'],
  ['a sigmoid of no range', 'sigmoid', say('units', (units) => (units.minimum = 5)), 'has no range'],
  ['a baseline that is none', 'nmf', say('units', (units) => (units.baseline = null)), 'baseline is null'],
  [
    'products that overflow',
    'mf',
    (tensors) => {
      put('userEmbedding', 0, -1e20)(tensors);
      put('itemEmbedding', 1, 1e20)(tensors);
    },
    'beyond float32',
  ],
  ['another rank', 'mf', say('options', (options) => (options.rank = 3)), 'the options have rank 3, the vectors 2'],
  ['no rank', 'als', say('options', (options) => delete options.rank), 'the options have rank undefined'],
  [
    'a table of another shape',
    'mf',
    (tensors) => tensors.set('itemEmbedding', { ...tensors.get('itemEmbedding')!, shape: [60] }),
    "tensor 'itemEmbedding' is Float32Array of shape 60; want Float32Array of shape 30 x 2",
  ],
  ['a rule that is none', 'mf', say('options', (options) => (options.optimizer = 5)), 'the options in the file'],
  ['neighbours out of order', 'item-knn', put('neighbors.items', 1, 0), 'does not list other items in rising order'],
  ['a weight to itself', 'ease', put('itemWeights', 31, 0.5), 'a weight from item 1 to itself'],
  ['a giant layer', 'deep-fm', say('options', (options) => (options.hidden = [65536, 65536])), "tensor 'deep1'"],
  ['a giant embedding', 'wide-deep', say('options', (options) => (options.embeddingDim = 65536)), "tensor 'embedding'"],
  ['a giant tower', 'neural-cf', say('options', (options) => (options.hidden = [65536, 65536])), 'want smaller layers'],
  ['a variance below 0', 'wide-deep', put('deep1Statistics', 4, -1), 'variance below 0'],
  ['fields that are none', 'fm', say('itemFeatures', (table) => (table.fields = [null])), 'metadata.itemFeatures'],
  ['other fields', 'fm', say('itemFeatures', (table) => (table.fields[0].name = 'x')), 'other fields than its rows'],
  ['rows without end', 'fm', put('itemFeatures.starts', 1, -1), 'starts[1] is -1'],
  ['a feature of no field', 'fm', put('itemFeatures.indices', 1, 1000), 'has feature 1000'],
  ['too few categories', 'fm', say('itemFeatures', (t) => (t.schema.fields[0].categories = 7)), 'its field 7'],
])('%s is a FormatError', (_, kind, change, message) => {
  const bytes = written(kind, change);
  expect(() => loadRecommender(bytes)).toThrow(FormatError);
  expect(() => loadRecommender(bytes)).toThrow(message);
});

test('categories by the thousand are tensors, not header', async () => {
  const rows = Array.from({ length: 3000 }, (_, k) => ({
    page: `https://example.org/pages/${k}/of/many`,
    liked: k % 2,
  }));
  const table = FeatureTable.from(rows, { label: 'liked', fields: { page: categorical() } });
  const model = new FM({ rank: 1, epochs: 1 });
  await model.fit(table);
  const bytes = model.save();
  expect(Number(new DataView(bytes.buffer).getBigUint64(0, true))).toBeLessThan(4000);
  const loaded = FM.load(bytes);
  expect(loaded.schema!.toJSON()).toEqual(table.schema!.toJSON());
  expect(loaded.predictRows(table)).toEqual(model.predictRows(table));
});

test('a schema in the header, as files of before have it, still loads', async () => {
  const rows = Array.from({ length: 20 }, (_, k) => ({
    colour: ['black', 'green', ''][k % 3],
    grams: k,
    liked: k % 2,
  }));
  const table = FeatureTable.from(rows, { label: 'liked', fields: { colour: categorical(), grams: numeric() } });
  const model = new FM(small);
  await model.fit(table);
  const { tensors, metadata } = decodeSafetensors(model.save());
  const { checksum: _, ...rest } = metadata;
  const kept = new Map([...tensors].filter(([name]) => !name.startsWith('schema.')));
  expect(kept.size).toBeLessThan(tensors.size);
  const before = encodeSafetensors(kept, { ...rest, version: '1', schema: JSON.stringify(table.schema) });
  expect(FM.load(before).predictRows(table)).toEqual(model.predictRows(table));
});

test('a header is no longer than a model needs', () => {
  const text = new TextEncoder().encode(`{"__metadata__":{"format":"opmf","x":"${'x'.repeat(2 ** 21)}"}}`);
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  expect(() => loadRecommender(bytes)).toThrow(FormatError);
  expect(() => loadRecommender(bytes)).toThrow('want at most 1048576');
});
