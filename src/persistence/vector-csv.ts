// Vectors as comma-separated text that pgvector's COPY reads: id,"[1,2,3]".

import { wrong } from '../core/options';
import type { Id } from '../interactions/vocabulary';
import { checkMatrix } from './check-matrix';

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
