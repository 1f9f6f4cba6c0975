// What is served is finite: fits over odd options and data answer and save, or reject with what was at fault.

import { outcomeOf, trials } from '../../benchmarks/faults/fit-trials';
import { DataError, DivergenceError, OpmfError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import type { Optimizer } from '../../src/optimizers/optimizer';
import { rmsprop } from '../../src/optimizers/rmsprop';
import { sgd } from '../../src/optimizers/sgd';
import { ALS } from '../../src/recommenders/als';
import { EASE } from '../../src/recommenders/item-based/ease';
import { MF } from '../../src/recommenders/mf';
import { NeuralCF } from '../../src/recommenders/neural/neural-cf';
import { NMF } from '../../src/recommenders/nmf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import type { Recommender } from '../../src/recommenders/recommender';
import { SVDpp } from '../../src/recommenders/svdpp';

const data = syntheticInteractions({ users: 24, items: 30, ratings: 260 });
const sparse = syntheticInteractions({ users: 24, items: 90, ratings: 260 });
const withWeights = (weightOf: (k: number) => number) =>
  Interactions.from([...data].map((row, k) => ({ ...row, weight: weightOf(k) })));
const withValues = (change: (value: number) => number) =>
  Interactions.from([...data].map((row) => ({ ...row, value: change(row.value!) })));

test('a sample of the campaign of benchmarks/faults/fits.ts', async () => {
  const faults: string[] = [];
  let fitted = 0;
  for (const trial of trials(240, 1)) {
    const { end, fault } = await outcomeOf(trial);
    if (end === 'fitted') fitted++;
    if (fault !== undefined) faults.push(`${trial.name} on ${trial.data}: ${fault} ${JSON.stringify(trial.options)}`);
  }
  expect(faults).toEqual([]);
  expect(fitted).toBeGreaterThan(100);
}, 120_000);

/** A rule that leaves every factor at a size whose products are beyond float32. */
const giant = (size: number): Optimizer =>
  ({
    config: { name: 'giant', learningRate: 1 },
    slots: [],
    update: ({ data: values }: { data: Float32Array | Float64Array }) => values.fill(size),
  }) as never;

test.each<[string, Recommender]>([
  ['MF', new MF({ rank: 3, epochs: 1, optimizer: giant(1e25) })],
  ['MF, sigmoid', new MF({ rank: 3, epochs: 1, optimizer: giant(1e25), link: 'sigmoid' })],
  ['OverparamMF', new OverparamMF({ rank: 3, epochs: 1, optimizer: giant(1e25) })],
  [
    'OverparamMF, depth 4',
    new OverparamMF({ rank: 3, epochs: 1, optimizer: giant(1e12), overparam: { kind: 'scalar', depth: 4 } }),
  ],
  ['SVDpp', new SVDpp({ rank: 3, epochs: 1, optimizer: giant(1e25) })],
  [
    'NeuralCF',
    new NeuralCF({ rank: 2, embeddingDim: 2, hidden: [2], epochs: 1, negatives: 1, optimizer: giant(1e25) }),
  ],
])('%s: tables that are finite, and whose products are not, are refused and not served', async (_, model) => {
  const error: unknown = await model.fit(sparse).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DivergenceError);
  expect(model.isFitted).toBe(false);
});

test.each([1, 2, 3])('link sigmoid, rmsprop at 1e4, scalar depth 4, seed %p: finite, or a divergence', async (seed) => {
  const options = { rank: 8, link: 'sigmoid', optimizer: rmsprop({ learningRate: 1e4 }), seed, epochs: 3 } as const;
  const model = new OverparamMF({ ...options, overparam: { kind: 'scalar', depth: 4 } });
  const error: unknown = await model.fit(data).catch((thrown: unknown) => thrown);
  if (error instanceof Error) expect(error).toBeInstanceOf(DivergenceError);
  else for (const prediction of model.predictMany(data)) expect(Number.isFinite(prediction)).toBe(true);
});

test.each([1e3, 1e15, 1e18, 1e25, 1e38])('NMF from an initRange of %p', async (initRange) => {
  for (const solver of ['multiplicative', 'gradient'] as const) {
    const model = new NMF({ rank: 3, epochs: 3, solver, initRange });
    const error: unknown = await model.fit(data).catch((thrown: unknown) => thrown);
    if (error instanceof Error) {
      expect(error).toBeInstanceOf(DivergenceError);
      expect(error.message).not.toMatch(/learning rate 0[^.]/);
    } else expect(NMF.load(model.save()).predictMany(data)).toEqual(model.predictMany(data));
  }
});

describe('a divergence names what was at fault', () => {
  const reasonOf = async (fitted: Interactions, options: object) => {
    const error: unknown = await new MF({ rank: 3, epochs: 5, ...options }).fit(fitted).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DivergenceError);
    return error as DivergenceError;
  };

  test('the rate', async () => {
    const error = await reasonOf(data, { optimizer: sgd({ learningRate: 1e6 }) });
    expect(error.reason).toBe('learningRate');
    expect(error.message).toContain('lower learningRate');
  });

  test('weights', async () => {
    const error = await reasonOf(
      withWeights((k) => (k === 7 ? 1e6 : 1)),
      { optimizer: giant(1e25) },
    );
    expect(error.reason).toBe('weights');
    expect(error.message).toContain('weights of the data reach 260 times their mean');
  });

  test('values', async () => {
    const large = withValues((value) => value * 1e6);
    const error = await reasonOf(large, { standardize: false, optimizer: sgd({ learningRate: 0.05 }) });
    expect(error.reason).toBe('values');
    expect(error.message).toContain('values of the data reach');
  });
});

test('EASE of hardly any regularization, ALS of hardly any, and values at the end of float32', async () => {
  const fits = [
    new EASE({ regularization: 1e-300 }).fit(data),
    new ALS({ rank: 40, regularization: 1e-300, unobservedWeight: 0 }).fit(data),
    new ALS({ rank: 3, feedback: 'explicit' }).fit(withValues((value) => value * 6e37)),
    new MF({ rank: 3 }).fit(withValues((value) => value * 6e37)),
  ];
  for (const outcome of await Promise.allSettled(fits)) {
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OpmfError);
  }
});

test('a history of values at the end of float32 is refused where its scores would not be finite', async () => {
  const model = new MF({ rank: 3, epochs: 3 });
  await model.fit(data);
  const [item, user] = [data.items.idOf(0), data.users.idOf(0)];
  expect(() => model.foldInUser([[item, 3e38]])).toThrow(DataError);
  expect(() => model.foldInItem([[user, 3e38]])).toThrow(DataError);
  const before = model.save();
  await expect(model.partialFit(Interactions.from([['new', item, 3e38]]))).rejects.toThrow(DataError);
  expect(model.save()).toEqual(before);
});
