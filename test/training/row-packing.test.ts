// Batches that find the rows of a tile together train the same bits as batches on rows where they are, and leave every
// row in its own place: after an epoch, after an abort, in a checkpoint's state.

import { createHash } from 'node:crypto';
import { Stream } from '../../src/core/random';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import type { Overparam } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/parameter';
import { squared } from '../../src/training/losses';
import { startTraining } from '../../src/training/start-training';
import { NEVER_YIELD, randomRatings } from '../support/training';

const SIZE = 16_000;
// Tables of several blocks each, or there would be one tile and nothing to pack.
const shape = { users: 2600, items: 2300 };
const counts = (rows: number) => Int32Array.from({ length: rows }, (_, row) => 1 + (row % 5));

async function start(packing: boolean, overparam: Overparam, optimizer: OptimizerConfig) {
  const model = new OverparamMFModel({ ...shape, rank: 32, overparam, seed: 3 });
  const penalties = model.parameters.map((parameter) => new Penalty(parameter, 0.03, counts(parameter.rows)));
  const options = { epochs: 3, batchSize: 50, shuffle: true, stream: Stream.of(1), packing };
  const data = randomRatings(shape, SIZE, 'float32');
  const task = { model, loss: squared, optimizer: resolveOptimizer(optimizer), penalties, data, options };
  return { model, training: await startTraining(task, NEVER_YIELD) };
}

const bits = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
const factorsOf = (model: OverparamMFModel) =>
  model.parameters.flatMap(({ factors }) => factors.map(({ data }) => bits(data)));

async function trained(packing: boolean, overparam: Overparam, optimizer: OptimizerConfig) {
  const { model, training } = await start(packing, overparam, optimizer);
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  const { slots } = await training.readState!(NEVER_YIELD);
  training.dispose?.();
  return { losses, factors: factorsOf(model), slots: [...slots.values()].flat().map(bits) };
}

const sgd = { name: 'sgd', learningRate: 0.05 } as const;

test.each<[string, Overparam, OptimizerConfig]>([
  ['plain, sgd', false, sgd],
  ['scalars, adam', { kind: 'scalar', biases: true }, { name: 'adam', learningRate: 0.01 }],
  ['scalars, a root a row', { kind: 'scalar' }, { name: 'adagrad', learningRate: 0.05, per: 'row' } as OptimizerConfig],
  ['shared diagonal, momentum', { kind: 'diagonal', scope: 'shared' }, { name: 'momentum', learningRate: 0.02 }],
  ['dense, sgd', { kind: 'dense', width: 34 }, sgd],
])('%s: the same bits', async (_, overparam, optimizer) => {
  const packed = await trained(true, overparam, optimizer);
  expect(packed).toEqual(await trained(false, overparam, optimizer));
  expect(packed.losses[1]).toBeLessThan(packed.losses[0]!);
});

test('an abort in the middle of an epoch leaves every row in its place', async () => {
  const end = new AbortController();
  const run = async (packing: boolean) => {
    const { model, training } = await start(packing, false, sgd);
    let left = 100;
    const scheduler = {
      isDue: () => --left === 0,
      yieldNow: () => (left > 0 ? Promise.resolve() : Promise.reject(end.signal.reason)),
    };
    end.abort(new Error('enough'));
    await expect(training.epoch(1, scheduler)).rejects.toThrow('enough');
    training.dispose?.();
    return factorsOf(model);
  };
  expect(await run(true)).toEqual(await run(false));
});
