// Known data sets: where they are sought, and what is said when one is not there. Content is made up here.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DATASETS, datasetPath, listDatasets, loadDataset, loadPredefinedSplit } from '../../src/node/datasets';

// Resolved, because the current directory is: on some systems the temporary folder is a link.
const root = realpathSync(mkdtempSync(join(tmpdir(), 'opmf-sets-')));
const home = process.cwd();
const environment = process.env;

/** A current directory with nothing around it, and no variables: only what a test writes is found. */
beforeEach(() => {
  const here = join(mkdtempSync(join(root, 'test-')), 'here');
  mkdirSync(here);
  process.chdir(here);
  process.env = { ...environment, OPMF_DATA: '', XDG_CACHE_HOME: join(root, 'no-cache') };
});

afterAll(() => {
  process.chdir(home);
  process.env = environment;
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(text) : text);
}

test('each set is read by its own layout', async () => {
  const dataDir = join(root, 'layouts');
  write(join(dataDir, 'ml-100k/u.data'), '196\t242\t3\t881250949\n');
  write(join(dataDir, 'ml-1m/ratings.dat.gz'), '1::1193::5::978300760\n');
  write(join(dataDir, 'ml-latest-small/ratings.csv'), 'userId,movieId,rating,timestamp\r\n1,1,4.0,964982703\r\n');
  write(join(dataDir, 'filmtrust/ratings.txt'), '1 1 2\n1 1 4\n');
  write(join(dataDir, 'ciaodvd/movie-ratings.txt'), '1,2,3,4,5,2000-07-12');
  write(
    join(dataDir, 'movietweetings-8k/ratings.csv.gz'),
    'user_id,movie_id,rating,timestamp\n37287,2171847,6,1362062307\n',
  );
  const first = async (name: string) => [...(await loadDataset(name, { dataDir }))];
  expect(await first('ml-100k')).toEqual([{ userId: '196', itemId: '242', value: 3, timestamp: 881250949 }]);
  expect(await first('ml-1m')).toEqual([{ userId: '1', itemId: '1193', value: 5, timestamp: 978300760 }]);
  expect(await first('ml-latest-small')).toEqual([{ userId: '1', itemId: '1', value: 4, timestamp: 964982703 }]);
  expect(await first('filmtrust')).toEqual([{ userId: '1', itemId: '1', value: 4 }]);
  expect(await first('ciaodvd')).toEqual([{ userId: '1', itemId: '2', value: 5, timestamp: 963360000 }]);
  expect(await first('movietweetings-8k')).toEqual([
    { userId: '37287', itemId: '2171847', value: 6, timestamp: 1362062307 },
  ]);
  expect(listDatasets({ dataDir }).every((entry) => entry.isPresent)).toBe(true);
});

test('folders are searched in order: dataDir, OPMF_DATA, the cache', async () => {
  const dataDir = join(root, 'order/option');
  const variable = join(root, 'order/variable');
  process.env.OPMF_DATA = variable;
  process.env.XDG_CACHE_HOME = join(root, 'order/cache');
  // From the last to the first: each goes before those that are there already.
  const folders = [join(root, 'order/cache/opmf'), variable, dataDir];
  for (const [i, folder] of folders.entries()) {
    write(join(folder, 'filmtrust/ratings.txt'), `1 1 ${i + 1}\n`);
    expect([...(await loadDataset('filmtrust', { dataDir })).values]).toEqual([i + 1]);
    expect(datasetPath('filmtrust', { dataDir })).toBe(join(folder, 'filmtrust'));
  }
});

test('folders around the current directory are not looked at', async () => {
  write(join('..', 'shared', 'data', 'filmtrust', 'ratings.txt'), '1 1 2\n');
  // That of the package is there always.
  expect(listDatasets().flatMap(({ name, isPresent }) => (isPresent ? [name] : []))).toEqual(['movietweetings-8k']);
});

test('an unknown name lists the known ones, and the one that was meant', async () => {
  await expect(loadDataset('ml100k')).rejects.toThrow(
    `loadDataset: no data set is named "ml100k"; known: ${DATASETS.map((spec) => spec.name).join(', ')}; did you mean 'ml-100k'?`,
  );
  await expect(loadDataset('__proto__')).rejects.toThrow(
    expect.objectContaining({ name: 'OptionError', option: 'name' }),
  );
  await expect(loadDataset('ml-1m', { dir: '.' } as object)).rejects.toThrow("unknown option 'dir'");
  expect(() => datasetPath('netflix')).toThrow('datasetPath: no data set is named "netflix"');
});

test('a known set that is absent: where it was sought, and what is there', async () => {
  const dataDir = join(root, 'partial');
  const own = join(__dirname, '../../examples/data');
  const places = [dataDir, join(root, 'no-cache', 'opmf'), own].map((folder) => join(folder, 'ciaodvd'));
  const sought = `data set 'ciaodvd' is not on this machine: no movie-ratings.txt (or .gz) in ${places.join(', ')}; `;
  const advice =
    '; get it from https://guoguibing.github.io/librec/datasets.html; or put it into one of these folders, or set dataDir or OPMF_DATA';
  const failure = () => loadDataset('ciaodvd', { dataDir }).catch((error: unknown) => error);
  expect(await failure()).toMatchObject({
    name: 'DataError',
    message: `${sought}sets found: movietweetings-8k${advice}`,
  });
  write(join(dataDir, 'filmtrust/ratings.txt'), '1 1 2\n');
  expect(await failure()).toMatchObject({
    name: 'DataError',
    message: `${sought}sets found: filmtrust, movietweetings-8k${advice}`,
  });

  const [filmtrust, ciaodvd] = listDatasets({ dataDir }).filter(
    ({ name }) => name === 'filmtrust' || name === 'ciaodvd',
  );
  expect(filmtrust).toMatchObject({ isPresent: true, path: join(dataDir, 'filmtrust'), files: ['ratings.txt'] });
  expect(ciaodvd).toMatchObject({ isPresent: false });
  expect(ciaodvd).not.toHaveProperty('path');
});

test('a split that came with the set shares vocabularies; unknown and absent ones have errors', async () => {
  const dataDir = join(root, 'splits');
  write(join(dataDir, 'ml-100k/u.data'), '1\t1\t5\t0\n');
  write(join(dataDir, 'ml-100k/u1.base.gz'), '1\t1\t5\t0\n2\t1\t4\t0\n');
  write(join(dataDir, 'ml-100k/u1.test.gz'), '1\t2\t3\t0\n');
  const { train, test: held } = await loadPredefinedSplit('ml-100k', 'u1', { dataDir });
  expect([train.size, held.size]).toEqual([2, 1]);
  expect(train.items).toBe(held.items);
  expect(held.itemIndex[0]).toBe(1);
  await expect(loadPredefinedSplit('ml-100k', 'u6', { dataDir })).rejects.toThrow(
    'loadPredefinedSplit: ml-100k has no split "u6"; known: u1, u2, u3, u4, u5, ua, ub',
  );
  await expect(loadPredefinedSplit('filmtrust', 'u1', { dataDir })).rejects.toThrow('has no split "u1"; known: none');
  await expect(loadPredefinedSplit('ml-100k', 'ua', { dataDir })).rejects.toThrow(
    `${join(dataDir, 'ml-100k')} has no ua.base (or ua.base.gz); the split needs ua.base and ua.test`,
  );
});

test('every entry says what it is and on which terms', () => {
  for (const { name, description, licence, files } of listDatasets()) {
    expect(name).toMatch(/^[a-z0-9-]+$/);
    expect(description.length).toBeGreaterThan(20);
    expect(licence.length).toBeGreaterThan(10);
    expect(files.length).toBeGreaterThan(0);
  }
});
