// Is the checkout as fast as the commit before? Both builds run the same tasks in turn, ABBA, every round in new processes;
// compared are CPU seconds (all threads of the process), which the other load of a machine disturbs least, as ratios
// within a round.
// npm run bench:house-speed -- [COMMIT] [--rounds=9] [--only=PATTERN] [--data=ml-100k,ml-1m] [--json]

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BEFORE, buildHere, buildOf, ROOT } from './builds.mjs';

/** More than this is slower. */
const LINE = 1.03;

const words = process.argv.slice(2);
const flag = (name, usual) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? usual;
const [ref = BEFORE] = words.filter((word) => !word.startsWith('-'));
const rounds = Number(flag('rounds', '9'));
const dataSets = flag('data', 'ml-100k,ml-1m').split(',');

const CHILD = fileURLToPath(new URL('speed-child.mjs', import.meta.url));
const measure = async (folder, dataSet) =>
  JSON.parse(
    (await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, folder, dataSet, flag('only', '.')])).stdout,
  );

const quantile = (values, part) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
};
const median = (values) => quantile(values, 0.5);
const round = (value) => Number(value.toPrecision(4));

const old = buildOf(ref);
const now = buildHere();
const samples = new Map();
const loads = [];
for (let turn = 0; turn < rounds; turn++) {
  for (const dataSet of dataSets) {
    loads.push(loadavg()[0]);
    const found = {};
    for (const side of turn % 2 === 0 ? ['old', 'now'] : ['now', 'old'])
      found[side] = await measure(side === 'old' ? old.folder : now.folder, dataSet);
    for (const [task, seconds] of Object.entries(found.old)) {
      const name = `${dataSet} ${task}`;
      if (!samples.has(name)) samples.set(name, { old: [], now: [] });
      samples.get(name).old.push(seconds);
      samples.get(name).now.push(found.now[task]);
    }
  }
}

const rows = [...samples].map(([name, { old: before, now: after }]) => {
  const ratios = after.map((seconds, k) => seconds / before[k]);
  return {
    ...{ name, before: round(median(before)), now: round(median(after)), ratio: round(median(ratios)) },
    ...{
      quartiles: [round(quantile(ratios, 0.25)), round(quantile(ratios, 0.75))],
      fastest: round(Math.min(...after) / Math.min(...before)),
    },
  };
});
// Slower are the tasks of which both the typical ratio and that of the fastest rounds are over the line.
const slower = rows.filter(({ ratio, fastest }) => ratio > LINE && fastest > LINE);
console.log(
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.versions.node}, load ${round(median(loads))}; ` +
    `${rounds} rounds in turn, new processes, CPU seconds; ${old.commit.slice(0, 7)} and ${now.commit}\n`,
);
const cell = (value, width = 9) => `${value}`.padStart(width);
console.log(
  `${''.padEnd(32)}${['before', 'now', 'ratio', 'quartiles', 'fastest'].map((head) => cell(head, head === 'quartiles' ? 16 : 9)).join('')}`,
);
for (const { name, before, now: after, ratio, quartiles, fastest } of rows) {
  const spread = quartiles.map((value) => value.toFixed(3)).join(' to ');
  console.log(
    name.padEnd(32) +
      cell(before.toFixed(3)) +
      cell(after.toFixed(3)) +
      cell(ratio.toFixed(3)) +
      cell(spread, 16) +
      cell(fastest.toFixed(3)),
  );
}
console.log(
  slower.length === 0
    ? '\nnothing is more than 3 % slower'
    : `\nmore than 3 % slower: ${slower.map(({ name }) => name).join(', ')}`,
);
if (words.includes('--json')) {
  const out = join(ROOT, 'benchmarks', 'results', 'house');
  mkdirSync(out, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    node: process.versions.node,
    load: round(median(loads)),
  };
  const report = {
    machine,
    before: old.commit,
    now: now.commit,
    rounds,
    unit: 'CPU seconds, median',
    tasks: rows,
    slower: slower.map(({ name }) => name),
  };
  writeFileSync(join(out, 'speed.json'), `${JSON.stringify(report, null, 1)}\n`);
}
process.exitCode = slower.length === 0 ? 0 : 1;
