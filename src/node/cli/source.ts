// The DATA argument: a file of ratings, a pipe, `-` for standard input, the name or folder of a data set, or nothing, which
// is the built-in synthetic set. And ids: on the command line and in files they are text, and a model that was trained in
// code may have numbers.

import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import { Interactions, type LeftOut } from '../../data/interactions';
import { syntheticInteractions } from '../../data/synthetic';
import type { Id, Vocabulary } from '../../data/vocabulary';
import type { ReadOptions } from '../../io/text/read-options';
import { DATASETS, findFile, listDatasets, loadDataset } from '../datasets';
import type { TextSource } from '../file-chunks';
import { readInteractions } from '../read-files';
import { type Arguments, type Flag, type Io, UsageError } from './command';
import { counted, printable } from './printing';
import { adviceInFlags, READ_FLAGS, readFlags, readFlagsGiven } from './read-flags';

/** The built-in set's name, in reports and as an argument. */
export const BUILT_IN = 'synthetic-100k';

/** Where data sets are looked for. */
export const DATA_DIR: Flag = {
  value: 'DIR',
  about: 'look for data sets here first, then in $OPMF_DATA and the cache (~/.cache/opmf)',
};

/** The flags of every command that takes DATA. */
export const DATA_FLAGS = { ...READ_FLAGS, 'data-dir': DATA_DIR };

/** Ratings, and what to call them. */
export interface Source {
  readonly name: string;
  readonly data: Interactions;
}

/**
 * Reads DATA, the word `written`, as the flags of DATA_FLAGS say: `-` is standard input; a file (or pipe) wins over a data
 * set of the same name; a folder is one that holds a data set, as `ml-100k` in the working directory may.
 */
export async function openSource(written: string | undefined, given: Arguments, io: Io): Promise<Source> {
  const reading = readFlags(given);
  if (written === '-') {
    const file = 'standard input';
    return { name: file, data: await readFile(process.stdin, file, { ...reading, file }, io) };
  }
  if (/^https?:/i.test(written ?? ''))
    throw new DataError(
      `${show(written)} is an address, and nothing is fetched here; hand it over: curl -sL URL | opmf ... -`,
    );
  if (/^file:/i.test(written ?? '')) return { name: written!, data: await readFile(written!, written!, reading, io) };
  const found = written === undefined ? undefined : statSync(written, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    return { name: written!, data: await readFile(written!, written!, reading, io) };
  const dataDir = given.text('data-dir');
  const options = dataDir === undefined ? {} : { dataDir };
  const known = listDatasets(options);
  const folder = found === undefined ? undefined : datasetIn(written!);
  const isSet =
    written === undefined || written === BUILT_IN || folder !== undefined || known.some(({ name }) => name === written);
  if (isSet && reading !== undefined) {
    const what = written === undefined ? 'no DATA was given' : `${show(written)} is a data set`;
    throw new UsageError(`${readFlagsGiven(given).join(', ')}: only for a file of ratings, and ${what}`);
  }
  if (written === undefined || written === BUILT_IN) return { name: BUILT_IN, data: syntheticInteractions() };
  // --data-dir is looked into first; it has no say where the folder was given as a path.
  const isPath = written !== folder?.name;
  if (folder !== undefined && (isPath || dataDir === undefined || !isIn(dataDir, folder.name)))
    return { name: folder.name, data: await loadDataset(folder.name, { dataDir: folder.parent }) };
  if (isSet) return { name: written, data: await loadDataset(written, options) };
  const present = known.filter(({ isPresent }) => isPresent).map(({ name }) => name);
  const sets = `sets on this machine: ${[BUILT_IN, ...present].join(', ')}; known: ${known.map(({ name }) => name).join(', ')}`;
  if (found === undefined)
    throw new DataError(`there is no file ${show(written)} and no data set of that name; ${sets}`);
  const files = readdirSync(written).filter((name) => !name.startsWith('.'));
  const some = `${files.slice(0, 6).join(', ') || 'nothing'}${files.length > 6 ? ', ...' : ''}`;
  throw new DataError(
    `${show(written)} is a directory and no known data set; name a file in it (it has ${some}); ${sets}`,
  );
}

/** The known data set that a folder holds, by the folder's name. */
function datasetIn(path: string): { readonly name: string; readonly parent: string } | undefined {
  const whole = resolve(path);
  const [name, parent] = [basename(whole), dirname(whole)];
  return isIn(parent, name) ? { name, parent } : undefined;
}

/** Whether a folder has the folder of a known data set with its ratings. */
function isIn(parent: string, name: string): boolean {
  const spec = DATASETS.find((known) => known.name === name);
  return spec?.ratings.some((file) => findFile(join(parent, name), file) !== undefined) ?? false;
}

async function readFile(
  source: TextSource,
  name: string,
  reading: ReadOptions | undefined,
  io: Io,
): Promise<Interactions> {
  try {
    const data = await readInteractions(source, reading);
    io.stderr.write(printable(whatIsLeftOut(name, data.leftOut)));
    return data;
  } catch (error) {
    if (error instanceof DataError) throw new DataError(error.message + adviceInFlags(error.message), error.place);
    throw error;
  }
}

/** Lines that say what was left out of a file, none where nothing was. */
function whatIsLeftOut(path: string, { invalid, missing, repeated, absent, faults }: LeftOut): string {
  const said = [
    ...(invalid > 0 ? [`${counted(invalid, 'row')} that cannot be read`] : []),
    ...(missing > 0 ? [`${counted(missing, 'row')} with a value that means none`] : []),
    ...(absent > 0 ? [`${counted(absent, 'row')} of weight 0`] : []),
    ...(repeated > 0 ? [`${counted(repeated, 'row')} of a user and an item that another row has`] : []),
  ];
  if (said.length === 0) return '';
  const more = invalid > faults.length ? [`  and ${invalid - faults.length} more`] : [];
  const shown = [...faults.map(({ message }) => `  ${message}`), ...more];
  return [`${path}: left out ${said.join(', ')}`, ...shown, ''].join('\n');
}

/** The number that an id's text is the exact form of, or undefined: '7' is 7, '07' and '7.0' are only text. */
export function asNumberId(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : undefined;
}

/** The id of `known` that the text means: the text itself before the number that it writes; undefined where it has neither. */
export function knownId(known: Vocabulary, text: string): Id | undefined {
  if (known.has(text)) return text;
  const number = asNumberId(text);
  return number !== undefined && known.has(number) ? number : undefined;
}

/** The ratings with the ids that a model knows them by; ids that it does not know stay text. */
export function withIdsOf(model: { readonly users: Vocabulary; readonly items: Vocabulary }, data: Interactions) {
  const userOf = translate(data.users, model.users);
  const itemOf = translate(data.items, model.items);
  const { values, weights, timestamps } = data;
  return Interactions.fromColumns(
    {
      userIds: Array.from(data.userIndex, userOf),
      itemIds: Array.from(data.itemIndex, itemOf),
      values,
      ...(weights && { weights }),
      ...(timestamps && { timestamps }),
    },
    { duplicates: 'keep' },
  );
}

function translate(written: Vocabulary, known: Vocabulary): (index: number) => Id {
  const ids = Array.from({ length: written.size }, (_, i) => {
    const id = written.idOf(i);
    return (typeof id === 'string' ? knownId(known, id) : undefined) ?? id;
  });
  return (index) => ids[index]!;
}
