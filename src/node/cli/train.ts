// `opmf train`: fits one recommender and saves it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Split, splitRandom } from '../../data/splits';
import { evaluateRanking, type RankingEvaluation } from '../../evaluation/evaluate-ranking';
import { evaluateRatings, type RatingEvaluation } from '../../evaluation/evaluate-ratings';
import type { FitOptions, Recommender } from '../../recommenders/recommender';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../../recommenders/registry';
import { trainingReport } from '../../report/training-report';
import type { EpochRecord, History } from '../../training/fit';
import { type TrainProgress, train } from '../distributed/train';
import { checkpointFile, saveModel } from '../model-file';
import { requireWritable, writeFileAtomically } from '../output-file';
import { type FitTilesOptions, fitTiles } from '../tiles/fit-tiles';
import { FILES } from '../tiles/tile-folder';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { chosenText, counted, type Progress, printable, startProgress } from './printing';
import { parseSettings, settingsHelp } from './settings';
import { DATA_FLAGS, DATA_WORDS, openSource } from './source';
import { WORKER_FLAGS, whereOf } from './worker';

/** The command. */
export const trainCommand: Command = {
  usage: {
    name: 'train',
    about:
      'Trains a recommender on ratings and saves it; without DATA, on the built-in synthetic set; of a folder of opmf partition in bounded memory.',
    form: '[DATA] --out model.safetensors [--model overparam-mf] [--set NAME=VALUE ...] [--test-fraction .1] [--checkpoint FILE [--every 1] [--resume]] [--report FILE] [--seed 1] [--columns user=NAME,...] [--json]',
    example: 'opmf train ml-100k --out model.safetensors --set rank=32 --set overparam.depth=3 --test-fraction .1',
    flags: {
      out: { value: 'FILE', about: 'where the trained model goes (safetensors)' },
      model: {
        value: 'NAME',
        about: `one of ${RECOMMENDER_NAMES.join(', ')}; default overparam-mf; with --help: its options are listed`,
        choices: RECOMMENDER_NAMES,
      },
      set: {
        value: 'NAME=VALUE',
        about: 'an option of the model; repeats; dots nest: overparam.depth=3',
        repeats: true,
      },
      'test-fraction': {
        value: 'F',
        about:
          'hold out this part of the ratings and report on it: RMSE, or NDCG@10 where scores are no ratings; default 0',
      },
      checkpoint: { value: 'FILE', about: 'keep the training in this file, so that --resume can go on with it' },
      every: { value: 'N', about: 'with --checkpoint: after every N epochs; default 1' },
      resume: {
        about: 'go on from the file of --checkpoint, where there is one, to the bits of a training never stopped',
      },
      report: {
        value: 'FILE',
        about: 'write an HTML report with curves by epoch, those of the test with --test-fraction',
      },
      seed: { value: 'N', about: 'seed of the split and of the model; default 1' },
      memory: {
        value: 'MIB',
        about: 'of a folder of tiles: what the process is to have in all; default three quarters of the machine',
      },
      'no-history': { about: 'of a folder of tiles: save no history, which takes 8 bytes a rating' },
      redis: {
        ...WORKER_FLAGS.redis,
        about:
          'of a folder of tiles: train by opmf worker on any machines; the server of their queue: redis://HOST:PORT',
      },
      store: { ...WORKER_FLAGS.store, about: `with --redis: ${WORKER_FLAGS.store.about}` },
      name: { ...WORKER_FLAGS.name, about: `with --redis: ${WORKER_FLAGS.name.about}` },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    more: settingsHelp,
    positionals: [0, 1],
  },
  run: runTrain,
};

async function runTrain(given: Arguments, io: Io): Promise<void> {
  const out = given.text('out');
  if (out === undefined) throw new UsageError('--out is missing: say where the model goes');
  const settings = parseSettings(given.texts('set'));
  if (given.has('seed') && 'seed' in settings) throw new UsageError('--seed and --set seed: give one of them');
  const seed = given.count('seed', 0) ?? 1;
  const testFraction = given.number('test-fraction', 'a number from 0 to below 1', (f) => f >= 0 && f < 1) ?? 0;
  const name = given.text('model') ?? 'overparam-mf';
  const trains = name !== 'popularity' && name !== 'item-knn' && name !== 'ease';
  if (!trains && testFraction === 0 && given.has('seed'))
    throw new UsageError(`${name} takes no --seed: it draws nothing, and there is no --test-fraction; leave it out`);
  const [data] = given.positionals;
  const isTiles = data !== undefined && existsSync(join(data, FILES.index));
  if (isTiles) refuseForTiles(given, name, testFraction);
  else if (ONLY_FOR_TILES.some((flag) => given.has(flag)))
    throw new UsageError(`--${ONLY_FOR_TILES.join(', --')} are for a folder of opmf partition`);
  let recommender: Recommender = createRecommender(name as RecommenderName, trains ? { seed, ...settings } : settings);
  const kept = await keptIn(given, io);
  const report = given.text('report');
  for (const path of report === undefined ? [out] : [out, report]) await requireWritable(path);
  const source = isTiles ? { name: data, data: undefined } : await openSource(data, given, io);
  const split =
    testFraction === 0 || source.data === undefined ? undefined : splitRandom(source.data, { testFraction, seed });

  const started = performance.now();
  const progress = startProgress(io);
  const asked = lossOf(recommender.options);
  const onEpoch = ({ epoch, trainLoss }: EpochRecord) =>
    progress.update(epoch / epochsOf(recommender.options), `epoch ${epoch}, training loss ${trainLoss.toFixed(4)}`);
  let history: History;
  try {
    if (source.data === undefined) {
      const asked = { recommender: name as 'mf', seed, ...settings, ...tileOptions(given) };
      ({ recommender, history } = await fitFolder(source.name, asked, kept, given, progress, io));
    } else {
      // Curves of the test are for the report alone.
      const curves = report === undefined ? {} : { validation: split?.test };
      history = await recommender.fit(split?.train ?? source.data, { onEpoch, ...kept, ...curves });
    }
  } finally {
    progress.done();
  }
  const { epochs, usersPassedOver } = history;
  const seconds = (performance.now() - started) / 1000;
  const loss = lossOf(recommender.options);
  if (asked === 'auto' && loss !== 'squared') io.stderr.write(`opmf train: ${chosenText(loss)}\n`);
  if (usersPassedOver !== undefined && usersPassedOver > 0) {
    io.stderr.write(
      `opmf train: ${counted(usersPassedOver, 'user')} passed over, with every item: nothing can be drawn that they do not have\n`,
    );
  }
  const test = split === undefined ? undefined : await evaluated(recommender, split);
  await saveModel(out, recommender);
  if (report !== undefined)
    await writeFileAtomically(
      report,
      trainingReport(`${recommender.name} on ${source.name}`, epochs, recommender.options),
    );
  if (given.has('json')) {
    const document = {
      model: recommender.name,
      dataset: source.name,
      ...(loss !== undefined && { loss }),
      epochs,
      ...(usersPassedOver !== undefined && { usersPassedOver }),
      ...(test && { test }),
      seconds,
      out,
    };
    io.stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  const lines = [`${recommender.name} on ${source.name}`, ...epochs.map(epochLine)];
  if (test !== undefined && 'rmse' in test) {
    lines.push(
      `test RMSE ${test.rmse.toFixed(4)}, MAE ${test.mae.toFixed(4)} on ${counted(test.count, 'rating')}, ${test.cold} of them cold`,
    );
  } else if (test !== undefined) {
    lines.push(
      `test NDCG@10 ${test.metrics['ndcg@10']!.toFixed(4)} for ${counted(test.users, 'user')}, ${test.cold} of them cold`,
    );
  }
  io.stdout.write(`${[...lines, `trained in ${seconds.toFixed(1)} s, saved to ${out}`].join('\n')}\n`);
}

/** What --checkpoint and --resume say. */
async function keptIn(given: Arguments, io: Io): Promise<Pick<FitOptions, 'checkpoint' | 'resume'>> {
  const path = given.text('checkpoint');
  if (path === undefined) {
    const flag = ['every', 'resume'].find((known) => given.has(known));
    if (flag !== undefined) throw new UsageError(`--${flag} needs --checkpoint FILE`);
    return {};
  }
  await requireWritable(path);
  const { read, write } = checkpointFile(path);
  const checkpoint = { every: given.count('every'), write };
  if (!given.has('resume')) return { checkpoint };
  const resume = await read();
  if (resume === undefined) io.stderr.write(`opmf train: ${printable(path)} is not there yet: from the start\n`);
  return { checkpoint, resume };
}

/** What cannot be had of a folder of tiles. */
function refuseForTiles(given: Arguments, name: string, testFraction: number): void {
  if (testFraction > 0)
    throw new UsageError('--test-fraction: a folder of tiles is trained on as a whole; split the ratings before');
  const flag = Object.keys(DATA_FLAGS).find((known) => given.has(known));
  if (flag !== undefined) throw new UsageError(`--${flag}: a folder of tiles has been read already`);
  if (name !== 'mf' && name !== 'overparam-mf')
    throw new UsageError(`--model is '${name}'; of a folder of tiles mf and overparam-mf are trained`);
}

const ONLY_FOR_TILES = ['memory', 'no-history', 'redis', 'store', 'name'];

function tileOptions(given: Arguments): FitTilesOptions {
  const memory = given.count('memory', 64);
  return { ...(memory !== undefined && { memory: memory * 2 ** 20 }), history: !given.has('no-history') };
}

/** Trains on a folder of tiles, on this machine or by workers. */
async function fitFolder(
  dir: string,
  options: FitTilesOptions,
  kept: FitOptions,
  given: Arguments,
  progress: Progress,
  io: Io,
) {
  if (!['redis', 'store', 'name'].some((flag) => given.has(flag))) {
    const onProgress: FitTilesOptions['onProgress'] = ({ epoch, epochs, steps, of, ratingsPerSecond, secondsLeft }) => {
      const speed = `${(ratingsPerSecond / 1e6).toFixed(1)} M ratings/s, ${secondsLeft.toFixed(0)} s left`;
      progress.update((epoch - 1 + steps / of) / epochs, `epoch ${epoch}, ${speed}`);
    };
    return fitTiles(dir, { ...options, onProgress }, kept);
  }
  const where = whereOf(given);
  let isAlone = false;
  const onProgress = ({ epoch, epochs, sweeps, of, slots, secondsLeft }: TrainProgress) => {
    if (slots === 0 && of === 0 && !isAlone)
      io.stderr.write(
        'opmf train: no worker is there yet; start some: opmf worker, with the same --redis, --store and --name\n',
      );
    isAlone = slots === 0;
    const left = Number.isFinite(secondsLeft) ? `, ${secondsLeft.toFixed(0)} s left` : '';
    progress.update(
      (epoch - 1 + sweeps / Math.max(of, 1)) / epochs,
      `epoch ${epoch}, ${counted(slots, 'slot')}${left}`,
    );
  };
  return train(dir, options, { ...where, fitOptions: kept, onProgress });
}

/** Evaluates on the held-out ratings, by predictions or by ranked lists as the scores allow. */
async function evaluated(
  recommender: Recommender,
  { train, test }: Split,
): Promise<RatingEvaluation | RankingEvaluation> {
  if (recommender.scores === 'rating') return evaluateRatings(recommender, test);
  return evaluateRanking(recommender, test, { train, metrics: ['ndcg@10'] });
}

/** The loss in the options, if there is one. */
function lossOf(options: object): unknown {
  return 'loss' in options ? options.loss : undefined;
}

/** The number of epochs of a fit; 1 for models solved in closed form, which report none. */
function epochsOf(options: object): number {
  return 'epochs' in options ? (options.epochs as number) : 1;
}

function epochLine({ epoch, trainLoss, trainRmse, seconds }: EpochRecord): string {
  const rmse = trainRmse === undefined ? '' : `, RMSE ${trainRmse.toFixed(4)}`;
  return `  epoch ${String(epoch).padStart(3)}: training loss ${trainLoss.toFixed(4)}${rmse}, ${seconds.toFixed(2)} s`;
}
