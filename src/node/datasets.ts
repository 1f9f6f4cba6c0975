// Finds a known data set on this machine: the folders searched, in order, and the files in them.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DataError, OptionError } from '../core/errors';
import { nearest, optional, readOptions, show, string } from '../core/options';
import type { Interactions } from '../data/interactions';
import { predefinedSplit, type Split } from '../data/splits';
import type { ReadOptions } from '../io/text/read-options';
import { readInteractions } from './read-files';

/** A data set that was found: its folder and its file of all ratings. */
export interface FoundDataset {
  readonly folder: string;
  readonly ratings: string;
}

/** The folders that may hold data sets, each set in a folder of its name. The first match is used. */
export function searchFolders(dataDir: string | undefined): string[] {
  return [dataDir, process.env.OPMF_DATA, cacheFolder(), packageFolder()].filter(
    (folder): folder is string => folder !== undefined && folder !== '',
  );
}

/** Where sets are downloaded to. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME } = process.env;
  // The XDG specification says to ignore a relative path.
  const cache = XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache');
  return join(cache, 'opmf');
}

/** The sets that are part of this package; undefined in a bundle, which has left them behind. */
function packageFolder(): string | undefined {
  // An ES module has the first; of a CommonJS one tsup.config.ts makes it undefined.
  const own: string | URL = import.meta.url ?? pathToFileURL(__filename);
  // Seen from dist, and from src/node.
  const folders = ['../examples/data', '../../examples/data'].map((path) => fileURLToPath(new URL(path, own)));
  return folders.find((folder) => existsSync(folder));
}

/** The set of that name; an unknown name is an OptionError with the known ones. */
export function specOf(owner: string, name: string): DatasetSpec {
  const found = DATASETS.find((spec) => spec.name === name);
  if (found !== undefined) return found;
  const names = DATASETS.map((spec) => spec.name);
  const close = typeof name === 'string' ? nearest(name, names) : undefined;
  const advice = close === undefined ? '' : `; did you mean '${close}'?`;
  throw new OptionError(
    'name',
    name,
    `${owner}: no data set is named ${show(name)}; known: ${names.join(', ')}${advice}`,
  );
}

/** Locates the set; undefined if it is not on this machine. */
export function locate(spec: DatasetSpec, dataDir: string | undefined): FoundDataset | undefined {
  for (const parent of searchFolders(dataDir)) {
    const folder = join(parent, spec.name);
    for (const file of spec.ratings) {
      const ratings = findFile(folder, file);
      if (ratings !== undefined) return { folder, ratings };
    }
  }
  return undefined;
}

/** Locates the set, or throws a DataError with the folders searched and the sets found. */
export function demand(spec: DatasetSpec, dataDir: string | undefined): FoundDataset {
  const found = locate(spec, dataDir);
  if (found !== undefined) return found;
  const places = searchFolders(dataDir).map((folder) => join(folder, spec.name));
  const { name, page, archive } = spec;
  const advice = archive ? `opmf datasets fetch ${name}, or fetchDataset, downloads it` : `get it from ${page}`;
  const present = DATASETS.filter((other) => locate(other, dataDir) !== undefined).map((other) => other.name);
  throw new DataError(
    `data set '${name}' is not on this machine: no ${spec.ratings.join(' or ')} (or .gz) in ${places.join(', ')}; ` +
      `sets found: ${present.join(', ') || 'none'}; ${advice}; or put it into one of these folders, or set dataDir or OPMF_DATA`,
  );
}

/** The path of a file in a folder, plain or gzipped. */
export function findFile(folder: string, file: string): string | undefined {
  return [join(folder, file), join(folder, `${file}.gz`)].find((path) => existsSync(path));
}

// Known data sets by name: load one, load a predefined split of one, list them.

/**
 * Where to look for data sets first.
 *
 * @example
 * ```ts
 * import { type DatasetOptions, listDatasets } from 'opmf/node';
 * const options: DatasetOptions = { dataDir: '/srv/ratings' };
 * console.log(listDatasets(options).length > 5); // true
 * ```
 */
export interface DatasetOptions {
  /**
   * A folder with a folder per set. Searched before `$OPMF_DATA`, the cache (`$XDG_CACHE_HOME/opmf`, by default
   * `~/.cache/opmf`) and this package, which has `movietweetings-8k`.
   */
  readonly dataDir?: string | undefined;
}

/**
 * A known data set, and whether it is on this machine.
 *
 * @example
 * ```ts
 * import { type DatasetEntry, listDatasets } from 'opmf/node';
 * const free = (entry: DatasetEntry) => entry.licence.startsWith('MIT');
 * console.log(listDatasets().find(free)?.name); // movietweetings-8k
 * ```
 */
export interface DatasetEntry {
  readonly name: string;
  readonly description: string;
  /** Terms of use, in short; the set's own README is authoritative. */
  readonly licence: string;
  /** The page of its publisher. */
  readonly page: string;
  /** The files that can be loaded, by their names without `.gz`. */
  readonly files: readonly string[];
  readonly isPresent: boolean;
  /** Whether `fetchDataset` downloads it. */
  readonly isFetchable: boolean;
  /** The folder that holds it; absent if the set is not on this machine. */
  readonly path?: string;
}

/**
 * Loads a known set of ratings by name: `ml-100k`, `ml-1m`, `ml-latest-small`, `filmtrust`, `ciaodvd` or
 * `movietweetings-8k`. Of duplicate ratings, the last is kept.
 *
 * The first of these folders that has a folder of that name is used: `dataDir`, `$OPMF_DATA`, the cache (see
 * `fetchDataset`), this package, which has `movietweetings-8k`.
 *
 * @throws OptionError for an unknown name, with the known ones.
 * @throws DataError for a set that is not on this machine, with the places searched and the sets that are.
 *
 * @example
 * ```ts
 * import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { loadDataset } from 'opmf/node';
 * const dataDir = await mkdtemp(join(tmpdir(), 'opmf-'));
 * await mkdir(join(dataDir, 'filmtrust'));
 * await writeFile(join(dataDir, 'filmtrust', 'ratings.txt'), '1 1 2\n1 2 4\n2 1 3.5\n');
 * const data = await loadDataset('filmtrust', { dataDir });
 * console.log(data.size); // 3
 * ```
 */
export async function loadDataset(name: string, options?: DatasetOptions): Promise<Interactions> {
  const dataDir = readDataDir('loadDataset', options);
  const spec = specOf('loadDataset', name);
  return readInteractions(demand(spec, dataDir).ratings, spec.options);
}

/**
 * Loads a split that came with a set: `u1` to `u5`, `ua` and `ub` of `ml-100k`. Train and test share vocabularies.
 *
 * @throws OptionError for an unknown set or split, with the known ones.
 * @throws DataError for a set or file that is not on this machine.
 *
 * @example
 * ```ts
 * import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { loadPredefinedSplit } from 'opmf/node';
 * const dataDir = await mkdtemp(join(tmpdir(), 'opmf-'));
 * await mkdir(join(dataDir, 'ml-100k'));
 * for (const [file, text] of [['u.data', '1\t1\t5\t0'], ['u1.base', '1\t1\t5\t0'], ['u1.test', '1\t2\t3\t0']] as const) {
 *   await writeFile(join(dataDir, 'ml-100k', file), text);
 * }
 * const { train, test } = await loadPredefinedSplit('ml-100k', 'u1', { dataDir });
 * console.log(train.size, test.size, train.items.size); // 1 1 2
 * ```
 */
export async function loadPredefinedSplit(name: string, split: string, options?: DatasetOptions): Promise<Split> {
  const dataDir = readDataDir('loadPredefinedSplit', options);
  const spec = specOf('loadPredefinedSplit', name);
  const files = Object.entries(spec.splits).find(([known]) => known === split)?.[1];
  if (files === undefined) {
    const known = Object.keys(spec.splits).join(', ') || 'none';
    throw new OptionError('split', split, `loadPredefinedSplit: ${name} has no split ${show(split)}; known: ${known}`);
  }
  const { folder } = demand(spec, dataDir);
  const parts = files.map((file) => {
    const path = findFile(folder, file);
    if (path !== undefined) return readInteractions(path, spec.options);
    throw new DataError(`${folder} has no ${file} (or ${file}.gz); the split needs ${files.join(' and ')}`);
  });
  const [train, test] = await Promise.all(parts);
  return predefinedSplit(train!, test!);
}

/**
 * Lists the known sets, whether or not they are on this machine. Reads no content.
 *
 * @throws OptionError for an unknown option or a bad value.
 *
 * @example
 * ```ts
 * import { listDatasets } from 'opmf/node';
 * console.log(listDatasets()[0]?.name); // ml-100k
 * ```
 */
export function listDatasets(options?: DatasetOptions): DatasetEntry[] {
  const dataDir = readDataDir('listDatasets', options);
  return DATASETS.map((spec) => {
    const { name, description, licence, page, ratings, splits } = spec;
    const found = locate(spec, dataDir);
    const files = [...ratings, ...Object.values(splits).flat()];
    return {
      name,
      description,
      licence,
      page,
      files,
      isPresent: found !== undefined,
      isFetchable: spec.archive !== undefined,
      ...(found && { path: found.folder }),
    };
  });
}

/**
 * The folder that a known set is in.
 *
 * @throws OptionError for an unknown name.
 * @throws DataError for a set that is not on this machine.
 *
 * @example
 * ```ts
 * import { datasetPath, listDatasets } from 'opmf/node';
 * for (const { name, path } of listDatasets()) {
 *   if (path !== undefined && datasetPath(name) !== path) throw new Error(name);
 * }
 * ```
 */
export function datasetPath(name: string, options?: DatasetOptions): string {
  const dataDir = readDataDir('datasetPath', options);
  return demand(specOf('datasetPath', name), dataDir).folder;
}

function readDataDir(owner: string, options: DatasetOptions | undefined): string | undefined {
  return readOptions(owner, options, { dataDir: optional(string) }).dataDir;
}

// The public data sets that the library knows by name, as data: which files, how to read them, under which terms. One,
// movietweetings-8k, is included in the package. Layouts and terms are taken from the sets' own READMEs, sizes and SHA-256 of archives from tensorflow_datasets/url_checksums
// of TensorFlow Datasets.

/** One known set. File names are those without `.gz`; either form is found. */
export interface DatasetSpec {
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  /** The page of its publisher. */
  readonly page: string;
  /** A ZIP archive with a folder of the set's name, where its terms let a user download it. */
  readonly archive?: { readonly address: string; readonly bytes: number; readonly sha256: string };
  /** The file of all ratings; of several names, the first that exists is used. */
  readonly ratings: readonly [string, ...string[]];
  readonly options: ReadOptions;
  /** Splits that came with the set: train and test file by name. */
  readonly splits: Readonly<Record<string, readonly [train: string, test: string]>>;
}

const GROUPLENS_CLOSED = 'GroupLens: research use, no redistribution, no commercial use; cite Harper and Konstan 2015';

const ML_100K_SPLITS = Object.fromEntries(
  ['u1', 'u2', 'u3', 'u4', 'u5', 'ua', 'ub'].map((fold) => [fold, [`${fold}.base`, `${fold}.test`] as const]),
);

/** All known sets, in the order of the listing. */
export const DATASETS: readonly DatasetSpec[] = [
  {
    name: 'ml-100k',
    description: 'MovieLens 100K: 100,000 ratings 1-5 of 943 users for 1,682 films, with times (1997-98)',
    licence: GROUPLENS_CLOSED,
    page: 'https://grouplens.org/datasets/movielens/100k/',
    archive: {
      address: 'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
      bytes: 4_924_029,
      sha256: '50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229',
    },
    ratings: ['u.data'],
    options: { separator: '\t', header: false },
    splits: ML_100K_SPLITS,
  },
  {
    name: 'ml-1m',
    description: 'MovieLens 1M: 1,000,209 ratings 1-5 of 6,040 users for 3,706 films (2000)',
    licence: GROUPLENS_CLOSED,
    page: 'https://grouplens.org/datasets/movielens/1m/',
    archive: {
      address: 'https://files.grouplens.org/datasets/movielens/ml-1m.zip',
      bytes: 5_917_549,
      sha256: 'a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20',
    },
    // The second is the original without its column of times.
    ratings: ['ratings.dat', 'ratings-nots.dat'],
    options: { separator: '::', header: false },
    splits: {},
  },
  {
    name: 'ml-latest-small',
    description: 'MovieLens latest-small: 100,836 ratings 0.5-5 of 610 users for 9,724 films, with times (2018)',
    licence: 'GroupLens: redistribution under the same terms, no commercial use; cite Harper and Konstan 2015',
    page: 'https://grouplens.org/datasets/movielens/latest/',
    archive: {
      address: 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip',
      bytes: 978_202,
      sha256: '696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436',
    },
    ratings: ['ratings.csv'],
    options: { separator: ',', header: true },
    splits: {},
  },
  {
    name: 'filmtrust',
    description: 'FilmTrust: 35,497 ratings 0.5-4 of 1,508 users for 2,071 films, 3 of them repeated (2011)',
    licence: 'Guibing Guo 2013: free for research with citation; cite Guo, Zhang and Yorke-Smith, IJCAI 2013',
    page: 'https://guoguibing.github.io/librec/datasets.html',
    ratings: ['ratings.txt'],
    options: { separator: ' ', header: false },
    splits: {},
  },
  {
    name: 'ciaodvd',
    description:
      'CiaoDVD: 72,665 ratings 1-5 of 17,615 users for 16,121 DVDs, with dates, 320 of them repeated (2000-13)',
    licence: 'research use with citation, no licence stated; cite Guo et al., ASONAM 2014',
    page: 'https://guoguibing.github.io/librec/datasets.html',
    ratings: ['movie-ratings.txt'],
    options: {
      separator: ',',
      header: false,
      columns: { user: 0, item: 1, value: 4, timestamp: 5 },
      dateFormat: 'iso',
    },
    splits: {},
  },
  {
    name: 'movietweetings-8k',
    description: 'MovieTweetings, the first 8,000: ratings 1-10 of 3,278 users for 2,679 films, with times (2013)',
    licence: 'MIT (Simon Dooms); cite Dooms, De Pessemier and Martens 2013',
    page: 'https://github.com/sidooms/MovieTweetings',
    ratings: ['ratings.csv'],
    options: { separator: ',', header: true },
    splits: {},
  },
];
