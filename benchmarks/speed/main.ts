// How fast it is, beside others: npm run bench [-- --quick --only updates --ranks 32,64 ...]; --help for all flags.
// Prints the machine, the versions and each section's protocol and tables; a whole run writes benchmarks/results/speed.json.

import { readFileSync, writeFileSync } from 'node:fs';
import { machine } from '../machine';
import { readArguments, type Section } from './arguments';
import type { Bench } from './bench';
import { DataSets } from './data-sets';
import { PROTOCOL as LOOP, loop } from './loop';
import { loadRivals } from './rivals';
import { PROTOCOL as ROOFLINE, roofline } from './roofline';
import { PROTOCOL as TARGET, target } from './target';
import { PROTOCOL as TOPN, topN } from './top-n';
import { PROTOCOL as UPDATES, type UpdateRow, updates } from './updates';

const args = readArguments(process.argv.slice(2));
const started = performance.now();
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const bench: Bench = { args, sets: new DataSets(), rivals: await loadRivals() };
const where = machine();
const versions = { opmf: version, v8: process.versions.v8, ...bench.rivals.versions };
console.log(`${where.cpu}, ${where.cores} cores, Node ${where.node}, commit ${where.commit}, ${where.date}`);
console.log(`versions: ${JSON.stringify(versions)}`);
console.log(`arguments: ${JSON.stringify(args)}`);

let rows: readonly UpdateRow[] = [];
/** In this order: the roofline is drawn beside the rates that were measured. */
const sections: Record<Section, { protocol: string; run: () => Promise<unknown> }> = {
  updates: {
    protocol: UPDATES,
    run: async () => {
      rows = await updates(bench);
      return rows;
    },
  },
  target: { protocol: TARGET, run: () => target(bench) },
  topn: { protocol: TOPN, run: () => topN(bench) },
  loop: { protocol: LOOP, run: () => loop(bench) },
  roofline: { protocol: ROOFLINE, run: async () => roofline(bench, rows) },
};

const results: Partial<Record<Section, object>> = {};
for (const name of Object.keys(sections) as Section[]) {
  if (!args.only.includes(name)) continue;
  const { protocol, run } = sections[name];
  console.log(`\n== ${name}: ${protocol}`);
  try {
    results[name] = { protocol, results: await run() };
  } catch (error) {
    // The other sections are worth having; who waits for this one learns of it by the exit code.
    process.exitCode = 1;
    console.error(error);
    results[name] = { protocol, failure: String(error) };
  }
}
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s in all`);
if (args.out !== undefined) {
  const document = { machine: where, versions, arguments: args, ...results };
  writeFileSync(args.out, `${JSON.stringify(document, sixDigits, 1)}\n`);
}

/** More digits than any spread here supports. */
function sixDigits(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}
