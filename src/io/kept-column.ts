// Parts of a column that wait to be put together. Their memory is given back the moment they are done with, by making a
// resizable buffer empty: the garbage collector would come too late, and all would be held twice. A host that has no such
// buffers makes ordinary ones, and collects them when it likes.

export type Column = Int32Array | Float32Array | Float64Array;

interface Resizable extends ArrayBuffer {
  resize?(bytes: number): void;
}
const ResizableBuffer = ArrayBuffer as new (bytes: number, options: { maxByteLength: number }) => Resizable;

/** A copy of a column that can be released. */
export function keep<T extends Column>(column: T): T {
  const Kind = column.constructor as new (buffer: ArrayBuffer, start: number, length: number) => T;
  const bytes = column.byteLength;
  const copy = new Kind(new ResizableBuffer(bytes, { maxByteLength: bytes }), 0, column.length);
  copy.set(column);
  return copy;
}

/** Gives the memory of a copy back: it is empty then. */
export function release(copy: Column): void {
  (copy.buffer as Resizable).resize?.(0);
}
