// Allocates arrays whose length is a product of options and data sizes: if there is not enough memory, the error names
// the array and its size.

import { UnsupportedError } from './errors';

/** A zeroed Float32Array. @throws UnsupportedError if there is not enough memory */
export function floats(length: number, what: string): Float32Array<ArrayBuffer> {
  return allocate(() => new Float32Array(length), 4 * length, what);
}

/** A zeroed Float64Array. @throws UnsupportedError if there is not enough memory */
export function doubles(length: number, what: string): Float64Array<ArrayBuffer> {
  return allocate(() => new Float64Array(length), 8 * length, what);
}

/**
 * Rethrows an engine's allocation failure as an UnsupportedError, and any other error unchanged: for code whose arrays
 * are as large as the data.
 */
export function retoldAllocation(error: unknown, what: string): never {
  if (!(error instanceof RangeError) || !/alloc|array length|out of memory/i.test(error.message)) throw error;
  throw new UnsupportedError(
    `${what} takes more memory than this process can have (${error.message}); want less data, a smaller model, or more memory`,
  );
}

function allocate<T>(make: () => T, bytes: number, what: string): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnsupportedError(
      `${what} takes ${sizeOf(bytes)}, more than this process can have; want a smaller one, or more memory`,
    );
  }
}

/** A human-readable size: 1.5 GB. */
function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let [size, unit] = [bytes, 0];
  for (; size >= 1000 && unit + 1 < units.length; unit++) size /= 1000;
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}
