// Training in WebAssembly's memory = training in ordinary memory, to the bit: every rule, kinds of product, batch sizes
// that fill no vector and that do, losses, weights, penalties by frequency. And afterwards nothing lies there.

import { Stream } from '../../src/core/random';
import { heapOf } from '../../src/kernels/heap';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import type { Optimizer, OptimizerConfig } from '../../src/optimizers/optimizer';
import { OPTIMIZER_NAMES, resolveOptimizer } from '../../src/optimizers/registry';
import type { Overparam } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/parameter';
import { logistic, sigmoidLink, squared } from '../../src/training/losses';
import { startTraining } from '../../src/training/start-training';
import { NEVER_YIELD, randomRatings } from '../support/training';

const SIZE = 300;
const shape = { users: 40, items: 30 };

interface Setting {
  readonly overparam?: Overparam;
  readonly rank?: number;
  readonly batchSize?: number;
  readonly optimizer?: OptimizerConfig | Optimizer;
  readonly loss?: typeof squared;
  readonly weighted?: boolean;
  readonly byFrequency?: boolean;
}

/** Trains two epochs; returns every factor and the losses. */
async function trained(kernels: 'wasm' | 'js', setting: Setting, look?: (model: OverparamMFModel) => void) {
  const { overparam = false, rank = 18, batchSize = 7, optimizer = { name: 'sgd', learningRate: 0.05 } } = setting;
  const model = new OverparamMFModel({ ...shape, rank, overparam, seed: 3 });
  const ratings = randomRatings(shape, SIZE, 'float32');
  const stream = Stream.of('weights');
  const weights = setting.weighted ? Float32Array.from({ length: SIZE }, () => stream.uniform()) : null;
  const counts = (rows: number) => Int32Array.from({ length: rows }, (_, row) => 1 + (row % 5));
  const penalties = model.parameters.map(
    (parameter) => new Penalty(parameter, 0.03, setting.byFrequency ? counts(parameter.rows) : null),
  );
  const loss = setting.loss ?? squared;
  const targets = loss === logistic ? ratings.targets.map((target) => (target > 0 ? 1 : 0)) : ratings.targets;
  const data = { ...ratings, targets, weights };
  const options = { epochs: 2, batchSize, shuffle: true, stream: Stream.of(1), pairs: false, kernels };
  const task = { model, loss, optimizer: resolveOptimizer(optimizer), penalties, data, options };
  const training = await startTraining(task, NEVER_YIELD);
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  look?.(model);
  training.dispose?.();
  return { losses, factors: model.parameters.flatMap(({ factors }) => factors.map(({ data }) => data)), model };
}

async function expectSame(setting: Setting): Promise<void> {
  const js = await trained('js', setting);
  const wasm = await trained('wasm', setting);
  expect(wasm.losses).toEqual(js.losses);
  for (const [i, factor] of js.factors.entries()) {
    const words = (array: ArrayBufferView) => new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4);
    expect(words(wasm.factors[i]!)).toEqual(words(factor));
    expect(factor.every(Number.isFinite)).toBe(true);
  }
}

const products: readonly [string, Overparam][] = [
  ['plain', false],
  ['scalar', { kind: 'scalar', biases: true }],
  ['scalar, deep and wide', { kind: 'scalar', depth: 4, width: 3 }],
  ['scalar, shared', { kind: 'scalar', scope: 'shared', biases: true }],
  ['diagonal', { kind: 'diagonal', biases: true }],
  ['diagonal, deep and wide', { kind: 'diagonal', depth: 3, width: 2 }],
  ['diagonal, shared', { kind: 'diagonal', scope: 'shared', depth: 3 }],
  ['dense', { kind: 'dense', width: 21 }],
  ['dense, deep', { kind: 'dense', depth: 4 }],
];

describe.each(products)('%s', (_, overparam) => {
  test.each([1, 7, 256])('batches of %p', (batchSize) => expectSame({ overparam, batchSize, byFrequency: true }));
});

describe.each(OPTIMIZER_NAMES)('%s', (name) => {
  test.each(products.slice(0, 2))('%s', (_, overparam) =>
    expectSame({ overparam, optimizer: { name, learningRate: name === 'adadelta' ? 1 : 0.02 } }),
  );
  test('weight decay', () => expectSame({ optimizer: { name, learningRate: 0.01, weightDecay: 0.02 }, batchSize: 64 }));
});

test('rules with options of their own', async () => {
  await expectSame({ optimizer: { name: 'adagrad', per: 'row' } });
  await expectSame({ optimizer: { name: 'rmsprop', momentum: 0.9 }, overparam: { kind: 'diagonal' } });
  await expectSame({ optimizer: { name: 'sgd', learningRate: { embedding: 0.02, bias: 0.05, map: 0.01 } } });
});

test("a caller's own rule works on the same memory", () => {
  const rule: Optimizer = {
    config: { name: 'half', learningRate: 0.01 },
    slots: [{ name: 'last', shape: 'row' }],
    update({ data, cols }, { ids, count, values }, [last]) {
      for (let i = 0; i < count; i++) {
        const row = ids === null ? i : ids[i]!;
        last![row] = values[i * cols]!;
        for (let k = 0; k < cols; k++) data[row * cols + k]! -= 0.005 * (values[i * cols + k]! + last![row]!);
      }
    },
  };
  return expectSame({ optimizer: rule, overparam: { kind: 'scalar' } });
});

test.each([1, 4, 16, 32, 67])('rank %p', (rank) => expectSame({ rank, batchSize: 100 }));

test('losses and weights', async () => {
  await expectSame({ loss: logistic, batchSize: 32 });
  await expectSame({ weighted: true, batchSize: 32 });
  await expectSame({ loss: sigmoidLink(-3, 6).compose(squared), weighted: true });
});

test('tables lie in the heap while training goes on, and in memory of their own after it', async () => {
  let inHeap = 0;
  const { factors, model } = await trained('wasm', { overparam: { kind: 'scalar' } }, ({ parameters }) => {
    for (const { factors, grads, values, slot } of parameters) {
      for (const array of [...factors.map(({ data }) => data), grads, values]) {
        expect(heapOf(array)).toBeDefined();
        inHeap++;
      }
      expect(slot.buffer).toBe(values.buffer);
    }
  });
  expect(inHeap).toBeGreaterThan(10);
  const arrays = [...factors, ...model.parameters.flatMap(({ grads, values, slot }) => [grads, values, slot])];
  for (const array of arrays) expect(array.buffer.byteLength).toBe(array.byteLength);
  for (const factor of factors) expect(heapOf(factor)).toBeUndefined();
  // A model goes on as before, and may be trained again.
  const score = model.score(1, 2);
  expect(Number.isFinite(score)).toBe(true);
});

test('kernels: js moves nothing', async () => {
  await trained('js', {}, ({ parameters }) => {
    for (const { grads } of parameters) expect(heapOf(grads)).toBeUndefined();
  });
});
