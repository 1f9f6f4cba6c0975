// How the sources are cut: files, lines, files that a single other file imports (from its own folder), circles. Imports of
// types count.
// npm run bench:files -- [COMMIT] [--files] [--json]; --files lists what is counted.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './builds.mjs';
import { filesOf, folderOf, importsOf, linesOf, sourceFolder } from './sources.mjs';

/** Groups of files that import each other, over however many steps (Tarjan 1972). */
function circles(graph) {
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const found = [];
  const walk = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    open.push(file);
    for (const next of graph.get(file)) {
      if (!order.has(next)) walk(next);
      if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file), lowest.get(next)));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const group = open.splice(open.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) walk(file);
  return found;
}

const words = process.argv.slice(2);
const [ref] = words.filter((word) => !word.startsWith('-'));
const folder = sourceFolder(ref);
const files = filesOf(folder);
const graph = importsOf(folder);
const importers = new Map(files.map((file) => [file, []]));
for (const [file, targets] of graph) for (const target of targets) importers.get(target).push(file);
const single = files.filter((file) => importers.get(file).length === 1);
const own = single.filter((file) => folderOf(importers.get(file)[0]) === folderOf(file));
const tiny = own.filter((file) => linesOf(folder, file) < 40);
const lines = files.reduce((sum, file) => sum + linesOf(folder, file), 0);
const rings = circles(graph);
const counts = {
  files: files.length,
  lines,
  withOneImporter: single.length,
  withOneImporterInTheirFolder: own.length,
  ofThoseUnder40Lines: tiny.length,
  circles: rings.length,
  filesInCircles: rings.flat().length,
};
// Targets of the issue; lines: those of the commit before.
const targets = { files: 260, lines: 43_292, withOneImporterInTheirFolder: 25, ofThoseUnder40Lines: 0, circles: 0 };
for (const [name, count] of Object.entries(counts)) {
  const words = name.replace(/[A-Z]|40/g, (letter) => ` ${letter.toLowerCase()}`);
  console.log(
    `${words.padEnd(36)}${`${count}`.padStart(7)}${(targets[name] === undefined ? '' : `<= ${targets[name]}`).padStart(10)}`,
  );
}
if (words.includes('--files')) {
  const list = own.map((file) => `${file} (${linesOf(folder, file)}) <- ${importers.get(file)[0]}`);
  console.log(
    ['', 'with one importer in their folder:', ...list, '', 'circles:', ...rings.map((ring) => ring.join(' '))].join(
      '\n',
    ),
  );
}
if (words.includes('--json')) {
  const out = join(ROOT, 'benchmarks', 'results', 'house');
  mkdirSync(out, { recursive: true });
  const folders = {};
  for (const file of files) {
    const room = file.includes('/') ? file.slice(0, file.indexOf('/')) : '.';
    folders[room] = (folders[room] ?? 0) + 1;
  }
  writeFileSync(join(out, 'files.json'), `${JSON.stringify({ ...counts, filesByFolder: folders }, null, 1)}\n`);
}
