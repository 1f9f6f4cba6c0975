// `opmf tune`: searches the options of a recommender that do best on held-out ratings.

import type { SearchRange, SearchSpace } from '../../evaluation/search-space';
import { tune } from '../../evaluation/tune';
import { isLessBetter, type MetricName } from '../../metrics/metric-names';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../../recommenders/registry';
import { tuningReport } from '../../report/training-report';
import { requireWritable, writeFileAtomically } from '../output-file';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { chosenText, startProgress } from './printing';
import { flatSettings, parseSettings, settingsHelp } from './settings';
import { DATA_FLAGS, DATA_WORDS, openSource } from './source';

/** The command. */
export const tuneCommand: Command = {
  usage: {
    name: 'tune',
    about: 'Tries options drawn at random and prints those that did best on held-out ratings.',
    form: '[DATA] [--model overparam-mf] [--space NAME=VALUES ...] [--set NAME=VALUE ...] [--trials 20] [--metric NAME] [--strategy random|halving] [--seed 1] [--threads N] [--json]',
    example: 'opmf tune ml-100k --space rank=16,32,64 --space regularization.embedding=.05..0.5:log --trials 20',
    flags: {
      model: {
        value: 'NAME',
        about: 'overparam-mf (default), or another recommender',
        choices: RECOMMENDER_NAMES,
      },
      space: {
        value: 'NAME=VALUES',
        about:
          'what to draw an option from; repeats; a,b,c or MIN..MAX or MIN..MAX:log; default: the options that matter most of the model',
        repeats: true,
      },
      set: { value: 'NAME=VALUE', about: 'an option that every trial has; repeats', repeats: true },
      trials: { value: 'N', about: 'how many are drawn; default 20' },
      metric: {
        value: 'NAME',
        about:
          'rmse, mae, ndcg@10, recall@20, ...; default rmse, or ndcg@10 where the scores of the model are no ratings',
      },
      strategy: {
        value: 'NAME',
        about: 'random (default), or halving: all for few epochs, the best for more',
        choices: ['random', 'halving'],
      },
      'test-fraction': { value: 'F', about: 'the part of the ratings that trials are judged by; default .1' },
      seed: { value: 'N', about: 'seed of the draws and of the split; default 1' },
      threads: { value: 'N', about: 'fits at once, to the same results; default one a core' },
      report: { value: 'FILE', about: 'write an HTML report: every fit, and the curve of the best so far' },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    more: settingsHelp,
    positionals: [0, 1],
  },
  run: runTune,
};

async function runTune(given: Arguments, io: Io): Promise<void> {
  const model = (given.text('model') ?? 'overparam-mf') as RecommenderName;
  const spaces = given.texts('space');
  const space = spaces.length === 0 ? ('default' as const) : readSpace(spaces);
  const trials = given.count('trials') ?? 20;
  const testFraction = given.number('test-fraction', 'a number above 0 and below 1', (f) => f > 0 && f < 1);
  const metric = given.text('metric') as MetricName | undefined;
  const base = parseSettings(given.texts('set'));
  const report = given.text('report');
  if (report !== undefined) await requireWritable(report);
  const source = await openSource(given.positionals[0], given, io);
  const { minimum, maximum } = source.data.stats();
  const { loss } = createRecommender(model, base).options as { loss?: unknown };
  // SVDpp rejects such values itself.
  if (loss === 'auto' && minimum === maximum && model !== 'svdpp')
    io.stderr.write(`opmf tune: ${chosenText('softmax')}\n`);
  const progress = startProgress(io);
  const result = await tune(model, space, source.data, {
    trials,
    metric,
    base,
    seed: given.count('seed', 0),
    strategy: given.text('strategy') as 'random' | 'halving' | undefined,
    testFraction,
    threads: given.count('threads') ?? 'auto',
    onProgress: ({ done, total, trial }) =>
      progress.update(done / total, `trial ${trial.trial}: ${trial.score?.toFixed(4) ?? 'diverged'}`),
  }).finally(() => progress.done());
  const page = () => tuningReport(`${model} on ${source.name}, tuned`, result, isLessBetter(result.metric));
  if (report !== undefined) await writeFileAtomically(report, page());
  if (given.has('json')) {
    io.stdout.write(`${JSON.stringify({ model, dataset: source.name, ...result })}\n`);
    return;
  }
  const { best } = result;
  const settings = flatSettings(best.options).map(([name, value]) => `--set ${name}=${value}`);
  if (settings.length === 0) settings.push('the defaults');
  io.stdout.write(
    `${model} on ${source.name}: best ${result.metric} ${best.score.toFixed(4)} of ${result.trials.length} fits\n${settings.join(' ')}\n`,
  );
}

/** `rank=16,32` and `initScale=.01..0.1:log`. */
function readSpace(assignments: readonly string[]): SearchSpace {
  const space: Record<string, SearchRange | readonly unknown[]> = Object.create(null);
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    const [name, text] = [assignment.slice(0, Math.max(at, 0)), assignment.slice(at + 1)];
    if (name === '' || text === '')
      throw new UsageError(`--space is '${assignment}'; want NAME=a,b,c or NAME=MIN..MAX or NAME=MIN..MAX:log`);
    const range = /^(.+?)\.\.(.+?)(:log)?$/.exec(text);
    if (range === null) {
      space[name] = text.split(',').map((value) => parseSettings([`value=${value}`]).value);
      continue;
    }
    const [min, max] = [Number(range[1]), Number(range[2])];
    space[name] = { min, max, ...(range[3] !== undefined && { scale: 'log' as const }) };
  }
  return space;
}
