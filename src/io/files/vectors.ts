// Whether numbers are a matrix of the shape that a caller says, before they are written where nobody checks them again.

import { wrong } from '../../core/options';
import type { Id } from '../../data/vocabulary';

/** @throws OptionError where `values` is no Float32Array of rows x cols finite numbers; `call` says how it is meant */
export function checkMatrix(
  values: unknown,
  [rows, cols]: readonly [rows: number, cols: number],
  [rowsName, colsName]: readonly [rows: string, cols: string],
  call: string,
): void {
  if (!Number.isSafeInteger(rows) || rows < 0) throw wrong(rowsName, rows, `a whole number of at least 0: ${call}`);
  if (!Number.isSafeInteger(cols) || cols < 1) throw wrong(colsName, cols, `a whole number of at least 1: ${call}`);
  if (!(values instanceof Float32Array)) throw wrong('values', values, `a Float32Array: ${call}`);
  if (values.length !== rows * cols) {
    const wanted = `${rows * cols} of them, ${rowsName} ${rows} x ${colsName} ${cols}`;
    throw wrong('values.length', values.length, wanted);
  }
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw wrong(`values[${at}]`, values[at], 'a finite number');
}

// NumPy's file of one array, format 1.0: what numpy.load, faiss and hnswlib's users read.

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

// Vectors as comma-separated text that pgvector's COPY reads: id,"[1,2,3]".

/** Rows of a chunk of text. */
const CHUNK = 1024;

/**
 * The lines of a CSV file with the columns id and embedding, in chunks: `COPY items FROM 'items.csv' CSV HEADER` reads it
 * into a table (id text, embedding vector). Numbers have as many digits as float32 needs.
 *
 * `values` is row-major, ids.length x dim. Memory: that of a chunk. Ids are written as they are: a spreadsheet that opens the
 * file takes an id that begins with =, +, -, @, a tab or a carriage return for a formula, and runs it. Import such a file with
 * the ids as text, or do not open it there where the ids came from strangers.
 *
 * @throws OptionError for ids that are no list of strings and numbers, values that are no Float32Array of ids.length x dim
 * finite numbers, a dim that is no whole number of at least 1.
 * @example
 * ```ts
 * import { encodeVectorCsv } from 'opmf';
 * console.log(JSON.stringify([...encodeVectorCsv(['a'], Float32Array.of(0.1, 2), 2)].join(''))); // "id,embedding\na,\"[0.1,2]\"\n"
 * ```
 */
export function encodeVectorCsv(ids: readonly Id[], values: Float32Array, dim: number): Generator<string> {
  const call = 'encodeVectorCsv(ids, values, dim), such as (table.ids, table.values, table.dim)';
  if (!Array.isArray(ids)) throw wrong('ids', ids, `a list of ids: ${call}`);
  const at = ids.findIndex((id) => typeof id !== 'string' && !(typeof id === 'number' && Number.isFinite(id)));
  if (at >= 0) throw wrong(`ids[${at}]`, ids[at], 'a string or a finite number');
  checkMatrix(values, [ids.length, dim], ['ids.length', 'dim'], call);
  return linesOf(ids, values, dim);
}

function* linesOf(ids: readonly Id[], values: Float32Array, dim: number): Generator<string> {
  let lines = 'id,embedding\n';
  for (let row = 0; row < ids.length; row++) {
    const vector = Array.from(values.subarray(row * dim, (row + 1) * dim), shortest);
    lines += `${quoted(String(ids[row]))},"[${vector.join(',')}]"\n`;
    if (row % CHUNK !== CHUNK - 1) continue;
    yield lines;
    lines = '';
  }
  if (lines !== '') yield lines;
}

/** A field as RFC 4180 has it; an empty one in quotes, as without it is NULL to PostgreSQL. */
function quoted(field: string): string {
  return field === '' || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The fewest digits that give the float32 back. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
