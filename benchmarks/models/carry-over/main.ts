// Does it carry over? Model x optimizer x {plain, overparameterized}: epochs and seconds until an arm predicts unseen data
// as well as plain's best epoch does. Run: node benchmarks/run.mjs benchmarks/models/carry-over/main.ts [MODEL,...]; with
// `render` the page alone is made again. Each model's results are a document of their own.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { machine } from '../../machine';
import { runArms } from './arms';
import { page } from './page';
import type { Document } from './rows';
import { EPOCHS, SUBJECTS } from './subjects';

const PAGE = 'docs/models/overparameterized.md';
const fileOf = (name: string) => `benchmarks/results/carry-over-${name.toLowerCase()}.json`;

const asked = process.argv[2];
// Of the start: the results that it writes are no changes of what is measured.
const machineOfRun = machine();
for (const subject of SUBJECTS) {
  if (asked === 'render' || (asked !== undefined && !asked.split(',').includes(subject.name))) continue;
  const started = performance.now();
  const results = await runArms(subject, console.log);
  const { name, about, metric } = subject;
  const document: Document = { machine: machineOfRun, name, about, metric, epochs: EPOCHS, results };
  writeFileSync(fileOf(name), `${JSON.stringify(document, round)}\n`);
  console.log(`${name}: ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
}
const documents = SUBJECTS.map(({ name }) => fileOf(name)).filter((file) => existsSync(file));
writeFileSync(PAGE, page(documents.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Document)));
execFileSync('npx', ['biome', 'format', '--write', PAGE], { stdio: 'ignore' });

/** Six digits are more than the spread over the seeds supports. */
function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
