// Downloads a known data set: its archive, checked against a SHA-256 of this library, is unpacked into a folder as a whole.

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { DataError, OptionError, UnsupportedError } from '../core/errors';
import { abortSignal, callable, optional, readOptions, show, string } from '../core/options';
import { cacheFolder, type DatasetOptions, locate, specOf } from './datasets';
import { unwritable, WRITE_FAULTS, writeFolderAtomically } from './output-file';

/**
 * The options of `fetchDataset`. With `dataDir`, the set goes there.
 *
 * @example
 * ```ts
 * import type { FetchDatasetOptions } from 'opmf/node';
 * const options: FetchDatasetOptions = { from: 'https://mirror.example/movielens/', signal: AbortSignal.timeout(60_000) };
 * console.log(Object.keys(options).length); // 2
 * ```
 */
export interface FetchDatasetOptions extends DatasetOptions {
  /**
   * The address of the archive or, ending in `/`, of a folder that it is in.
   * @defaultValue `$OPMF_DATASETS_FROM`, else the address of the set's publisher
   */
  readonly from?: string | undefined;
  /** Told of the bytes that have come so far. */
  readonly onProgress?: ((progress: { readonly bytes: number; readonly of: number }) => unknown) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a known set unless it is on this machine, and gives its folder: in `dataDir`, else in the cache
 * (`$XDG_CACHE_HOME/opmf`, by default `~/.cache/opmf`). Its terms (`licence` of `listDatasets`) bind you.
 *
 * `ml-100k`, `ml-1m` and `ml-latest-small` come from GroupLens, or a mirror that has the same bytes (`from`): what has
 * another SHA-256 is refused. `movietweetings-8k` is part of this package. Others have no licence that allows it. The
 * folder appears when it is whole; after a failure the download begins anew.
 *
 * @throws OptionError for an unknown name, an unknown option or a bad value.
 * @throws UnsupportedError for a set that may not be downloaded by a program, with where to get it.
 * @throws DataError where the address cannot be reached, has no such file or another one, or the disk is full; the signal's reason.
 *
 * @example
 * ```ts
 * import { fetchDataset, loadDataset } from 'opmf/node';
 * await fetchDataset('movietweetings-8k');
 * console.log((await loadDataset('movietweetings-8k')).size); // 8000
 * ```
 */
export async function fetchDataset(name: string, options?: FetchDatasetOptions): Promise<string> {
  const owner = 'fetchDataset';
  const { dataDir, from, onProgress, signal } = readOptions<FetchDatasetOptions>(owner, options, {
    dataDir: optional(string),
    from: optional(string),
    onProgress: optional(callable<NonNullable<FetchDatasetOptions['onProgress']>>()),
    signal: optional(abortSignal),
  });
  const spec = specOf(owner, name);
  const there = locate(spec, dataDir);
  if (there !== undefined) return there.folder;
  if (spec.archive === undefined)
    throw new UnsupportedError(
      `${owner}: no licence allows a program to download '${name}' (${spec.licence}); get it from ${spec.page} and put ${spec.ratings[0]} into ${join(dataDir ?? cacheFolder(), name)}`,
    );
  const { address, bytes, sha256 } = spec.archive;
  const url = addressOf(from ?? (process.env.OPMF_DATASETS_FROM || address), address);
  const folder = join(dataDir ?? cacheFolder(), name);
  const byHand = `or download it in another way and unpack it, so that there is ${join(folder, spec.ratings[0])}`;
  const advice = `try again, name another address of the same file (from, --from or OPMF_DATASETS_FROM), ${byHand}`;
  const archive = await download(url, bytes, { advice, onProgress, signal });
  const digest = createHash('sha256').update(archive).digest('hex');
  if (digest !== sha256)
    throw new DataError(
      `what ${url} gave is not the archive of '${name}': ${archive.length} bytes with SHA-256 ${digest}; want ${bytes} with ${sha256}; nothing of it was kept; ${advice}`,
    );
  try {
    await mkdir(dataDir ?? cacheFolder(), { recursive: true });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw unwritable(folder, WRITE_FAULTS[code] ?? message);
  }
  try {
    await writeFolderAtomically(folder, async (temporary, write) => {
      for (const [path, content] of unzipped(archive)) {
        const [top, file, ...deeper] = path.split('/');
        if (top === name && file !== undefined && file !== '' && deeper.length === 0)
          await write(join(temporary, file), content);
      }
    });
  } catch (error) {
    // Another process was faster.
    if (locate(spec, dataDir) === undefined) throw error;
  }
  return folder;
}

/** `from` as an address of a file: in a folder, the file has the name that it has by default. */
function addressOf(from: string, address: string): string {
  const whole = from.endsWith('/') ? from + address.slice(address.lastIndexOf('/') + 1) : from;
  if (/^https?:\/\//i.test(whole) && URL.canParse(whole)) return whole;
  throw new OptionError(
    'from',
    from,
    `fetchDataset: from is ${show(from)}; want an address that begins with https:// or http://`,
  );
}

/** The bytes behind an address, at most one more than there should be. */
async function download(
  url: string,
  of: number,
  { advice, onProgress, signal }: Pick<FetchDatasetOptions, 'onProgress' | 'signal'> & { readonly advice: string },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (!response.ok) {
      await response.body?.cancel();
      throw new DataError(`${url} answers ${response.status} ${response.statusText}; ${advice}`);
    }
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.length;
      onProgress?.({ bytes, of });
      if (bytes > of) break;
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    // fetch fails with a TypeError, and what stands behind it says why.
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    if (cause === undefined) throw error;
    const { code, message } = cause;
    const reason = [code, message].filter((part) => part !== undefined && part !== '').join(': ');
    throw new DataError(`cannot download ${url}: ${reason}, after ${bytes} of ${of} bytes; ${advice}`);
  }
  return Buffer.concat(chunks);
}

/** The files in a ZIP archive whose checksum is known to be right, with their paths. */
function* unzipped(zip: Buffer): Generator<readonly [path: string, content: Buffer]> {
  // The directory stands at the end; its entries say where the files are. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
  const end = zip.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  const entries = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < entries; i++) {
    const [method, packed] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as number[];
    const path = zip.toString('utf8', at + 46, at + 46 + nameLength!);
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const content = zip.subarray(start, start + packed);
    yield [path, method === 0 ? content : inflateRawSync(content)];
    at += 46 + nameLength! + extra! + comment!;
  }
}
