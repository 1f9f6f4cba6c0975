// Where a known data set lies on this machine: the folders that are searched, in order, and what is found in them.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { DataError, OptionError } from '../core/errors';
import { nearest, show } from '../core/options';
import { DATASETS, type DatasetSpec } from './datasets';

/** A set that was found: its folder, and the file of all ratings in it. */
export interface FoundDataset {
  readonly folder: string;
  readonly ratings: string;
}

/** The folders that may hold sets, each in a folder of its name. The first that holds a set is used. */
export function searchFolders(dataDir: string | undefined): string[] {
  const { OPMF_DATA, XDG_CACHE_HOME } = process.env;
  // The XDG specification says to ignore a relative path.
  const cache = XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache');
  return [dataDir, OPMF_DATA, join(cache, 'opmf')].filter(
    (folder): folder is string => folder !== undefined && folder !== '',
  );
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

/** Where the set is, or undefined. */
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

/** Where the set is; a DataError that says where it was sought and which sets are there. */
export function demand(spec: DatasetSpec, dataDir: string | undefined): FoundDataset {
  const found = locate(spec, dataDir);
  if (found !== undefined) return found;
  const places = searchFolders(dataDir).map((folder) => join(folder, spec.name));
  const present = DATASETS.filter((other) => locate(other, dataDir) !== undefined).map((other) => other.name);
  throw new DataError(
    `data set '${spec.name}' is not on this machine: no ${spec.ratings.join(' or ')} (or .gz) in ${places.join(', ')}; ` +
      `sets found: ${present.join(', ') || 'none'}; put it into one of these folders, or set dataDir or OPMF_DATA`,
  );
}

/** The path of a file in a folder, plain or gzipped. */
export function findFile(folder: string, file: string): string | undefined {
  return [join(folder, file), join(folder, `${file}.gz`)].find((path) => existsSync(path));
}
