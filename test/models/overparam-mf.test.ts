// The factorization over products: it starts at the plain one, and collapses to a plain one with equal predictions.

import type { Factorization } from '../../src/models/factorization';
import { MFModel } from '../../src/models/factorization';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import { adam } from '../../src/optimizers/adam';
import { sgd } from '../../src/optimizers/sgd';
import type { Precision } from '../../src/parameters/parameter';
import { faultOf } from '../support/fault-of';
import { EPSILON, PRECISIONS } from '../support/numbers';
import { nameOf, optionsOf, productSpecs } from '../support/product-specs';
import { relativeError } from '../support/relative-error';
import { randomRatings, trainOnce } from '../support/training';

const shape = { users: 7, items: 6, rank: 4, globalMean: 0.3, seed: 5 } as const;
const specs = productSpecs(shape.rank, [1.5]).map((spec) => [nameOf(spec), optionsOf(spec)] as const);
const plain = [['depth 1', { kind: 'scalar', depth: 1, width: 1 }]] as const;

function allScores(model: Factorization): Float64Array {
  return Float64Array.from({ length: model.users * model.items }, (_, i) =>
    model.score(Math.floor(i / model.items), i % model.items),
  );
}

describe.each([...plain, ...specs])('%s', (_, overparam) => {
  const make = (precision: Precision = 'float32') => new OverparamMFModel({ ...shape, precision, overparam });

  test.each(PRECISIONS)('starts at the plain model of the same seed: %s', (precision) => {
    const start = new MFModel({ ...shape, precision });
    // c n eps: the terms of a row's products, one product after another.
    const bound = 2 * (overparam.depth ?? 1) * (overparam.width ?? 1) * EPSILON[precision];
    expect(relativeError(allScores(make(precision)), allScores(start), 0.1)).toBeLessThan(bound);
    expect(relativeError(make(precision).userFactors.data, start.userFactors.data, 0.01)).toBeLessThan(bound);
  });

  test('collapses after training to a plain model with equal predictions, in memory of its own', async () => {
    for (const optimizer of [sgd({ learningRate: 0.05 }), adam({ learningRate: 0.02 })]) {
      const model = make();
      const start = allScores(model);
      await trainOnce(model, randomRatings(shape, 120, 'float32'), optimizer, 4);
      const scores = allScores(model);
      expect(relativeError(scores, start)).toBeGreaterThan(0.01);
      const collapsed = model.collapse();
      expect(collapsed).toBeInstanceOf(MFModel);
      expect(collapsed.parameters.every(({ factors }) => factors.length === 1)).toBe(true);
      expect(collapsed.globalMean).toBe(model.globalMean);
      // Beside the largest terms of a score: terms of both signs may cancel in their sum.
      expect(relativeError(allScores(collapsed), scores, 0.1)).toBeLessThanOrEqual(1e-5);
      for (const { factors } of collapsed.parameters) factors[0]!.data.fill(99);
      expect(allScores(model)).toEqual(scores);
    }
  });

  test('collapses exactly in float64', async () => {
    const model = make('float64');
    await trainOnce(model, randomRatings(shape, 120, 'float64'), sgd({ learningRate: 0.05 }), 4);
    expect(model.collapse().userFactors.data).toBeInstanceOf(Float64Array);
    expect(relativeError(allScores(model.collapse()), allScores(model), 0.1)).toBeLessThan(1e-14);
  });
});

test('views are of the product, and of the table itself where it is plain', () => {
  const model = new OverparamMFModel({ ...shape, overparam: { userEmbedding: { kind: 'scalar', init: 2 } } });
  expect([...model.userFactors.data]).toEqual([...model.userEmbedding.collapse()]);
  expect(model.userFactors.data).not.toBe(model.userEmbedding.factors[0]!.data);
  expect(model.itemFactors.data).toBe(model.itemEmbedding.factors[0]!.data);
  expect(model.userFactors.shape).toEqual([7, 4]);
});

test('collapse carries a global mean that was set after the start', () => {
  const model = new OverparamMFModel(shape);
  model.globalMean = -2;
  expect(model.collapse().globalMean).toBe(-2);
  expect(model.collapse().score(0, 0)).toBeCloseTo(model.score(0, 0), 6);
});

test('the default is a scalar for each row of the embeddings, none for the biases', () => {
  const { parameters } = new OverparamMFModel(shape);
  expect(parameters.map(({ factors }) => factors.map(({ name, rows, cols }) => `${name} ${rows} x ${cols}`))).toEqual([
    ['userEmbedding 7 x 4', 'userEmbedding.map1 7 x 1'],
    ['itemEmbedding 6 x 4', 'itemEmbedding.map1 6 x 1'],
    ['userBias 7 x 1'],
    ['itemBias 6 x 1'],
  ]);
});

test('embeddings of rank 1 are products as well', () => {
  const model = new OverparamMFModel({ users: 3, items: 3, rank: 1 });
  expect(model.parameters.map(({ factors }) => factors.length)).toEqual([2, 2, 1, 1]);
});

test.each([
  [undefined, 'users', 'users is undefined; want a whole number'],
  [null, 'users', 'users is undefined; want a whole number'],
  [{ ...shape, overparam: true }, 'overparam', 'overparam is true; want false, an object'],
  [{ ...shape, overparam: { kind: 'dense', width: 3 } }, 'overparam.width', 'overparam.width is 3; want at least 4'],
  [
    { ...shape, overparam: { userEmbeding: {} } },
    'overparam.userEmbeding',
    "OverparamMFModel: overparam names no parameter 'userEmbeding'",
  ],
  [{ ...shape, biases: false, overparam: { userBias: {} } }, 'overparam.userBias', "names no parameter 'userBias'"],
  [{ ...shape, rnk: 2 }, 'rnk', "OverparamMFModel: unknown option 'rnk'; did you mean 'rank'?"],
])('%p is refused', (given, option, message) => {
  const fault = faultOf(() => new OverparamMFModel(given as never));
  expect(fault.option).toBe(option);
  expect(fault.message).toContain(message);
});
