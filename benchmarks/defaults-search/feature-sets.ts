// The sets that defaults of FM, WideDeep and DeepFM are searched and judged on: public ones, parts of them, and made-up ones
// of other shapes.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { categorical, type FeatureRows, FeatureTable, type Interactions, numeric, splitRandom } from 'opmf';
import { loadDataset, readLibFM } from 'opmf/node';
import { Stream } from '../../src/core/random';
import { filesOf } from '../files-of';
import { loadAdult } from '../models/adult-data';
import { itemFeatures, userFeatures } from '../models/film-features';
import { loadFrappe } from '../models/frappe-data';

export interface FeatureSet {
  readonly task: 'classification' | 'regression';
  readonly train: FeatureRows | Interactions;
  readonly test: FeatureRows | Interactions;
  readonly sides?: { readonly userFeatures: FeatureTable; readonly itemFeatures: FeatureTable };
}

const part = (table: FeatureTable, fraction: number, seed = 5) => table.split({ testFraction: fraction, seed }).test;

async function frappe(fraction: number): Promise<FeatureSet> {
  const { train, test } = await loadFrappe();
  return { task: 'classification', train: fraction === 1 ? train : part(train, fraction), test };
}

async function adult(fraction: number): Promise<FeatureSet> {
  const { train, test } = await loadAdult();
  return { task: 'classification', train: fraction === 1 ? train : part(train, fraction), test };
}

async function libfm(): Promise<FeatureSet> {
  const find = filesOf('frappe-libfm', undefined);
  const rows = { features: 5382 };
  return {
    task: 'classification',
    train: await readLibFM(find('frappe.validation.libfm'), rows),
    test: await readLibFM(find('frappe.test.libfm'), rows),
  };
}

/** 13 numbers, as logarithms, and 26 categories of clicks on advertisements: 1,999 rows, half of them to test on. */
async function criteo(): Promise<FeatureSet> {
  const find = filesOf('ctr-criteo-tiny', undefined);
  const read = (name: string) => {
    const bytes = readFileSync(find(name));
    const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1').trim();
    const [head, ...lines] = text.split(/\r?\n/);
    const names = head!.split(',');
    return lines.map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(
        names.map((name, k) => {
          const cell = cells[k] === '' ? undefined : cells[k];
          if (name === 'Label') return [name, Number(cell)];
          if (!name.startsWith('I')) return [name, cell];
          return [name, cell === undefined ? undefined : Math.sign(Number(cell)) * Math.log1p(Math.abs(Number(cell)))];
        }),
      );
    });
  };
  const fields = Object.fromEntries([
    ...Array.from({ length: 13 }, (_, k) => [`I${k + 1}`, numeric()]),
    ...Array.from({ length: 26 }, (_, k) => [`C${k + 1}`, categorical({ minCount: 2 })]),
  ]);
  const all = FeatureTable.from(read('train.tiny.csv'), { fields, label: 'Label' });
  const { train, test } = all.split({ testFraction: 0.5, seed: 1 });
  return { task: 'classification', train, test };
}

interface Shape {
  readonly task: FeatureSet['task'];
  readonly rows: number;
  /** The categories of each field. */
  readonly sizes: readonly number[];
  /** Standard deviations of what the linear terms, the pairs and chance add to a score. */
  readonly linear: number;
  readonly pairs: number;
  readonly noise: number;
  readonly seed: number;
}

/** Rows of categories with a skewed popularity, scored by a factorization machine of rank 4. */
function madeUp({ task, rows, sizes, linear, pairs, noise, seed }: Shape): FeatureSet {
  const stream = Stream.of(seed);
  const rank = 4;
  const offsets = sizes.map((_, f) => sizes.slice(0, f).reduce((sum, size) => sum + size, 0));
  const features = sizes.reduce((sum, size) => sum + size, 0);
  const [w, v] = [new Float64Array(features), new Float64Array(features * rank)];
  stream.fork('w').normals(w, 0, w.length, 1);
  stream.fork('v').normals(v, 0, v.length, 1);
  const all = 2 * rows;
  const indices = new Int32Array(all * sizes.length);
  const scores = new Float64Array(all);
  const [draws, chance] = [stream.fork('rows'), new Float64Array(all)];
  stream.fork('noise').normals(chance, 0, all, 1);
  const perPair = pairs / Math.sqrt((rank * (sizes.length * (sizes.length - 1))) / 2);
  const perLinear = linear / Math.sqrt(sizes.length);
  for (let row = 0; row < all; row++) {
    let score = noise * chance[row]!;
    const sums = new Float64Array(rank);
    const squares = new Float64Array(rank);
    for (const [f, size] of sizes.entries()) {
      const at = offsets[f]! + Math.floor(size * draws.uniform() ** 2);
      indices[row * sizes.length + f] = at;
      score += perLinear * w[at]!;
      for (let k = 0; k < rank; k++) {
        sums[k]! += v[at * rank + k]!;
        squares[k]! += v[at * rank + k]! ** 2;
      }
    }
    for (let k = 0; k < rank; k++) score += (perPair * (sums[k]! ** 2 - squares[k]!)) / 2;
    scores[row] = score;
  }
  const labels = Float32Array.from(scores, (score) =>
    task === 'regression' ? score + 3 : draws.uniform() < 1 / (1 + Math.exp(-score)) ? 1 : 0,
  );
  const fields = sizes.map((size, f) => ({ name: `f${f}`, kind: 'categorical' as const, offset: offsets[f]!, size }));
  const take = (from: number): FeatureRows => ({
    size: rows,
    starts: Int32Array.from({ length: rows + 1 }, (_, k) => k * sizes.length),
    indices: indices.slice(from * sizes.length, (from + rows) * sizes.length),
    values: new Float32Array(rows * sizes.length).fill(1),
    labels: labels.slice(from, from + rows),
    weights: null,
    fields,
  });
  return { task, train: take(0), test: take(rows) };
}

async function films(fraction: number, withSides: boolean, seed = 1): Promise<FeatureSet> {
  const { train: all, test } = splitRandom(await loadDataset('ml-100k'), { testFraction: 0.1, seed });
  const train = fraction === 1 ? all : splitRandom(all, { testFraction: fraction, seed }).test;
  return { task: 'regression', train, test, ...(withSides ? { sides: { userFeatures, itemFeatures } } : {}) };
}

export const FEATURE_SETS: Readonly<Record<string, () => FeatureSet | Promise<FeatureSet>>> = {
  frappe: () => frappe(1),
  'frappe / 5': () => frappe(0.2),
  'frappe / 40': () => frappe(0.025),
  libfm,
  adult: () => adult(1),
  'adult / 10': () => adult(0.1),
  criteo,
  'pairs, 20,000 rows': () =>
    madeUp({
      task: 'classification',
      rows: 20_000,
      sizes: [500, 300, 20, 5],
      linear: 0.7,
      pairs: 1.5,
      noise: 0,
      seed: 1,
    }),
  'noisy, 3,000 rows': () =>
    madeUp({
      task: 'classification',
      rows: 3_000,
      sizes: [200, 100, 10, 5, 5],
      linear: 0.7,
      pairs: 0.2,
      noise: 0,
      seed: 2,
    }),
  'films, sides': () => films(1, true),
  films: () => films(1, false),
  'films / 10, sides': () => films(0.1, true),
  'numbers, 20,000 rows': () =>
    madeUp({
      task: 'regression',
      rows: 20_000,
      sizes: [400, 300, 20, 5],
      linear: 0.7,
      pairs: 0.7,
      noise: 0.7,
      seed: 3,
    }),
  'noisy numbers, 3,000 rows': () =>
    madeUp({
      task: 'regression',
      rows: 3_000,
      sizes: [200, 100, 10, 5, 5],
      linear: 0.5,
      pairs: 0.2,
      noise: 1.5,
      seed: 4,
    }),
};
