// What is in the bytes of small programs, by room: kB minified by esbuild from the sources, and the whole gzipped.
// `npm run bench:bytes`

import { dirname, join, resolve } from 'node:path';
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

/** By room, then by program: bytes. */
const rooms = { total: {}, gzip: {} };
for (const [program, [entry, names]] of Object.entries(PROGRAMS)) {
  const contents = `export ${names} from ${JSON.stringify(join(root, 'src', `${entry}.ts`))}`;
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true };
  const { metafile, outputFiles } = await build({ ...options, stdin: { contents, resolveDir: root, loader: 'ts' } });
  const [output] = Object.values(metafile.outputs);
  rooms.total[program] = output.bytes;
  rooms.gzip[program] = gzipSync(outputFiles[0].contents, { level: 9 }).length;
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
