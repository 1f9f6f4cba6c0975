// What effectiveUpdate takes, and what it says to what it does not take. Its numbers: effective-update.test.ts.

import ndarray from 'ndarray';
import { UnsupportedError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import type { DenseUpdate, ScalarUpdate } from '../../src/models/overparam-mf';
import { OverparamMFModel, type OverparamMFModelOptions } from '../../src/models/overparam-mf';
import { faultOf } from '../support/fault-of';

const RANK = 4;

const modelOf = (overparam: NonNullable<OverparamMFModelOptions['overparam']>) =>
  new OverparamMFModel({ users: 8, items: 6, rank: RANK, initScale: 0.5, precision: 'float64', overparam });

function normals(length: number, seed: number): Float64Array {
  const stream = Stream.of(seed);
  return Float64Array.from({ length }, () => stream.normal());
}

describe('the gradient', () => {
  test('may be any array of numbers, or an ndarray of any stride', () => {
    const model = modelOf({ kind: 'scalar' });
    const g = normals(RANK, 1).map(Math.fround);
    const { update } = model.effectiveUpdate('user', 0, g, 0.1);
    const backward = ndarray(Float64Array.from(g).reverse(), [RANK], [-1], RANK - 1);
    const spread = ndarray(
      Float64Array.from({ length: 3 * RANK }, (_, i) => (i % 3 === 1 ? g[(i - 1) / 3]! : 9)),
      [1, RANK],
      [99, 3],
      1,
    );
    for (const same of [Float32Array.from(g), backward, spread])
      expect(model.effectiveUpdate('user', 0, same, 0.1).update).toEqual(update);
    const dense = modelOf({ kind: 'dense' });
    const two = normals(2 * RANK, 2);
    const columns = ndarray(
      Float64Array.from(two, (_, i) => two[(i % 2) * RANK + Math.floor(i / 2)]!),
      [2, RANK],
      [1, 2],
    );
    expect(dense.effectiveUpdate('user', [3, 4], columns, 0.1)).toEqual(
      dense.effectiveUpdate('user', [3, 4], two, 0.1),
    );
  });
  test('is left as it was, and so is the model', () => {
    const model = modelOf({ kind: 'dense' });
    const g = normals(RANK, 1);
    const before = [g.slice(), ...model.parameters.map((parameter) => parameter.collapse())];
    model.effectiveUpdate('item', 2, g, 0.1);
    expect([g, ...model.parameters.map((parameter) => parameter.collapse())]).toEqual(before);
  });
  test('of 0 moves nothing', () => {
    for (const kind of ['scalar', 'dense'] as const) {
      const { update } = modelOf({ kind }).effectiveUpdate('user', 0, new Float64Array(RANK), 0.1);
      expect([...update].every((change) => change === 0)).toBe(true);
    }
  });
});

describe('no closed form', () => {
  test.each<[string, OverparamMFModelOptions['overparam']]>([
    ['plain', false],
    ['depth 1', { kind: 'scalar', depth: 1 }],
    ['scalar depth 3', { kind: 'scalar', depth: 3 }],
    ['scalar width 2', { kind: 'scalar', width: 2 }],
    ['scalar shared', { kind: 'scalar', scope: 'shared' }],
    ['diagonal row', { kind: 'diagonal' }],
    ['diagonal shared', { kind: 'diagonal', scope: 'shared' }],
    ['dense depth 3', { kind: 'dense', depth: 3 }],
    ['the other table', { itemEmbedding: { kind: 'scalar' } }],
  ])('%s: UnsupportedError that says what has one', (_, overparam) => {
    const model = new OverparamMFModel({ users: 8, items: 6, rank: RANK, overparam: overparam! });
    const ask = () => model.effectiveUpdate('user', 0, new Float64Array(RANK), 0.1);
    expect(ask).toThrow(UnsupportedError);
    expect(ask).toThrow("kind: 'scalar', scope: 'row', depth: 2, width: 1 } or { kind: 'dense', depth: 2 }");
  });
  test('several rows of scalar products: they do not act on each other', () => {
    const model = modelOf({ kind: 'scalar' });
    expect(() => model.effectiveUpdate('user', [0, 1], new Float64Array(2 * RANK), 0.1)).toThrow(UnsupportedError);
    const one: ScalarUpdate | DenseUpdate = model.effectiveUpdate('user', [1], normals(RANK, 1), 0.1);
    expect('learningRate' in one).toBe(true);
  });
});

describe('bad arguments', () => {
  const g = new Float64Array(RANK);
  const cases: readonly [unknown, unknown, unknown, unknown, string, RegExp][] = [
    ['users', 0, g, 0.1, 'table', /^table is "users"; want 'user' or 'item'$/],
    ['user', 8, g, 0.1, 'row', /^row is 8; want a row number from 0 to 7$/],
    ['item', 6, g, 0.1, 'row', /^row is 6; want a row number from 0 to 5$/],
    ['user', -1, g, 0.1, 'row', /^row is -1;/],
    ['user', 0.5, g, 0.1, 'row', /^row is 0.5;/],
    ['user', '0', g, 0.1, 'row', /^row is "0";/],
    ['user', null, g, 0.1, 'row', /^row is null;/],
    ['user', undefined, g, 0.1, 'row', /^row is undefined;/],
    ['user', 0, new Float64Array(3), 0.1, 'gradient', /^gradient has 3 numbers; want 4 \(rows x rank\)$/],
    ['user', 0, new Float64Array(5), 0.1, 'gradient', /^gradient has 5 numbers; want 4/],
    ['user', 0, undefined, 0.1, 'gradient', /^gradient is undefined; want an array of 4 numbers/],
    ['user', 0, 3, 0.1, 'gradient', /^gradient is 3; want an array of 4 numbers/],
    ['user', 0, Float64Array.of(0, Number.NaN, 0, 0), 0.1, 'gradient', /^gradient is NaN; want finite numbers only$/],
    ['user', 0, Float64Array.of(0, 0, 0, Infinity), 0.1, 'gradient', /^gradient is Infinity; want finite/],
    ['user', 0, g, -0.1, 'learningRate', /^learningRate is -0.1; want a finite number of at least 0$/],
    ['user', 0, g, Number.NaN, 'learningRate', /^learningRate is NaN;/],
    ['user', 0, g, undefined, 'learningRate', /^learningRate is undefined;/],
  ];
  describe.each(['scalar', 'dense'] as const)('%s', (kind) => {
    test.each(cases)('%p, %p, %p, %p', (table, row, gradient, rate, option, message) => {
      const fault = faultOf(() =>
        modelOf({ kind }).effectiveUpdate(table as never, row as never, gradient as never, rate as never),
      );
      expect(fault.option).toBe(option);
      expect(fault.message).toMatch(message);
    });
  });
  test('dense: a row twice', () => {
    const ask = () => modelOf({ kind: 'dense' }).effectiveUpdate('user', [1, 1], new Float64Array(2 * RANK), 0.1);
    expect(faultOf(ask).message).toContain('names a row twice');
  });
});
