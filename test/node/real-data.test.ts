// The real sets, where they are on this machine: counts and means as their authors published them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listDatasets, loadDataset, loadPredefinedSplit, locate, specOf } from '../../src/node/datasets';
import { readInteractions } from '../../src/node/read-files';

const dataDir = process.env.OPMF_DATA || join('no', 'folder');
const present = new Set(listDatasets({ dataDir }).flatMap(({ name, isPresent }) => (isPresent ? [name] : [])));

function whereItIs(name: string): jest.It {
  if (present.has(name)) return test;
  console.warn(`skipped: data set '${name}' is not in ${dataDir} (set OPMF_DATA)`);
  return test.skip;
}

interface Published {
  readonly ratings: number;
  readonly users: number;
  readonly items: number;
  readonly mean: number;
  readonly range: readonly [number, number];
  /** Seconds of the first and the last rating. */
  readonly times?: readonly [number, number];
  /** What stays where the last rating of a pair counts: counted and averaged over the raw files by awk. */
  readonly merged?: readonly [ratings: number, mean: number];
}

const published: Record<string, Published> = {
  'ml-100k': { ratings: 100_000, users: 943, items: 1682, mean: 3.52986, range: [1, 5], times: [874724710, 893286638] },
  'ml-1m': { ratings: 1_000_209, users: 6040, items: 3706, mean: 3.581564, range: [1, 5] },
  'ml-latest-small': { ratings: 100_836, users: 610, items: 9724, mean: 3.501557, range: [0.5, 5] },
  filmtrust: { ratings: 35_497, users: 1508, items: 2071, mean: 3.0028, range: [0.5, 4], merged: [35_494, 3.002733] },
  ciaodvd: {
    ...{ ratings: 72_665, users: 17_615, items: 16_121, mean: 4.0729, range: [1, 5], merged: [72_345, 4.071767] },
    // 2000-05-31 and 2013-11-28.
    times: [959731200, 1385596800],
  },
  'movietweetings-8k': {
    ...{ ratings: 8000, users: 3278, items: 2679, mean: 7.356, range: [1, 10], times: [1362062307, 1363308697] },
  },
};

for (const [name, { ratings, users, items, mean, range, times, merged = [ratings, mean] }] of Object.entries(
  published,
)) {
  whereItIs(name)(`${name}: published counts, mean and range`, async () => {
    const data = await loadDataset(name, { dataDir });
    const stats = data.stats();
    expect(stats).toMatchObject({ ratings: merged[0], users, items, minimum: range[0], maximum: range[1] });
    expect(stats.mean).toBeCloseTo(merged[1], 4);
    if (times !== undefined) expect(extremes(data.timestamps!)).toEqual(times);
    if (merged[0] === ratings) return;
    const { folder, ratings: file } = locate(specOf('test', name), dataDir)!;
    expect(file.startsWith(folder)).toBe(true);
    const raw = await readInteractions(file, { ...specOf('test', name).options, duplicates: 'keep' });
    expect(raw.size).toBe(ratings);
    expect(raw.stats().mean).toBeCloseTo(mean, 4);
  });
}

whereItIs('ml-100k')('ml-100k: the five folds and the two ten-per-user splits', async () => {
  const sizes: number[][] = [];
  for (const split of ['u1', 'u2', 'u3', 'u4', 'u5', 'ua', 'ub']) {
    const { train, test: held } = await loadPredefinedSplit('ml-100k', split, { dataDir });
    expect(train.users.size).toBe(943);
    expect(train.items.size).toBe(1682);
    sizes.push([train.size, held.size, new Set(train.itemIndex).size]);
  }
  // The items of each base set, as counted in the published files.
  expect(sizes.slice(0, 5)).toEqual([1650, 1648, 1650, 1660, 1650].map((items) => [80_000, 20_000, items]));
  expect(sizes.slice(5).map(([train, held]) => [train, held])).toEqual([
    [90_570, 9430],
    [90_570, 9430],
  ]);
});

/** Files read without a word about their layout. */
const sniffed: [file: string, rows: number, users: number, items: number][] = [
  ['ml-100k/u.data.gz', 100_000, 943, 1682],
  ['ml-100k/u1.base.gz', 80_000, 943, 1650],
  ['ml-1m/ratings-nots.dat.gz', 1_000_209, 6040, 3706],
  ['ml-latest-small/ratings.csv.gz', 100_836, 610, 9724],
  ['filmtrust/ratings.txt.gz', 35_497, 1508, 2071],
  ['movietweetings-8k/ratings.csv.gz', 8000, 3278, 2679],
  ['ncf-ml-1m/ml-1m.train.rating.3col.gz', 994_169, 6040, 3704],
  ['steam-200k/game_play.dat.gz', 70_489, 11_350, 3600],
  ['steam-200k/game_purchase.dat.gz', 129_511, 12_393, 5155],
  ['lastfm-hetrec2011/user_artists.dat.gz', 92_834, 1892, 17_632],
  ['frappe/frappe.csv.gz', 96_203, 957, 4082],
  ['ncf-ml-1m/ml-1m.test.rating.gz', 6040, 6040, 1921],
];

for (const [file, rows, users, items] of sniffed) {
  const path = join(dataDir, file);
  const found = existsSync(path);
  if (!found) console.warn(`skipped: ${file} is not in ${dataDir} (set OPMF_DATA)`);
  (found ? test : test.skip)(`${file}: layout found out, published counts`, async () => {
    const data = await readInteractions(path, { duplicates: 'keep' });
    expect([data.size, data.users.size]).toEqual([rows, users]);
    expect(data.items.size).toBe(items);
  });
}

/** Files that are no ratings, and were read as such. */
for (const file of ['ncf-ml-1m/item-map.tsv.gz', 'steam-200k/user_info.dat.gz']) {
  const path = join(dataDir, file);
  (existsSync(path) ? test : test.skip)(`${file}: a header of other names is no row`, async () => {
    await expect(readInteractions(path)).rejects.toThrow(/cannot tell which column holds the user: no name is known/);
  });
}

function extremes(times: Float64Array): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const time of times) {
    least = Math.min(least, time);
    most = Math.max(most, time);
  }
  return [least, most];
}
