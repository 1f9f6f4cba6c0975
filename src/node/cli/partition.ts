// `opmf partition`: ratings into tiles on disk, for `opmf train DIR`.

import { statSync } from 'node:fs';
import { DataError } from '../../core/errors';
import { type PartitionOptions, partitionInteractions } from '../tiles/partition';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { counted, startProgress } from './printing';
import { adviceInFlags, DATA_FLAGS, DATA_WORDS, openSource, readFlags } from './source';

/** The command. */
export const partitionCommand: Command = {
  usage: {
    name: 'partition',
    about: 'Writes ratings of any number into a folder of tiles, from which opmf train trains in bounded memory.',
    form: 'DATA --out DIR [--stripes N] [--memory MIB] [--resume] [--columns user=NAME,...] [--json]',
    example: 'opmf partition ratings.csv --out tiles --duplicates keep',
    flags: {
      out: { value: 'DIR', about: 'where the tiles go: a folder that is empty or not there yet' },
      stripes: { value: 'N', about: 'cut users and items into N blocks each; default: what trains fastest' },
      memory: { value: 'MIB', about: 'for buffers; ids and counts come on top; default 256' },
      resume: { about: 'go on with a partition that was interrupted' },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    positionals: [1, 1],
  },
  run: runPartition,
};

async function runPartition(given: Arguments, io: Io): Promise<void> {
  const out = given.text('out');
  if (out === undefined) throw new UsageError('--out is missing: say where the tiles go');
  const [data] = given.positionals as [string];
  const memory = given.count('memory', 4);
  const progress = startProgress(io);
  const isText = data === '-' || statSync(data, { throwIfNoEntry: false })?.isDirectory() === false;
  const options: PartitionOptions = {
    ...(isText && (readFlags(given) as PartitionOptions)),
    ...(data === '-' && { file: 'standard input' }),
    stripes: given.count('stripes'),
    memory: memory === undefined ? undefined : memory * 2 ** 20,
    resume: given.has('resume'),
    onProgress({ stage, rows, rowsPerSecond, secondsLeft }) {
      const left = secondsLeft === undefined ? 0 : (rowsPerSecond * secondsLeft) / Math.max(1, rows);
      const speed = `${(rowsPerSecond / 1e6).toFixed(1)} M rows/s`;
      progress.update(secondsLeft === undefined ? 0 : 1 / (1 + left), `${stage}: ${counted(rows, 'row')}, ${speed}`);
    },
  };
  try {
    const source = data === '-' ? process.stdin : isText ? data : (await openSource(data, given, io)).data;
    const partition = await partitionInteractions(source, out, options);
    progress.done();
    if (given.has('json')) {
      io.stdout.write(`${JSON.stringify({ ...partition, out })}\n`);
      return;
    }
    const { ratings, users, items, blocks, leftOut, seconds } = partition;
    const lost = Object.entries(leftOut).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []));
    io.stdout.write(
      `${counted(ratings, 'rating')} of ${counted(users, 'user')} and ${counted(items, 'item')} in ${blocks.users} x ${blocks.items} tiles in ${out}, ` +
        `in ${seconds.toFixed(1)} s${lost.length === 0 ? '' : `; left out: ${lost.join(', ')}`}\n`,
    );
  } catch (error) {
    progress.done();
    if (error instanceof DataError) throw new DataError(error.message + adviceInFlags(error.message), error.place);
    throw error;
  }
}
