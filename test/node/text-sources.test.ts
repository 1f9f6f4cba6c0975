// What can be read beside a path: URLs, streams of Node and of the web, pipes, iterables; and what cannot, with the way out.

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { categorical } from '../../src/data/feature-fields';
import type { TextSource } from '../../src/node/file-chunks';
import { loadModel } from '../../src/node/model-file';
import { readFeatureTable, readInteractions, readLibFM } from '../../src/node/read-files';

const folder = mkdtempSync(join(tmpdir(), 'opmf-sources-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TEXT = 'user,item,rating\nJürgen,tea,4\nbob,𝒯ea,2\n';
const PATH = join(folder, 'a b.csv');
writeFileSync(PATH, TEXT);

async function* each<T>(...pieces: T[]): AsyncGenerator<T> {
  yield* pieces;
}

/** A web stream as hosts have it that cannot iterate one. */
function webStream(bytes: Uint8Array): ReadableStream {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  return { getReader: () => stream.getReader(), locked: false } as unknown as ReadableStream;
}

const bytes = new TextEncoder().encode(TEXT);
const sources: [what: string, source: () => TextSource | Promise<TextSource>][] = [
  ['a path', () => PATH],
  ['a file: URL', () => pathToFileURL(PATH)],
  ['a file: URL as text', () => pathToFileURL(PATH).href],
  ['a stream of a file', () => createReadStream(PATH, { highWaterMark: 3 })],
  ['a stream of text', () => createReadStream(PATH, { encoding: 'utf8', highWaterMark: 1 })],
  [
    'bytes in pieces',
    () => each<Uint8Array | ArrayBuffer>(bytes.subarray(0, 5), new Uint8Array(0), bytes.slice(5).buffer),
  ],
  ['text in halves of characters', () => Readable.from(TEXT.split(''))],
  ['one piece of text', () => each(TEXT)],
  ['a web stream', () => new Blob([TEXT]).stream()],
  ['the body of a response', () => new Response(TEXT).body!],
  ['a web stream without iteration', () => webStream(bytes)],
  ['gzipped, a byte at a time', () => each(...Array.from(gzipSync(TEXT), (byte) => Uint8Array.of(byte)))],
];

test.each(sources)('%s', async (_, source) => {
  const data = await readInteractions(await source());
  expect([...data.users, ...data.items, ...data.values]).toEqual(['Jürgen', 'bob', 'tea', '𝒯ea', 4, 2]);
  const wide = await readInteractions(await source(), { layout: 'wide', idColumn: 'user', ignoreColumns: ['item'] });
  expect([...wide.values]).toEqual([4, 2]);
  const table = await readFeatureTable(await source(), { fields: { item: categorical() }, label: 'rating' });
  expect(table.size).toBe(2);
});

test('text needs no encoding; bytes do', async () => {
  const latin = Buffer.from('user,item,rating\nJürgen,tea,4\n', 'latin1');
  for (const layout of ['long', 'wide'] as const) {
    const options = { layout, encoding: 'latin1' as const, ...(layout === 'wide' && { ignoreColumns: ['item'] }) };
    expect((await readInteractions(each(latin), options)).users.idOf(0)).toBe('Jürgen');
    expect((await readInteractions(each(latin.toString('latin1')), options)).users.idOf(0)).toBe('Jürgen');
  }
  const table = await readLibFM(each('1 0:1 3:1\n', '-1 2:1\n'));
  expect(table.size).toBe(2);
});

test('a pipe is read once', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const content of [TEXT, gzipSync(TEXT)]) {
    const [data] = await Promise.all([readInteractions(pipe), writeFile(pipe, content)]);
    expect(data.size).toBe(2);
  }
  const [model] = await Promise.all([
    loadModel(pipe).catch((error: Error) => error.message),
    writeFile(pipe, gzipSync('x')),
  ]);
  expect(model).toMatch(/pipe: it is gzip-compressed, and no model; .*gzip -dc FILE > MODEL/);
});

test('a large stream comes out whole, and gives way', async () => {
  const lines = Array.from({ length: 60_000 }, (_, k) => `${k % 601},${k % 877},${k % 5}\n`);
  const stream = Readable.from(
    (function* () {
      for (let at = 0; at < lines.length; at += 500) yield lines.slice(at, at + 500).join('');
    })(),
  );
  const data = await readInteractions(stream, { duplicates: 'keep' });
  expect(data.size).toBe(60_000);
  expect(data.values[59_999]).toBe(4);
});

test('faults name what there is to name', async () => {
  const bad = () => each('user,item,rating\n', '1,2,x\n');
  await expect(readInteractions(bad())).rejects.toThrow(`text, line 2, column 'rating': value is "x"`);
  await expect(readInteractions(bad(), { file: 'upload' })).rejects.toThrow('upload, line 2');
  const path = join(folder, 'bad.csv');
  writeFileSync(path, 'user,item,rating\n1,2,x\n');
  await expect(readInteractions(pathToFileURL(path))).rejects.toThrow(`${path}, line 2`);
  await expect(readInteractions(createReadStream(path))).rejects.toThrow(`${path}, line 2`);
  await expect(readInteractions(pathToFileURL(join(folder, 'absent')))).rejects.toThrow('there is no such file');
  await expect(readInteractions(pathToFileURL(folder))).rejects.toThrow('it is a directory');
  await expect(readInteractions(each<string>())).rejects.toThrow('the file is empty');
});

test('what a stream throws is passed on; the stream is let go', async () => {
  const broken = async function* () {
    yield TEXT;
    throw new RangeError('the line is down');
  };
  await expect(readInteractions(broken())).rejects.toThrow(new RangeError('the line is down'));
  const packed = async function* () {
    yield gzipSync(TEXT).subarray(0, 30);
    throw new RangeError('the line is down');
  };
  await expect(readInteractions(packed())).rejects.toThrow(new RangeError('the line is down'));
  const rows = Readable.from([{ user: 1 }]);
  await expect(readInteractions(rows)).rejects.toThrow(
    /the stream gives an object with user; want bytes or text; rows go to/,
  );
  expect(rows.destroyed).toBe(true);
  const endless = new PassThrough();
  endless.write(gzipSync(gzipSync(Array.from({ length: 5000 }, (_, k) => `${(k * 7919) % 10_007},${k},3\n`).join(''))));
  await expect(readInteractions(endless)).rejects.toThrow(/gzip data within gzip data; unpack it once/);
});

test('lines without their ends are not run together', async () => {
  const message = /the stream gives 2 pieces of text without a line end; if each is a line, add '\\n' to it/;
  await expect(readInteractions(each('1,2', '3,4'))).rejects.toThrow(message);
  const input = createInterface({ input: Readable.from(['1,2\n3,4\n']) });
  await expect(readInteractions(input)).rejects.toThrow(message);
});

const refused: [what: string, source: () => unknown, message: RegExp][] = [
  ['nothing', () => undefined, /cannot read undefined; want a path, a file: URL, or a stream/],
  ['bytes', () => bytes, /bytes that are there go to parseInteractions/],
  ['an array', () => ['1,2,3'], /text goes to parseInteractions/],
  ['a promise', () => Promise.resolve(PATH), /await it first/],
  ['a response', () => new Response(TEXT), /of a response hand over the body/],
  [
    'an http: URL',
    () => new URL('https://example.org/ratings.csv'),
    /nothing is fetched here; .*\(await fetch\(url\)\)\.body/,
  ],
  ['an http: URL as text', () => 'https://example.org/ratings.csv', /nothing is fetched here/],
  ['a URL of another host', () => new URL('file://host/ratings.csv'), /names no file/],
  ['bytes and text', () => each<unknown>('1,2,3\n', bytes), /gives bytes and text/],
  ['rows', () => each<unknown>([1, 2, 3]), /the stream gives an array of 3/],
];

test.each(refused)('refused: %s', async (_, source, message) => {
  const readers = [
    readInteractions,
    readLibFM,
    (given: TextSource) => readFeatureTable(given, { fields: { a: categorical() } }),
  ];
  for (const read of readers) {
    const error = await read(source() as TextSource).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: 'OptionError', message: expect.stringMatching(message) });
  }
});

test('a locked stream and an open file are refused', async () => {
  const stream = new Blob([TEXT]).stream();
  stream.getReader();
  await expect(readInteractions(stream)).rejects.toThrow(/the stream is locked/);
  const file = await open(PATH);
  await expect(readInteractions(file as unknown as TextSource)).rejects.toThrow(
    /want a path, a file: URL, or a stream/,
  );
  await file.close();
});

test('what is within gzip data is told as well', async () => {
  const path = join(folder, 'packed.gz');
  const tar = new Uint8Array(1024);
  tar.set(new TextEncoder().encode('ustar'), 257);
  writeFileSync(path, gzipSync(tar));
  await expect(readInteractions(path)).rejects.toThrow(/packed\.gz: it is a tar archive/);
  writeFileSync(path, gzipSync('[{"user":1,"item":2},\n{"user":1,"item":3}]\n'));
  await expect(readInteractions(path)).rejects.toThrow(/it is JSON/);
  writeFileSync(path, gzipSync(gzipSync(TEXT)));
  for (const read of [readInteractions, readLibFM])
    await expect(read(path)).rejects.toThrow(/gzip data within gzip data/);
});
