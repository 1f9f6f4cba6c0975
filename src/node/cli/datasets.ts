// `opmf datasets`: the known data sets, and where they are on this machine.

import { datasetPath, listDatasets } from '../datasets';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { BUILT_IN, DATA_DIR } from './source';

/** The command. */
export const datasetsCommand: Command = {
  usage: {
    name: 'datasets',
    about: 'Lists the data sets that are known by name, or prints the folder of one.',
    form: '[list | path NAME] [--json]',
    example: 'opmf datasets path ml-100k',
    flags: { json: { about: 'print one JSON document and nothing else' }, 'data-dir': DATA_DIR },
    positionals: [0, 2],
  },
  run: runDatasets,
};

async function runDatasets(given: Arguments, io: Io): Promise<void> {
  const [action = 'list', name, ...rest] = given.positionals;
  const dataDir = given.text('data-dir');
  const options = dataDir === undefined ? {} : { dataDir };
  if (action === 'path' && name !== undefined && rest.length === 0) {
    const path = datasetPath(name, options);
    io.stdout.write(`${given.has('json') ? JSON.stringify({ name, path }) : path}\n`);
  } else if (action === 'list' && name === undefined) {
    const sets = listDatasets(options);
    io.stdout.write(given.has('json') ? `${JSON.stringify(sets)}\n` : table(sets));
  } else {
    throw new UsageError(
      action === 'path' ? 'datasets path wants the name of one data set' : 'want list, or path NAME',
    );
  }
}

function table(sets: ReturnType<typeof listDatasets>): string {
  const width = Math.max(BUILT_IN.length, ...sets.map(({ name }) => name.length));
  const lines = sets.flatMap(({ name, description, licence, path }) => [
    `${name.padEnd(width)}  ${description}`,
    `${' '.repeat(width)}  ${path === undefined ? 'not on this machine' : `in ${path}`}; ${licence}`,
  ]);
  return `${[`${BUILT_IN.padEnd(width)}  built in: made up, with the shape of MovieLens 100K`, ...lines].join('\n')}\n`;
}
