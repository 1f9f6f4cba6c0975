// The bytes of a file in chunks: read, unzipped, counted. The chunks share one array, so a chunk is gone once the next
// is asked for.

import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DataError, FormatError } from '../core/errors';
import { countLines } from '../io/count-lines';

/** Large enough that the reading does not count, small enough that a chunk is read in a few milliseconds. */
const CHUNK = 1 << 19;

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
  const buffer = new Uint8Array(CHUNK);
  for (let position = 0; ; ) {
    let count: number;
    try {
      ({ bytesRead: count } = await file.read(buffer, 0, CHUNK, isAgain ? position : null));
    } catch (error) {
      throw readFault(path, error);
    }
    if (count === 0) return;
    position += count;
    yield buffer.subarray(0, count);
  }
}

/** How many lines a file has. */
export async function countFileLines(file: FileHandle, path: string): Promise<number> {
  let ends = 0;
  let isOpen = false;
  for await (const chunk of chunksOf(file, path, true)) {
    const isEnded = chunk[chunk.length - 1] === 10;
    ends += countLines(chunk) - (isEnded ? 0 : 1);
    isOpen = !isEnded;
  }
  return ends + (isOpen ? 1 : 0);
}

/** Whether bytes are the start of gzip data. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What is packed in gzip chunks. @throws FormatError where they are damaged */
export async function* unzipped(chunks: Chunks, path: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
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

function readFault(path: string, error: unknown): DataError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new DataError(`cannot read '${path}': ${REASONS[code] ?? message}`, { file: path });
}
