// docs/runtimes.md: its table is that of what `npm run test:consumers` found, of every consumer, and nothing failed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONSUMERS } from '../../benchmarks/consumers/consumers';
import { type Consumers, withTable } from '../../benchmarks/consumers/table';
import { ROOT } from './blocks';

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const { rows }: Consumers = JSON.parse(read('benchmarks/results/consumers.json'));

test('the table is that of the results', () => {
  const page = read('docs/runtimes.md');
  expect(page).toBe(withTable(page, rows));
});

test('every consumer is a row, with what it is to find', () => {
  const promised = (one: { name: string; title: string; needs: string; threads?: boolean; wasm?: boolean }) => {
    const { name, title, needs, threads, wasm } = one;
    return { name, title, needs, threads, wasm };
  };
  expect(rows.map((row) => promised(row as never))).toEqual(CONSUMERS.map((one) => promised(one)));
});

test('none failed', () => {
  expect(rows.filter(({ fault }) => fault !== undefined)).toEqual([]);
});
