// `opmf evaluate`: measures a saved model on ratings, by predictions and by ranked lists.

import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import { type Interaction, Interactions } from '../../data/interactions';
import { evaluateRanking } from '../../evaluation/evaluate-ranking';
import { evaluateRatings } from '../../evaluation/evaluate-ratings';
import {
  checkSuits,
  isMetric,
  isRatingMetric,
  METRIC_NAMES,
  type MetricName,
  rankingMetricsOf,
  slip,
  usualMetrics,
} from '../../metrics/metric-names';
import { RATING_METRICS } from '../../metrics/rating-metrics';
import { loadModel } from '../model-file';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { counted } from './printing';
import { DATA_FLAGS, DATA_WORDS, openSource, withIdsOf } from './source';

/** The command. */
export const evaluateCommand: Command = {
  usage: {
    name: 'evaluate',
    about:
      'Measures a saved model on ratings that it was not trained on; those of unknown users or items (cold) are counted in.',
    form: 'MODEL DATA [--train DATA] [--metrics rmse,ndcg@10] [--columns user=NAME,...] [--json]',
    example: 'opmf evaluate model.safetensors test.csv --metrics rmse,mae,ndcg@10',
    flags: {
      train: {
        value: 'DATA',
        about:
          'leave out the pairs of user and item that are also in these ratings, beside those that the model says it was trained on',
      },
      metrics: {
        value: 'NAMES',
        about:
          'rmse, mae, and of lists of all items without those of training: ndcg@10, recall@20, ...; default rmse,mae, or ndcg@10 where the scores of the model are no ratings',
      },
      json: { about: 'print one JSON document and nothing else' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    positionals: [2, 2],
  },
  run: runEvaluate,
};

async function runEvaluate(given: Arguments, io: Io): Promise<void> {
  const asked = given.list('metrics')?.map(readMetric);
  const isOfAll = asked !== undefined && rankingMetricsOf(asked).some(({ needsCandidates }) => needsCandidates);
  if (isOfAll && !given.has('train'))
    throw new UsageError('--metrics auc needs --train DATA: all items that the model was trained on are ranked');
  const [path, written] = given.positionals;
  if (written === '-' && given.text('train') === '-')
    throw new UsageError('DATA and --train are both -, and standard input is read once; give a file for one of them');
  const recommender = await loadModel(path!);
  const metrics = asked ?? usualMetrics(recommender.scores);
  checkSuits('--metrics', metrics, recommender.scores);
  const rankings = rankingMetricsOf(metrics);
  const source = await openSource(written, given, io);
  const train = given.text('train');
  const trained = train === undefined ? undefined : (await openSource(train, given, io)).data;
  const rest = trained === undefined ? source.data : without(source.data, trained);
  if (rest.size === 0)
    throw new DataError(
      `every pair of user and item in ${source.name} is in --train too, so there is nothing to measure`,
    );
  const known = (data: Interactions) => (given.has('ids') ? data : withIdsOf(recommender, data));
  const all = known(rest);
  const found = recommender.familiarity(all);
  const unseen = [...all].filter((_, row) => found[row] !== 2);
  const seen = all.size - unseen.length;
  if (unseen.length === 0)
    throw new DataError(
      `the model was trained on every pair of user and item in ${source.name}, so there is nothing unseen in it; want ratings that were held out: opmf train --test-fraction .1 reports on some`,
    );
  const test = seen === 0 ? all : Interactions.from(unseen, { duplicates: 'keep' });
  const ofRatings = metrics.some(isRatingMetric) ? await evaluateRatings(recommender, test) : undefined;
  const ranking =
    rankings.length === 0
      ? undefined
      : await evaluateRanking(recommender, test, {
          train: trained && known(trained),
          metrics: rankings.map(({ name }) => name),
        });
  const cold = found.filter((kind) => kind === 0).length;
  const measured: Partial<Record<MetricName, number>> = { ...ofRatings, ...ranking?.metrics };
  const values = Object.fromEntries(metrics.map((metric) => [metric, measured[metric]!]));
  const count = test.size;
  if (given.has('json')) {
    io.stdout.write(
      `${JSON.stringify({ model: recommender.name, dataset: source.name, metrics: values, count, cold, seen, ...(ranking && { users: ranking.users }) })}\n`,
    );
    return;
  }
  const width = Math.max(...metrics.map((metric) => metric.length));
  const lines = metrics.map((metric) => `${metric.padEnd(width)}  ${values[metric]!.toFixed(4)}`);
  const leftOut = seen === 0 ? '' : `; ${seen} more that the model was trained on are left out`;
  io.stdout.write(
    `${recommender.name} on ${source.name}: ${counted(count, 'rating')}, ${cold} of them cold${leftOut}${ranking === undefined ? '' : `; lists for ${counted(ranking.users, 'user')}`}\n${lines.join('\n')}\n`,
  );
}

/** A metric by its name. @throws UsageError */
export function readMetric(written: string): MetricName {
  if (isMetric(written)) return written;
  throw new UsageError(
    `--metrics: ${show(written)} is not known; want some of ${METRIC_NAMES}${slip(written, RATING_METRICS)}`,
  );
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
