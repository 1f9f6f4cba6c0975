// Checks that a matrix has the stated shape before it is written to a format that no later reader checks.

import type { Bytes } from '../../core/bytes';
import { wrong } from '../../core/options';
import type { Id } from '../../data/vocabulary';

/** @throws OptionError unless `values` is a Float32Array of rows x cols finite numbers; `call` is the usage shown in the message */
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

// The NumPy format for one array, version 1.0, as read by numpy.load (and so by users of faiss and hnswlib).

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
/** Magic, version and header are padded to a multiple of this many bytes. */
const ALIGNMENT = 64;

/**
 * A float32 matrix (rows x cols, row-major) as the bytes of an .npy file.
 *
 * @throws OptionError unless values are a Float32Array of rows x cols finite numbers.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @example
 * ```ts
 * import { encodeNpy } from 'opmf';
 * console.log(encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3).length); // 152
 * ```
 */
export function encodeNpy(values: Float32Array, rows: number, cols: number): Bytes {
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

// Vectors as comma-separated text for pgvector's COPY: id,"[1,2,3]".

/** Rows per chunk of text. */
const CHUNK = 1024;

/**
 * The lines of a CSV file with the columns id and embedding, in chunks: `COPY items FROM 'items.csv' CSV HEADER` reads it
 * into a table (id text, embedding vector). Numbers have as many digits as needed to read the float32 back.
 *
 * `values` is row-major, ids.length x dim. Memory: one chunk. Ids are not escaped for spreadsheets: a spreadsheet that
 * opens the file evaluates an id that begins with =, +, -, @, a tab or a carriage return as a formula.
 * Import such a file with the ids as text if they come from untrusted sources.
 *
 * @throws OptionError if ids are not strings and numbers, values are not a Float32Array of ids.length x dim
 * finite numbers, or dim is not a whole number of at least 1.
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

/** Quotes a field as in RFC 4180; an empty field too, because PostgreSQL reads an unquoted one as NULL. */
function quoted(field: string): string {
  return field === '' || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The shortest decimal that parses back to the same float32. */
function shortest(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
