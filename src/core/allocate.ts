// Arrays whose length options and data multiply up to: where there is no memory for one, the error says what and how much.

import { UnsupportedError } from './errors';

/** A zeroed Float32Array. @throws UnsupportedError where it cannot be had */
export function floats(length: number, what: string): Float32Array<ArrayBuffer> {
  return allocate(() => new Float32Array(length), 4 * length, what);
}

/** A zeroed Float64Array. @throws UnsupportedError where it cannot be had */
export function doubles(length: number, what: string): Float64Array<ArrayBuffer> {
  return allocate(() => new Float64Array(length), 8 * length, what);
}

/**
 * Throws an engine's failure to make an array as an UnsupportedError, and everything else as it is: for work whose arrays
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

/** Bytes as a reader has them: 1.5 GB. */
function sizeOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let [size, unit] = [bytes, 0];
  for (; size >= 1000 && unit + 1 < units.length; unit++) size /= 1000;
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}
