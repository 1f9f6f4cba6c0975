// Vectors as comma-separated text that pgvector's COPY reads: id,"[1,2,3]".

import type { Id } from '../interactions/vocabulary';

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
 * @example
 * ```ts
 * import { encodeVectorCsv } from 'opmf';
 * console.log(JSON.stringify([...encodeVectorCsv(['a'], Float32Array.of(0.1, 2), 2)].join(''))); // "id,embedding\na,\"[0.1,2]\"\n"
 * ```
 */
export function* encodeVectorCsv(ids: readonly Id[], values: Float32Array, dim: number): Generator<string> {
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
