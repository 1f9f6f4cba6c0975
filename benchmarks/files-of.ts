// Where the files of a data set are that only benchmarks and tests read: looked for where the library looks for its own.

import { join } from 'node:path';
import { DataError } from 'opmf';
import { findFile, searchFolders } from '../src/node/datasets';

/** Finds files of a set by their names, the first that is there. */
export function filesOf(set: string, dataDir: string | undefined): (...names: readonly string[]) => string {
  const folders = searchFolders(dataDir).map((folder) => join(folder, set));
  return (...names) => {
    for (const folder of folders) {
      for (const name of names) {
        const path = findFile(folder, name);
        if (path !== undefined) return path;
      }
    }
    throw new DataError(
      `data set '${set}' is not on this machine: no ${names.join(' or ')} (or .gz) in ${folders.join(', ')}`,
    );
  };
}
