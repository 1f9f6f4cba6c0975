// The fused steps against the steps they stand for: the same bits in every factor and in the loss.

import { Stream } from '../../src/core/random';
import { MFModel } from '../../src/models/mf';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { cosine } from '../../src/optimizers/schedule';
import { sgd } from '../../src/optimizers/sgd';
import type { Overparam } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/penalty';
import { fuse } from '../../src/training/fused';
import { LOSSES, squared } from '../../src/training/losses';
import { Trainer } from '../../src/training/trainer';

const USERS = 13;
const ITEMS = 9;
const SIZE = 1300;

interface Case {
  readonly overparam?: Overparam;
  readonly rank?: number;
  readonly biases?: boolean;
  readonly weighted?: boolean;
  readonly lambda?: number;
  readonly byFrequency?: boolean;
  readonly optimizer?: OptimizerConfig;
}

function counts(index: Int32Array, rows: number): Int32Array {
  const table = new Int32Array(rows);
  for (const row of index) table[row]!++;
  return table;
}

async function trained(given: Case, fused: boolean) {
  const { overparam = false, rank = 6, biases = true, weighted, lambda = 0.05, byFrequency, optimizer } = given;
  const stream = Stream.of('fused');
  const draw = (n: number) => Int32Array.from({ length: SIZE }, () => stream.below(n));
  const [users, items] = [draw(USERS), draw(ITEMS)];
  const targets = Float32Array.from({ length: SIZE }, () => stream.normal());
  const weights = weighted ? Float32Array.from({ length: SIZE }, () => stream.uniform()) : null;
  const model = new OverparamMFModel({
    users: USERS,
    items: ITEMS,
    rank,
    biases,
    overparam,
    initScale: 0.3,
    globalMean: 0.1,
  });
  const penalties = model.parameters.map((parameter) => {
    const [index, rows] = parameter.name.startsWith('user') ? ([users, USERS] as const) : ([items, ITEMS] as const);
    return new Penalty(parameter, lambda, byFrequency ? counts(index, rows) : null);
  });
  const rule = resolveOptimizer(optimizer ?? sgd({ learningRate: cosine({ embedding: 0.05, bias: 0.03, map: 0.02 }) }));
  const data = { size: SIZE, users, items, targets, weights };
  const options = { epochs: 2, batchSize: 1, shuffle: true, stream: Stream.of('order'), fused };
  const trainer = new Trainer(model, squared, rule, penalties, data, options);
  const losses = [(await trainer.epoch(1)).loss, (await trainer.epoch(2)).loss];
  const factors = model.parameters.flatMap((parameter) => parameter.factors);
  return { losses, bits: factors.map(({ name, data }) => [name, Buffer.from(data.buffer).toString('hex')]) };
}

test.each<[string, Case]>([
  ['plain', {}],
  ['scalar per row', { overparam: { kind: 'scalar', init: 2.53 } }],
  ['one side a product', { overparam: { itemEmbedding: { kind: 'scalar', init: -0.7 } } }],
  ['without biases', { overparam: { kind: 'scalar' }, biases: false }],
  ['weights', { overparam: { kind: 'scalar' }, weighted: true }],
  ['a penalty by frequency', { overparam: { kind: 'scalar' }, byFrequency: true }],
  ['no penalty', { lambda: 0 }],
  ['one rate, no schedule', { optimizer: sgd({ learningRate: 0.02 }) }],
  ['rank 1', { overparam: { kind: 'scalar' }, rank: 1 }],
  ['rank 33', { overparam: { kind: 'scalar' }, rank: 33 }],
])('%s', async (_, given) => {
  expect(await trained(given, true)).toEqual(await trained(given, false));
});

test('what has no fused loop is stepped one by one', () => {
  const shape = { users: 2, items: 2, rank: 2 };
  const scalar = new OverparamMFModel(shape);
  const rule = resolveOptimizer('sgd');
  expect(fuse(scalar, squared, rule, [])).not.toBeNull();
  expect(fuse(scalar, LOSSES.huber, rule, [])).toBeNull();
  expect(fuse(scalar, squared, resolveOptimizer('adam'), [])).toBeNull();
  expect(fuse(scalar, squared, resolveOptimizer(sgd({ weightDecay: 0.1 })), [])).toBeNull();
  expect(fuse(new MFModel({ ...shape, precision: 'float64' }), squared, rule, [])).toBeNull();
  for (const overparam of [
    { depth: 3 },
    { width: 2 },
    { scope: 'shared' },
    { kind: 'dense' },
    { biases: true },
  ] as const) {
    expect(fuse(new OverparamMFModel({ ...shape, overparam }), squared, rule, [])).toBeNull();
  }
});
