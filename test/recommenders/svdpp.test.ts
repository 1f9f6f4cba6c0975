// SVD++ as a recommender: the contracts of recommenders, plain, as products and by other rules; what it refuses.

import { OptionError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import type { Overparam } from '../../src/parameters/overparam';
import { SVDpp, type SVDppOptions } from '../../src/recommenders/svdpp';
import { type Options, odd } from '../contract/odd-ratings';
import { recommenderBitsContract } from '../contract/recommender-bits';
import { recommenderContract } from '../contract/recommenders';

const overparams: Readonly<Record<string, Overparam>> = {
  plain: false,
  'scalar-row-2': { kind: 'scalar' },
  'by name': {
    userEmbedding: { kind: 'dense' },
    implicitEmbedding: { kind: 'diagonal' },
    itemBias: { kind: 'scalar' },
  },
};
for (const [name, overparam] of Object.entries(overparams)) {
  const one = {
    name: `SVDpp ${name}`,
    make: (options?: Options) => new SVDpp({ overparam, ...(options as SVDppOptions) }),
    load: SVDpp.load,
  };
  // Its biases are products: a model without biases has none to name.
  const plainBiases = { userEmbedding: { kind: 'dense' }, implicitEmbedding: { kind: 'diagonal' } };
  const flat = { initScale: 0, biases: false, overparam: plainBiases } as Options;
  recommenderContract(name === 'by name' ? { ...one, flat } : one);
  recommenderBitsContract(one);
}

test('its model is the plain one with its predictions', async () => {
  const model = new SVDpp({ rank: 3, epochs: 3, initScale: 0.5, clip: false });
  await model.fit(odd);
  const [user, item] = [odd.users.indexOf('1'), odd.items.indexOf('😀')];
  expect(model.predict('1', '😀')).toBeCloseTo(model.model.score(user, item), 5);
});

test('an item that a user has twice is in its set once', async () => {
  const rows = [...syntheticInteractions({ users: 20, items: 15, ratings: 150 })];
  const twice = Interactions.from([...rows, rows[0]!], { duplicates: 'keep' });
  const model = new SVDpp({ rank: 2, epochs: 2, initScale: 0.5, clip: false });
  const { epochs } = await model.fit(twice, { validation: twice, metrics: ['rmse'] });
  expect(epochs[1]!.metrics.rmse).toBeLessThan(epochs[0]!.metrics.rmse!);
  // What validation has seen of the last epoch is what is served.
  const pairs = [...twice];
  const errors = pairs.map(({ userId, itemId, value }) => (model.predict(userId, itemId) - value!) ** 2);
  expect(Math.sqrt(errors.reduce((sum, e) => sum + e) / pairs.length)).toBeCloseTo(epochs[1]!.metrics.rmse!, 5);
});

test('goes on from a checkpoint, and after an abort has its last whole epoch', async () => {
  const options: SVDppOptions = { rank: 2, epochs: 4, initScale: 0.5 };
  const whole = new SVDpp(options);
  let kept: Uint8Array | undefined;
  const write = (bytes: Uint8Array) => {
    kept ??= bytes;
  };
  await whole.fit(odd, { checkpoint: { every: 2, write } });
  const resumed = new SVDpp(options);
  await resumed.fit(odd, { resume: kept! });
  expect([...resumed.predictMany(odd)]).toEqual([...whole.predictMany(odd)]);

  const aborted = new SVDpp(options);
  const controller = new AbortController();
  const onEpoch = () => controller.abort(new Error('enough'));
  await expect(aborted.fit(odd, { signal: controller.signal, onEpoch })).rejects.toThrow('enough');
  expect(aborted.isFitted).toBe(true);
});

test('any number of threads and either engine have the same bits, which are those of the definition', async () => {
  const data = syntheticInteractions({ users: 400, items: 90, ratings: 6000, seed: 3 });
  const bits = async (options: SVDppOptions) => {
    const model = new SVDpp({ epochs: 2, rank: 6, ...options });
    const { epochs } = await model.fit(data);
    const predictions = [...data].map(({ userId, itemId }) => model.predict(userId, itemId));
    return [epochs.map(({ trainLoss }) => trainLoss), ...predictions];
  };
  const alone = await bits({ threads: 1 });
  for (const threads of [2, 3, 4]) expect(await bits({ threads })).toEqual(alone);
  expect(await bits({ kernels: 'js' })).toEqual(alone);
});

test.each<[string, object]>([
  ['negatives', { negatives: 4, loss: 'logistic' }],
  ['negatives', { loss: 'bpr' }],
  ['grouping', { grouping: 4 }],
])('%s is refused', (option, options) => {
  expect(() => new SVDpp(options as never)).toThrow(UnsupportedError);
  expect(() => new SVDpp(options as never)).toThrow(option);
});

test('the tables that it has are those that overparam may name', () => {
  expect(() => new SVDpp({ overparam: { itemEmbeding: { kind: 'scalar' } } as never })).toThrow(OptionError);
});
