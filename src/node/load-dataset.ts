// Known data sets by name: load one, load a split that came with it, list them. What is known is in datasets.ts.

import { DataError, OptionError } from '../core/errors';
import { optional, readOptions, show, string } from '../core/options';
import type { Interactions } from '../interactions/interactions';
import { predefinedSplit } from '../interactions/predefined-split';
import type { Split } from '../interactions/split';
import { DATASETS } from './datasets';
import { demand, findFile, locate, specOf } from './locate-dataset';
import { readInteractions } from './read-interactions';

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
   * A folder with a folder per set. Searched before `$OPMF_DATA` and the cache (`$XDG_CACHE_HOME/opmf`, by default
   * `~/.cache/opmf`).
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
  /** Terms of use, in short; the set's own README is what counts. */
  readonly licence: string;
  /** The files that loading can use, by their names without `.gz`. */
  readonly files: readonly string[];
  readonly isPresent: boolean;
  /** The folder it is in; absent where it is not on this machine. */
  readonly path?: string;
}

/**
 * Loads a known set of ratings by name: `ml-100k`, `ml-1m`, `ml-latest-small`, `filmtrust`, `ciaodvd` or
 * `movietweetings-8k`. Of a repeated pair of user and item the last rating stays.
 *
 * The first of these folders that has a folder of that name is used: `dataDir`, `$OPMF_DATA`, the cache.
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
 * The known sets, those that are on this machine and those that are not. Reads no content.
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
    const { name, description, licence, ratings, splits } = spec;
    const found = locate(spec, dataDir);
    const files = [...ratings, ...Object.values(splits).flat()];
    return { name, description, licence, files, isPresent: found !== undefined, ...(found && { path: found.folder }) };
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
  return readOptions<DatasetOptions>(owner, options, { dataDir: optional(string) }).dataDir;
}
