// dot, sum, mean and norm2 against loops over indices; the order of a sum is free, so the bound is n eps sum |term|.

import * as fc from 'fast-check';
import ndarray from 'ndarray';
import { dot, mean, norm2, sum } from '../../src/math';
import { elements, shapes, total, view } from './strided';

const inputs = shapes.chain((shape) => view(shape, 'input'));

function expectSum(got: number, terms: readonly number[]): void {
  const bound = 2 * terms.length * Number.EPSILON * total(terms.map(Math.abs));
  expect(Math.abs(got - total(terms))).toBeLessThanOrEqual(bound);
}

describe('dot', () => {
  test('is the sum of x[i] y[i] on any shape, stride and offset', () => {
    const pairs = shapes.chain((shape) => fc.tuple(view(shape, 'input'), view(shape, 'input')));
    fc.assert(
      fc.property(pairs, ([x, y]) => {
        const ys = elements(y);
        const terms = elements(x).map((value, i) => value * ys[i]!);
        expectSum(dot(x, y), terms);
        expect(dot(y, x)).toBe(dot(x, y));
      }),
    );
  });

  test('sums float32 in double: 1 is not lost beside 2^24', () => {
    const x = ndarray(new Float32Array([2 ** 24, 1, -(2 ** 24)]));
    expect(dot(x, ndarray(new Float32Array([1, 1, 1])))).toBe(1);
  });

  test('NaN propagates, also against 0; nothing gives 0', () => {
    expect(dot(ndarray([0, 1]), ndarray([Number.NaN, 1]))).toBeNaN();
    expect(dot(ndarray([]), ndarray([]))).toBe(0);
    expect(dot(ndarray([], [2, 0]), ndarray([], [2, 0]))).toBe(0);
  });
});

describe('sum and mean', () => {
  test('are those of the elements on any shape, stride and offset', () => {
    fc.assert(
      fc.property(inputs, (x) => {
        const terms = elements(x);
        expectSum(sum(x), terms);
        if (terms.length > 0) expect(mean(x)).toBe(sum(x) / terms.length);
        else expect(() => mean(x)).toThrow('want at least one element');
      }),
    );
  });

  test('sum float32 in double, propagate NaN; a 0-d array is one number', () => {
    expect(sum(ndarray(new Float32Array([2 ** 24, 1, -(2 ** 24)])))).toBe(1);
    expect(sum(ndarray([1, Number.NaN]))).toBeNaN();
    expect(mean(ndarray([1, Number.NaN]))).toBeNaN();
    expect(mean(ndarray([4, 5, 6], [], [], 1))).toBe(5);
  });
});

describe('norm2', () => {
  test('is the root of the sum of squares on any shape, stride and offset', () => {
    fc.assert(
      fc.property(inputs, (x) => {
        const wanted = Math.sqrt(total(elements(x).map((value) => value * value)));
        expect(Math.abs(norm2(x) - wanted)).toBeLessThanOrEqual(20 * x.size * Number.EPSILON * wanted);
      }),
    );
  });

  test('commutes with a power of two, also where the squares overflow or vanish', () => {
    const float = { min: 1, max: 2, noNaN: true };
    const values = fc.array(fc.double(float), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(values, fc.integer({ min: -1020, max: 1020 }), (numbers, exponent) => {
        const wanted = norm2(ndarray(numbers)) * 2 ** exponent;
        const got = norm2(ndarray(numbers.map((value) => value * 2 ** exponent)));
        expect(Math.abs(got / wanted - 1)).toBeLessThanOrEqual(20 * Number.EPSILON);
      }),
      { numRuns: 500 },
    );
  });

  test('of subnormal numbers, of the largest one, and of a norm that is itself too large', () => {
    expect(norm2(ndarray([3 * 2 ** -1074, 4 * 2 ** -1074]))).toBe(5 * 2 ** -1074);
    expect(norm2(ndarray([Number.MAX_VALUE, 0, 1]))).toBe(Number.MAX_VALUE);
    expect(norm2(ndarray([Number.MAX_VALUE, Number.MAX_VALUE]))).toBe(Infinity);
  });

  test('zeros and nothing give 0; NaN wins over infinity, infinity over all else', () => {
    expect(norm2(ndarray([0, -0]))).toBe(0);
    expect(norm2(ndarray([], [0, 3]))).toBe(0);
    expect(norm2(ndarray([-Infinity, 1]))).toBe(Infinity);
    expect(norm2(ndarray([1e-300, Number.NaN]))).toBeNaN();
    expect(norm2(ndarray([1e300, Number.NaN]))).toBeNaN();
    expect(norm2(ndarray([Infinity, Number.NaN]))).toBeNaN();
  });
});
