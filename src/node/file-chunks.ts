// The bytes of a file in chunks: read, unzipped, counted. The chunks share one array, so a chunk is gone once the next
// is asked for.

import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DataError, FormatError } from '../core/errors';
import { LONGEST_STRING } from '../io/decode';
import { Faults } from '../io/fault';
import { tooMuch } from '../io/read-text';
import { Survey } from '../io/survey';

/** Large enough that the reading does not count, small enough that a chunk is read in a few milliseconds. */
const CHUNK = 1 << 19;
/** Unpacked chunks are new arrays, each in memory until the garbage collector comes: half as large, half as much. */
const UNPACKED = 1 << 18;

export type Chunks = AsyncIterable<Uint8Array>;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path, which is relative to the current directory',
  EISDIR: 'it is a directory; name a file in it',
  EACCES: 'reading it is not permitted; check its permissions',
};

/** An open file. @throws DataError where it cannot be opened */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw readFault(path, error);
  }
}

/** The chunks of a file, from where it stands (`isAgain`: from the start, without moving it). */
export async function* chunksOf(file: FileHandle, path: string, isAgain = false): AsyncGenerator<Uint8Array> {
  // While a chunk is worked on, the next one is read.
  const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)] as const;
  const read = (k: number, position: number) => file.read(buffers[k & 1]!, 0, CHUNK, isAgain ? position : null);
  try {
    let coming = read(0, 0);
    for (let k = 0, position = 0; ; k++) {
      const { bytesRead } = await coming;
      if (bytesRead === 0) return;
      position += bytesRead;
      coming = read(k + 1, position);
      // Whoever stops here has no use for what may be wrong with it.
      coming.catch(() => undefined);
      yield buffers[k & 1]!.subarray(0, bytesRead);
    }
  } catch (error) {
    throw readFault(path, error);
  }
}

/** What can be said of a file at a first look. */
export async function surveyFile(file: FileHandle, path: string): Promise<Survey> {
  const survey = new Survey();
  for await (const chunk of chunksOf(file, path, true)) survey.add(chunk);
  return survey;
}

/** Whether bytes are the start of gzip data. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What is packed in gzip chunks. @throws FormatError where they are damaged */
export async function* unzipped(chunks: Chunks, path: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: UNPACKED });
  const write = (chunk: Uint8Array) =>
    new Promise<void>((resolve, reject) => gunzip.write(chunk, (error) => (error ? reject(error) : resolve())));
  const feed = async () => {
    // One after the other: a chunk's array is free only once it is unpacked.
    for await (const chunk of chunks) await write(chunk);
    gunzip.end();
  };
  feed().catch((error: Error) => gunzip.destroy(error));
  try {
    yield* gunzip;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new FormatError(`'${path}' is damaged gzip data (${(error as Error).message}); fetch or pack it again`);
  }
}

/** The chunks whose first has been asked for already. */
export async function* startingWith(first: IteratorResult<Uint8Array>, rest: Chunks): AsyncGenerator<Uint8Array> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** All chunks as one. @throws DataError where they have more than `most` bytes */
export async function joined(chunks: Chunks, path: string, most: number): Promise<Uint8Array> {
  // One string holds no more: what is unpacked from a small file could be any size.
  const room = Math.min(most, LONGEST_STRING);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > room) throw tooMuch(room, new Faults(path));
    parts.push(chunk.slice());
  }
  return Buffer.concat(parts);
}

/** All of a file, unpacked where it is gzipped. @throws DataError where that is more than `most` bytes */
export async function wholeFile(path: string, most: number): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const chunks = chunksOf(file, path);
    const first = await chunks.next();
    const all = startingWith(first, chunks);
    return await joined(!first.done && isGzip(first.value) ? unzipped(all, path) : all, path, most);
  } finally {
    await file.close();
  }
}

function readFault(path: string, error: unknown): DataError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new DataError(`cannot read '${path}': ${REASONS[code] ?? message}`, { file: path });
}
