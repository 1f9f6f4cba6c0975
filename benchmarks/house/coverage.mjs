// Through how many source files does one call run? Counted by V8 (precise coverage): the files of which a function ran
// during the call, after a call of the same kind before it, so that neither modules nor caches are being set up.
// npm run bench:coverage -- [COMMIT] [--files] [--json]; --files lists them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BEFORE, ROOT } from './builds.mjs';
import { filesOf, sourceFolder, transpile } from './sources.mjs';

const words = process.argv.slice(2);
const [ref] = words.filter((word) => !word.startsWith('-'));
const folder = await transpile(sourceFolder(ref));
const opmf = await import(pathToFileURL(join(folder, 'index.js')).href);
const session = new Session();
session.connect();
await session.post('Profiler.enable');

const base = pathToFileURL(`${folder}/`).href;
/** The files that `call` runs through. */
async function filesIn(call) {
  if (!words.includes('--cold')) await call();
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await session.post('Profiler.takePreciseCoverage');
  await call();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  const ran = ({ functions }) =>
    functions.some(
      ({ ranges, functionName }) => ranges[0].count > 0 && (functionName !== '' || ranges[0].startOffset > 0),
    );
  return result
    .filter((script) => script.url.startsWith(base) && ran(script))
    .map(({ url }) => url.slice(base.length).replace(/\.js$/, '.ts'))
    .sort();
}

const data = opmf.syntheticInteractions({ users: 200, items: 100, ratings: 4000 });
const liked = opmf.Interactions.from([...data].map((row) => ({ ...row, value: row.value > 3 ? 1 : 0 })));
const rows = opmf.interactionFeatures(liked);
const model = new opmf.OverparamMF({ epochs: 2 });
await model.fit(data);
const bytes = model.save();
const deep = { epochs: 2, hidden: [8, 8] };
const CALLS = [
  ['recommend(one user)', 8, 16, () => model.recommend('1')],
  ['loadRecommender of an OverparamMF', 15, 47, () => opmf.loadRecommender(bytes)],
  ['OverparamMF.fit by default', 50, 99, () => new opmf.OverparamMF().fit(data)],
  ['DeepFM.fit', 45, 83, () => new opmf.DeepFM(deep).fit(rows)],
];
const results = [];
console.log(`files of src${ref ? ` at ${ref}` : ''}: ${filesOf(sourceFolder(ref)).length}\n`);
console.log(
  `${'files that one call runs through'.padEnd(36)}${'now'.padStart(5)}${'target'.padStart(8)}${BEFORE.padStart(9)}`,
);
for (const [name, target, before, call] of CALLS) {
  const files = await filesIn(call);
  results.push({ call: name, files: files.length, target, before, list: files });
  console.log(`${name.padEnd(36)}${`${files.length}`.padStart(5)}${`${target}`.padStart(8)}${`${before}`.padStart(9)}`);
  if (words.includes('--files')) for (const file of files) console.log(`    ${file}`);
}
if (words.includes('--json')) {
  const out = join(ROOT, 'benchmarks', 'results', 'house');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'coverage.json'), `${JSON.stringify({ node: process.version, calls: results }, null, 1)}\n`);
}
