// `opmf compare`: the main job, plain against overparameterized matrix factorization under each optimizer.

import { nearest, show } from '../../core/options';
import { PAPER_OPTIMIZERS } from '../../evaluation/arms';
import { compare } from '../../evaluation/compare';
import type { Comparison } from '../../evaluation/comparison';
import { OPTIMIZER_NAMES, type OptimizerName } from '../../optimizers/registry';
import type { ProductOptions } from '../../parameters/overparam';
import { RECOMMENDER_NAMES, type RecommenderName } from '../../recommenders/registry';
import { comparisonReport } from '../../report/comparison-report';
import { armName } from '../../report/comparison-rows';
import { comparisonTable } from '../../report/comparison-table';
import { requireWritable, writeFileAtomically } from '../output-file';
import { type Arguments, type Command, type Io, UsageError } from './command';
import { readMetric } from './evaluate';
import { startProgress } from './printing';
import { DATA_FLAGS, DATA_WORDS, openSource } from './source';

/**
 * The arms that run beside plain by default: with the other defaults some 25 s on one core. An epoch of dense-2 takes
 * five times as long as one of these (.55 s against .1 s, rank 15, 100,000 ratings), so it runs only on request.
 */
const DEFAULT_ARMS: readonly string[] = ['scalar-row-2', 'scalar-row-3'];
/** The notation of an arm (report/comparison-rows.ts prints it), for error messages and the help. */
export const ARM_FORM =
  'KIND-SCOPE-DEPTH[xWIDTH][@INIT], such as scalar-row-2, diagonal-row-2x2 or dense-2x24@1 (dense has no scope)';

const TERMS = ['paper', 'matched', 'tuned'] as const;

/** The command. */
export const compareCommand: Command = {
  usage: {
    name: 'compare',
    about: 'Compares plain and overparameterized matrix factorization under each optimizer.',
    form:
      '[DATA] [--terms paper|matched|tuned] [--optimizers sgd,adam] [--overparams scalar-row-2,dense-2] ' +
      '[--models als,ease] [--metrics ndcg@10] [--rank N] [--epochs N] [--seeds 3] [--test-fraction .1] [--threads N] [--columns user=NAME,...] [--json] [--out report.html]',
    example: 'opmf compare ml-100k --terms paper --rank 15 --epochs 15 --overparams scalar-row-2,dense-2 --seeds 3',
    flags: {
      terms: {
        value: 'TERMS',
        choices: TERMS,
        about:
          'paper (one rate for all arms), matched or tuned; default: paper, and below it a line of what remains when each arm has the best of six rates',
      },
      optimizers: {
        value: 'NAMES',
        about: `of ${OPTIMIZER_NAMES.join(', ')}; default ${PAPER_OPTIMIZERS.join(',')}`,
        choices: OPTIMIZER_NAMES,
      },
      overparams: { value: 'ARMS', about: `${ARM_FORM}; default ${DEFAULT_ARMS.join(',')}` },
      models: {
        value: 'NAMES',
        about: `recommenders with their defaults, side by side; without --optimizers and --overparams in place of the arms; of ${RECOMMENDER_NAMES.join(', ')}`,
        choices: RECOMMENDER_NAMES,
      },
      metrics: {
        value: 'NAMES',
        about:
          'of the models: rmse, mae, and of lists of all items without those of training: ndcg@10, recall@20, ...; default rmse,mae, or ndcg@10 where the scores of a model are no ratings',
      },
      rank: { value: 'N', about: 'latent dimensions; default 15' },
      epochs: { value: 'N', about: 'passes over the training ratings; default 15' },
      seeds: { value: 'N', about: 'runs per arm, with seeds 1 to N; default 1' },
      'test-fraction': { value: 'F', about: 'part of the ratings held out; default .1' },
      threads: { value: 'N', about: 'runs at once; default one a core. 1 for seconds that nothing disturbs' },
      json: { about: 'print one JSON document of the terms asked for, and nothing else' },
      out: { value: 'FILE', about: 'write an HTML report with curves' },
      ...DATA_FLAGS,
    },
    words: DATA_WORDS,
    positionals: [0, 1],
  },
  run: runCompare,
};

async function runCompare(given: Arguments, io: Io): Promise<void> {
  const terms = readTerms(given.text('terms'));
  const models = given.list('models') as readonly RecommenderName[] | undefined;
  const hasArms = models === undefined || given.has('optimizers') || given.has('overparams');
  const metrics = given.list('metrics')?.map(readMetric);
  if (metrics !== undefined && models === undefined)
    throw new UsageError('--metrics are of --models, of which there are none: --models als,ease --metrics ndcg@10');
  const optimizers = given.list('optimizers')?.map(readOptimizer) ?? PAPER_OPTIMIZERS;
  const overparams = (given.list('overparams') ?? DEFAULT_ARMS).map(parseArm);
  const rank = given.count('rank') ?? 15;
  const epochs = given.count('epochs') ?? 15;
  const seeds = Array.from({ length: given.count('seeds') ?? 1 }, (_, i) => i + 1);
  const testFraction = given.number('test-fraction', 'a number between 0 and 1', (f) => f > 0 && f < 1) ?? 0.1;
  const threads = given.count('threads') ?? 'auto';
  const out = given.text('out');
  // Check now rather than after minutes of training.
  if (out !== undefined) await requireWritable(out);
  const { name, data } = await openSource(given.positionals[0], given, io);

  const progress = startProgress(io);
  let comparison: Comparison;
  try {
    comparison = await compare(data, {
      ...(hasArms && { optimizers, overparams }),
      models,
      metrics,
      // The document for programs is of one kind of terms.
      fair: hasArms && !given.has('terms') && !given.has('json'),
      seeds,
      epochs,
      rank,
      terms,
      testFraction,
      threads,
      onProgress: ({ done, total, optimizer, overparam = false, model, seed }) =>
        progress.update(done / total, `${model ?? `${optimizer} ${armName(overparam)}`}, seed ${seed}`),
    });
  } finally {
    progress.done();
  }
  const document: Comparison = { ...comparison, dataset: { ...comparison.dataset, name } };
  if (out !== undefined) await writeFileAtomically(out, comparisonReport(document));
  io.stdout.write(given.has('json') ? `${JSON.stringify(document)}\n` : comparisonTable(document));
  if (out !== undefined) io.stderr.write(`report written to ${out}\n`);
}

function readTerms(written = 'paper'): (typeof TERMS)[number] {
  const terms = TERMS.find((name) => name === written);
  if (terms === undefined) throw new UsageError(`--terms is ${show(written)}; want one of ${TERMS.join(', ')}`);
  return terms;
}

function readOptimizer(written: string): OptimizerName {
  const name = OPTIMIZER_NAMES.find((known) => known === written);
  if (name !== undefined) return name;
  const close = nearest(written, OPTIMIZER_NAMES);
  const advice = close === undefined ? '' : ` (did you mean '${close}'?)`;
  throw new UsageError(
    `--optimizers: ${show(written)} is no optimizer; want some of ${OPTIMIZER_NAMES.join(', ')}${advice}`,
  );
}

const ARM = /^(?:(scalar|diagonal)-(row|shared)|dense)-(\d{1,4})(?:x(\d{1,6}))?(?:@([^@]+))?$/;
const FAMILIES = ['scalar-row', 'scalar-shared', 'diagonal-row', 'diagonal-shared', 'dense'];

/** Parses an arm; omitted parts take the library's defaults. */
export function parseArm(text: string): ProductOptions {
  const [, kind, scope, depth, width, init] = ARM.exec(text) ?? [];
  const start = init === undefined ? undefined : Number(init);
  if (
    depth === undefined ||
    Number(depth) < 1 ||
    Number(width ?? 1) < 1 ||
    (start !== undefined && (start === 0 || !Number.isFinite(start)))
  ) {
    throw new UsageError(`--overparams: ${show(text)} is no arm; want ${ARM_FORM}${advice(text)}`);
  }
  return {
    kind: (kind ?? 'dense') as NonNullable<ProductOptions['kind']>,
    ...(scope === undefined ? {} : { scope: scope as 'row' | 'shared' }),
    depth: Number(depth),
    ...(width === undefined ? {} : { width: Number(width) }),
    ...(start === undefined ? {} : { init: start }),
  };
}

function advice(text: string): string {
  if (text === 'plain') return '; plain always runs, it is what the arms are compared with';
  const family = text.replace(/-?\d.*$/, '');
  const close = FAMILIES.includes(family) ? undefined : nearest(family, FAMILIES);
  return close === undefined ? '' : `; did you mean ${close}?`;
}
