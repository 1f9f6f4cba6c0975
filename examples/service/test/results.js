// Puts a part of benchmarks/results/service.json in its place, with the date and the machine.

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../../benchmarks/results/service.json', import.meta.url));

export function writeResult(name, result) {
  let all = {};
  try {
    all = JSON.parse(readFileSync(FILE, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  all[name] = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    node: process.versions.node,
    loadOfMachine: loadavg().map((load) => Number(load.toFixed(2))),
    ...result,
  };
  writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
  console.log(name, JSON.stringify(all[name], null, 2));
}
