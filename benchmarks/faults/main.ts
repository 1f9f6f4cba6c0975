// The campaigns of faults, one after another on the built package: what is promised, how often it was tried and held. Ends
// with code 1 where a promise was not held. The results are a table of docs/reliability.md too.
// Run: npm run bench:faults -- [minutes, default 6] [campaign ...]

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { machine } from '../machine';
import type { Campaign } from './campaign';
import { disk } from './disk';
import { kills } from './kills';
import { memory } from './memory';
import { pipes } from './pipes';
import { damage, fits, options } from './scripts';
import { workers } from './workers';

const CAMPAIGNS: readonly Campaign[] = [kills, workers, memory, disk, pipes, damage, fits, options];

const [minutes = '6', ...names] = process.argv.slice(2);
const unknown = names.filter((name) => !CAMPAIGNS.some((campaign) => campaign.name === name));
if (!(Number(minutes) > 0) || unknown.length > 0)
  throw new Error(`want minutes and some of ${CAMPAIGNS.map(({ name }) => name).join(', ')}`);
const chosen = names.length === 0 ? CAMPAIGNS : CAMPAIGNS.filter(({ name }) => names.includes(name));
const results = [];
for (const campaign of chosen) {
  const started = performance.now();
  const tallies = await campaign.run((60 * Number(minutes)) / chosen.length);
  const seconds = Math.round((performance.now() - started) / 1000);
  for (const tally of tallies) {
    results.push({ campaign: campaign.name, ...tally });
    console.log(`${campaign.name}: ${tally.held} of ${tally.tried}: ${tally.fault} (${seconds} s)`);
    for (const failure of tally.failures) console.log(`  ${failure}`);
  }
}
if (results.some(({ tried, held }) => held < tried)) process.exitCode = 1;

// What is kept is of all of them.
if (names.length === 0) {
  const kept = 'benchmarks/results/faults.json';
  writeFileSync(kept, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
  const rows = results.map(({ fault, promised, tried, held }) =>
    [fault, promised, `${held} of ${tried}`].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  const table = ['| fault | promised | held |', '| --- | --- | --- |', ...rows.map((row) => `| ${row} |`)].join('\n');
  const page = 'docs/reliability.md';
  const text = readFileSync(page, 'utf8');
  const marked = /(<!-- faults: [^\n]* -->\n)[\s\S]*?(\n<!-- end of faults -->)/;
  if (!marked.test(text)) throw new Error(`${page} has no place for the table`);
  writeFileSync(
    page,
    text.replace(marked, (_, start, end) => `${start}\n${table}\n${end}`),
  );
  spawnSync('npx', ['biome', 'format', '--write', page, kept]);
}
