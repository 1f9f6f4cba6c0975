// What a fit of MF by default costs beside its epochs, part by part: processor seconds on one thread, the first run of a new
// process and the median of those after it.
// Run: node benchmarks/run.mjs benchmarks/speed/set-up.ts [rounds] [ml-1m | wide-5m | wide-20m ...]

import { type Interactions, MF, sgd } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../../src/core/random';
import { TaskScheduler } from '../../src/core/scheduler';
import { drawStart, MFModel } from '../../src/models/factorization';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { Penalty } from '../../src/parameters/parameter';
import { signalOf } from '../../src/recommenders/signal';
import { chooseUnits, toTargets } from '../../src/recommenders/targets';
import { countRows, InteractionHistory } from '../../src/serving/interaction-history';
import { squared } from '../../src/training/losses';
import { startTraining } from '../../src/training/start-training';
import { machine } from '../machine';
import { collectGarbage } from './interleave';
import { WIDE, wideSynthetic } from './wide-synthetic';

const RANK = 32;
const EPOCHS = 3;
const [rounds = '5', ...names] = process.argv.slice(2);

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Runs the parts of a set-up in the order of a fit, then a whole fit. */
async function measure(data: Interactions): Promise<Record<string, number>> {
  const parts: Record<string, number> = {};
  const part = async <T>(name: string, work: () => T | Promise<T>): Promise<T> => {
    collectGarbage();
    const from = seconds();
    const made = await work();
    parts[name] = seconds() - from;
    return made;
  };
  const scheduler = new TaskScheduler(undefined);
  const [users, items] = [data.users.size, data.items.size];
  await part('defaults', () => signalOf(data, undefined, scheduler));
  const model = new MFModel({ users, items, rank: RANK, initScale: 0 });
  const tables = [model.userEmbedding, model.itemEmbedding];
  await part('start', () => drawStart(tables, { seed: 1, initScale: 0.1 }, scheduler));
  const counts = await part('counts', () => countRows(data, scheduler));
  const scale = { loss: 'squared', link: 'identity', standardize: true, negatives: false } as const;
  const targets = await part('targets', async () =>
    toTargets(data.values, await chooseUnits(data, scale, scheduler), scheduler),
  );
  const ratings = { size: data.size, users: data.userIndex, items: data.itemIndex, targets, weights: null, counts };
  const task = {
    model,
    loss: squared,
    optimizer: resolveOptimizer(sgd({ learningRate: 0.02 })),
    penalties: model.parameters.map((parameter) => new Penalty(parameter, 0.02, null)),
    data: ratings,
    options: { epochs: EPOCHS, batchSize: 1, shuffle: true, stream: Stream.of(1), threads: 1 },
  };
  const training = await part('tiles', () => startTraining(task, scheduler));
  training.dispose?.();
  await part('history', () => InteractionHistory.of(data, counts, scheduler));
  collectGarbage();
  const marks = [seconds()];
  const onEpoch = () => void marks.push(seconds());
  await new MF({ rank: RANK, epochs: EPOCHS, threads: 1 }).fit(data, { onEpoch });
  const epoch = (marks[EPOCHS]! - marks[1]!) / (EPOCHS - 1);
  parts['fit: before the epochs'] = marks[1]! - marks[0]! - epoch;
  parts['fit: an epoch'] = epoch;
  parts['fit: after the epochs'] = seconds() - marks[EPOCHS]!;
  return parts;
}

async function load(name: string): Promise<Interactions> {
  if (name === 'wide-20m') return wideSynthetic(WIDE);
  if (name === 'wide-5m') return wideSynthetic({ users: 34_500, items: 13_500, ratings: 5_000_000 });
  return loadDataset(name);
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Number(value.toFixed(4));

for (const name of names.length > 0 ? names : ['ml-1m', 'wide-5m']) {
  const data = await load(name);
  const runs: Record<string, number>[] = [];
  for (let round = 0; round < Number(rounds); round++) runs.push(await measure(data));
  const rows = Object.keys(runs[0]!).map((part) => [part, runs.map((run) => run[part]!)] as const);
  const parts = Object.fromEntries(
    rows.map(([part, [first, ...rest]]) => [part, { first: rounded(first!), later: rounded(median(rest)) }]),
  );
  console.log(JSON.stringify({ name, ratings: data.size, rank: RANK, rounds: Number(rounds), parts, ...machine() }));
}
