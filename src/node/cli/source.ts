// The DATA argument: a file of ratings, the name of a data set, or nothing, which is the built-in synthetic set.

import { statSync } from 'node:fs';
import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { Interactions } from '../../interactions/interactions';
import { syntheticInteractions } from '../../interactions/synthetic';
import { listDatasets, loadDataset } from '../load-dataset';
import { readInteractions } from '../read-interactions';
import type { Flag } from './usage';

/** The built-in set's name, in reports and as an argument. */
export const BUILT_IN = 'synthetic-100k';

/** The flag of every command that takes DATA. */
export const DATA_DIR: Flag = {
  value: 'DIR',
  about: 'look for data sets here first, then in $OPMF_DATA and the cache',
};

/** Ratings, and what to call them. */
export interface Source {
  readonly name: string;
  readonly data: Interactions;
}

/** Reads DATA. A file wins over a data set of the same name. */
export async function openSource(given: string | undefined, dataDir: string | undefined): Promise<Source> {
  if (given === undefined || given === BUILT_IN) return { name: BUILT_IN, data: syntheticInteractions() };
  if (statSync(given, { throwIfNoEntry: false })?.isFile()) return { name: given, data: await readInteractions(given) };
  const options = dataDir === undefined ? {} : { dataDir };
  const known = listDatasets(options);
  if (!known.some(({ name }) => name === given)) {
    const present = known.filter(({ isPresent }) => isPresent).map(({ name }) => name);
    throw new DataError(
      `there is no file ${show(given)} and no data set of that name; sets on this machine: ${[BUILT_IN, ...present].join(', ')}; ` +
        `known: ${known.map(({ name }) => name).join(', ')}`,
    );
  }
  return { name: given, data: await loadDataset(given, options) };
}
