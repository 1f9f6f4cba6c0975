// Bad arguments: each is an OptionError that names the function, the argument, what was got and what is wanted.

import ndarray, { type NdArray } from 'ndarray';
import { OptionError } from '../../src/core/errors';
import { axpy, dot, gemm, gemv, hadamard, mean, norm2, scale, sum } from '../../src/math';

const vector = ndarray(new Float32Array(3));
const matrix = ndarray(new Float32Array(6), [2, 3]);
const generic = ndarray({ length: 3, get: () => 0, set: () => undefined }) as NdArray;
const big = ndarray(new BigInt64Array(3)) as unknown as NdArray;

const cases: [what: string, call: () => unknown, option: string, message: string][] = [
  ['another shape', () => dot(vector, ndarray([1, 2])), 'y', 'dot: y has shape [2]; want [3], the shape of x'],
  ['another dimension', () => axpy(1, vector, matrix), 'y', 'axpy: y has shape [2, 3]; want [3], the shape of x'],
  ['a wrong out', () => hadamard(matrix, matrix, vector), 'out', 'hadamard: out has shape [3]; want [2, 3]'],
  ['y for A x', () => gemv(1, matrix, vector, 0, ndarray([1, 2, 3])), 'y', 'gemv: y has shape [3]; want [2]'],
  ['x for A x', () => gemv(1, matrix, ndarray([1, 2])), 'x', 'gemv: x has shape [2]; want [3]'],
  ['a vector for a matrix', () => gemv(1, vector, vector), 'A', 'gemv: A has dimension 1, shape [3]; want dimension 2'],
  [
    'B for A B',
    () => gemm(1, matrix, matrix),
    'B',
    'gemm: B has shape [2, 3]; want [3, 3], as many rows as A has columns',
  ],
  ['C for A B', () => gemm(1, matrix, matrix.transpose(1, 0), 0, matrix), 'C', 'gemm: C has shape [2, 3]; want [2, 2]'],
  [
    'beta without C',
    () => gemm(1, matrix, matrix.transpose(1, 0), 2, undefined as never),
    'C',
    'gemm: C is undefined; want an NdArray',
  ],
  [
    'beta without y',
    () => gemv(1, matrix, vector, 2, undefined as never),
    'y',
    'gemv: y is undefined; want an NdArray',
  ],
  ['an array', () => sum([1, 2] as never), 'x', 'sum: x is an array of 2; want an NdArray'],
  ['null', () => mean(null as never), 'x', 'mean: x is null; want an NdArray'],
  ['an object', () => norm2({ data: [] } as never), 'x', 'norm2: x is an object with data; want an NdArray'],
  ['a view of nothing', () => sum(ndarray([1], [], [], 0).pick()), 'x', 'sum: x has dimension -1'],
  ['a negative shape', () => sum(vector.lo(5)), 'x', 'sum: x has shape [-2]; want whole numbers of at least 0'],
  [
    'past the end',
    () => sum(ndarray([1, 2], [3])),
    'x',
    'reaches cells 0 to 2; want whole cells within its data, 0 to 1',
  ],
  ['before the start', () => sum(ndarray([1, 2], [2], [-1], 0)), 'x', 'reaches cells -1 to 0'],
  ['half a cell', () => sum(ndarray([1, 2, 3], [2], [0.5], 0)), 'x', 'stride [0.5]'],
  ['an accessor', () => sum(generic), 'x', "dtype 'generic'; want numbers in a typed array"],
  ['bigint', () => dot(big, big), 'x', "dtype 'bigint64'"],
  ['writing integers', () => scale(0.5, ndarray(new Int8Array(2))), 'x', "scale: x has dtype 'int8' and is written"],
  ['writing stride 0', () => scale(2, ndarray([1], [3], [0])), 'x', 'want cells that no two indices share'],
  ['writing a window', () => axpy(1, matrix, ndarray([1, 2, 3, 4], [2, 3], [1, 1])), 'y', 'stride [1, 1]) is written'],
  ['alpha NaN', () => axpy(Number.NaN, vector, vector), 'alpha', 'alpha is NaN; want a finite number'],
  ['alpha infinite', () => scale(Infinity, vector), 'alpha', 'alpha is Infinity; want a finite number'],
  ['beta missing', () => gemv(1, matrix, vector, null as never, vector), 'beta', 'beta is null; want a finite number'],
];

test.each(cases)('%s', (_, call, option, message) => {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(OptionError);
  expect((caught as OptionError).option).toBe(option);
  expect((caught as OptionError).message).toContain(message);
});

test('a failed call writes nothing', () => {
  const C = ndarray([1, 2, 3, 4], [2, 2]);
  expect(() => gemm(1, matrix, matrix, 0, C)).toThrow(OptionError);
  expect(C.data).toEqual([1, 2, 3, 4]);
});

test('integers and one broadcast element (stride 0) are good inputs', () => {
  const ones = ndarray(new Uint8Array([1]), [2, 3], [0, 0]);
  expect(sum(ones)).toBe(6);
  expect(gemv(1, ones, ndarray(Buffer.from([1, 2, 3]))).data).toEqual(new Float64Array([6, 6]));
});

test('an empty view may be written, whatever its strides', () => {
  expect(scale(2, ndarray([1], [0, 3], [0, 0])).size).toBe(0);
});
