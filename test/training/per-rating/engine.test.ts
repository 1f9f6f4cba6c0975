// Training by pairs of rows: JavaScript and WebAssembly to the bit, on any number of threads, and both against the steps
// of batches that they stand for.

import { adadelta, adagrad, adam, ftrl, momentum, nesterov, rmsprop, sgd } from '../../../src';
import { Stream } from '../../../src/core/random';
import { OverparamMFModel } from '../../../src/models/overparam-mf';
import { cosine } from '../../../src/optimizers/learning-rate';
import type { OptimizerConfig } from '../../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../../src/optimizers/registry';
import type { Overparam } from '../../../src/parameters/overparam';
import { Penalty } from '../../../src/parameters/parameter';
import type { Loss } from '../../../src/training/losses';
import { LOSSES, sigmoidLink, squared } from '../../../src/training/losses';
import { type StepOptions, startTraining } from '../../../src/training/start-training';
import { NEVER_YIELD } from '../../support/training';

const USERS = 23;
const ITEMS = 19;
const SIZE = 1300;

interface Case {
  readonly overparam?: Overparam;
  readonly rank?: number;
  readonly biases?: boolean;
  readonly weighted?: boolean;
  readonly lambda?: number;
  readonly byFrequency?: boolean;
  readonly optimizer?: OptimizerConfig;
  readonly loss?: Loss;
  readonly grouping?: 1 | 4;
  readonly shuffle?: boolean;
}

function counts(index: Int32Array, rows: number): Int32Array {
  const table = new Int32Array(rows);
  for (const row of index) table[row]!++;
  return table;
}

async function trained(given: Case, engine: Partial<StepOptions>) {
  const { overparam = false, rank = 6, biases = true, weighted, lambda = 0.05, byFrequency, optimizer } = given;
  const { loss = squared, grouping = 1, shuffle = true } = given;
  const stream = Stream.of('pairs');
  const draw = (n: number) => Int32Array.from({ length: SIZE }, () => stream.below(n));
  const [users, items] = [draw(USERS), draw(ITEMS)];
  const targets = Float32Array.from({ length: SIZE }, () => stream.uniform());
  const weights = weighted ? Float32Array.from({ length: SIZE }, () => 2 * stream.uniform()) : null;
  const model = new OverparamMFModel({
    ...{ users: USERS, items: ITEMS, rank, biases, overparam },
    initScale: 0.3,
    globalMean: 0.1,
  });
  const penalties = model.parameters.map((parameter) => {
    const [index, rows] = parameter.name.startsWith('user') ? ([users, USERS] as const) : ([items, ITEMS] as const);
    return new Penalty(parameter, lambda, byFrequency ? counts(index, rows) : null);
  });
  const rule = resolveOptimizer(optimizer ?? sgd({ learningRate: cosine({ embedding: 0.05, bias: 0.03, map: 0.02 }) }));
  const data = { size: SIZE, users, items, targets, weights };
  const options = { epochs: 2, batchSize: 1, shuffle, stream: Stream.of('order'), grouping, ...engine };
  const training = await startTraining({ model, loss, optimizer: rule, penalties, data, options }, NEVER_YIELD);
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  training.dispose?.();
  const factors = model.parameters.flatMap((parameter) => parameter.factors);
  return {
    losses,
    values: factors.flatMap(({ data }) => [...data]),
    bits: factors.map(({ name, data }) => [name, Buffer.from(data.buffer).toString('hex')]),
  };
}

const scalar: Overparam = { kind: 'scalar', init: 1.7 };
const CASES: readonly [string, Case][] = [
  ['plain', {}],
  ['scalar per row', { overparam: scalar }],
  ['scalar of depth 4', { overparam: { kind: 'scalar', depth: 4, init: 1.2 } }],
  ['diagonal', { overparam: { kind: 'diagonal', init: 1.3 } }],
  ['diagonal of depth 3', { overparam: { kind: 'diagonal', depth: 3, init: 1.1 } }],
  [
    'sides of two kinds',
    { overparam: { itemEmbedding: { kind: 'scalar', init: -0.7 }, userEmbedding: { kind: 'diagonal' } } },
  ],
  ['a shared scalar', { overparam: { kind: 'scalar', scope: 'shared', init: 1.3 } }],
  ['shared scalars under adam', { overparam: { scope: 'shared', depth: 3 }, optimizer: adam({ weightDecay: 0.01 }) }],
  ['adagrad per row, a shared scalar', { overparam: { scope: 'shared' }, optimizer: adagrad({ per: 'row' }) }],
  ['a shared diagonal', { overparam: { kind: 'diagonal', scope: 'shared', init: 1.3 }, weighted: true }],
  [
    'shared diagonals of depth 3, slots that start above 0, long rows',
    {
      overparam: { kind: 'diagonal', scope: 'shared', depth: 3 },
      optimizer: adagrad({ initialAccumulator: 0.1 }),
      rank: 150,
    },
  ],
  [
    'a shared diagonal and scalars',
    { overparam: { itemEmbedding: { kind: 'diagonal', scope: 'shared' }, userEmbedding: { kind: 'scalar' } } },
  ],
  ['without biases', { overparam: scalar, biases: false }],
  ['weights', { overparam: scalar, weighted: true }],
  ['a penalty by frequency', { overparam: scalar, byFrequency: true }],
  ['no penalty', { lambda: 0 }],
  ['in the order of the data', { shuffle: false }],
  ['rank 1', { overparam: scalar, rank: 1 }],
  ['rank 4', { rank: 4 }],
  ['rank 33', { overparam: scalar, rank: 33 }],
  ['rank 128', { rank: 128 }],
  ['rank 150: rows walked in a loop', { overparam: scalar, rank: 150 }],
  ['rank 130 with slots', { overparam: { kind: 'diagonal' }, rank: 130, optimizer: adam() }],
  ['weight decay', { overparam: scalar, optimizer: sgd({ learningRate: 0.03, weightDecay: 0.01 }) }],
  ['momentum', { optimizer: momentum({ learningRate: 0.01 }) }],
  ['nesterov', { overparam: scalar, optimizer: nesterov({ learningRate: 0.01, weightDecay: 0.02 }) }],
  ['adagrad', { overparam: scalar, optimizer: adagrad({ initialAccumulator: 0.1 }) }],
  ['adagrad per row', { overparam: scalar, rank: 10, optimizer: adagrad({ per: 'row', initialAccumulator: 0.1 }) }],
  ['adagrad per row, groups', { grouping: 4, rank: 40, optimizer: adagrad({ per: 'row', weightDecay: 0.01 }) }],
  ['adagrad per row, long rows', { rank: 140, optimizer: adagrad({ per: 'row' }) }],
  ['adadelta', { optimizer: adadelta() }],
  ['rmsprop', { optimizer: rmsprop() }],
  [
    'rmsprop with momentum',
    { overparam: { kind: 'diagonal' }, optimizer: rmsprop({ momentum: 0.5, weightDecay: 0.1 }) },
  ],
  ['adam', { overparam: scalar, optimizer: adam({ learningRate: cosine(0.01) }) }],
  ['adam, averages that start late', { optimizer: adam({ beta1: 0.5, beta2: 0.99 }) }],
  ['ftrl', { optimizer: ftrl({ l1: 0.02, l2: 0.1, weightDecay: 0.01 }) }],
  ['ftrl of scalars', { overparam: scalar, optimizer: ftrl({ l1: 0.3, learningRate: { embedding: 0.1, map: 0.05 } }) }],
  ['ftrl of diagonals, groups', { grouping: 4, overparam: { kind: 'diagonal' }, optimizer: ftrl() }],
  ['absolute', { loss: LOSSES.absolute, weighted: true }],
  ['huber', { loss: LOSSES.huber }],
  ['logistic', { loss: LOSSES.logistic, weighted: true, overparam: scalar }],
  ['behind a sigmoid', { loss: sigmoidLink(0, 1).compose(squared), weighted: true }],
  ['groups', { grouping: 4 }],
  ['groups of scalars', { grouping: 4, overparam: scalar, weighted: true }],
  ['groups of diagonals under adam', { grouping: 4, overparam: { kind: 'diagonal', depth: 3 }, optimizer: adam() }],
];

test.each(CASES)('%s: WebAssembly is JavaScript, bit for bit', async (_, given) => {
  const js = await trained(given, { kernels: 'js' });
  const wasm = await trained(given, { kernels: 'wasm' });
  expect(wasm.losses).toEqual(js.losses);
  expect(wasm.bits).toEqual(js.bits);
});

test.each(CASES)('%s: the steps of batches come to the same', async (_, given) => {
  const pairs = await trained(given, { kernels: 'js' });
  const steps = await trained(given, { perRating: false });
  expect(pairs.losses[0]).toBeCloseTo(steps.losses[0]!, 5);
  // 2600 steps in float32, whose roundings differ: the largest value is about 1.
  for (const [k, value] of pairs.values.entries()) expect(Math.abs(value - steps.values[k]!)).toBeLessThan(2e-4);
});

test('what has no steps by pairs is trained by batches', async () => {
  for (const given of [
    { overparam: { scope: 'shared' }, grouping: 4 },
    { overparam: { kind: 'dense' } },
    { overparam: { width: 2 } },
    { overparam: { biases: true } },
    { optimizer: adagrad({ per: 'row' }), overparam: { kind: 'diagonal' } },
  ] as const) {
    const alone = await trained(given, { perRating: false });
    expect((await trained(given, {})).bits).toEqual(alone.bits);
  }
});
