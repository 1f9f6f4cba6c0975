// `opmf evaluate`: a saved model against ratings.

import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import { evaluateRatings } from '../../evaluation/evaluate-ratings';
import { type Interaction, Interactions } from '../../interactions/interactions';
import { loadModel } from '../model-file';
import type { Arguments } from './arguments';
import type { Command } from './command';
import { counted } from './counted';
import { withIdsOf } from './ids';
import type { Io } from './io';
import { DATA_FLAGS, openSource } from './source';
import { UsageError } from './usage-error';

const METRICS = ['rmse', 'mae'] as const;

/** The command. */
export const evaluateCommand: Command = {
  usage: {
    name: 'evaluate',
    about: 'Measures a saved model on ratings; those of unknown users or items (cold) are counted in.',
    form: 'MODEL DATA [--train DATA] [--metrics rmse,mae] [--columns user=NAME,...] [--json]',
    example: 'opmf evaluate model.safetensors test.csv --metrics rmse,mae',
    flags: {
      train: { value: 'DATA', about: 'leave out the pairs of user and item that are also in these ratings' },
      metrics: { value: 'NAMES', about: `of ${METRICS.join(', ')}; default all of them` },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    positionals: [2, 2],
  },
  run: runEvaluate,
};

async function runEvaluate(given: Arguments, io: Io): Promise<void> {
  const metrics = given.list('metrics')?.map(readMetric) ?? METRICS;
  const [path, written] = given.positionals;
  const recommender = await loadModel(path!);
  const source = await openSource(written, given);
  const train = given.text('train');
  const test = train === undefined ? source.data : without(source.data, (await openSource(train, given)).data);
  if (test.size === 0)
    throw new DataError(
      `every pair of user and item in ${source.name} is in --train too, so there is nothing to measure`,
    );
  const result = evaluateRatings(recommender, given.has('ids') ? test : withIdsOf(recommender, test));
  const { count, cold } = result;
  const values = Object.fromEntries(metrics.map((metric) => [metric, result[metric]]));
  if (given.has('json')) {
    io.stdout.write(
      `${JSON.stringify({ model: recommender.name, dataset: source.name, metrics: values, count, cold })}\n`,
    );
    return;
  }
  const lines = metrics.map((metric) => `${metric.padEnd(4)}  ${result[metric].toFixed(4)}`);
  io.stdout.write(
    `${recommender.name} on ${source.name}: ${counted(count, 'rating')}, ${cold} of them cold\n${lines.join('\n')}\n`,
  );
}

function readMetric(written: string): (typeof METRICS)[number] {
  const metric = METRICS.find((name) => name === written);
  if (metric === undefined)
    throw new UsageError(`--metrics: ${show(written)} is not known here; want some of ${METRICS.join(', ')}`);
  return metric;
}

/** The ratings whose pair of user and item is not in `seen`. */
function without(data: Interactions, seen: Interactions): Interactions {
  const pairs = new Set<number>();
  const key = (user: number, item: number) => user * seen.items.size + item;
  for (let i = 0; i < seen.size; i++) pairs.add(key(seen.userIndex[i]!, seen.itemIndex[i]!));
  const isNew = ({ userId, itemId }: Interaction) => {
    const user = seen.users.indexOf(userId);
    const item = seen.items.indexOf(itemId);
    return user < 0 || item < 0 || !pairs.has(key(user, item));
  };
  return Interactions.from([...data].filter(isNew), { duplicates: 'keep' });
}
