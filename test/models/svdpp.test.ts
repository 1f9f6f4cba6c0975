// SVD++ as a model: scores by their formula, the gradient of every element of every table however it is a product, and
// the plain model that it collapses to.

import { OptionError } from '../../src/core/errors';
import type { UserBatch } from '../../src/models/svdpp';
import { SVDppModel } from '../../src/models/svdpp';

import { Penalty } from '../../src/parameters/parameter';
import { squared } from '../../src/training/losses';
import { SHAPE, scatter } from '../contract/models';
import { pulledBack, worstGradientError } from '../support/gradient-check';
import { nameOf, optionsOf, productSpecs } from '../support/product-specs';

/** Ratings of user 2, one of an item twice; its set has an item that the step does not name. */
const BATCH: UserBatch = {
  count: 3,
  users: Int32Array.of(2, 2, 2, 99),
  items: Int32Array.of(0, 3, 0, 99),
  set: Int32Array.of(3, 0, 4, 99),
  setCount: 3,
  targets: Float64Array.of(0.9, 0.4, 0.7, Number.NaN),
  weights: Float64Array.of(1, 0.5, 2, Number.NaN),
};
const SET = [3, 0, 4];

function scoreByHand(model: SVDppModel, user: number, item: number, set: readonly number[]): number {
  const { rank, userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias } = model;
  const [p, q, y] = [userEmbedding, itemEmbedding, implicitEmbedding].map((table) => table.collapse());
  let score = model.globalMean + (userBias?.collapse()[user] ?? 0) + (itemBias?.collapse()[item] ?? 0);
  for (let k = 0; k < rank; k++) {
    const sum = set.reduce((total, j) => total + y![j * rank + k]!, 0);
    const pooled = set.length === 0 ? 0 : sum / Math.sqrt(set.length);
    score += (p![user * rank + k]! + pooled) * q![item * rank + k]!;
  }
  return score;
}

const models: [string, () => SVDppModel][] = [
  ['plain', () => new SVDppModel({ ...SHAPE, precision: 'float64' })],
  ['without biases', () => new SVDppModel({ ...SHAPE, precision: 'float64', biases: false })],
  [
    'one table alone a product',
    () => new SVDppModel({ ...SHAPE, precision: 'float64', overparam: { implicitEmbedding: { kind: 'dense' } } }),
  ],
  ...productSpecs(SHAPE.rank, [1.5]).map((spec): [string, () => SVDppModel] => [
    nameOf(spec),
    () => new SVDppModel({ ...SHAPE, precision: 'float64', overparam: optionsOf(spec) }),
  ]),
];

describe.each(models)('%s', (_, make) => {
  test('scores by their formula; collapsed too', () => {
    const model = make();
    scatter(model);
    const sets = [[1], [], SET, [0, 1, 2, 3, 4]];
    const plain = model.collapse((user) => sets[user]!);
    for (const [user, set] of sets.entries())
      for (let item = 0; item < SHAPE.items; item++) {
        const wanted = scoreByHand(model, user, item, set);
        expect(model.score(user, item, set)).toBeCloseTo(wanted, 12);
        expect(plain.score(user, item)).toBeCloseTo(wanted, 12);
      }
    expect(plain.userFactors.shape).toEqual([SHAPE.users, SHAPE.rank]);
  });

  test('the gradient of every element of the objective with its penalty', () => {
    const model = make();
    scatter(model);
    const { count, setCount, users, items, targets, weights } = BATCH;
    const { rank, parameters } = model;
    const lambdas = parameters.map((_one, i) => 0.1 + 0.05 * i);
    const scores = new Float64Array(count);
    const gScores = new Float64Array(count);
    model.select(BATCH);
    const evaluate = () => {
      model.select(BATCH);
      model.forward(BATCH, scores);
      return squared.evaluate({ scores, targets, weights, count }, gScores);
    };
    const rowsOf = (name: string, s: number) => {
      if (name === 'implicitEmbedding') return [...BATCH.set.subarray(0, setCount)];
      return [name.startsWith('user') ? users[s]! : items[s]!];
    };
    // Every rating is penalized for each row that its score reads.
    const objective = (): number => {
      let sum = evaluate();
      for (const [i, parameter] of parameters.entries()) {
        const table = parameter.collapse();
        const cols = parameter.dim;
        for (let s = 0; s < count; s++)
          for (const row of rowsOf(parameter.name, s))
            for (let k = 0; k < cols; k++) sum += (lambdas[i]! / 2) * table[row * cols + k]! ** 2;
      }
      return sum / count;
    };
    evaluate();
    for (let s = 0; s < count; s++) gScores[s]! /= count;
    for (const [i, parameter] of parameters.entries()) new Penalty(parameter, lambdas[i]!, null).start(count);
    model.backward(BATCH, gScores);
    const gradients = pulledBack(parameters);
    expect(parameters.find(({ name }) => name === 'implicitEmbedding')!.dim).toBe(rank);
    expect(worstGradientError(parameters, gradients, objective).error).toBeLessThanOrEqual(1e-6);
  });
});

test('starts at the plain model of the same seed, with every table a product', () => {
  const shape = { users: 3, items: 4, rank: 2, seed: 5 };
  const [plain, product] = [false as const, { kind: 'diagonal', depth: 3, init: 2 } as const].map(
    (overparam) => new SVDppModel({ ...shape, overparam }),
  );
  for (const [i, parameter] of plain!.parameters.entries()) {
    const other = product!.parameters[i]!.collapse();
    for (const [at, value] of parameter.collapse().entries()) expect(other[at]).toBeCloseTo(value, 6);
  }
});

test('rows that it does not have are refused', () => {
  const model = new SVDppModel({ users: 2, items: 2, rank: 1 });
  expect(() => model.score(2, 0, [])).toThrow(OptionError);
  expect(() => model.score(0, 0, [2])).toThrow(OptionError);
  expect(() => new SVDppModel({ users: 2, items: 2, rank: 1, overparam: { y: { kind: 'scalar' } } as never })).toThrow(
    'userEmbedding, itemEmbedding, implicitEmbedding, userBias, itemBias',
  );
});
