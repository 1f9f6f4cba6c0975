// Models of features that learn from what users have: beside each, items that its user does not have, by every loss that
// can do with those. What is kept from a user of a circle's items is what is recommended to that user.

import { OptionError, UnsupportedError } from '../../../src/core/errors';
import { Interactions } from '../../../src/data/interactions';
import { interactionFeatures } from '../../../src/data/pair-features';
import { tune } from '../../../src/evaluation/tune';
import { FM } from '../../../src/recommenders/features/fm';
import { circles, itemFeatures, SIZE } from './circles';
import { kinds } from './kinds';

const data = circles();
/** What was kept from them. */
const missing = Interactions.from(Array.from({ length: SIZE }, (_, u) => [`u${u}`, `i${u}`] as const));
const losses = {
  logistic: { negatives: 4 },
  bpr: { task: 'ranking' },
  warp: { task: 'ranking', loss: 'warp', negatives: 4 },
  softmax: { task: 'ranking', loss: 'softmax', negatives: { count: 4, sampler: 'popularity' } },
} as const;
const every = Object.keys(kinds).flatMap((kind) =>
  Object.keys(losses).map((loss) => [kind, loss as keyof typeof losses] as const),
);

describe.each(every)('%s, %s', (kind, loss) => {
  const make = (more: object = {}) =>
    kinds[kind]!.make({
      ...losses[loss],
      epochs: 20,
      batchSize: 16,
      ...(kind === 'WideDeep' ? { wide: null } : {}),
      ...more,
    });

  test('recommends what is missing from the circle', async () => {
    const model = make();
    const { epochs } = await model.fit(data);
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss / 2);
    const isFound = (u: number) => model.recommend(`u${u}`, { n: 1 })[0]!.itemId === `i${u}`;
    // What is missing is drawn as well, and may be learned as what is not wanted: a few of the 24. By chance it were two.
    expect(Array.from({ length: SIZE }, (_, u) => u).filter(isFound).length).toBeGreaterThanOrEqual(20);
    // Probabilities are those of logistic; an order has scores.
    const scores = model.recommend('u0', { n: SIZE, filterSeen: false }).map(({ score }) => score);
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(loss === 'logistic');
  });

  test('the same bits in either arithmetic, and from a checkpoint on', async () => {
    const short = { epochs: 3, overparam: { kind: 'dense' } } as const;
    const options = { itemFeatures, validation: missing, metrics: ['ndcg@5'] } as const;
    const whole = make({ ...short, kernels: 'wasm' });
    const history = await whole.fit(data, options);
    const stop = new AbortController();
    let bytes = new Uint8Array();
    const write = (given: Uint8Array) => {
      bytes = given.slice();
      stop.abort();
    };
    const cut = make({ ...short, kernels: 'js' }).fit(data, {
      ...options,
      signal: stop.signal,
      checkpoint: { every: 1, write },
    });
    await expect(cut).rejects.toThrow(/abort/i);
    const later = make({ ...short, kernels: 'wasm' });
    const { epochs } = await later.fit(data, { ...options, resume: bytes });
    const told = (list: typeof epochs) => list.map(({ trainLoss, metrics }) => [trainLoss, metrics]);
    expect(told(epochs)).toEqual(told(history.epochs));
    expect(later.save()).toEqual(whole.save());
    // What is known of the items is part of what was trained on.
    await expect(make(short).fit(data, { validation: missing, metrics: ['ndcg@5'], resume: bytes })).rejects.toThrow(
      'resume',
    );
  });
});

const ordering = (more: object = {}) => new FM({ task: 'ranking', rank: 4, epochs: 1, ...more });

test('validation tells how early the kept items are listed, and the best epoch is put back', async () => {
  const model = ordering({ epochs: 40, batchSize: 16, optimizer: { name: 'adam', learningRate: 0.02 } });
  const { epochs, bestEpoch } = await model.fit(data, { validation: missing, earlyStopping: { patience: 40 } });
  const lists = epochs.map(({ metrics }) => metrics['ndcg@10']!);
  expect(Math.max(...lists)).toBe(1);
  expect(lists[bestEpoch! - 1]).toBe(1);
  expect(lists[0]).toBeLessThan(0.9);
});

test('tune, which fits on interactions, finds the loss that lists best', async () => {
  const base = { task: 'ranking', epochs: 20, batchSize: 16, rank: 4 } as const;
  const space = {
    optimizer: [
      { name: 'adam', learningRate: 1e-5 },
      { name: 'adam', learningRate: 0.05 },
    ],
  };
  const { best } = await tune('fm', space, data, { trials: 2, base, metric: 'ndcg@10', validation: missing });
  expect(best.score).toBeGreaterThan(0.9);
});

test('what has no meaning is refused by name', async () => {
  expect(() => ordering({ loss: 'squared' })).toThrow(
    'loss is "squared"; want bpr, warp, softmax, as task is \'ranking\'',
  );
  expect(() => ordering({ negatives: false })).toThrow("loss 'bpr' compares");
  expect(() => new FM({ task: 'regression', negatives: 4 })).toThrow("loss 'squared' takes the values as they are");
  const rows = interactionFeatures(data);
  await expect(ordering().fit(rows)).rejects.toThrow(UnsupportedError);
  await expect(ordering().fit(rows)).rejects.toThrow('fit it on Interactions');
  const fits = [
    { metrics: ['ndcg@10', 'auc'], validation: missing },
    { earlyStopping: { metric: 'logloss' }, validation: missing },
    { validation: rows },
  ] as const;
  for (const options of fits) await expect(ordering().fit(data, options as never)).rejects.toThrow(OptionError);
  const ofRatings = ordering().fit(data, { metrics: ['rmse'], validation: missing });
  await expect(ofRatings).rejects.toThrow(UnsupportedError);
});
