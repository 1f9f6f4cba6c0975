// Recognizes files that are not delimited text by their first bytes, names them, and says how to get ratings out of
// them. Without this, some would give an encoding error with misleading advice, and some would be read as data.

import { findRole } from './columns';

/** The name of a format, and advice on how to convert it. */
export interface Format {
  readonly name: string;
  readonly advice: string;
}

/** Enough bytes to recognize any of the formats. */
export const FORMAT_BYTES = 512;
/** Enough characters to recognize any of the formats that are text. */
export const FORMAT_CHARACTERS = 4096;

const pandas = (read: string) =>
  `write it as CSV, such as with Python: import pandas as pd; pd.${read}('FILE').to_csv('ratings.csv', index=False)`;

/** Signatures at the start, one character per byte. Of two with a common prefix, the longer comes first. */
const SIGNATURES: readonly (readonly [start: string, name: string, advice: string])[] = [
  ['\x1f\x8b', 'gzip-compressed', "decompress them first, or read the file with 'opmf/node'"],
  ['\x1f\x9d', 'compressed (.Z)', 'decompress them first: uncompress -c FILE > ratings.csv'],
  ['\xfd7zXZ\0', 'xz-compressed', 'decompress them first: xz -dc FILE > ratings.csv'],
  ['\x5d\0\0', 'LZMA-compressed', 'decompress them first: xz -dc --format=lzma FILE > ratings.csv'],
  ['\x28\xb5\x2f\xfd', 'Zstandard-compressed', 'decompress them first: zstd -dc FILE > ratings.csv'],
  ['\x04\x22\x4d\x18', 'LZ4-compressed', 'decompress them first: lz4 -dc FILE > ratings.csv'],
  ['\xff\x06\0\0sNaPpY', 'Snappy-compressed', 'decompress them first: snzip -dc FILE > ratings.csv'],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive', 'unpack it: 7z x FILE'],
  ['Rar!\x1a\x07', 'a RAR archive', 'unpack it: unrar x FILE'],
  ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'an Office document (.xls)', 'save the sheet as CSV in UTF-8'],
  [
    'SQLite format 3\0',
    'an SQLite database',
    `query it: sqlite3 -csv -header FILE "SELECT user, item, rating FROM ratings" > ratings.csv`,
  ],
  ['\x89HDF\r\n\x1a\n', 'an HDF5 file', pandas('read_hdf')],
  ['ARROW1\0\0', 'an Arrow (Feather) file', pandas('read_feather')],
  ['FEA1', 'a Feather file', pandas('read_feather')],
  [
    '\xff\xff\xff\xff',
    'an Arrow stream',
    `write it as CSV with pyarrow: pyarrow.ipc.open_stream('FILE').read_pandas().to_csv('ratings.csv', index=False)`,
  ],
  ['PAR1', 'a Parquet file', `read ratings by readInteractions of 'opmf/node', or ${pandas('read_parquet')}`],
  ['PARE', 'an encrypted Parquet file', pandas('read_parquet')],
  ['ORC', 'an ORC file', pandas('read_orc')],
  ['Obj\x01', 'an Avro file', 'write it as CSV: avro cat --format csv FILE > ratings.csv'],
  [
    '\x93NUMPY',
    'a NumPy array (.npy)',
    `write it as CSV with Python: import numpy as np; np.savetxt('ratings.csv', np.load('FILE'), delimiter=',', fmt='%s')`,
  ],
  ['MATLAB 5.0 MAT-file', 'a MATLAB file', `write it as CSV: writematrix(x, 'ratings.csv')`],
  ['RDX', 'an R data file', `write it as CSV with R: write.csv(x, 'ratings.csv', row.names = FALSE)`],
  [
    'X\n\0\0\0',
    'an R data file',
    `write it as CSV with R: write.csv(readRDS('FILE'), 'ratings.csv', row.names = FALSE)`,
  ],
  ['%PDF-', 'a PDF document', 'want delimited text; check that it is the right file'],
  ['\x89PNG', 'a PNG image', 'want delimited text; check that it is the right file'],
  ['\xff\xd8\xff', 'a JPEG image', 'want delimited text; check that it is the right file'],
  ['GIF8', 'a GIF image', 'want delimited text; check that it is the right file'],
  ['\x7fELF', 'a program', 'want delimited text; check that it is the right file'],
];
/** These are also words: they count only if bytes that are not text follow. */
const WORDS = new Set(['FEA1', 'PAR1', 'PARE', 'ORC', 'RDX', 'GIF8', 'Rar!\x1a\x07']);

/**
 * The format of bytes that are not text in `encoding`, recognized by a signature, a wide encoding or control
 * characters.
 *
 * @param bytes - the first FORMAT_BYTES of a file, or all of it
 */
export function formatOfBytes(bytes: Uint8Array, encoding = 'utf-8'): Format | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, FORMAT_BYTES));
  if (['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'].some((mark) => start.startsWith(mark))) return formatOfZip(start);
  if (/^BZh[1-9]/.test(start) && ['1AY&SY', '\x17rE8P\x90'].some((mark) => start.startsWith(mark, 4)))
    return { name: 'bzip2-compressed', advice: 'decompress them first: bzip2 -dc FILE > ratings.csv' };
  if (start.startsWith('ustar', 257)) return { name: 'a tar archive', advice: 'unpack it: tar -xf FILE' };
  if (start[0] === '\x80' && start.charCodeAt(1) >= 2 && start.charCodeAt(1) <= 5)
    return { name: 'a Python pickle', advice: pandas('read_pickle') };
  if (start.startsWith('\0{"', 7))
    return { name: 'a safetensors file, as a saved model is', advice: "load a model with loadModel of 'opmf/node'" };
  const isBinary = controlsIn(start) > 0;
  for (const [signature, name, advice] of SIGNATURES) {
    if (start.startsWith(signature) && (isBinary || !WORDS.has(signature))) return { name, advice };
  }
  return formatOfUnicode(start, encoding) ?? unknownBytes(start, encoding);
}

/** Whether bytes that do not match the encoding could still be text. */
export function isLikeText(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, FORMAT_CHARACTERS));
  return 50 * controlsIn(start) <= start.length;
}

/** Recognizes a text that is not delimited. */
export function formatOfText(text: string): Format | undefined {
  const start = text.slice(0, FORMAT_CHARACTERS);
  const first = start.trimStart();
  const markup = first.replace(/^(<!--.*?-->\s*)+/s, '');
  if (/^version https:\/\/git-lfs\.github\.com\//.test(first))
    return { name: 'the pointer of a file in Git LFS', advice: 'fetch the file itself: git lfs pull' };
  if (/^\/annex\/objects\/\S+\s*$/.test(first))
    return { name: 'the pointer of a file in git-annex', advice: 'fetch the file itself: git annex get FILE' };
  if (/^(<!doctype html|<html|<head|<body|<script)/i.test(markup))
    return { name: 'an HTML page', advice: 'perhaps an error page in place of a download; fetch the file again' };
  if (/^<(\?xml|[a-z][\w:-]*[\s>/])/i.test(markup) && /<\/|\/>|\?>/.test(markup))
    return { name: 'XML', advice: 'write it as delimited text, one rating a line' };
  if (/^%%MatrixMarket/i.test(first))
    return {
      name: 'a Matrix Market file',
      advice: `leave out the comments and the line of sizes: grep -v '^%' FILE | tail -n +2 > ratings.txt`,
    };
  if (/^@relation\s/im.test(first) && /^(@|%)/.test(first))
    return { name: 'an ARFF file', advice: 'leave out all up to the line @data' };
  if (
    /^(create table|insert into|drop table|pragma \w+|begin transaction|copy [\w."]+ \(|--\s+(mysql|mariadb|postgresql) |--\s*\n--\s*postgresql)/i.test(
      first,
    )
  )
    return { name: 'SQL', advice: 'load it into its database and write the table as CSV' };
  if (/^\{\\rtf/.test(first)) return { name: 'a document (RTF)', advice: 'save it as plain text' };
  return formatOfJson(first);
}

/** JSON, or Python dictionaries, one per line: splitting them at commas would give nonsense. */
function formatOfJson(start: string): Format | undefined {
  if (!/^[[{]/.test(start)) return undefined;
  const line = /^.*/.exec(start)![0].trim();
  const isWhole = line.length < start.length || start.length < FORMAT_CHARACTERS;
  const first = isWhole ? parsed(line.replace(/,$/, '')) : undefined;
  const isLines = first !== undefined && /^[[{]/.test(start.slice(line.length).trimStart());
  const isDocument = /^(\{\s*("|'\w+'\s*:|\}|$)|\[\s*([[{"']|$))/.test(line) || /^[[{]\s*\n\s*["'[{\d]/.test(start);
  if (first === undefined && !isDocument) return undefined;
  const row = Array.isArray(first) && !isLines ? first[0] : first;
  const keys = isObject(row)
    ? Object.keys(row)
    : (/\{[^{}]*\}/.exec(start)?.[0].match(/["']\w+["'](?=\s*:)/g) ?? []).map((key) => key.slice(1, -1));
  const isArray = start.startsWith('[') && !isLines;
  const columns = pathsOf(keys, Array.isArray(row) ? row.length : 0);
  const jq = `jq -r '${isArray ? '.[] | ' : ''}[${columns}] | @csv' FILE > ratings.csv`;
  return {
    name: isLines ? 'JSON, a document a line' : 'JSON',
    advice:
      `write it as CSV: ${jq}; or parse it and hand its rows to Interactions.from` +
      (isLines ? `; ratings, an object a line: readInteractions of 'opmf/node'` : ''),
  };
}

/** The jq paths to select from a row. */
function pathsOf(keys: readonly string[], width: number): string {
  if (width > 0) return Array.from({ length: Math.min(width, 4) }, (_, i) => `.[${i}]`).join(', ');
  const taken = new Set<number>();
  for (const role of ['user', 'item', 'value', 'timestamp'] as const) {
    const found = findRole(role, keys, taken)[0];
    if (found !== undefined) taken.add(found);
  }
  const known = [...taken].map((i) => keys[i]!);
  const path = (key: string) => (/^[a-z_]\w*$/i.test(key) ? `.${key}` : `.["${key}"]`);
  return (known.length >= 2 ? known : ['user', 'item', 'rating']).map((key) => path(key.slice(0, 40))).join(', ');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Office documents and NumPy's .npz are ZIP archives too; the names of their first entries identify them. */
function formatOfZip(start: string): Format {
  if (/\[Content_Types\]\.xml|xl\/|_rels\//.test(start))
    return { name: 'an Excel workbook (.xlsx)', advice: 'save the sheet as CSV in UTF-8' };
  if (start.includes('vnd.oasis.opendocument'))
    return { name: 'an OpenDocument file', advice: 'save the sheet as CSV in UTF-8' };
  if (/\.npyPK|\.npy/.test(start)) {
    const save = `np.savetxt('ratings.csv', np.load('FILE')['NAME'], delimiter=',', fmt='%s')`;
    return { name: 'NumPy arrays (.npz)', advice: `write one as CSV with Python: import numpy as np; ${save}` };
  }
  return { name: 'a ZIP archive', advice: 'unpack it: unzip FILE, or unzip -p FILE NAME > ratings.csv' };
}

/** UTF-16 and UTF-32, by their byte order mark or by the positions of zero bytes. */
function formatOfUnicode(start: string, encoding: string): Format | undefined {
  const hasMark = (...marks: string[]) => marks.some((mark) => start.startsWith(mark));
  if (
    hasMark('\xff\xfe\0\0', '\0\0\xfe\xff') ||
    [
      [1, 2, 3],
      [2, 3],
      [0, 1, 2],
      [0, 1],
    ].some((at) => isZeroAt(start, 4, at))
  )
    return { name: 'UTF-32', advice: 'save the file as UTF-8, or convert it: iconv -f UTF-32 -t UTF-8 FILE' };
  const little = hasMark('\xff\xfe') || isZeroAt(start, 2, [1]);
  if (!little && !hasMark('\xfe\xff') && !isZeroAt(start, 2, [0])) return undefined;
  const found = little ? 'utf-16le' : 'utf-16be';
  if (encoding === found) return undefined;
  const from = hasMark('\xff\xfe', '\xfe\xff') ? 'UTF-16' : found.toUpperCase();
  const convert = `convert it: iconv -f ${from} -t UTF-8 FILE`;
  return { name: 'UTF-16', advice: `save the file as UTF-8, or ${convert}; or set encoding: '${found}'` };
}

/** Whether, in every `size` bytes, nearly all at some positions are zero and nearly none at the others. */
function isZeroAt(start: string, size: number, places: readonly number[]): boolean {
  const whole = start.length - (start.length % size);
  if (whole < 2 * size) return false;
  const counts = { in: 0, out: 0 };
  for (let at = 0; at < whole; at++) {
    if (start.charCodeAt(at) === 0) counts[places.includes(at % size) ? 'in' : 'out']++;
  }
  const rows = whole / size;
  // Binary integers have such zeros too, but also control characters, which text does not contain.
  if (10 * controlsIn(start.replaceAll('\0', '')) > rows) return false;
  return counts.in >= 0.9 * rows * places.length && counts.out <= 0.1 * rows * (size - places.length);
}

/** Bytes of no known format, full of control characters. */
function unknownBytes(start: string, encoding: string): Format | undefined {
  const controls = encoding.startsWith('utf-16') ? 0 : controlsIn(start);
  if (controls < 8 || 25 * controls <= start.length) return undefined;
  return { name: 'no text', advice: 'want delimited text; check that it is the right file' };
}

/** The number of control characters that do not occur in text. */
function controlsIn(start: string): number {
  let count = 0;
  for (let at = 0; at < start.length; at++) {
    const code = start.charCodeAt(at);
    // Allowed are tab, line ends and form feed, and end of file and escape, which old systems and terminals write.
    if (code === 127 || (code < 32 && !(code >= 9 && code <= 13) && code !== 26 && code !== 27)) count++;
  }
  return count;
}
