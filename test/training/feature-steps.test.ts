// Steps of FM of one row each, many in a call of WebAssembly = the same steps one by one in JavaScript, to the bit: every
// rule, products, ranks that fill no vector and that do, values that are not 1, weights, penalties, every pointwise loss.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import { FMModel } from '../../src/models/feature-models';
import { OPTIMIZER_NAMES, resolveOptimizer } from '../../src/optimizers/registry';
import type { Overparam } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/parameter';
import { FeatureBatcher } from '../../src/training/feature-batches';
import { featureSteps } from '../../src/training/feature-steps';
import { LOSSES, type LossName } from '../../src/training/losses';
import { OptimizerSink } from '../../src/training/optimizer-sink';
import { Stepper } from '../../src/training/stepper';
import { NEVER_YIELD } from '../support/training';

const FEATURES = 17;
const SIZE = 100;

interface Case {
  readonly rank: number;
  readonly optimizer: { readonly name: string };
  readonly overparam: Overparam<string>;
  readonly loss: LossName;
  readonly isOneHot: boolean;
  readonly isWeighted: boolean;
  /** Strengths of the penalties of embeddings and linear weights, constant or by frequency. */
  readonly penalties: readonly [number, number];
  readonly byFrequency: boolean;
  readonly initScale?: number;
  readonly seed: number;
}

/** Rows of 0 to 8 features, in ascending order. */
function rowsOf({ isOneHot, isWeighted, loss, seed }: Case) {
  const stream = Stream.of(seed);
  const [starts, indices, values]: [number[], number[], number[]] = [[0], [], []];
  for (let s = 0; s < SIZE; s++) {
    for (let feature = stream.below(4); feature < FEATURES; feature += 1 + stream.below(5)) {
      indices.push(feature);
      values.push(isOneHot ? 1 : 0.5 * stream.normal());
    }
    starts.push(indices.length);
  }
  const label = () => (loss === 'logistic' ? stream.below(2) : stream.normal());
  return {
    size: SIZE,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
    targets: Float32Array.from({ length: SIZE }, label),
    weights: isWeighted ? Float32Array.from({ length: SIZE }, () => 2 * stream.uniform()) : null,
  };
}

async function trained(given: Case, kernels: 'js' | 'wasm') {
  const { rank, overparam, seed, byFrequency, penalties: strengths, initScale = 0.2 } = given;
  const fields = [{ name: 'all', kind: 'multi', offset: 0, size: FEATURES }] as const;
  const model = new FMModel({ fields, dim: rank, initScale, overparam, seed, precision: 'float32' });
  const counts = byFrequency ? Int32Array.from({ length: FEATURES }, (_, row) => 1 + row) : null;
  const [embedding, linear] = strengths;
  const penalties = [new Penalty(model.embedding, embedding, counts), new Penalty(model.linear, linear, counts)];
  const optimizer = resolveOptimizer(given.optimizer as never);
  const data = rowsOf(given);
  const batcher = new FeatureBatcher(data, Stream.of('order'), true);
  await batcher.prepare(NEVER_YIELD);
  model.reserve(1, batcher.featuresIn(1));
  const sink = new OptimizerSink([{ optimizer, parameters: model.parameters }]);
  const loss = LOSSES[given.loss];
  const many = featureSteps(model, loss, optimizer, penalties, batcher);
  const steps = { epochs: 2, batchSize: 1 };
  const training = new Stepper(model, loss, penalties, batcher, sink, data, 1, steps, kernels, null, many);
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  const { slots, steps: made } = await training.readState();
  training.dispose();
  const words = (array: ArrayBufferView) =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('hex');
  const factors = model.parameters.flatMap((parameter) => parameter.factors);
  return {
    isWritten: many !== null,
    state: {
      losses,
      made,
      factors: factors.map(({ name, data }) => [name, words(data)]),
      slots: [...slots].map(([name, arrays]) => [name, arrays.map(words)]),
    },
    isFinite: factors.every(({ data }) => data.every(Number.isFinite)),
  };
}

const rate = { learningRate: { schedule: 'cosine', rate: { embedding: 0.01, linear: 0.02, map: 0.005, bias: 0.01 } } };
const constant = { learningRate: rate.learningRate.rate };
const rules = [
  ...OPTIMIZER_NAMES.map((name) => ({
    name,
    ...(name === 'ftrl' ? { ...constant, l1: 0.01 } : rate),
    weightDecay: 0.01,
  })),
  ...OPTIMIZER_NAMES.map((name) => ({ name })),
  { name: 'adagrad', per: 'row', initialAccumulator: 0.1, ...rate },
  { name: 'adagrad', per: 'row', weightDecay: 0.01 },
  { name: 'rmsprop', momentum: 0.5 },
] as const;
const products: readonly Overparam<string>[] = [
  false,
  { kind: 'scalar', init: 1.2 },
  { kind: 'scalar', depth: 4, init: 1.1 },
  { kind: 'diagonal', init: 1.2 },
  { kind: 'diagonal', depth: 3 },
];
const cases: fc.Arbitrary<Case> = fc.record({
  rank: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4, 8, 16, 32, 64, 127, 128)),
  optimizer: fc.constantFrom(...rules),
  overparam: fc.constantFrom(...products),
  loss: fc.constantFrom('squared', 'logistic', 'absolute', 'huber'),
  isOneHot: fc.boolean(),
  isWeighted: fc.boolean(),
  penalties: fc.constantFrom([0, 0], [0.01, 0], [0, 0.02], [0.01, 0.02]),
  byFrequency: fc.boolean(),
  seed: fc.nat(),
});

test('many steps in a call of WebAssembly are those one by one, to the bit', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      const isLeftOut = 'per' in given.optimizer && (given.overparam as { kind?: string }).kind === 'diagonal';
      const [js, wasm] = [await trained(given, 'js'), await trained(given, 'wasm')];
      fc.pre(js.isFinite);
      expect(wasm.state).toEqual(js.state);
      expect(wasm.isWritten).toBe(!isLeftOut);
    }),
    { numRuns: 25 },
  );
}, 120_000);

const plain: Case = {
  ...{ rank: 6, optimizer: { name: 'sgd' }, overparam: false, loss: 'squared', isOneHot: true, isWeighted: false },
  ...{ penalties: [0, 0], byFrequency: false, seed: 1 },
};

test('what has no program goes one by one, with the same bits', async () => {
  for (const given of [
    { rank: 129 },
    { overparam: { kind: 'dense' } },
    { overparam: { scope: 'shared' } },
    { overparam: { biases: true } },
  ] as const) {
    const [js, wasm] = [await trained({ ...plain, ...given }, 'js'), await trained({ ...plain, ...given }, 'wasm')];
    expect(wasm.isWritten).toBe(false);
    expect(wasm.state).toEqual(js.state);
  }
});

test('a slope of 0 leaves the pairs out', async () => {
  // Scores so large that many probabilities are 1.
  const given: Case = { ...plain, loss: 'logistic', initScale: 5, penalties: [0.1, 0.1], optimizer: { name: 'adam' } };
  const [js, wasm] = [await trained(given, 'js'), await trained(given, 'wasm')];
  expect(wasm.state).toEqual(js.state);
});
