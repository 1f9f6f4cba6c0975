// Has anything changed that a recommender learns or answers? Trains every kind of recommender with the build of a commit
// and with the checkout, and compares SHA-256 of all trained tensors, losses, predictions, lists and folded rows; then
// lets the checkout load the files that the commit saved. Exit code 1 on a difference.
// npm run bench:same -- [COMMIT] [--json]; the last word writes benchmarks/results/house/same.json.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BEFORE, buildHere, buildOf, ROOT } from './builds.mjs';

const CHILD = fileURLToPath(new URL('same-child.mjs', import.meta.url));
const OUT = join(ROOT, 'benchmarks', 'results', 'house', 'same.json');
const [ref = BEFORE] = process.argv.slice(2).filter((word) => !word.startsWith('-'));

const child = async (folder, files, out, ...mode) => {
  await promisify(execFile)(process.execPath, [CHILD, folder, files, out, ...mode], { maxBuffer: 1 << 28 });
  return JSON.parse(readFileSync(out, 'utf8'));
};

const start = performance.now();
const old = buildOf(ref);
const now = buildHere();
// What the commit gave is kept for the next run, as long as the cases are the same.
const program = createHash('sha256');
for (const name of ['same-cases.mjs', 'same-child.mjs']) program.update(readFileSync(new URL(name, import.meta.url)));
const kept = join(old.folder, `same-${program.digest('hex').slice(0, 12)}-${process.version}`);
const before = async () => {
  const done = join(kept, 'results.json');
  if (existsSync(done)) return JSON.parse(readFileSync(done, 'utf8'));
  const part = `${kept}-${process.pid}`;
  const results = await child(old.folder, part, join(part, 'results.json'));
  if (!existsSync(kept)) renameSync(part, kept);
  return results;
};
const [wanted, got] = await Promise.all([
  before(),
  child(now.folder, join(now.folder, 'files'), join(now.folder, 'trained.json')),
]);
const read = await child(now.folder, kept, join(now.folder, 'loaded.json'), 'files');

const rows = [];
for (const [name, expected] of Object.entries(wanted)) {
  const differences = [];
  const compare = (found, where, of) => {
    // What only one build can do is told, and is no difference of bits.
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      if (!of(key) || expected[key] === found[key]) continue;
      const only = expected[key] === undefined ? 'new' : found[key] === undefined ? 'gone' : undefined;
      differences.push({ key: where + key, expected: expected[key], found: found[key], ...(only && { only }) });
    }
  };
  compare(got[name] ?? {}, '', () => true);
  const trains = ['losses', 'collapse', 'partialFit'];
  if (read[name] && !expected.refused) compare(read[name], 'loaded: ', (key) => !trains.includes(key));
  const tensors = Object.entries(expected).filter(([key]) => key.startsWith('tensor '));
  const factors = createHash('sha256').update(JSON.stringify(tensors)).digest('hex');
  rows.push({ name, sha256: factors, tensors: tensors.length, differences });
}

// A tensor or an answer that is gone or does not load is a difference; a new one is not.
const isFault = ({ only }) => only !== 'new';
const faulty = rows.filter(({ differences }) => differences.some(isFault));
const kinds = new Map();
for (const { name, sha256, tensors, differences } of rows) {
  const [kind] = name.split(' ');
  const sum = kinds.get(kind) ?? { cases: 0, tensors: 0, same: 0, hash: createHash('sha256') };
  sum.cases++;
  sum.hash.update(sha256);
  sum.tensors += tensors;
  if (!differences.some(isFault)) sum.same++;
  kinds.set(kind, sum);
}
console.log(
  `${'kind'.padEnd(14)}${'cases'.padStart(7)}${'tensors'.padStart(9)}${'same'.padStart(7)}  SHA-256 of the tensors`,
);
for (const [kind, { cases, tensors, same, hash }] of kinds) {
  console.log(
    `${kind.padEnd(14)}${`${cases}`.padStart(7)}${`${tensors}`.padStart(9)}${`${same}`.padStart(7)}  ${hash.digest('hex')}`,
  );
}
const refused = rows.filter(({ name }) => wanted[name].refused);
if (refused.length > 0)
  console.log(`refused by the old build: ${refused.map(({ name }) => `${name} (${wanted[name].refused})`).join('; ')}`);
for (const { name, differences } of faulty) {
  console.log(`\n${name}`);
  for (const { key, expected, found } of differences.filter(isFault)) {
    const short = (text) => (text === undefined ? 'nothing' : text.replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1'));
    console.log(`  ${key}: ${short(expected)} before, ${short(found)} now`);
  }
}
const all = createHash('sha256')
  .update(JSON.stringify(rows.map(({ sha256 }) => sha256)))
  .digest('hex');
const seconds = Math.round((performance.now() - start) / 1000);
console.log(
  `\n${rows.length - faulty.length} of ${rows.length} the same as at ${old.commit.slice(0, 7)}, here ${now.commit}; all factors ${all.slice(0, 16)}; ${seconds} s`,
);
const report = {
  ...{ before: old.commit, now: now.commit, node: process.version, seconds, cases: rows.length },
  ...{ same: rows.length - faulty.length, different: faulty.map(({ name }) => name), factors: all },
  // The first 16 digits of the hash of every case's tensors, as the commit before trained them.
  sha256: Object.fromEntries(rows.map(({ name, sha256 }) => [name, sha256.slice(0, 16)])),
};
if (process.argv.includes('--json')) {
  mkdirSync(join(OUT, '..'), { recursive: true });
  writeFileSync(OUT, `${JSON.stringify(report, null, 1)}\n`);
}
process.exitCode = faulty.length === 0 ? 0 : 1;
