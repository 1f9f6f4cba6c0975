// What is too large for memory is told as such, with its size, wherever options multiply up to it.

import { MFModel, OverparamMFModel, syntheticInteractions, UnsupportedError } from 'opmf';
import { doubles, floats, retoldAllocation } from '../../src/core/allocate';

test('the size is in the message', () => {
  expect(() => doubles(1e10, 'a table')).toThrow(/^a table takes 80 GB, more than this process can have/);
  expect(() => floats(2 ** 50, 'a table')).toThrow(/^a table takes 4.5 PB/);
  expect(() => floats(-1, 'a table')).toThrow(UnsupportedError);
  expect(floats(3, 'a table')).toEqual(new Float32Array(3));
});

test('synthetic data', () => {
  expect(() => syntheticInteractions({ users: 2 ** 31 - 1, items: 10, ratings: 10 })).toThrow(UnsupportedError);
});

test('what an engine says of arrays in a training, and nothing else', () => {
  const retold = (error: unknown) => () => retoldAllocation(error, 'a training');
  for (const message of ['Array buffer allocation failed', 'Invalid typed array length: 9', 'Invalid array length'])
    expect(retold(new RangeError(message))).toThrow(UnsupportedError);
  for (const error of [new RangeError('Maximum call stack size exceeded'), new TypeError('Invalid array length')])
    expect(retold(error)).toThrow(error);
});

test.each([
  ['rows of a model', () => new MFModel({ users: 1e9, items: 10, rank: 1000 })],
  [
    'rows of a product',
    () => new OverparamMFModel({ users: 1e9, items: 10, rank: 1000, overparam: { kind: 'scalar' } }),
  ],
  [
    'rows of a wide dense product',
    () => new OverparamMFModel({ users: 1e9, items: 9, rank: 8, overparam: { kind: 'dense', width: 4096 } }),
  ],
])('%s', async (_, make) => {
  const error = await (async () => make())().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnsupportedError);
  expect((error as Error).message).toMatch(/'[\w.]+', a table of \d+ x \d+ numbers, takes [\d.]+ [GTP]B/);
});
