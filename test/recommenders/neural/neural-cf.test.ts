// NeuralCF by itself: what it recommends is what its model says, bits do not depend on what does the arithmetic, and a
// training that was stopped goes on.

import { createHash } from 'node:crypto';
import { sigmoid } from '../../../src/core/elementary';
import { FormatError, OptionError } from '../../../src/core/errors';
import { Interactions } from '../../../src/data/interactions';
import { splitRandom } from '../../../src/data/splits';
import { syntheticInteractions } from '../../../src/data/synthetic';
import { decodeSafetensors, encodeSafetensors, seal } from '../../../src/io/files/safetensors';
import { NeuralCF } from '../../../src/recommenders/neural/neural-cf';
import type { NeuralCFOptions } from '../../../src/recommenders/neural/neural-options';
import type { FitOptions } from '../../../src/recommenders/recommender';

const VARIANTS = ['neumf', 'gmf', 'mlp'] as const;
const data = syntheticInteractions({ users: 30, items: 270, ratings: 500 });
const small = { rank: 4, embeddingDim: 4, hidden: [6, 3], epochs: 3, initScale: 0.3, batchSize: 64 } as const;

async function fitted(options: NeuralCFOptions = {}, fit?: FitOptions): Promise<NeuralCF> {
  const model = new NeuralCF({ ...small, ...options });
  await model.fit(data, fit);
  return model;
}

/** The tables of a saved model, bit by bit. */
function tablesOf(model: NeuralCF): string {
  const { tensors } = decodeSafetensors(model.save());
  return Array.from(tensors, ([name, { data: of }]) => `${name} ${Buffer.from(of.buffer).toString('hex')}`).join('\n');
}

describe.each(VARIANTS)('%s', (variant) => {
  test('finds the one square of a checkerboard that a user is not known to have', async () => {
    const size = 12;
    const rows: [number, number][] = [];
    for (let u = 0; u < size; u++) for (let i = 0; i < size; i++) if ((u + i) % 2 === 0 && i !== u) rows.push([u, i]);
    const model = new NeuralCF({
      variant,
      rank: 4,
      embeddingDim: 8,
      hidden: [8, 4],
      epochs: 150,
      initScale: 0.3,
      batchSize: 8,
      regularization: 0.01,
      optimizer: { name: 'adam', learningRate: 0.01 },
    });
    await model.fit(Interactions.from(rows));
    const found = Array.from({ length: size }, (_, u) => model.recommend(u, { n: 1 })[0]!.itemId);
    expect(found).toEqual(Array.from({ length: size }, (_, u) => u));
  });

  test('lists are all items by the scores of the model, item for item', async () => {
    const model = await fitted({ variant });
    for (const user of [0, 7]) {
      const count = data.items.size;
      const items = Int32Array.from({ length: count }, (_, i) => i);
      const users = new Int32Array(count).fill(user);
      const scores = new Float32Array(count);
      const batch = { count, users, items, targets: scores, weights: null, visit: 0, sizes: null };
      model.model.select(batch);
      model.model.forward(batch, scores);
      const list = model.recommend(data.users.idOf(user), { n: count, filterSeen: false });
      expect(list.length).toBe(count);
      for (const { itemId, score } of list) {
        expect(score).toBeCloseTo(sigmoid(scores[data.items.indexOf(itemId)]!), 5);
        expect(score).toBe(model.predict(data.users.idOf(user), itemId));
      }
    }
  });

  test('WebAssembly and JavaScript train to the same bits', async () => {
    const overparam = { kind: 'dense' } as const;
    for (const more of [{}, { overparam, dropout: 0.2, regularization: { embedding: 0.01, dense: 0.01 } }])
      expect(tablesOf(await fitted({ ...more, variant, epochs: 1, kernels: 'wasm' }))).toBe(
        tablesOf(await fitted({ ...more, variant, epochs: 1, kernels: 'js' })),
      );
  });

  test('a product multiplied out answers as the product', async () => {
    const model = await fitted({ variant, overparam: { kind: 'dense', depth: 3 } });
    const plain = model.collapse();
    expect(plain.model.parameters.every(({ factors }) => factors.length === 1)).toBe(true);
    expect(plain.predictMany(data)).toEqual(model.predictMany(data));
    expect(tablesOf(plain)).toBe(tablesOf(model));
  });
});

test('goes on from a checkpoint to the bits of a fit that never stopped', async () => {
  const options: NeuralCFOptions = { epochs: 4, dropout: 0.3, overparam: { kind: 'scalar' } };
  const stop = new AbortController();
  let resume = new Uint8Array();
  const write = (bytes: Uint8Array, epoch: number) => {
    if (epoch !== 2) return;
    resume = bytes.slice();
    stop.abort();
  };
  await expect(fitted(options, { signal: stop.signal, checkpoint: { every: 2, write } })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(tablesOf(await fitted(options, { resume }))).toBe(tablesOf(await fitted(options)));
});

test('an abort leaves the last whole epoch', async () => {
  const stop = new AbortController();
  // Its rate does not follow the epochs to come.
  const optimizer = { name: 'adam', learningRate: 0.001 } as const;
  const model = new NeuralCF({ ...small, optimizer });
  const onEpoch = ({ epoch }: { epoch: number }) => epoch === 2 && stop.abort();
  await expect(model.fit(data, { signal: stop.signal, onEpoch })).rejects.toMatchObject({ name: 'AbortError' });
  expect(tablesOf(model)).toBe(tablesOf(await fitted({ epochs: 2, optimizer })));
});

test('is watched by rankings, and stops by them', async () => {
  const { train, test: validation } = splitRandom(data, { seed: 1 });
  const model = new NeuralCF({ ...small, epochs: 30, optimizer: { name: 'adam', learningRate: 0.05 } });
  const history = await model.fit(train, {
    validation,
    metrics: ['ndcg@10', 'auc'],
    earlyStopping: { patience: 2 },
  });
  expect(history.stopped).toBe('early');
  const best = history.epochs[history.bestEpoch - 1]!.metrics['ndcg@10']!;
  expect(Math.max(...history.epochs.map(({ metrics }) => metrics['ndcg@10']!))).toBe(best);
  expect(history.epochs[0]!.metrics.auc).toBeGreaterThan(0);
});

test('the share of interactions among candidates is what a stranger is predicted', async () => {
  const model = await fitted({ negatives: 3 });
  expect(model.predict('stranger', 1)).toBeCloseTo(1 / 4, 12);
  expect((await fitted({ loss: 'bpr' })).predict('stranger', 1)).toBeCloseTo(0, 12);
});

test.each<[NeuralCFOptions, string]>([
  [{ embeddingDim: 2.5 }, 'embeddingDim'],
  [{ hidden: [] }, 'hidden'],
  [{ hidden: [8, 0] }, 'hidden[1]'],
  [{ embeddingDim: 65536, hidden: [65536] }, 'hidden'],
  [{ variant: 'ncf' as 'gmf' }, 'variant'],
  [{ negatives: 0 }, 'negatives'],
  [{ loss: 'squared' as 'bpr' }, 'loss'],
  [{ variant: 'gmf', overparam: { mlp1: { kind: 'dense' } } }, 'overparam.mlp1'],
  [{ regularization: -1 }, 'regularization'],
])('%j is refused by name', (options, option) => {
  let error: unknown;
  try {
    new NeuralCF(options);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(OptionError);
  expect(error).toMatchObject({ option });
});

test.each([
  ['factors', 8, 'rank'],
  ['layers', [64, 32], 'embeddingDim'],
])("the option '%s' of 0.1 is refused with its name of today", (option, value, now) => {
  const make = () => new NeuralCF({ [option]: value } as NeuralCFOptions);
  expect(make).toThrow(OptionError);
  expect(make).toThrow(`'${option}' is now ${now}`);
});

/** The bytes of a file of today as 0.1 wrote them: the options have other names. */
function asOf01(bytes: Uint8Array): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const options = Object.entries(JSON.parse(metadata.options!)).flatMap(([name, value]) => {
    if (name === 'rank') return [['factors', value]];
    if (name === 'embeddingDim' || name === 'threads') return [];
    return name === 'hidden' ? [['layers', [2 * EMBEDDING_DIM, ...(value as number[])]]] : [[name, value]];
  });
  const old = encodeSafetensors(tensors, { ...metadata, options: JSON.stringify(Object.fromEntries(options)) });
  old.fill('0'.charCodeAt(0), 43, 51);
  seal(old);
  return old;
}
const EMBEDDING_DIM = 2;

test('a file of 0.1 loads, and answers to the bit', async () => {
  // With the defaults of 0.1.
  const was = { optimizer: { name: 'adam', learningRate: 0.001 }, regularization: 0 } as const;
  const model = new NeuralCF({ rank: 2, embeddingDim: EMBEDDING_DIM, hidden: [3], epochs: 1, ...was });
  const likes = [['a', 1] as const, ['a', 2] as const, ['b', 2] as const, ['b', 3] as const, ['c', 1] as const];
  await model.fit(Interactions.from(likes));
  const old = asOf01(model.save());
  // What commit 69acdb3 wrote of NeuralCF({ factors: 2, layers: [4, 3], epochs: 1 }) on these data.
  expect(createHash('sha256').update(old).digest('hex')).toBe(
    'c4e8d47ff9cf78f167bc356d5e61bbd117ae56d16c8e6e0a7996cf598ece8db3',
  );
  const loaded = NeuralCF.load(old);
  expect(loaded.options).toEqual(model.options);
  for (const [user, item] of likes) expect(loaded.predict(user, item)).toBe(model.predict(user, item));
  expect(loaded.save()).toEqual(NeuralCF.load(model.save()).save());
});

test('a file whose tables are not those of its options', async () => {
  const { tensors, metadata } = decodeSafetensors((await fitted()).save());
  const options = JSON.parse(metadata.options!) as object;
  for (const more of [
    { rank: 65536 },
    { embeddingDim: 4, hidden: [6] },
    { variant: 'gmf', rank: 8 },
    { embeddingDim: 4, hidden: [65536, 3] },
  ]) {
    const bytes = encodeSafetensors(new Map(tensors), {
      ...metadata,
      options: JSON.stringify({ ...options, ...more }),
    });
    expect(() => NeuralCF.load(bytes)).toThrow(FormatError);
  }
});
