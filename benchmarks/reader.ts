// Megabytes of text a second, memory a rating and the longest hold of the event loop of readInteractions.
// Run: node benchmarks/run.mjs benchmarks/reader.ts [quick | formats]. Every reading is a process of its own, because memory
// is that of a process; kinds of files take turns. The text is made once: 20M ratings (quick: 2M; formats: 5M, as text, NDJSON
// and Parquet) of 138k users and 27k items.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readInteractions } from '../src/node/read-files';
import { machine } from './machine';
import { writeNdjson, writeParquet, writeRatings } from './reader-text';

const RUNS = 5;
/** The path under which a process knows itself to be the one that reads. */
const [task, path] = process.argv.slice(2);

interface Reading {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly hold: number;
  readonly buffers: number;
  readonly resident: number;
  readonly rows: number;
}

/**
 * Reads a file once. Memory is sampled each millisecond that the event loop is free, over what it was before. What resizable
 * buffers hold is not in the count of buffers, but in the resident memory.
 */
async function measure(file: string): Promise<Reading> {
  // A small file first, so that the code is compiled.
  await readInteractions(`${file}.small`);
  const before = process.memoryUsage();
  const peak = { buffers: 0, resident: 0, hold: 0 };
  let last = performance.now();
  const sample = () => {
    const now = performance.now();
    peak.hold = Math.max(peak.hold, now - last);
    last = now;
    const { arrayBuffers, heapUsed, rss } = process.memoryUsage();
    peak.buffers = Math.max(peak.buffers, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
    peak.resident = Math.max(peak.resident, rss - before.rss);
  };
  const timer = setInterval(sample, 1);
  const cpu = process.cpuUsage();
  const start = performance.now();
  last = start;
  const data = await readInteractions(file);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  sample();
  clearInterval(timer);
  const { hold, buffers, resident } = peak;
  return { seconds, cpuSeconds: (user + system) / 1e6, hold, buffers, resident, rows: data.size };
}

const median = (list: number[]) => list.sort((a, b) => a - b)[list.length >> 1]!;

interface File {
  readonly name: string;
  readonly file: string;
  /** The file whose size counts. */
  readonly plain: string;
}

/** The same ratings as text, NDJSON and Parquet. */
async function filesOfFormats(folder: string, ratings: number): Promise<File[]> {
  const text = join(folder, 'ratings.csv');
  for (const [path, count] of [
    [text, ratings],
    [`${text}.small`, 50_000],
  ] as const)
    writeRatings(path, count, true);
  for (const small of ['', '.small']) {
    await writeNdjson(`${text}${small}`, join(folder, `ratings.ndjson${small}`));
    await writeParquet(`${text}${small}`, join(folder, `ratings.parquet${small}`));
  }
  return ['csv', 'ndjson', 'parquet'].map((name) => {
    const file = join(folder, `ratings.${name}`);
    return { name, file, plain: file };
  });
}

/** The same ratings in two orders, plain and gzipped. */
function filesOfText(folder: string, ratings: number): File[] {
  return ['by user', 'shuffled'].flatMap((order) => {
    const plain = join(folder, `${order}.csv`);
    writeRatings(plain, ratings, order === 'shuffled');
    writeRatings(`${plain}.small`, 50_000, order === 'shuffled');
    const packed = `${plain}.gz`;
    execFileSync('gzip', ['-k', '-1', plain]);
    writeFileSync(`${packed}.small`, gzipSync('1,2,3\n'.repeat(50_000)));
    return [plain, packed].map((file) => ({ name: `${order}, ${file === plain ? 'plain' : 'gz'}`, file, plain }));
  });
}

async function compare(kind: 'full' | 'quick' | 'formats'): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'opmf-reader-'));
  try {
    const ratings = { full: 20_000_000, quick: 2_000_000, formats: 5_000_000 }[kind];
    const files: readonly File[] =
      kind === 'formats' ? await filesOfFormats(folder, ratings) : filesOfText(folder, ratings);
    const readings = files.map((): Reading[] => []);
    for (let run = 0; run < RUNS; run++) {
      files.forEach(({ file }, k) => {
        const args = ['benchmarks/run.mjs', 'benchmarks/reader.ts', 'read', file];
        readings[k]!.push(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Reading);
      });
    }
    const about = { ...machine(), ratings, runs: RUNS, measure: 'bytes of the unpacked text; medians of runs in turn' };
    console.log(
      `${JSON.stringify(about)}\nfile                 MB  MB/s (min median max)  MB/cpu-s  hold ms  bytes a rating: buffers+heap, RSS`,
    );
    const results = files.map(({ name, plain }, k) => {
      const list = readings[k]!;
      const megabytes = statSync(plain).size / 1e6;
      const of = (value: (reading: Reading) => number) => median(list.map(value));
      const speeds = list.map(({ seconds }) => megabytes / seconds).sort((a, b) => a - b);
      const result = {
        name,
        megabytes,
        speeds,
        speed: of(({ seconds }) => megabytes / seconds),
        ratingsPerSecond: Math.round(of(({ seconds, rows }) => rows / seconds)),
        speedByCpu: of(({ cpuSeconds }) => megabytes / cpuSeconds),
        hold: of(({ hold }) => hold),
        longestHold: Math.max(...list.map(({ hold }) => hold)),
        bytesARating: of(({ buffers, rows }) => buffers / rows),
        residentBytesARating: of(({ resident, rows }) => resident / rows),
      };
      const speed = [speeds[0]!, result.speed, speeds.at(-1)!].map((value) => value.toFixed(0)).join(' ');
      console.log(
        `${name.padEnd(16)} ${(result.ratingsPerSecond / 1e6).toFixed(2)}M/s ${megabytes.toFixed(0).padStart(6)}  ${speed.padEnd(22)}  ${result.speedByCpu.toFixed(0).padStart(8)}  ` +
          `${result.hold.toFixed(0).padStart(7)}  ${result.bytesARating.toFixed(1)}, ${result.residentBytesARating.toFixed(1)}`,
      );
      return result;
    });
    writeFileSync(
      `benchmarks/results/reader${kind === 'full' ? '' : `-${kind}`}.json`,
      `${JSON.stringify({ ...about, results }, null, 2)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (task === 'read') console.log(JSON.stringify(await measure(path!)));
else await compare(task === 'quick' || task === 'formats' ? task : 'full');
