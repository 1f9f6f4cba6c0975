// Reads a source in chunks, and decompresses and counts them, or at any place. Chunks may share one array: a chunk is valid
// only until the next is requested.

import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { DataError, FormatError, OptionError } from '../core/errors';
import { show } from '../core/options';
import { LONGEST_STRING, Survey } from '../io/text/decode';
import { Faults } from '../io/text/fault';
import { FORMAT_BYTES } from '../io/text/formats';
import { tooMuch } from '../io/text/record-reader';

/** Large enough that the overhead of reading is negligible, small enough that a chunk takes a few milliseconds. */
const CHUNK = 1 << 19;
/** Decompressed chunks are new arrays, in memory until garbage collection: smaller chunks keep that amount low. */
const UNPACKED = 1 << 18;

type Chunks = AsyncIterable<Uint8Array>;

/**
 * A source of text: a path; a `file:` URL; or a stream of bytes or text, which is any async iterable of them, such
 * as a stream of Node, `process.stdin`, a web stream, the body of a response. Text comes in any pieces, line ends included.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream';
 * import { readInteractions, type TextSource } from 'opmf/node';
 * const sources: TextSource[] = [Readable.from(['ann,tea,4\n', 'bob,tea,2\n']), new Blob(['ann,tea,4\nbob,tea,2\n']).stream()];
 * for (const source of sources) console.log((await readInteractions(source)).size); // 2
 * ```
 */
export type TextSource = string | URL | AsyncIterable<Uint8Array | ArrayBuffer | string> | ReadableStream;

/** Bytes that are read at any place, as hyparquet asks for them. */
export interface ByteRanges {
  readonly byteLength: number;
  /** The bytes of [start, end), all of them. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

/** An open source. */
export interface OpenText {
  /** The first bytes of the content, enough to recognize any format. Valid until chunks are requested. */
  readonly start: Uint8Array;
  /** The same content at any place; undefined unless it is an uncompressed file. */
  readonly ranges: ByteRanges | undefined;
  /** The whole content, decompressed if it is gzipped. Can be iterated once. */
  readonly chunks: Chunks;
  /** Whether the source gave text: then the bytes are its UTF-8. */
  readonly isText: boolean;
  /** Surveys the content in a first pass; undefined if it can be read only once, or would have to be decompressed twice. */
  survey(): Promise<Survey | undefined>;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path, which is relative to the current directory',
  EISDIR: 'it is a directory; name a file in it',
  EACCES: 'reading it is not permitted; check its permissions',
};

/** The name of a source in errors; undefined if it has none. @throws OptionError for an invalid source */
export function nameOf(owner: string, source: unknown): string | undefined {
  if (typeof source === 'string') return isFileUrl(source) ? pathOf(owner, source) : source;
  if (isUrl(source)) return pathOf(owner, source.href);
  if (source === null || typeof source !== 'object') throw noSource(owner, source);
  if (Symbol.asyncIterator in source || 'getReader' in source) {
    if ('locked' in source && source.locked === true)
      throw new OptionError('source', source, `${owner}: the stream is locked; hand over one that nobody reads`);
    return 'path' in source && typeof source.path === 'string' ? source.path : undefined;
  }
  throw noSource(owner, source);
}

/** Opens a source, runs `use` on it, and closes it. */
export async function readSource<T>(
  owner: string,
  source: TextSource,
  use: (text: OpenText) => Promise<T>,
): Promise<T> {
  const name = nameOf(owner, source);
  if (typeof source !== 'string' && !isUrl(source)) {
    const pieces = typeof source === 'object' && Symbol.asyncIterator in source ? source : piecesOf(source);
    const chunks = bytesOf(owner, pieces);
    try {
      // The first chunk shows whether the source gives text.
      const first = await chunks.next();
      const isText = !first.done && first.value.isText;
      return await use(
        await opened(mapped(startingWith(first, chunks)), name ?? 'the stream', isText, () => undefined, undefined),
      );
    } finally {
      // Cancels a stream that was not read to its end. Not awaited, because it may not respond for a long time.
      chunks.return(undefined).catch(() => undefined);
    }
  }
  if (/^https?:/i.test(name!)) throw noSource(owner, name);
  const path = name!;
  const file = await openFile(path);
  try {
    const stats = await file.stat();
    const isFile = stats.isFile();
    const survey = () => (isFile ? surveyOf(file, path) : undefined);
    const ranges = isFile ? rangesOf(file, path, stats.size) : undefined;
    return await use(await opened(chunksOf(file, path, isFile), path, false, survey, ranges));
  } finally {
    await file.close();
  }
}

/** All chunks as one. @throws DataError if they have more than `most` bytes */
export async function joined(chunks: Chunks, file: string | undefined, most: number): Promise<Uint8Array> {
  // A string holds no more, and a small file may decompress to any size.
  const room = Math.min(most, LONGEST_STRING);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > room) throw tooMuch(room, new Faults(file));
    parts.push(chunk.slice());
  }
  return Buffer.concat(parts);
}

async function opened(
  chunks: AsyncGenerator<Uint8Array>,
  name: string,
  isText: boolean,
  survey: () => Promise<Survey> | undefined,
  ranges: ByteRanges | undefined,
): Promise<OpenText> {
  const [start, all] = await peeked(chunks);
  if (!isGzip(start)) return { start, ranges, chunks: all, isText, survey: async () => survey() };
  const [inner, unpacked] = await peeked(unzipped(all, name));
  if (isGzip(inner))
    throw new DataError(`${name}: it is gzip data within gzip data; unpack it once: gzip -dc FILE > NEW.gz`, {
      file: name,
    });
  return { start: inner, ranges: undefined, chunks: unpacked, isText: false, survey: async () => undefined };
}

/** Enough first bytes to recognize any format, and all chunks including them. */
async function peeked(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<[start: Uint8Array, all: AsyncGenerator<Uint8Array>]> {
  let first = await chunks.next();
  if (first.done || first.value.length >= FORMAT_BYTES)
    return [first.value ?? new Uint8Array(0), startingWith(first, chunks)];
  const parts: Uint8Array[] = [];
  let size = 0;
  while (!first.done && size < FORMAT_BYTES) {
    parts.push(first.value.slice());
    size += first.value.length;
    first = await chunks.next();
  }
  const start = Buffer.concat(parts);
  return [start, startingWith({ done: false, value: start }, startingWith(first, chunks))];
}

/** The chunks of a file from its current position (`isAgain`: from the start, leaving the position alone). */
async function* chunksOf(
  file: FileHandle,
  path: string,
  readsAhead: boolean,
  isAgain = false,
): AsyncGenerator<Uint8Array> {
  // Reads the next chunk while one is processed; not from a pipe, which could not be closed during a pending read.
  const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)] as const;
  const read = (k: number, position: number) => file.read(buffers[k & 1]!, 0, CHUNK, isAgain ? position : null);
  try {
    let coming: ReturnType<typeof read> | undefined = read(0, 0);
    for (let k = 0, position = 0; ; k++) {
      const { bytesRead } = await (coming ?? read(k, position));
      if (bytesRead === 0) return;
      position += bytesRead;
      coming = readsAhead ? read(k + 1, position) : undefined;
      // The reader stopped, so an error of the pending read no longer matters.
      coming?.catch(() => undefined);
      yield buffers[k & 1]!.subarray(0, bytesRead);
    }
  } catch (error) {
    throw readFault(path, error);
  }
}

/** Fills an array with the bytes of a file from a position on; resolves to how many there were. */
export async function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  for (let read = 1; read > 0 && done < bytes.length; done += read)
    // One call gives 2 GiB at most.
    ({ bytesRead: read } = await file.read(bytes, done, Math.min(bytes.length - done, 1 << 30), position + done));
  return done;
}

/** Any place of a file. */
function rangesOf(file: FileHandle, path: string, byteLength: number): ByteRanges {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      if (!(start <= end && end <= byteLength))
        throw new FormatError(
          `'${path}' has ${byteLength} bytes, and names the bytes ${start} to ${end}; fetch it again`,
        );
      const bytes = new Uint8Array(end - start);
      const read = await fill(file, bytes, start).catch((error) => {
        throw readFault(path, error);
      });
      if (read < bytes.length)
        throw new FormatError(`'${path}' ends at byte ${start + read}, before ${end}; fetch it again`);
      return bytes.buffer;
    },
  };
}

/** Surveys a file in a first pass. */
async function surveyOf(file: FileHandle, path: string): Promise<Survey> {
  const survey = new Survey();
  for await (const chunk of chunksOf(file, path, true, true)) survey.add(chunk);
  return survey;
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Decompresses gzip chunks. @throws FormatError if they are damaged */
async function* unzipped(chunks: Chunks, name: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: UNPACKED });
  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => gunzip.write(chunk, (error) => (error ? reject(error) : resolve())));
  const feed = async () => {
    // One after the other: a chunk's array is reused once it is decompressed.
    for await (const chunk of chunks) await write(chunk);
    gunzip.end();
  };
  feed().catch((error: Error) => gunzip.destroy(error));
  try {
    yield* gunzip;
  } catch (error) {
    // Errors of the source itself are passed on; only those of zlib mean damaged data.
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw error;
    throw new FormatError(`'${name}' is damaged gzip data (${(error as Error).message}); fetch or pack it again`);
  }
}

/** Restores an iteration whose first value was already requested. */
async function* startingWith<T>(first: IteratorResult<T, unknown>, rest: AsyncIterable<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly isText: boolean;
}

/** The chunks of a stream as bytes; text is encoded as UTF-8. */
async function* bytesOf(owner: string, pieces: AsyncIterable<unknown>): AsyncGenerator<Piece> {
  const encoder = new TextEncoder();
  let texts = 0;
  let hasLineEnd = false;
  let kind: boolean | undefined;
  // A high surrogate whose low surrogate is in the next piece.
  let half = '';
  for await (const piece of pieces) {
    const isText = typeof piece === 'string';
    if (!isText && !(piece instanceof Uint8Array) && !(piece instanceof ArrayBuffer)) {
      const what = `${owner}: the stream gives ${show(piece)}; want bytes or text`;
      throw new OptionError('source', piece, `${what}; rows go to Interactions.from, such as of an array of them`);
    }
    if (kind !== undefined && kind !== isText)
      throw new OptionError('source', piece, `${owner}: the stream gives bytes and text; want one of them`);
    kind = isText;
    if (!isText) {
      yield { bytes: piece instanceof ArrayBuffer ? new Uint8Array(piece) : piece, isText };
      continue;
    }
    if (piece.length > 0) texts++;
    hasLineEnd ||= /[\r\n]/.test(piece);
    const all = half + piece;
    half = /[\ud800-\udbff]$/.exec(all)?.[0] ?? '';
    yield { bytes: encoder.encode(all.slice(0, all.length - half.length)), isText };
  }
  if (texts > 1 && !hasLineEnd) {
    const what = `${owner}: the stream gives ${texts} pieces of text without a line end`;
    throw new OptionError('source', undefined, `${what}; if each is a line, add '\\n' to it`);
  }
}

async function* mapped(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of pieces) yield bytes;
}

/** Iterates a web stream on hosts where it is not async iterable. */
async function* piecesOf(stream: ReadableStream): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      isDone = done;
      if (!done) yield value;
    }
  } finally {
    if (!isDone) await reader.cancel();
    reader.releaseLock();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw readFault(path, error);
  }
}

function isUrl(source: unknown): source is URL {
  // Not instanceof: it may come from another realm.
  return source !== null && typeof source === 'object' && 'href' in source && 'protocol' in source;
}

function isFileUrl(text: string): boolean {
  return /^file:\/\//i.test(text);
}

function pathOf(owner: string, href: string): string {
  if (!isFileUrl(href)) throw noSource(owner, href);
  try {
    return fileURLToPath(href);
  } catch (error) {
    throw new OptionError('source', href, `${owner}: ${show(href)} names no file (${(error as Error).message})`);
  }
}

function noSource(owner: string, source: unknown): OptionError {
  let advice = 'want a path, a file: URL, or a stream of bytes or text';
  if (typeof source === 'string') advice = 'nothing is fetched here; hand over a stream: (await fetch(url)).body';
  else if (source instanceof Promise) advice = 'await it first';
  else if (source instanceof Uint8Array || source instanceof ArrayBuffer)
    advice = 'bytes that are there go to parseInteractions';
  else if (typeof source === 'object' && source !== null && 'body' in source)
    advice = 'of a response hand over the body';
  else if (Array.isArray(source))
    advice = "text goes to parseInteractions, lines joined by '\\n', rows to Interactions.from";
  return new OptionError('source', source, `${owner}: cannot read ${show(source)}; ${advice}`);
}

function readFault(path: string, error: unknown): DataError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new DataError(`cannot read '${path}': ${REASONS[code] ?? message}`, { file: path });
}
