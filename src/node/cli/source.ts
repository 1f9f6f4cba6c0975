// The DATA argument: a file of ratings, the name of a data set, or nothing, which is the built-in synthetic set.

import { statSync } from 'node:fs';
import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { Interactions, LeftOut } from '../../interactions/interactions';
import { syntheticInteractions } from '../../interactions/synthetic';
import type { ReadOptions } from '../../io/read-options';
import { listDatasets, loadDataset } from '../load-dataset';
import { readInteractions } from '../read-interactions';
import type { Arguments } from './arguments';
import { counted } from './counted';
import type { Io } from './io';
import { printable } from './printable';
import { adviceInFlags, READ_FLAGS, readFlags, readFlagsGiven } from './read-flags';
import type { Flag } from './usage';
import { UsageError } from './usage-error';

/** The built-in set's name, in reports and as an argument. */
export const BUILT_IN = 'synthetic-100k';

/** Where data sets are looked for. */
export const DATA_DIR: Flag = {
  value: 'DIR',
  about: 'look for data sets here first, then in $OPMF_DATA, ../shared/data and the cache (~/.cache/opmf)',
};

/** The flags of every command that takes DATA. */
export const DATA_FLAGS = { ...READ_FLAGS, 'data-dir': DATA_DIR };

/** Ratings, and what to call them. */
export interface Source {
  readonly name: string;
  readonly data: Interactions;
}

/** Reads DATA, the word `written`, as the flags of DATA_FLAGS say. A file wins over a data set of the same name. */
export async function openSource(written: string | undefined, given: Arguments, io: Io): Promise<Source> {
  const reading = readFlags(given);
  if (written !== undefined && statSync(written, { throwIfNoEntry: false })?.isFile())
    return { name: written, data: await readFile(written, reading, io) };
  const dataDir = given.text('data-dir');
  const options = dataDir === undefined ? {} : { dataDir };
  const known = listDatasets(options);
  const isSet = written === undefined || written === BUILT_IN || known.some(({ name }) => name === written);
  if (isSet && reading !== undefined) {
    const what = written === undefined ? 'no DATA was given' : `${show(written)} is a data set`;
    throw new UsageError(`${readFlagsGiven(given).join(', ')}: only for a file of ratings, and ${what}`);
  }
  if (written === undefined || written === BUILT_IN) return { name: BUILT_IN, data: syntheticInteractions() };
  if (!isSet) {
    const present = known.filter(({ isPresent }) => isPresent).map(({ name }) => name);
    throw new DataError(
      `there is no file ${show(written)} and no data set of that name; sets on this machine: ${[BUILT_IN, ...present].join(', ')}; ` +
        `known: ${known.map(({ name }) => name).join(', ')}`,
    );
  }
  return { name: written, data: await loadDataset(written, options) };
}

async function readFile(path: string, reading: ReadOptions | undefined, io: Io): Promise<Interactions> {
  try {
    const data = await readInteractions(path, reading);
    io.stderr.write(printable(whatIsLeftOut(path, data.leftOut)));
    return data;
  } catch (error) {
    if (error instanceof DataError) throw new DataError(error.message + adviceInFlags(error.message), error.place);
    throw error;
  }
}

/** Lines that say what was left out of a file, none where nothing was. */
function whatIsLeftOut(path: string, { invalid, missing, repeated, faults }: LeftOut): string {
  const said = [
    ...(invalid > 0 ? [`${counted(invalid, 'row')} that cannot be read`] : []),
    ...(missing > 0 ? [`${counted(missing, 'row')} with a value that means none`] : []),
    ...(repeated > 0 ? [`${counted(repeated, 'row')} of a user and an item that another row has`] : []),
  ];
  if (said.length === 0) return '';
  const more = invalid > faults.length ? [`  and ${invalid - faults.length} more`] : [];
  const shown = [...faults.map(({ message }) => `  ${message}`), ...more];
  return [`${path}: left out ${said.join(', ')}`, ...shown, ''].join('\n');
}
