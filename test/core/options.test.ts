// Reading options: what a caller is told of a slip, and what a reader of the options may rely on.

import { OpmfError, OptionError } from '../../src/core/errors';
import {
  boolean,
  type Check,
  callable,
  field,
  integer,
  nearest,
  number,
  oneOf,
  optional,
  readOptions,
  seed,
  show,
  string,
  wrong,
} from '../../src/core/options';
import { faultOf } from '../support/fault-of';

interface Example {
  readonly rank: number;
  readonly learningRate: number;
  readonly loss: 'squared' | 'logistic';
  readonly name: string | undefined;
}

const read = (given: unknown, prefix?: string) =>
  readOptions<Example>(
    'Model',
    given,
    {
      rank: field(integer({ min: 1 }), 32),
      learningRate: field(number({ min: 0, above: true }), 0.01),
      loss: field(oneOf('squared', 'logistic'), 'squared'),
      name: optional(string),
    },
    prefix,
  );

describe('readOptions', () => {
  test('fills in defaults, for undefined too, and leaves an optional one out', () => {
    const defaults = { rank: 32, learningRate: 0.01, loss: 'squared' };
    expect(read(undefined)).toEqual(defaults);
    expect(read({})).toEqual(defaults);
    expect(read({ rank: undefined, name: undefined })).toEqual(defaults);
    expect('name' in read({ name: undefined })).toBe(false);
    expect(read({ rank: 4, name: 'a' })).toEqual({ ...defaults, rank: 4, name: 'a' });
  });
  test('gives a frozen object of its own', () => {
    const given = { rank: 4 };
    const result = read(given);
    expect(Object.isFrozen(result)).toBe(true);
    expect(() => Object.assign(result, { rank: 5 })).toThrow(TypeError);
    given.rank = 6;
    expect(result.rank).toBe(4);
    expect(Object.isFrozen(given)).toBe(false);
  });
  test.each([
    [{ rnak: 4 }, 'rnak', "Model: unknown option 'rnak'; did you mean 'rank'?"],
    [{ learning_rate: 1 }, 'learning_rate', "Model: unknown option 'learning_rate'; did you mean 'learningRate'?"],
    [{ LEARNINGRATE: 1 }, 'LEARNINGRATE', "Model: unknown option 'LEARNINGRATE'; did you mean 'learningRate'?"],
    [{ momentum: 1 }, 'momentum', "Model: unknown option 'momentum'; known options: rank, learningRate, loss, name"],
  ])('an unknown name %p is refused, with what was meant', (given, option, message) => {
    expect(faultOf(() => read(given))).toMatchObject({ option, message });
  });
  test.each([
    [null, 'options is null'],
    [5, 'options is 5'],
    ['rank', 'options is "rank"'],
    [[4], 'options is an array of 1'],
    [() => 1, 'options is a function'],
  ])('%p is no options object', (given, start) => {
    const { message, option, value } = faultOf(() => read(given));
    expect(message).toBe(`Model: ${start}; want an object with any of rank, learningRate, loss, name`);
    expect({ option, value }).toEqual({ option: 'options', value: given });
  });
  test('a prefix is part of every name', () => {
    expect(faultOf(() => read({ rank: 0 }, 'outer.'))).toMatchObject({ option: 'outer.rank', value: 0 });
    expect(faultOf(() => read({ rnak: 0 }, 'outer.')).message).toContain("'outer.rnak'; did you mean 'outer.rank'?");
    expect(faultOf(() => read(3, 'outer.')).message).toContain('Model: outer is 3; want an object');
  });
  test('names of Object.prototype are names like any other', () => {
    expect(faultOf(() => read(JSON.parse('{ "__proto__": 1 }'))).option).toBe('__proto__');
    expect(faultOf(() => read({ toString: 1 })).option).toBe('toString');
    expect(faultOf(() => read({ constructor: 1 })).option).toBe('constructor');
  });
});

describe('checks', () => {
  const refused: readonly [string, Check<unknown>, unknown, string][] = [
    ['number', number(), Number.NaN, 'x is NaN; want a finite number'],
    ['number', number(), Infinity, 'x is Infinity; want a finite number'],
    ['number', number(), '1', 'x is "1"; want a finite number'],
    ['number', number(), null, 'x is null; want a finite number'],
    ['number', number({ min: 0 }), -1e-9, 'x is -1e-9; want a finite number of at least 0'],
    ['number', number({ min: 0, above: true }), 0, 'x is 0; want a finite number above 0'],
    ['number', number({ max: 1 }), 1.5, 'x is 1.5; want a finite number of at most 1'],
    ['number', number({ max: 1, below: true }), 1, 'x is 1; want a finite number below 1'],
    ['number', number({ min: 0, max: 1, below: true }), 2, 'x is 2; want a finite number of at least 0 and below 1'],
    ['integer', integer(), 1.5, 'x is 1.5; want a whole number'],
    ['integer', integer(), 2 ** 53, `x is ${2 ** 53}; want a whole number`],
    ['integer', integer({ min: 1, max: 16 }), 17, 'x is 17; want a whole number from 1 to 16'],
    ['boolean', boolean, 1, 'x is 1; want true or false'],
    ['boolean', boolean, 'true', 'x is "true"; want true or false'],
    ['string', string, 5, 'x is 5; want a string'],
    ['oneOf', oneOf('row', 'shared'), 'rows', `x is "rows"; want one of row, shared (did you mean 'row'?)`],
    ['oneOf', oneOf('row', 'shared'), 'element', 'x is "element"; want one of row, shared'],
    ['oneOf', oneOf('row', 'shared'), 0, 'x is 0; want one of row, shared'],
    ['oneOf', oneOf(1, 4), '4', `x is "4"; want one of 1, 4 (did you mean '4'?)`],
    ['callable', callable(), {}, 'x is an object with no keys; want a function'],
    ['seed', seed, Number.NaN, 'x is NaN; want a finite number or a string'],
    ['seed', seed, [1], 'x is an array of 1; want a finite number or a string'],
  ];
  test.each(refused)('%s: %#', (_, check, value, message) => {
    expect(faultOf(() => check(value, 'x'))).toMatchObject({ option: 'x', value, message });
  });

  const f = () => 1;
  const taken: readonly [string, Check<unknown>, unknown][] = [
    ['number at its least', number({ min: 0 }), 0],
    ['number just above', number({ min: 0, above: true }), 5e-324],
    ['number at its most', number({ max: 1 }), 1],
    ['negative zero', number({ min: 0 }), -0],
    ['integer', integer({ min: -3 }), -3],
    ['largest integer', integer(), Number.MAX_SAFE_INTEGER],
    ['boolean', boolean, false],
    ['empty string', string, ''],
    ['choice', oneOf('row', 'shared'), 'shared'],
    ['choice of mixed types', oneOf<string | boolean>('auto', false), false],
    ['function', callable(), f],
    ['text seed', seed, ''],
    ['number seed', seed, -0.5],
  ];
  test.each(taken)('%s is taken as it is', (_, check, value) => {
    expect(check(value, 'x')).toBe(value);
  });
});

describe('messages', () => {
  test('an OptionError is an OpmfError with its own name', () => {
    const error = wrong('rank', 0, 'a whole number');
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toBeInstanceOf(OpmfError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'OptionError',
      option: 'rank',
      value: 0,
      message: 'rank is 0; want a whole number',
    });
  });
  test.each([
    ['a'.repeat(61), `"${'a'.repeat(57)}..."`],
    ['a'.repeat(60), `"${'a'.repeat(60)}"`],
    ['quote " and line\n', '"quote \\" and line\\n"'],
    [-0, '0'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [10n, '10'],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 }, 'an object with a, b, c, d, e, f'],
    [new Map(), 'a Map'],
  ])('a value is shown short: %#', (value, wanted) => {
    expect(show(value)).toBe(wanted);
  });
  test('nearest finds slips of the hand and no more', () => {
    const names = ['userEmbedding', 'itemEmbedding', 'rank'];
    expect(nearest('userEmbeding', names)).toBe('userEmbedding');
    expect(nearest('itemembedding', names)).toBe('itemEmbedding');
    expect(nearest('rank', names)).toBe('rank');
    expect(nearest('rnk', names)).toBe('rank');
    expect(nearest('temperature', names)).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
