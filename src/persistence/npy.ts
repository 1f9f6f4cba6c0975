// NumPy's file of one array, format 1.0: what numpy.load, faiss and hnswlib's users read.

import { checkMatrix } from './check-matrix';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
/** Magic, version and the header's length together are padded to it. */
const ALIGNMENT = 64;

/**
 * A float32 matrix (rows x cols, row-major) as the bytes of an .npy file.
 *
 * @throws OptionError where values are no Float32Array of rows x cols finite numbers.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @example
 * ```ts
 * import { encodeNpy } from 'opmf';
 * console.log(encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3).length); // 152
 * ```
 */
export function encodeNpy(values: Float32Array, rows: number, cols: number): Uint8Array<ArrayBuffer> {
  const call = 'encodeNpy(values, rows, cols), such as (table.values, table.ids.length, table.dim)';
  checkMatrix(values, [rows, cols], ['rows', 'cols'], call);
  const head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`;
  const before = MAGIC.length + 2;
  const size = Math.ceil((before + head.length + 1) / ALIGNMENT) * ALIGNMENT;
  const text = `${head.padEnd(size - before - 1)}\n`;
  const bytes = new Uint8Array(size + 4 * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(MAGIC.length, text.length, true);
  for (let at = 0; at < text.length; at++) bytes[before + at] = text.charCodeAt(at);
  for (let k = 0; k < values.length; k++) view.setFloat32(size + 4 * k, values[k]!, true);
  return bytes;
}
