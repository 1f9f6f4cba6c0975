// Files that are no delimited text are named by what they start with, with what to do; none is read, none is said to be Latin-1.

import { categorical } from '../../../src/data/feature-fields';
import { parseFeatureTable } from '../../../src/io/text/parse-feature-table';
import { parseInteractions } from '../../../src/io/text/parse-interactions';
import { parseLibFM } from '../../../src/io/text/parse-libfm';
import type { ReadOptions } from '../../../src/io/text/read-options';

/** Bytes of codes, then noise as compressed data has. */
function packed(start: string, length = 600): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, k) => (Math.imul(k + 1, 2654435761) >>> 13) & 255);
  bytes.set(Uint8Array.from(start, (character) => character.charCodeAt(0)));
  return bytes;
}

function wide(text: string, unit: 2 | 4, isLittle: boolean, mark: boolean): Uint8Array {
  const codes = [...(mark ? [0xfeff] : []), ...Array.from(text, (character) => character.charCodeAt(0))];
  const view = new DataView(new ArrayBuffer(codes.length * unit));
  codes.forEach((code, k) => {
    if (unit === 2) view.setUint16(2 * k, code, isLittle);
    else view.setUint32(4 * k, code, isLittle);
  });
  return new Uint8Array(view.buffer);
}

const tar = packed('u.data\0');
tar.set(new TextEncoder().encode('ustar'), 257);
const RATINGS = 'user,item,rating\nann,tea,4\nbob,tea,5\n';

const formats: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['gzip', packed('\x1f\x8b\x08'), /the bytes are gzip-compressed; decompress them first/],
  ['zip', packed('PK\x03\x04\x14\0\0\0\x08\0......................ratings.csv'), /it is a ZIP archive.*unzip/],
  [
    'xlsx',
    packed(`PK\x03\x04\x14\0\x06\0......................[Content_Types].xml`),
    /an Excel workbook \(\.xlsx\).*as CSV/,
  ],
  ['npz', packed('PK\x03\x04\x14\0\0\0\0\0......................data.npy'), /NumPy arrays \(\.npz\).*np\.load/],
  ['ods', packed('PK\x03\x04....mimetypeapplication/vnd.oasis.opendocument.spreadsheet'), /OpenDocument/],
  ['bzip2', packed('BZh91AY&SY'), /bzip2-compressed.*bzip2 -dc FILE/],
  ['xz', packed('\xfd7zXZ\0'), /xz-compressed.*xz -dc FILE/],
  ['zstd', packed('\x28\xb5\x2f\xfd'), /Zstandard-compressed.*zstd -dc FILE/],
  ['lz4', packed('\x04\x22\x4d\x18'), /LZ4-compressed/],
  ['7z', packed('7z\xbc\xaf\x27\x1c'), /7z archive/],
  ['rar', packed('Rar!\x1a\x07\x01\0'), /RAR archive/],
  ['tar', tar, /it is a tar archive.*tar -xf FILE/],
  ['parquet', packed('PAR1\x15\x04\x15'), /a Parquet file.*read_parquet\('FILE'\)/],
  ['SQLite', packed('SQLite format 3\0\x10\0'), /an SQLite database.*sqlite3 -csv/],
  ['HDF5', packed('\x89HDF\r\n\x1a\n'), /an HDF5 file.*read_hdf/],
  ['Arrow', packed('ARROW1\0\0'), /an Arrow \(Feather\) file.*read_feather/],
  ['Arrow stream', packed('\xff\xff\xff\xff\x10\x01'), /an Arrow stream/],
  ['ORC', packed('ORC\x0a\x0b'), /an ORC file/],
  ['Avro', packed('Obj\x01\x04\x14avro.codec'), /an Avro file/],
  ['npy', packed("\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False"), /a NumPy array.*np\.load/],
  ['pickle', packed('\x80\x04\x95\x0b\0\0\0'), /a Python pickle.*read_pickle/],
  ['xls', packed('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), /an Office document/],
  ['PDF', packed('%PDF-1.7\n%\xe2\xe3'), /a PDF document/],
  ['PNG', packed('\x89PNG\r\n\x1a\n'), /a PNG image/],
  ['R data', packed('RDX3\nX\n\0\0\0\x03'), /an R data file/],
  ['a model', packed('\x10\0\0\0\0\0\0\0{"__metadata__":{}}'), /a safetensors file.*loadModel/],
  ['whole numbers', new Uint8Array(Int32Array.from({ length: 300 }, (_, k) => k).buffer), /the bytes are no text/],
  ['zeros', new Uint8Array(1000), /the bytes are no text/],
  ['noise', packed('\x17'), /the bytes are no text/],
  [
    'UTF-16LE with a mark',
    wide(RATINGS, 2, true, true),
    /the bytes are UTF-16; save the file as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 FILE; or set encoding: 'utf-16le'/,
  ],
  ['UTF-16BE with a mark', wide(RATINGS, 2, false, true), /UTF-16.*iconv -f UTF-16 .*set encoding: 'utf-16be'/],
  ['UTF-16LE', wide(RATINGS, 2, true, false), /UTF-16.*iconv -f UTF-16LE .*set encoding: 'utf-16le'/],
  ['UTF-16BE', wide(RATINGS, 2, false, false), /UTF-16.*iconv -f UTF-16BE .*set encoding: 'utf-16be'/],
  ['UTF-32LE with a mark', wide(RATINGS, 4, true, true), /the bytes are UTF-32.*iconv -f UTF-32 -t UTF-8/],
  ['UTF-32BE with a mark', wide(RATINGS, 4, false, true), /the bytes are UTF-32/],
  ['UTF-32LE', wide(RATINGS, 4, true, false), /the bytes are UTF-32/],
  ['UTF-32BE', wide(RATINGS, 4, false, false), /the bytes are UTF-32/],
];

const readers: [name: string, read: (source: string | Uint8Array) => unknown][] = [
  ['parseInteractions', (source) => parseInteractions(source)],
  ['wide', (source) => parseInteractions(source, { layout: 'wide' })],
  ['parseFeatureTable', (source) => parseFeatureTable(source, { fields: { city: categorical() } })],
  ['parseLibFM', (source) => parseLibFM(source)],
];

/** The message of the DataError that a reader must throw. */
function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect((error as Error).name).toBe('DataError');
    return (error as Error).message;
  }
  throw new Error('it was read');
}

describe.each(readers)('%s', (_, read) => {
  test.each(formats)('%s', (_, bytes, message) => {
    const said = refusal(() => read(bytes));
    expect(said).toMatch(message);
    expect(said).not.toMatch(/latin1/);
  });
});

test('another encoding does not hide them', () => {
  for (const [, bytes, message] of formats)
    expect(refusal(() => parseInteractions(bytes, { encoding: 'latin1' }))).toMatch(message);
});

const texts: [what: string, text: string, message: RegExp][] = [
  [
    'JSON lines',
    '{"user_id":"a","item_id":"b","stars":5}\n{"user_id":"c","item_id":"d","stars":4}\n',
    /JSON, a document a line.*jq -r '\[\.user_id, \.item_id, \.stars\] \| @csv' FILE/,
  ],
  [
    'JSON lines with spaces',
    '{"reviewerID": "A1", "asin": "B2", "overall": 5.0}\n{"reviewerID": "A3", "asin": "B4", "overall": 4.0}',
    /\[\.reviewerID, \.asin, \.overall\]/,
  ],
  ['one JSON line', '{"user": 1, "item": 2}', /it is JSON/],
  [
    'JSON lines of arrays',
    '["ann","tea",4]\n["bob","tea",5]\n',
    /JSON, a document a line.*\[\.\[0\], \.\[1\], \.\[2\]\]/,
  ],
  [
    'a JSON array of objects',
    '[{"user":1,"item":2,"rating":3},{"user":1,"item":3,"rating":3}]',
    /it is JSON.*jq -r '\.\[\] \| \[\.user, \.item, \.rating\]/,
  ],
  [
    'a JSON array over lines',
    '[\n  {\n    "user": 1,\n    "item": 2,\n "rating": 3 }\n]\n',
    /it is JSON.*'\.\[\] \| \[\.user, \.item, \.rating\]/,
  ],
  ['a JSON array of arrays', '[[1,2,3],[1,3,4]]', /it is JSON/],
  ['a JSON object over lines', '{\n  "ratings": [\n    [1, 2, 3]\n  ]\n}', /it is JSON/],
  [
    'dictionaries of Python',
    "{'reviewerID': 'A1', 'asin': 'B2', 'overall': 5.0}\n{'reviewerID': 'A3', 'asin': 'B4', 'overall': 4.0}",
    /it is JSON.*\[\.reviewerID, \.asin, \.overall\]/,
  ],
  ['a long JSON line', `{"text":"${'a b, c '.repeat(2000)}","user":1}\n{"text":"x","user":2}`, /it is JSON/],
  ['JSON behind a mark', '\ufeff  {"user":1,"item":2}\n{"user":1,"item":3}', /JSON/],
  ['HTML', '<!DOCTYPE html>\n<html><head><title>404</title></head></html>', /an HTML page.*fetch the file again/],
  ['HTML behind a comment', '\n<!-- cached -->\n<html>\n<body>Sign in</body></html>', /an HTML page/],
  ['HTML without a type', '<html>\n<body>Sign in</body></html>', /an HTML page/],
  ['XML', '<?xml version="1.0"?>\n<ratings><r u="1" i="2"/></ratings>', /XML/],
  [
    'Git LFS',
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
    /the pointer of a file in Git LFS.*git lfs pull/,
  ],
  [
    'Matrix Market',
    '%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 5\n2 3 4\n',
    /a Matrix Market file.*tail -n \+2/,
  ],
  ['ARFF', '@relation ratings\n@attribute user numeric\n@data\n1,2,3\n', /an ARFF file/],
  ['SQL', 'INSERT INTO ratings VALUES (1,2,3);\nINSERT INTO ratings VALUES (1,3,4);\n', /it is SQL/],
];

test.each(texts)('%s', (_, text, message) => {
  for (const [, read] of readers) {
    for (const source of [text, new TextEncoder().encode(text)]) expect(refusal(() => read(source))).toMatch(message);
  }
});

test('what only looks a little like one is read', () => {
  const size = (text: string, options?: ReadOptions) => parseInteractions(new TextEncoder().encode(text), options).size;
  expect(size('PAR1,tea,4\nORC,tea,5\n')).toBe(2);
  expect(size('BZh9,tea,4\n7z,tea,5\n')).toBe(2);
  expect(size('[1],[2],5\n[1],[3],4\n')).toBe(2);
  expect(size('{a},{b},5\n{a},{c},4\n')).toBe(2);
  expect(size('<ann>,<tea>,5\n<bob>,<tea>,4\n')).toBe(2);
  expect(size('ann\0,tea,5\nbob,tea,4\n')).toBe(2);
});

test('UTF-16 is read where it is said', () => {
  for (const mark of [true, false]) {
    for (const [encoding, isLittle] of [
      ['utf-16le', true],
      ['utf-16be', false],
    ] as const) {
      const bytes = wide('user,item,rating\nJürgen,тea,4\nбob,tea,5\n', 2, isLittle, mark);
      const data = parseInteractions(bytes, { encoding });
      expect([...data.users, ...data.items, ...data.values]).toEqual(['Jürgen', 'бob', 'тea', 'tea', 4, 5]);
    }
  }
  expect(() => parseInteractions(wide(RATINGS, 2, true, true), { encoding: 'utf-16be' })).toThrow(
    /set encoding: 'utf-16le'/,
  );
  expect(() => parseInteractions(new TextEncoder().encode(`\ufeff${RATINGS}`), { encoding: 'latin1' })).toThrow(
    /byte order mark of UTF-8.*set encoding: 'utf-8'/,
  );
});

test('text of another encoding is told from bytes that are no text', () => {
  const latin = Uint8Array.from('user,item,rating\nJ\xfcrgen,tea,4\n', (character) => character.charCodeAt(0));
  expect(() => parseInteractions(latin)).toThrow(
    /the bytes are not utf-8; set encoding: 'latin1', or convert a file of another encoding/,
  );
  expect(parseInteractions(latin, { encoding: 'latin1' }).users.idOf(0)).toBe('Jürgen');
  const late = new Uint8Array(2000).fill(97);
  late.set(new TextEncoder().encode(RATINGS));
  late.set(packed('\xff', 1000), 1000);
  expect(() => parseInteractions(late)).toThrow(/the bytes are no text|not utf-8/);
});
