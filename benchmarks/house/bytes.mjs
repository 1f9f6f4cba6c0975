// What is in the bytes of small programs, by room: kB minified by esbuild from the sources, and the whole gzipped; then MF
// without parts that only some options or calls need.
// `npm run bench:bytes`

import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const PROGRAMS = {
  Popularity: ['index', '{ Popularity }'],
  ItemKNN: ['index', '{ ItemKNN }'],
  EASE: ['index', '{ EASE }'],
  'serve all': ['serve', '{ loadRecommender }'],
  'serve fact.': ['serve', '{ loadFactorization }'],
  'Inter.+MF': ['index', '{ Interactions, MF }'],
  OverparamMF: ['index', '{ OverparamMF }'],
  everything: ['index', '*'],
};

/** Files that are left out of MF, by the start of their paths in src. */
const PARTS = {
  'nothing left out': [],
  'batches, negatives, orders': ['stepper', 'candidate-batches', 'negatives'].map((name) => `training/${name}`),
  'validation and metrics': ['recommenders/validation', 'metrics/'],
  checkpoints: ['recommenders/checkpoint'],
  threads: ['training/threads', 'core/worker-host'],
  'folding in rows': ['serving/fold-in/'],
  'the engine in JavaScript': ['training/per-rating/step-js'],
};
PARTS['all of these'] = Object.values(PARTS).flat();

/** Bundles what an entry exports, without some files: what esbuild found, and the bytes of it all. */
async function bundle([entry, names], without = []) {
  const contents = `export ${names} from ${JSON.stringify(join(root, 'src', `${entry}.ts`))}`;
  const leaveOut = ({ path, resolveDir }) => {
    const place = relative(join(root, 'src'), join(resolveDir, path));
    return without.some((part) => place.startsWith(part)) ? { path, external: true } : undefined;
  };
  const { metafile, outputFiles } = await build({
    ...{ bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true },
    stdin: { contents, resolveDir: root, loader: 'ts' },
    plugins: [{ name: 'without', setup: ({ onResolve }) => onResolve({ filter: /^\./ }, leaveOut) }],
  });
  const [output] = Object.values(metafile.outputs);
  return { output, gzip: gzipSync(outputFiles[0].contents, { level: 9 }).length };
}

/** By room, then by program: bytes. */
const rooms = { total: {}, gzip: {} };
for (const [program, given] of Object.entries(PROGRAMS)) {
  const { output, gzip } = await bundle(given);
  rooms.total[program] = output.bytes;
  rooms.gzip[program] = gzip;
  for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
    const [, place = 'entry/'] = /src\/(.*)$/.exec(path) ?? [];
    const room = path.includes('node_modules') ? 'dependencies' : place.includes('/') ? place.split('/')[0] : 'entry';
    rooms[room] ??= {};
    rooms[room][program] = (rooms[room][program] ?? 0) + bytesInOutput;
  }
}

const programs = Object.keys(PROGRAMS);
const line = (name, cells) => [name.padEnd(13), ...cells.map((cell) => cell.padStart(12))].join('');
console.log(line('kB', programs));
for (const [room, bytes] of Object.entries(rooms).sort(([, a], [, b]) => (b.everything ?? 0) - (a.everything ?? 0))) {
  console.log(
    line(
      room,
      programs.map((program) => ((bytes[program] ?? 0) / 1000).toFixed(1)),
    ),
  );
}

console.log('\nkB of MF, minified and gzipped, without');
for (const [part, files] of Object.entries(PARTS)) {
  const { output, gzip } = await bundle(PROGRAMS['Inter.+MF'], files);
  console.log(
    `${part.padEnd(28)}${[output.bytes, gzip].map((bytes) => (bytes / 1000).toFixed(1).padStart(8)).join('')}`,
  );
}
