// `opmf worker`: works on the runs of `opmf train DIR --redis URL` and of train() of opmf/distributed, until it is told to stop.

import { work } from '../distributed/worker';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { printable } from './printing';

/** The flags that say where the workers of a training are. */
export const WORKER_FLAGS = {
  redis: { value: 'URL', about: 'the Redis or Valkey server of the queue: redis://HOST:PORT' },
  store: {
    value: 'URL',
    about: 'where stripes are kept: a folder that all share, s3://BUCKET/PREFIX or redis://HOST:PORT#PREFIX',
  },
  name: { value: 'QUEUE', about: 'workers and trainings of one name find each other; default opmf' },
};

/** The command. */
export const workerCommand: Command = {
  usage: {
    name: 'worker',
    about: 'Takes part in trainings on several machines; start and end any number of them at any time.',
    form: '--redis URL --store URL [--threads N] [--name QUEUE]',
    example: 'opmf worker --redis redis://queue:6379 --store s3://ratings/opmf --threads 8',
    flags: {
      ...WORKER_FLAGS,
      threads: { value: 'N', about: 'parts of a training at once, each on a thread; default: one a core' },
    },
    more: () =>
      'SIGTERM or SIGINT: it saves what it has and hands it back, then ends; a second one ends it at once. Nothing is lost either way,\nnor when it is killed. Needs: npm install bullmq ioredis (and @aws-sdk/client-s3 for s3://).\n\n',
    positionals: [0, 0],
  },
  run: runWorker,
};

async function runWorker(given: Arguments, io: Io): Promise<void> {
  const { redis, store, queue } = whereOf(given);
  const stop = new AbortController();
  const onLog = (line: string) => io.stdout.write(`${new Date().toISOString()} ${line}\n`);
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    onLog(`${name}: it saves its sweeps and hands them back; a second signal ends it at once`);
    stop.abort();
  };
  const names = ['SIGTERM', 'SIGINT'] as const;
  for (const name of names) process.on(name, onSignal);
  try {
    await work({ redis, store, queue, threads: given.count('threads'), signal: stop.signal, onLog });
    onLog('ended');
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}

/** The values of WORKER_FLAGS. */
export function whereOf(given: Arguments) {
  const required = (flag: 'redis' | 'store') => {
    const value = given.text(flag);
    if (value === undefined) throw new UsageError(`--${flag} is missing: ${printable(WORKER_FLAGS[flag].about)}`);
    return value;
  };
  return { redis: required('redis'), store: required('store'), queue: given.text('name') };
}
