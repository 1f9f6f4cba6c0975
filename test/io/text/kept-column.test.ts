// Parts of columns: copies that hold no memory once they are released, on hosts that can do that and on others.

import { keep, release } from '../../../src/io/text/rating-columns';

test('a copy is its own, of the same kind, and empty once released', () => {
  for (const column of [Int32Array.of(1, -2, 3), Float32Array.of(0.5, 4), Float64Array.of(1e300)]) {
    const copy = keep(column);
    expect(copy).toEqual(column);
    expect(copy.buffer).not.toBe(column.buffer);
    release(copy);
    expect(copy.length).toBe(0);
    expect(copy.buffer.byteLength).toBe(0);
  }
});

test('a host without resizable buffers keeps copies until they are collected', () => {
  const prototype = ArrayBuffer.prototype as { resize?: unknown };
  const resize = Object.getOwnPropertyDescriptor(prototype, 'resize')!;
  delete prototype.resize;
  try {
    const copy = keep(Int32Array.of(7));
    release(copy);
    expect([...copy]).toEqual([7]);
  } finally {
    Object.defineProperty(prototype, 'resize', resize);
  }
});
