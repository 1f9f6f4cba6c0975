// FM, DeepFM and Wide & Deep: scores by their formulas, and the gradient of every element of every parameter, whatever
// products these are.

import { Stream } from '../../src/core/random';
import type { FieldRange } from '../../src/data/feature-fields';
import type { FeatureBatch, FeatureModel, FeatureModelOptions } from '../../src/models/feature-models';
import { DeepFMModel, FMModel, WideDeepModel } from '../../src/models/feature-models';
import { logistic, squared } from '../../src/training/losses';
import { pulledBack, worstGradientError } from '../support/gradient-check';
import { nameOf, productSpecs } from '../support/product-specs';

const FIELDS: readonly FieldRange[] = [
  { name: 'city', kind: 'categorical', offset: 0, size: 3 },
  { name: 'age', kind: 'numeric', offset: 3, size: 1 },
  { name: 'tags', kind: 'multi', offset: 4, size: 3 },
  { name: 'city x age', kind: 'crossed', offset: 7, size: 2 },
];
const DIM = 2;
/** Rows with several features of a field, with none, with one twice; what lies beyond is not read. */
const BATCH: FeatureBatch = {
  count: 4,
  starts: Int32Array.of(0, 4, 6, 6, 9, 99),
  indices: Int32Array.of(0, 3, 4, 6, 2, 7, 4, 4, 8, 99),
  values: Float64Array.of(1, -0.5, 1, 2, 1, 1, 0.5, 1, 1, Number.NaN),
  targets: Float64Array.of(1, 0, 1, 0, Number.NaN),
  weights: Float64Array.of(1, 2, 0.5, 1, Number.NaN),
};
const DEEP = { hidden: [3, 2], activation: 'tanh', dropout: 0, batchNorm: false, pooling: 'mean' } as const;
const SHAPE: FeatureModelOptions = {
  fields: FIELDS,
  dim: DIM,
  initScale: 0.5,
  overparam: false,
  seed: 1,
  precision: 'float64',
};

const makers = {
  FM: (more: object = {}) => new FMModel({ ...SHAPE, ...more }),
  DeepFM: (more: object = {}) => new DeepFMModel({ ...SHAPE, ...DEEP, ...more }),
  WideDeep: (more: object = {}) => new WideDeepModel({ ...SHAPE, ...DEEP, wide: ['age', 'city x age'], ...more }),
};
type Name = keyof typeof makers;

/** Away from the start, as training leaves it. */
function scattered<M extends FeatureModel>(model: M): M {
  const stream = Stream.of(3);
  for (const { name, factors } of model.parameters)
    if (!name.endsWith('Statistics'))
      for (const { data } of factors) for (let i = 0; i < data.length; i++) data[i] = 0.7 * stream.normal();
  return model;
}

function scoresOf(model: FeatureModel, step = 1): Float64Array {
  const scores = new Float64Array(BATCH.count + 1).fill(Number.NaN);
  model.select(BATCH);
  model.forward(BATCH, scores, step);
  return scores;
}

/** The worst error of any gradient of the loss of the batch. */
function worst(model: FeatureModel, loss = logistic): { error: number; factor: string } {
  const { count, targets, weights } = BATCH;
  const gScores = new Float64Array(count);
  const objective = () => loss.evaluate({ scores: scoresOf(model), targets, weights, count }, gScores);
  objective();
  for (const parameter of model.parameters) parameter.clear();
  model.backward(BATCH, gScores);
  return worstGradientError(model.parameters, pulledBack(model.parameters), objective);
}

/** The features of a row, and its score by the formulas. */
function scoreByHand(name: Name, model: FeatureModel, row: number): number {
  const table = (parameter: string) => model.parameters.find((one) => one.name === parameter)!.collapse();
  const [v, w] = [table('embedding'), table('linear')];
  const entries = Array.from(BATCH.indices.subarray(BATCH.starts[row]!, BATCH.starts[row + 1]!), (i, k) => ({
    i,
    x: BATCH.values[BATCH.starts[row]! + k]!,
  }));
  let score = table('bias')[0]!;
  for (const { i, x } of entries) if (name !== 'WideDeep' || i === 3 || i > 6) score += w[i]! * x;
  if (name !== 'WideDeep')
    for (const [a, left] of entries.entries())
      for (const right of entries.slice(a + 1))
        for (let k = 0; k < DIM; k++) score += left.x * right.x * v[left.i * DIM + k]! * v[right.i * DIM + k]!;
  if (name === 'FM') return score;
  let layer: number[] = FIELDS.slice(0, name === 'DeepFM' ? 4 : 3).flatMap(({ offset, size }) => {
    const own = entries.filter(({ i }) => i >= offset && i < offset + size);
    return Array.from({ length: DIM }, (_, k) =>
      own.reduce((sum, { i, x }) => sum + (x * v[i * DIM + k]!) / own.length, 0),
    );
  });
  for (const deep of ['deep1', 'deep2', 'deepOutput']) {
    const weights = table(deep);
    const bias = deep === 'deepOutput' ? Float64Array.of(0) : table(`${deep}Bias`);
    layer = Array.from(bias, (shift, j) => layer.reduce((sum, x, l) => sum + x * weights[l * bias.length + j]!, shift));
    if (deep !== 'deepOutput') layer = layer.map(Math.tanh);
  }
  return score + layer[0]!;
}

describe.each(Object.keys(makers) as Name[])('%s', (name) => {
  const make = makers[name];

  test('scores are those of the formula, of these rows and no others', () => {
    const model = scattered(make());
    const scores = scoresOf(model);
    for (let s = 0; s < BATCH.count; s++) expect(scores[s]!).toBeCloseTo(scoreByHand(name, model, s), 12);
    expect(scores[BATCH.count]).toBeNaN();
  });

  test('starts at the same plain model whatever the product', () => {
    const plain = scoresOf(make());
    const product = scoresOf(make({ overparam: { kind: 'dense', depth: 3, init: 0.8 } }));
    for (let s = 0; s < BATCH.count; s++) expect(product[s]!).toBeCloseTo(plain[s]!, 10);
  });

  test('every gradient, squared loss', () => {
    expect(worst(scattered(make()), squared).error).toBeLessThanOrEqual(1e-6);
  });

  test.each(productSpecs(DIM, [1.5]).map((spec) => [nameOf(spec), spec] as const))('every gradient: %s', (_, spec) => {
    const { kind, scope, depth, width, init } = spec;
    // A dense product's width must fit the widest table that it is for.
    const product = { kind, scope, depth, init, width: kind === 'dense' ? Math.max(width, 3) : width, biases: true };
    expect(worst(scattered(make({ overparam: product }))).error).toBeLessThanOrEqual(1e-5);
  });
});

describe.each(['DeepFM', 'WideDeep'] as const)('%s', (name) => {
  test.each([
    [{ dropout: 0.4 }],
    [{ batchNorm: true }],
    [{ batchNorm: true, dropout: 0.3, pooling: 'sum', activation: 'sigmoid' }],
    [{ hidden: [] }],
    [{ overparam: { deep1: { kind: 'dense', depth: 3, width: 7 }, embedding: { kind: 'scalar' } }, batchNorm: true }],
  ])('every gradient: %j', (more) => {
    expect(worst(scattered(makers[name](more))).error).toBeLessThanOrEqual(1e-5);
  });

  test('predictions drop nothing, and take the averages of batch normalization', () => {
    const model = scattered(makers[name]({ dropout: 0.5 }));
    expect(scoresOf(model, 0)).toEqual(scoresOf(scattered(makers[name]()), 1));
    expect(scoresOf(model, 1)).not.toEqual(scoresOf(model, 0));
    expect(scoresOf(model, 1)).not.toEqual(scoresOf(model, 2));
    const normalized = scattered(makers[name]({ batchNorm: true }));
    expect(scoresOf(normalized, 1)).not.toEqual(scoresOf(normalized, 0));
  });
});

test('one product for all: embeddings, dense layers where it is dense, linear weights by biases', () => {
  const written = (overparam: unknown) =>
    makers
      .DeepFM({ overparam })
      .parameters.filter(({ factors }) => factors.length > 1)
      .map(({ name }) => name);
  expect(written({ kind: 'scalar' })).toEqual(['embedding']);
  expect(written({ kind: 'scalar', biases: true })).toEqual(['embedding', 'linear']);
  expect(written({ kind: 'dense' })).toEqual(['embedding', 'deep1', 'deep2', 'deepOutput']);
  expect(written({ deep2: { kind: 'diagonal' } })).toEqual(['deep2']);
  expect(() => written({ deep3: { kind: 'dense' } })).toThrow("overparam names no parameter 'deep3'");
});

test('a wide field that there is not', () => {
  expect(() => makers.WideDeep({ wide: ['size'] })).toThrow('wide names no field "size"; want some of city, age, tags');
});
