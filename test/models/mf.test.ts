// The plain factorization: its formula, its views, its start and its options.

import { MFModel } from '../../src/models/factorization';
import { scatter, scoreByHand } from '../contract/models';
import { faultOf } from '../support/fault-of';

const shape = { users: 4, items: 5, rank: 3 } as const;

test('score(u, i) = mu + b_u + b_i + <p_u, q_i>, by hand', () => {
  const model = new MFModel({ users: 2, items: 2, rank: 2, globalMean: 3, precision: 'float64' });
  model.userEmbedding.assign(Float64Array.of(1, 2, 3, 4));
  model.itemEmbedding.assign(Float64Array.of(5, 6, 7, 8));
  model.userBias!.assign(Float64Array.of(0.5, -0.5));
  model.itemBias!.assign(Float64Array.of(0.25, 0.125));
  expect(model.score(0, 0)).toBe(3 + 0.5 + 0.25 + 5 + 12);
  expect(model.score(1, 1)).toBe(3 - 0.5 + 0.125 + 21 + 32);
  model.globalMean = 0;
  expect(model.score(0, 1)).toBe(0.5 + 0.125 + 7 + 16);
});

test('without biases it is mu + <p_u, q_i>, and the biases read as zeros', () => {
  const model = new MFModel({ ...shape, biases: false, globalMean: 1, precision: 'float64' });
  scatter(model);
  expect(model.parameters.map(({ name }) => name)).toEqual(['userEmbedding', 'itemEmbedding']);
  expect([model.userBias, model.itemBias]).toEqual([null, null]);
  expect([...model.userBiases, ...model.itemBiases]).toEqual(new Array(9).fill(0));
  expect(model.score(3, 4)).toBeCloseTo(scoreByHand(model, 3, 4), 12);
});

test('the parameters are the four tables, in order and in their groups', () => {
  const { parameters } = new MFModel(shape);
  expect(parameters.map(({ name, rows, dim, factors }) => [name, rows, dim, factors[0]!.group])).toEqual([
    ['userEmbedding', 4, 3, 'embedding'],
    ['itemEmbedding', 5, 3, 'embedding'],
    ['userBias', 4, 1, 'bias'],
    ['itemBias', 5, 1, 'bias'],
  ]);
});

describe('views', () => {
  test('are ndarrays over the memory of the tables: nothing is copied, and writes are seen', () => {
    const model = new MFModel(shape);
    const { userFactors, itemFactors, userBiases, itemBiases } = model;
    expect([userFactors.shape, itemFactors.shape]).toEqual([
      [4, 3],
      [5, 3],
    ]);
    expect([userFactors.stride, userFactors.offset]).toEqual([[3, 1], 0]);
    expect(userFactors.data).toBe(model.userEmbedding.factors[0]!.data);
    expect(itemFactors.data).toBe(model.itemEmbedding.factors[0]!.data);
    expect(userBiases).toBe(model.userBias!.factors[0]!.data);
    expect(itemBiases).toBe(model.itemBias!.factors[0]!.data);
    expect(userFactors.data).toBeInstanceOf(Float32Array);
    const before = model.score(1, 2);
    userBiases[1] = 10;
    expect(model.score(1, 2)).toBeCloseTo(before + 10, 5);
    userFactors.set(1, 0, 100);
    expect(model.userEmbedding.collapse()[3]).toBe(100);
  });
  test('are float64 where the model is', () => {
    const model = new MFModel({ ...shape, precision: 'float64' });
    expect(model.userFactors.data).toBeInstanceOf(Float64Array);
    expect(model.itemBiases).toBeInstanceOf(Float64Array);
  });
});

describe('the start', () => {
  test('is a function of the seed: embeddings normal, biases 0', () => {
    const big = { users: 400, items: 300, rank: 20, initScale: 0.2 };
    const model = new MFModel({ ...big, seed: 7 });
    const values = Array.from(model.userEmbedding.collapse());
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.2 * (4.9 / Math.sqrt(values.length)));
    expect(Math.abs(variance / 0.04 - 1)).toBeLessThan(4.9 * Math.sqrt(2 / values.length));
    expect(model.userBiases.every((b) => b === 0)).toBe(true);
    expect(new MFModel({ ...big, seed: '7' }).userEmbedding.collapse()).toEqual(model.userEmbedding.collapse());
    expect(new MFModel({ ...big, seed: 8 }).userEmbedding.collapse()).not.toEqual(model.userEmbedding.collapse());
  });
  test('users do not start as items do', () => {
    const model = new MFModel({ users: 4, items: 4, rank: 3 });
    expect(model.userEmbedding.collapse()).not.toEqual(model.itemEmbedding.collapse());
  });
  test('initScale 0 is a model of biases at 0', () => {
    const model = new MFModel({ ...shape, initScale: 0, globalMean: 3.5 });
    expect(model.score(0, 0)).toBe(3.5);
  });
});

describe('options', () => {
  test('have defaults', () => {
    const model = new MFModel({ users: 2, items: 3 });
    expect([model.users, model.items, model.rank, model.globalMean]).toEqual([2, 3, 32, 0]);
    expect(model.userBias).not.toBeNull();
  });
  test.each([
    [undefined, 'users', 'users is undefined; want a whole number of at least 1: the number of rows of the table'],
    [{ users: 2 }, 'items', 'items is undefined; want a whole number of at least 1: the number of rows of the table'],
    [{ users: 0, items: 1 }, 'users', 'users is 0; want a whole number from 1'],
    [{ ...shape, items: 2.5 }, 'items', 'items is 2.5; want a whole number from 1'],
    [{ ...shape, rank: 0 }, 'rank', 'rank is 0; want a whole number from 1'],
    [{ ...shape, biases: 0 }, 'biases', 'biases is 0; want true or false'],
    [{ ...shape, seed: Number.NaN }, 'seed', 'seed is NaN; want a finite number or a string'],
    [{ ...shape, initScale: -1 }, 'initScale', 'initScale is -1; want a finite number of at least 0'],
    [{ ...shape, globalMean: Infinity }, 'globalMean', 'globalMean is Infinity; want a finite number'],
    [{ ...shape, precision: 'float16' }, 'precision', 'precision is "float16"; want one of float32, float64'],
    [{ ...shape, overparam: false }, 'overparam', "MFModel: unknown option 'overparam'; known options: users, items"],
    [{ ...shape, rnk: 3 }, 'rnk', "MFModel: unknown option 'rnk'; did you mean 'rank'?"],
    [null, 'options', 'MFModel: options is null; want an object'],
  ])('%p is refused', (given, option, message) => {
    const fault = faultOf(() => new MFModel(given as never));
    expect(fault.option).toBe(option);
    expect(fault.message).toContain(message);
  });
  test.each([
    [4, 0, 'user is 4; want a row number from 0 to 3'],
    [-1, 0, 'user is -1; want a row number'],
    [0, 5, 'item is 5; want a row number from 0 to 4'],
    [0, 0.5, 'item is 0.5; want a row number'],
    [Number.NaN, 0, 'user is NaN; want a row number'],
    ['0', 0, 'user is "0"; want a row number'],
  ])('score(%p, %p) is refused', (user, item, message) => {
    expect(faultOf(() => new MFModel(shape).score(user as number, item)).message).toContain(message);
  });
});
