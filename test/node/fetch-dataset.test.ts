// Downloads of data sets, from a server of this machine that gives archives which are made up here.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { DataError, OptionError, UnsupportedError } from '../../src/core/errors';
import { DATASETS, loadDataset } from '../../src/node/datasets';
import { fetchDataset } from '../../src/node/fetch-dataset';
import { opmf } from './cli/opmf';

const root = mkdtempSync(join(tmpdir(), 'opmf-fetch-'));
const environment = process.env;
const RATINGS = Array.from({ length: 2000 }, (_, i) => `${i}::2::3::4\n`).join('');
const FILES = {
  'ml-1m/': '',
  'ml-1m/ratings.dat': RATINGS,
  'ml-1m/README': 'terms',
  'ml-1m/a/b': '',
  '../evil': '',
  'other/x': '',
};
const ARCHIVE = zip(FILES);
const set = DATASETS.find(({ name }) => name === 'ml-1m')!;
const published = set.archive!;
let server: Server;
let base: string;
let answer: RequestListener;
let dataDir: string;

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made = { bytes: ARCHIVE.length, sha256: createHash('sha256').update(ARCHIVE).digest('hex') };
  Object.assign(set, { archive: { address: `${base}/datasets/ml-1m.zip`, ...made } });
});
beforeEach(() => {
  dataDir = mkdtempSync(join(root, 'sets-'));
  process.env = { ...environment, OPMF_DATA: '', OPMF_DATASETS_FROM: '', XDG_CACHE_HOME: join(dataDir, 'cache') };
  answer = (request, response) => {
    if (request.url!.endsWith('/ml-1m.zip')) return response.end(ARCHIVE);
    return response.writeHead(404).end('no such file');
  };
});
afterAll(async () => {
  process.env = environment;
  Object.assign(set, { archive: published });
  rmSync(root, { recursive: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** An archive of files with these contents, deflated but for the empty ones, as `zip` writes it. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const [parts, directory]: Buffer[][] = [[], []];
  let offset = 0;
  for (const [path, text] of Object.entries(files)) {
    const content = text === '' ? Buffer.alloc(0) : deflateRawSync(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(text === '' ? 0 : 8, 4);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(text.length, 18);
    common.writeUInt16LE(path.length, 22);
    const at = Buffer.alloc(14);
    at.writeUInt32LE(offset, 10);
    directory!.push(Buffer.from('PK\u0001\u0002\u0014\u0000', 'latin1'), common, at, Buffer.from(path));
    const local = [Buffer.from('PK\u0003\u0004', 'latin1'), common, Buffer.from(path), content];
    parts!.push(...local);
    offset += local.reduce((sum, { length }) => sum + length, 0);
  }
  const entries = Buffer.concat(directory!);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts!, entries, end]);
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a set is downloaded, checked and unpacked once; what is not of its folder is left out', async () => {
  const told: number[] = [];
  const onProgress = ({ bytes, of }: { bytes: number; of: number }) => told.push(bytes / of);
  const folder = await fetchDataset('ml-1m', { dataDir, onProgress });
  expect(folder).toBe(join(dataDir, 'ml-1m'));
  expect(readdirSync(folder).sort()).toEqual(['README', 'ratings.dat']);
  expect(readFileSync(join(folder, 'ratings.dat'), 'utf8')).toBe(RATINGS);
  expect(readdirSync(dataDir)).toEqual(['ml-1m']);
  expect(told.at(-1)).toBe(1);
  expect((await loadDataset('ml-1m', { dataDir })).size).toBe(2000);
  answer = () => {
    throw new Error('asked again');
  };
  expect(await fetchDataset('ml-1m', { dataDir })).toBe(folder);
});

test('archives that the usual tool writes are unpacked', async () => {
  const folder = join(dataDir, 'made', 'ml-1m');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'ratings.dat'), RATINGS);
  const script = 'import shutil; shutil.make_archive("ml-1m", "zip", ".", "ml-1m")';
  execFileSync('python3', ['-c', script], { cwd: join(dataDir, 'made') });
  const archive = readFileSync(join(dataDir, 'made', 'ml-1m.zip'));
  const before = set.archive!;
  const sha256 = createHash('sha256').update(archive).digest('hex');
  Object.assign(set, { archive: { ...before, bytes: archive.length, sha256 } });
  answer = (_, response) => response.end(archive);
  try {
    await fetchDataset('ml-1m', { dataDir });
    expect(readFileSync(join(dataDir, 'ml-1m', 'ratings.dat'), 'utf8')).toBe(RATINGS);
  } finally {
    Object.assign(set, { archive: before });
  }
});

test('without dataDir it goes into the cache; addresses come from the option, the variable, the publisher', async () => {
  const asked: string[] = [];
  const give = answer;
  answer = (request, response) => {
    asked.push(request.url!);
    give(request, response);
  };
  expect(await fetchDataset('ml-1m')).toBe(join(dataDir, 'cache', 'opmf', 'ml-1m'));
  process.env.OPMF_DATASETS_FROM = `${base}/mirror/`;
  await fetchDataset('ml-1m', { dataDir: join(dataDir, 'a') }).then(() =>
    rmSync(join(dataDir, 'cache'), { recursive: true }),
  );
  await fetchDataset('ml-1m', { dataDir: join(dataDir, 'b') });
  await fetchDataset('ml-1m', { dataDir: join(dataDir, 'c'), from: `${base}/own/ml-1m.zip` });
  expect(asked).toEqual(['/datasets/ml-1m.zip', '/mirror/ml-1m.zip', '/own/ml-1m.zip']);
});

test('two at once: both have the set', async () => {
  const both = [1, 2].map(() => fetchDataset('ml-1m', { dataDir }));
  expect(await Promise.all(both)).toEqual([join(dataDir, 'ml-1m'), join(dataDir, 'ml-1m')]);
  expect(readdirSync(dataDir)).toEqual(['ml-1m']);
});

describe('failures are typed, say what to do and leave nothing behind', () => {
  const advice =
    /try again, name another address of the same file \(from, --from or OPMF_DATASETS_FROM\), or download it in another way/;

  test.each<[string, RequestListener, RegExp]>([
    ['no such file', (_, response) => response.writeHead(404).end(), /\/ml-1m\.zip answers 404 Not Found/],
    ['another file', (_, response) => response.end('<html>'), /is not the archive of 'ml-1m': 6 bytes with SHA-256/],
    ['one that is longer', (_, response) => response.end(Buffer.concat([ARCHIVE, ARCHIVE])), /is not the archive of/],
    [
      'one byte is wrong',
      (_, response) => response.end(Buffer.from(ARCHIVE).fill(1, 99, 100)),
      /nothing of it was kept/,
    ],
    [
      'the connection breaks',
      (_, response) => {
        response.writeHead(200, { 'content-length': ARCHIVE.length });
        response.write(ARCHIVE.subarray(0, 100), () => response.destroy());
      },
      /cannot download http:.*, after \d+ of \d+ bytes/,
    ],
  ])('%s', async (_, listener, message) => {
    const give = answer;
    answer = listener;
    const error = await failure(fetchDataset('ml-1m', { dataDir }));
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(advice);
    expect(readdirSync(dataDir)).toEqual([]);
    // Begun anew, it succeeds.
    answer = give;
    await fetchDataset('ml-1m', { dataDir });
  });

  test('no server, an address that is none', async () => {
    const none = await failure(fetchDataset('ml-1m', { dataDir, from: 'http://127.0.0.1:9/' }));
    expect(none).toBeInstanceOf(DataError);
    expect((none as Error).message).toMatch(/cannot download http:\/\/127\.0\.0\.1:9\/ml-1m\.zip: .+, after 0 of/);
    for (const from of ['ftp://example.org/', '/tmp/ml-1m.zip', 'https://[/ml-1m.zip'])
      expect(await failure(fetchDataset('ml-1m', { dataDir, from }))).toBeInstanceOf(OptionError);
  });

  test('a signal ends it', async () => {
    const stop = new AbortController();
    answer = (_, response) => {
      response.write(ARCHIVE.subarray(0, 100), () => stop.abort('enough'));
    };
    expect(await failure(fetchDataset('ml-1m', { dataDir, signal: stop.signal }))).toBe('enough');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('a folder that cannot be made or written', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    const inFile = await failure(fetchDataset('ml-1m', { dataDir: join(dataDir, 'file') }));
    expect(inFile).toBeInstanceOf(DataError);
    mkdirSync(join(dataDir, 'ml-1m'));
    writeFileSync(join(dataDir, 'ml-1m', 'notes'), '');
    const taken = await failure(fetchDataset('ml-1m', { dataDir }));
    expect([taken, (taken as Error).message]).toEqual([
      expect.any(DataError),
      expect.stringMatching(/there is something already/),
    ]);
  });

  test('a set that no licence lets a program download: where to get it', async () => {
    const error = await failure(fetchDataset('ciaodvd', { dataDir }));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(/no licence allows.*get it from https:.* and put movie-ratings\.txt into/);
    await expect(fetchDataset('ml1m')).rejects.toThrow("did you mean 'ml-1m'?");
    await expect(fetchDataset('ml-1m', { form: '' } as object)).rejects.toThrow("did you mean 'from'?");
  });
});

test('movietweetings-8k is part of the package', async () => {
  expect(existsSync(join(await fetchDataset('movietweetings-8k'), 'LICENSE'))).toBe(true);
  const { size, users, items } = await loadDataset('movietweetings-8k');
  expect([size, users.size, items.size]).toEqual([8000, 3278, 2679]);
});

test('what is published: the archives of GroupLens', () => {
  const addresses = DATASETS.map(({ name, archive }) => [
    name,
    name === 'ml-1m' ? published.address : archive?.address,
  ]);
  const grouplens = (name: string) => `https://files.grouplens.org/datasets/movielens/${name}.zip`;
  expect(addresses.filter(([, address]) => address !== undefined)).toEqual(
    ['ml-100k', 'ml-1m', 'ml-latest-small'].map((name) => [name, grouplens(name)]),
  );
});

describe('opmf datasets fetch', () => {
  test('says the terms and prints the folder', async () => {
    const { code, out, err } = await opmf('datasets', 'fetch', 'ml-1m', '--data-dir', dataDir);
    expect([code, out]).toEqual([0, `${join(dataDir, 'ml-1m')}\n`]);
    expect(err).toBe(
      'ml-1m: GroupLens: research use, no redistribution, no commercial use; cite Harper and Konstan 2015; the terms: https://grouplens.org/datasets/movielens/1m/\n',
    );
    const again = await opmf('datasets', 'fetch', 'ml-1m', '--data-dir', dataDir, '--json');
    expect([JSON.parse(again.out), again.err]).toEqual([{ name: 'ml-1m', path: join(dataDir, 'ml-1m') }, '']);
  });

  test('failures in a line', async () => {
    const flags = ['--data-dir', dataDir, '--from', `${base}/none/`];
    answer = (_, response) => response.writeHead(503).end();
    const failed = await opmf('datasets', 'fetch', 'ml-1m', ...flags);
    expect([failed.code, failed.out]).toEqual([1, '']);
    expect(failed.err).toMatch(/^opmf: http:\/\/127\S+\/none\/ml-1m\.zip answers 503 Service Unavailable; [^\n]*\n$/);
    const absent = await opmf('train', 'ml-1m', '--out', join(dataDir, 'model'), '--data-dir', dataDir);
    expect(absent.err).toContain('opmf datasets fetch ml-1m, or fetchDataset, downloads it');
  });
});
