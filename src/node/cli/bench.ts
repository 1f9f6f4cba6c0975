// `opmf bench`: the training speed of this machine, as timed by the fits themselves. The full benchmark, which includes
// other libraries, is in the repository (npm run bench).

import { describeMachine } from '../../evaluation/compare';
import { OPTIMIZER_NAMES } from '../../optimizers/registry';
import { createRecommender } from '../../recommenders/registry';
import type { Arguments, Command, Io } from './command';
import { counted, startProgress } from './printing';
import { DATA_FLAGS, DATA_WORDS, openSource } from './source';

const KINDS = ['mf', 'overparam-mf'] as const;
const EPOCHS = 3;

/** The command. */
export const benchCommand: Command = {
  usage: {
    name: 'bench',
    about:
      'Measures how many million ratings a second this machine trains on, with each optimizer, plain and as a product.',
    form: '[DATA] [--rank 32] [--threads 1] [--rounds 3] [--columns user=NAME,...] [--json]',
    example: 'opmf bench ml-1m --rank 64 --threads 2',
    flags: {
      rank: { value: 'N', about: 'length of the vectors; default 32' },
      threads: { value: 'N', about: 'threads to train on; default 1' },
      rounds: {
        value: 'N',
        about: `fits of ${EPOCHS} epochs for each arm, in turn; the median epoch counts; default 3`,
      },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    positionals: [0, 1],
  },
  run: runBench,
};

async function runBench(given: Arguments, io: Io): Promise<void> {
  const rank = given.count('rank', 1) ?? 32;
  const threads = given.count('threads', 1) ?? 1;
  const rounds = given.count('rounds', 1) ?? 3;
  const { name: dataset, data } = await openSource(given.positionals[0], given, io);
  const arms = OPTIMIZER_NAMES.flatMap((optimizer) =>
    KINDS.map((kind) => ({ optimizer, kind, seconds: [] as number[] })),
  );
  const progress = startProgress(io);
  for (let round = 0; round < rounds; round++) {
    for (const [at, { optimizer, kind, seconds }] of arms.entries()) {
      progress.update((round + at / arms.length) / rounds, `${kind}, ${optimizer}`);
      const { epochs } = await createRecommender(kind, { rank, threads, optimizer, epochs: EPOCHS }).fit(data);
      seconds.push(...epochs.map((epoch) => epoch.seconds));
    }
  }
  progress.done();
  const machine = describeMachine();
  const results = arms.map(({ optimizer, kind, seconds }) => {
    const sorted = seconds.sort((a, b) => a - b);
    const speed = (at: number) => data.size / sorted[at]! / 1e6;
    const last = sorted.length - 1;
    // The slowest epoch gives the lowest speed.
    return {
      model: kind,
      optimizer,
      millionPerSecond: { median: speed(last >> 1), minimum: speed(last), maximum: speed(0) },
    };
  });
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ dataset, ratings: data.size, rank, threads, machine, results })}\n`);
    return;
  }
  const lines = results.map(({ model, optimizer, millionPerSecond: { median, minimum, maximum } }) => {
    const range = `(${minimum.toFixed(1)} to ${maximum.toFixed(1)})`;
    return `${model.padEnd(14)}${optimizer.padEnd(10)}${median.toFixed(1).padStart(6)} ${range}`;
  });
  io.stdout.write(
    `${dataset}, ${counted(data.size, 'rating')}, rank ${rank}, ${counted(threads, 'thread')}; ${machine.cpu}, Node ${machine.node}\n` +
      `million ratings a second: median of ${counted(rounds * EPOCHS, 'epoch')} (range)\n${lines.join('\n')}\n`,
  );
}
