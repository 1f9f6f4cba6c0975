// `opmf datasets`: the known data sets, and where they are on this machine.

import { datasetPath, listDatasets } from '../datasets';
import { type FetchDatasetOptions, fetchDataset } from '../fetch-dataset';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { startProgress } from './printing';
import { BUILT_IN, DATA_DIR, DATA_WORDS } from './source';

/** The command. */
export const datasetsCommand: Command = {
  usage: {
    name: 'datasets',
    about: 'Lists the data sets that are known by name, prints the folder of one, or downloads one.',
    form: '[list | path NAME | fetch NAME] [--from URL] [--data-dir DIR] [--json]',
    example: 'opmf datasets fetch ml-100k',
    flags: {
      from: {
        value: 'URL',
        about:
          'with fetch: the address of the archive or, with / at its end, of its folder; default $OPMF_DATASETS_FROM, else that of the publisher',
      },
      json: { about: 'print one JSON document and nothing else' },
      'data-dir': { ...DATA_DIR, about: `${DATA_DIR.about}; with fetch: where it goes, default the cache` },
    },
    words: ['list', 'path', 'fetch', ...DATA_WORDS.slice(1)],
    positionals: [0, 2],
  },
  run: runDatasets,
};

async function runDatasets(given: Arguments, io: Io): Promise<void> {
  const [action = 'list', name] = given.positionals;
  const options = { dataDir: given.text('data-dir') };
  if (given.has('from') && action !== 'fetch') throw new UsageError('--from is for datasets fetch NAME');
  if (action === 'list' && name === undefined) {
    const sets = listDatasets(options);
    io.stdout.write(given.has('json') ? `${JSON.stringify(sets)}\n` : table(sets));
    return;
  }
  if (action !== 'path' && action !== 'fetch') throw new UsageError('want list, path NAME or fetch NAME');
  if (name === undefined) throw new UsageError(`datasets ${action} wants the name of one data set`);
  const path =
    action === 'path' ? datasetPath(name, options) : await fetched(name, { ...options, from: given.text('from') }, io);
  io.stdout.write(`${given.has('json') ? JSON.stringify({ name, path }) : path}\n`);
}

/** Downloads a set; its terms are said first. */
async function fetched(name: string, options: FetchDatasetOptions, io: Io): Promise<string> {
  const set = listDatasets({ dataDir: options.dataDir }).find((known) => known.name === name);
  const progress = startProgress(io);
  let isTold = false;
  const onProgress: FetchDatasetOptions['onProgress'] = ({ bytes, of }) => {
    if (!isTold) io.stderr.write(`${name}: ${set?.licence}; the terms: ${set?.page}\n`);
    isTold = true;
    progress.update(bytes / of, `${(bytes / 1e6).toFixed(1)} of ${(of / 1e6).toFixed(1)} MB`);
  };
  return fetchDataset(name, { ...options, onProgress }).finally(() => progress.done());
}

function table(sets: ReturnType<typeof listDatasets>): string {
  const width = Math.max(BUILT_IN.length, ...sets.map(({ name }) => name.length));
  const lines = sets.flatMap(({ name, description, licence, page, path, isFetchable }) => {
    const way = isFetchable ? `opmf datasets fetch ${name}` : page;
    return [
      `${name.padEnd(width)}  ${description}`,
      `${' '.repeat(width)}  ${path === undefined ? `not on this machine (${way})` : `in ${path}`}; ${licence}`,
    ];
  });
  return `${[`${BUILT_IN.padEnd(width)}  built in: made up, with the shape of MovieLens 100K`, ...lines].join('\n')}\n`;
}
