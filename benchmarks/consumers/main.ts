// Runs the package, from its tarball, in what people run it in, and writes benchmarks/results/consumers.json and the table of
// docs/runtimes.md. All of it needs Linux on x64 with Chromium, and a few hundred MB of downloads, which npm keeps.
// Run: npm run test:consumers -- node bun (all without a name; --quick: those that take little time; --page: the table alone)

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as opmf from 'opmf';
import { machine } from '../machine';
import { CONSUMERS, type Consumer } from './consumers';
// @ts-expect-error: plain CommonJS, for the consumers, without declarations.
import program from './program.cjs';
import { Project, run } from './project';
import { type ConsumerRow, type Consumers, withTable } from './table';

const RESULTS = 'benchmarks/results/consumers.json';
const PAGE = 'docs/runtimes.md';

const names = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isQuick = process.argv.includes('--quick');
const isNamed = ({ name }: Consumer) => names.some((word) => name === word || name.startsWith(`${word}-`));
const chosen = process.argv.includes('--page')
  ? []
  : CONSUMERS.filter((one) => (names.length === 0 || isNamed(one)) && !(isQuick && one.isSlow));

const before: Consumers = existsSync(RESULTS)
  ? JSON.parse(readFileSync(RESULTS, 'utf8'))
  : { machine: machine(), rows: [] };
const rows = new Map(before.rows.map((row) => [row.name, row]));
const projects = new Map<string, Project>();
const tarballs = mkdtempSync(join(tmpdir(), 'opmf-tarball-'));
try {
  if (chosen.length > 0) {
    const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs], '.');
    const tarball = join(tarballs, JSON.parse(packed)[0].filename);
    // What the sources give in the Node that runs this.
    const expected = sha256((await program(opmf)).bytes);
    for (const consumer of chosen) {
      const row = await rowOf(consumer, tarball, expected);
      rows.set(row.name, row);
      write();
      console.log(
        `${row.fault === undefined ? 'ok  ' : 'FAIL'} ${row.name.padEnd(20)} ${row.version.padEnd(14)} ${row.seconds} s`,
      );
      if (row.fault !== undefined) console.log(row.fault);
    }
  }
} finally {
  for (const folder of [tarballs, ...Array.from(projects.values(), (project) => project.folder)])
    rmSync(folder, { recursive: true, force: true });
}
write();
const faults = chosen.filter(({ name }) => rows.get(name)!.fault !== undefined);
if (faults.length > 0) console.log(`${faults.length} of ${chosen.length} fail`);
process.exitCode = faults.length > 0 ? 1 : 0;

/** Writes what is known so far: a run that is stopped keeps its rows. */
function write(): void {
  // What is said of a consumer may be put better without running it.
  const ordered = CONSUMERS.flatMap(({ name, title, needs }) =>
    rows.has(name) ? { ...rows.get(name)!, title, needs } : [],
  );
  const ranOn = chosen.length > 0 ? machine() : before.machine;
  writeFileSync(RESULTS, `${JSON.stringify({ machine: ranOn, rows: ordered }, undefined, 2)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), ordered));
}

/** Runs one; a fault is what it throws, or what it finds that it should not. */
async function rowOf(consumer: Consumer, tarball: string, expected: string): Promise<ConsumerRow> {
  const start = performance.now();
  const { name, title, packages, needs, threads, wasm } = consumer;
  let version = '';
  let fault: string | undefined;
  let runs: readonly string[] = [];
  try {
    const project = await projectOf(tarball, packages);
    version = packages.length > 0 ? project.versionOf(packages[0]!) : await project.chromium();
    const found = Object.entries(await consumer.run(project));
    runs = found.map(([run]) => run);
    const wrong = found.flatMap(([run, one]) => [
      ...(sha256(one.bytes) === expected ? [] : [`${run}: other models`]),
      ...(one.threads === threads ? [] : [`${run}: threads ${one.threads}`]),
      ...(one.wasm === wasm ? [] : [`${run}: WebAssembly ${one.wasm}`]),
    ]);
    if (threads !== undefined && found.length === 0) wrong.push('nothing was run');
    if (wrong.length > 0) fault = wrong.join('; ');
  } catch (error) {
    fault = String(error);
  }
  const seconds = Math.round((performance.now() - start) / 100) / 10;
  const date = new Date().toISOString().slice(0, 10);
  return { name, title, version, runs, threads, wasm, needs, seconds, date, fault };
}

/** One project for all that install the same. */
async function projectOf(tarball: string, packages: readonly string[]): Promise<Project> {
  const key = packages.join(' ');
  const project = projects.get(key) ?? (await Project.of(tarball, packages));
  projects.set(key, project);
  return project;
}

function sha256(digits: string): string {
  return createHash('sha256').update(digits, 'hex').digest('hex');
}
