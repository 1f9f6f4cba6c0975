// axpy, scale and hadamard against loops over indices: same bits, in place, and no cell outside the view is touched.

import * as fc from 'fast-check';
import ndarray, { type NdArray } from 'ndarray';
import { axpy, hadamard, scale } from '../../src/math';
import { coefficients, elements, overlapping, shapes, snapshot, storage, storageAfter, view } from './strided';

const pairs = shapes.chain((shape) => fc.tuple(view(shape, 'input'), view(shape, 'output')));

describe('axpy', () => {
  test('is y[i] += alpha x[i] in place on any shape, stride and offset', () => {
    fc.assert(
      fc.property(coefficients, pairs, (alpha, [x, y]) => {
        const wanted = storageAfter(y, (...i) => y.get(...i) + alpha * x.get(...i));
        expect(axpy(alpha, x, y)).toBe(y);
        expect(storage(y)).toEqual(wanted);
      }),
    );
  });

  test('reads x before it writes y where they overlap', () => {
    fc.assert(
      fc.property(coefficients, overlapping, (alpha, { x, out }) => {
        const before = snapshot(x);
        const wanted = storageAfter(out, (...i) => out.get(...i) + alpha * before.get(...i));
        axpy(alpha, x, out);
        expect(storage(out)).toEqual(wanted);
      }),
    );
  });

  test('alpha = 0 does not read x; otherwise NaN reaches y', () => {
    const x = ndarray([Number.NaN, 1]);
    expect(elements(axpy(0, x, ndarray([1, 2])))).toEqual([1, 2]);
    expect(elements(axpy(2, x, ndarray([1, 2])))).toEqual([Number.NaN, 4]);
  });
});

describe('scale', () => {
  test('is x[i] *= alpha in place on any shape, stride and offset', () => {
    fc.assert(
      fc.property(
        coefficients,
        shapes.chain((shape) => view(shape, 'output')),
        (alpha, x) => {
          const wanted = storageAfter(x, (...i) => x.get(...i) * alpha);
          expect(scale(alpha, x)).toBe(x);
          expect(storage(x)).toEqual(wanted);
        },
      ),
    );
  });

  test('keeps a NaN, also with alpha = 0', () => {
    expect(elements(scale(0, ndarray([Number.NaN, 1])))).toEqual([Number.NaN, 0]);
  });
});

describe('hadamard', () => {
  const triples = shapes.chain((shape) => fc.tuple(view(shape, 'input'), view(shape, 'input'), view(shape, 'output')));

  test('writes x[i] y[i] into out', () => {
    fc.assert(
      fc.property(triples, ([x, y, out]) => {
        const wanted = storageAfter(out, (...i) => x.get(...i) * y.get(...i));
        expect(hadamard(x, y, out)).toBe(out);
        expect(storage(out)).toEqual(wanted);
      }),
    );
  });

  test('makes a new array, float32 only when both are, and leaves its inputs', () => {
    fc.assert(
      fc.property(triples, ([x, y]) => {
        const [xBefore, yBefore] = [storage(x), storage(y)];
        const product = hadamard(x, y);
        const single = x.dtype === 'float32' && y.dtype === 'float32';
        expect(product.dtype).toBe(single ? 'float32' : 'float64');
        expect(product.shape).toEqual(x.shape);
        const round = single ? Math.fround : (value: number) => value;
        const ys = elements(y);
        expect(elements(product)).toEqual(elements(x).map((value, i) => round(value * ys[i]!)));
        expect([storage(x), storage(y)]).toEqual([xBefore, yBefore]);
      }),
    );
  });

  test('reads x and y before it writes out where they overlap, in place too', () => {
    fc.assert(
      fc.property(overlapping, fc.boolean(), ({ x, out }, swap) => {
        const before = snapshot(x);
        const wanted = storageAfter(out, (...i) => before.get(...i) * out.get(...i));
        if (swap) hadamard(out, x, out);
        else hadamard(x, out, out);
        expect(storage(out)).toEqual(wanted);
      }),
    );
  });

  test('squares in place, and propagates NaN through 0', () => {
    const x: NdArray = ndarray([2, -3]);
    expect(elements(hadamard(x, x, x))).toEqual([4, 9]);
    expect(elements(hadamard(ndarray([0]), ndarray([Number.NaN])))).toEqual([Number.NaN]);
  });
});
