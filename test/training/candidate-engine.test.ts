// Steps of candidates: WebAssembly from end to end against the batches and the steps that it stands for, to the bit.

import fc from 'fast-check';
import { adadelta, adagrad, adam, ftrl, momentum, nesterov, rmsprop, sgd } from '../../src';
import { Stream } from '../../src/core/random';
import { MFModel } from '../../src/models/factorization';
import { cosine } from '../../src/optimizers/learning-rate';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { Penalty } from '../../src/parameters/parameter';
import { CandidateEngine } from '../../src/training/candidate-engine';
import { lossNamed } from '../../src/training/losses';
import type { NegativeSampling } from '../../src/training/negatives';
import { type StepOptions, startTraining } from '../../src/training/start-training';
import { NEVER_YIELD } from '../support/training';

const SIZE = 900;

interface Case {
  readonly loss?: 'bpr' | 'warp' | 'softmax' | 'logistic';
  readonly negatives?: number;
  readonly sampler?: NegativeSampling['sampler'];
  readonly batchSize?: number;
  readonly optimizer?: OptimizerConfig;
  readonly rank?: number;
  readonly biases?: boolean;
  readonly weighted?: boolean;
  readonly lambda?: number;
  readonly byFrequency?: boolean;
  readonly shuffle?: boolean;
  readonly users?: number;
  readonly items?: number;
}

function countsOf(index: Int32Array, rows: number): Int32Array {
  const counts = new Int32Array(rows);
  for (const row of index) counts[row]!++;
  return counts;
}

async function start(given: Case, options: Partial<StepOptions>, from?: MFModel) {
  const { loss = 'bpr', negatives: count = 1, sampler = 'uniform', batchSize = 1, rank = 6, biases = true } = given;
  const { weighted, lambda = 0.05, byFrequency = true, shuffle = true, users: U = 31, items: I = 47 } = given;
  const stream = Stream.of('candidates');
  // The last item is in no interaction; user 0 has every other one but the first.
  const draw = (n: number) => Int32Array.from({ length: SIZE }, () => stream.below(n));
  const [users, items] = [draw(U), draw(I - 1)];
  for (let item = 1; item + 1 < I && item < SIZE; item++) {
    users[item] = 0;
    items[item] = item;
  }
  for (let k = 0; k < SIZE; k++) if (users[k] === 0 && items[k] === 0) users[k] = 1;
  const weights = weighted ? Float32Array.from({ length: SIZE }, () => 2 * stream.uniform()) : null;
  const counts = { users: countsOf(users, U), items: countsOf(items, I) };
  const model = from ?? new MFModel({ users: U, items: I, rank, biases, initScale: 0.3, globalMean: 0.1, seed: 2 });
  const penalties = model.parameters.map((parameter) => {
    const of = parameter.name.startsWith('user') ? counts.users : counts.items;
    return new Penalty(parameter, lambda, byFrequency ? of : null);
  });
  const rule = resolveOptimizer(given.optimizer ?? sgd({ learningRate: cosine({ embedding: 0.05, bias: 0.03 }) }));
  const data = { size: SIZE, users, items, targets: new Float32Array(SIZE).fill(1), weights, counts };
  const negatives = { count, sampler, exponent: 0.75 };
  const how = { epochs: 3, batchSize, shuffle, stream: Stream.of('order'), negatives, ...options };
  const task = { model, loss: lossNamed(loss, I), optimizer: rule, penalties, data, options: how };
  return { model, training: await startTraining(task, NEVER_YIELD) };
}

const hex = (array: ArrayLike<number>) => Buffer.from(Float32Array.from(array).buffer).toString('hex');

function bitsOf(model: MFModel) {
  return model.parameters.flatMap(({ factors }) => factors.map(({ name, data }) => [name, hex(data)]));
}

async function trained(given: Case, options: Partial<StepOptions>) {
  const { model, training } = await start(given, options);
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  const state = await training.readState!(NEVER_YIELD);
  training.dispose?.();
  const slots = [...state.slots].map(([name, arrays]) => [name, arrays.map(hex)]);
  return { losses, steps: state.steps, slots, bits: bitsOf(model) };
}

const CASES: readonly [string, Case][] = [
  ['bpr', {}],
  ['bpr, batches', { batchSize: 16 }],
  ['bpr of many, batches', { negatives: 5, batchSize: 100 }],
  ['bpr, weights', { negatives: 2, batchSize: 7, weighted: true }],
  ['warp', { loss: 'warp', negatives: 8 }],
  ['warp of one', { loss: 'warp' }],
  ['warp, batches, weights', { loss: 'warp', negatives: 12, batchSize: 32, weighted: true, byFrequency: false }],
  ['softmax', { loss: 'softmax', negatives: 6 }],
  ['softmax, batches', { loss: 'softmax', negatives: 20, batchSize: 64, biases: false }],
  ['softmax by popularity', { loss: 'softmax', negatives: 6, sampler: 'popularity', batchSize: 10, weighted: true }],
  ['logistic', { loss: 'logistic', negatives: 4 }],
  ['logistic, batches', { loss: 'logistic', negatives: 4, batchSize: 25, weighted: true }],
  ['no penalty', { lambda: 0, batchSize: 9 }],
  ['a penalty alike for all', { byFrequency: false }],
  ['without biases', { biases: false }],
  ['in the order of the data', { shuffle: false, batchSize: 3 }],
  ['few items, many drawn', { items: 9, users: 200, negatives: 30, batchSize: 12 }],
  ['more to a step than there are', { batchSize: 5000 }],
  ['rank 1', { rank: 1 }],
  ['rank 32', { rank: 32, batchSize: 8 }],
  ['rank 33', { rank: 33 }],
  ['rank 64, popularity', { rank: 64, sampler: 'popularity' }],
  ['momentum', { optimizer: momentum({ learningRate: 0.01 }), batchSize: 4 }],
  ['nesterov', { optimizer: nesterov({ learningRate: 0.01, weightDecay: 0.02 }) }],
  ['adagrad', { optimizer: adagrad({ initialAccumulator: 0.1 }), batchSize: 4 }],
  ['adadelta', { optimizer: adadelta() }],
  ['rmsprop', { optimizer: rmsprop({ momentum: 0.5 }), loss: 'softmax', negatives: 3 }],
  ['ftrl', { optimizer: ftrl({ learningRate: 0.1 }), batchSize: 6 }],
  ['adam', { optimizer: adam({ learningRate: cosine(0.01) }) }],
  ['adam, batches', { optimizer: adam({ learningRate: cosine({ embedding: 0.01, bias: 0.02 }) }), batchSize: 50 }],
];

test.each(CASES)('%s: the bits of the steps of batches in JavaScript', async (_, given) => {
  const js = await trained(given, { kernels: 'js' });
  expect(await trained(given, { kernels: 'wasm' })).toEqual(js);
  expect((await start(given, { kernels: 'wasm' })).training).toBeInstanceOf(CandidateEngine);
});

const SHARED: readonly [string, Case][] = [
  ['bpr', {}],
  ['bpr, batches', { batchSize: 50, optimizer: adam() }],
  ['warp by popularity', { loss: 'warp', negatives: 5, sampler: 'popularity', batchSize: 7, weighted: true }],
  ['softmax', { loss: 'softmax', negatives: 9, batchSize: 16 }],
  ['logistic', { loss: 'logistic', negatives: 2, optimizer: adam() }],
];

describe.each([2, 3])('in %d parts', (parts) => {
  test.each(SHARED)('%s: the same bits on one, two and three threads, and in JavaScript', async (_, given) => {
    const js = await trained(given, { kernels: 'js', parts });
    expect(js.bits).not.toEqual((await trained(given, { kernels: 'js' })).bits);
    for (const threads of [1, 2, 3]) expect(await trained(given, { kernels: 'wasm', parts, threads })).toEqual(js);
  });
});

test('resumed where steps of batches have left, and the other way round', async () => {
  const given: Case = { optimizer: adam({ learningRate: cosine(0.01) }), batchSize: 8 };
  const whole = await trained(given, { kernels: 'js' });
  for (const [first, second] of [
    ['js', 'wasm'],
    ['wasm', 'js'],
  ] as const) {
    const before = await start(given, { kernels: first });
    await before.training.epoch(1, NEVER_YIELD);
    const state = await before.training.readState!(NEVER_YIELD);
    expect(state.steps).toBe(Math.ceil(SIZE / 8));
    before.training.dispose?.();
    const after = await start(given, { kernels: second }, before.model);
    await after.training.writeState!(state, NEVER_YIELD);
    await after.training.epoch(2, NEVER_YIELD);
    after.training.dispose?.();
    expect(bitsOf(after.model)).toEqual(whole.bits);
  }
});

test('any loss, rule, sampler and size: the same bits', async () => {
  const optimizers = [sgd({ learningRate: 0.05 }), adam(), adagrad(), momentum({ learningRate: 0.01 })];
  const cases = fc.record({
    loss: fc.constantFrom('bpr', 'warp', 'softmax', 'logistic'),
    negatives: fc.integer({ min: 1, max: 40 }),
    sampler: fc.constantFrom('uniform', 'popularity'),
    batchSize: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 80 })),
    optimizer: fc.constantFrom(...optimizers),
    rank: fc.integer({ min: 1, max: 40 }),
    biases: fc.boolean(),
    weighted: fc.boolean(),
    lambda: fc.constantFrom(0, 0.1),
    byFrequency: fc.boolean(),
    users: fc.integer({ min: 30, max: 60 }),
    items: fc.integer({ min: 40, max: 300 }),
  });
  const property = fc.asyncProperty(cases, async (given) => {
    expect(await trained(given, { kernels: 'wasm' })).toEqual(await trained(given, { kernels: 'js' }));
  });
  await fc.assert(property, { numRuns: 12 });
}, 60_000);

test('other tables, and rules that a step of a whole row needs, are trained by steps of batches', async () => {
  const { training } = await start({ optimizer: adagrad({ per: 'row' }) }, { kernels: 'wasm' });
  expect(training).not.toBeInstanceOf(CandidateEngine);
});
