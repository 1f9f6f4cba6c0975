// The error classes: one base, names that survive minifying, and messages that say what to do next.

import {
  DataError,
  DivergenceError,
  FormatError,
  NotFittedError,
  OpmfError,
  OptionError,
  UnknownIdError,
  UnsupportedError,
} from '../../src/core/errors';

const errors: readonly [OpmfError, string, RegExp][] = [
  [new OpmfError('m'), 'OpmfError', /^m$/],
  [new OptionError('rank', 0, 'm'), 'OptionError', /^m$/],
  [new DataError('m', { file: 'a.csv', line: 3 }), 'DataError', /^m$/],
  [new FormatError('m'), 'FormatError', /^m$/],
  [
    new DivergenceError(2, 'userEmbedding', 10),
    'DivergenceError',
    /epoch 2: parameter 'userEmbedding'.* rate 10; lower/,
  ],
  [new NotFittedError('MF', 'predict'), 'NotFittedError', /^MF\.predict\(\) needs a fitted model; await MF\.fit/],
  [new UnknownIdError('item', '7', 'similarItems'), 'UnknownIdError', /^similarItems: item "7" \(a string\)/],
  [new UnknownIdError('user', 7, 'explain'), 'UnknownIdError', /^explain: user 7 \(a number\)/],
  [new UnsupportedError('m'), 'UnsupportedError', /^m$/],
];

test.each(errors)('%s', (error, name, message) => {
  expect(error).toBeInstanceOf(OpmfError);
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe(name);
  expect(error.message).toMatch(message);
  expect(String(error)).toBe(`${name}: ${error.message}`);
});

test('errors carry what they are about', () => {
  expect(new OptionError('rank', 0, 'm')).toMatchObject({ option: 'rank', value: 0 });
  expect(new DataError('m', { file: 'a.csv', line: 3 }).place).toEqual({ file: 'a.csv', line: 3 });
  expect(new DataError('m').place).toEqual({});
  expect(new DivergenceError(2, 'userBias', 0.5)).toMatchObject({ epoch: 2, parameter: 'userBias', learningRate: 0.5 });
  expect(new UnknownIdError('item', 7, 'c').id).toBe(7);
});
