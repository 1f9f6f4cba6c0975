// The main job: plain against overparameterized matrix factorization under each optimizer.

import { DataError } from '../core/errors';
import { boolean, seed as checkSeed, field, integer, oneOf, optional, readOptions, wrong } from '../core/options';
import { now } from '../core/scheduler';
import { VERSION } from '../core/version';
import type { Interactions } from '../data/interactions';
import { part, splitRandom } from '../data/splits';
import { checkSuits, type MetricName, metricList, usualMetrics } from '../metrics/metric-names';
import type { LearningRate } from '../optimizers/learning-rate';
import type { OptimizerConfig } from '../optimizers/optimizer';
import { type OptimizerName, resolveOptimizer } from '../optimizers/registry';
import { type ProductOptions, type ProductSpec, planOverparam, readProduct } from '../parameters/overparam';
import { checkInteractions } from '../recommenders/fit-options';
import type { Recommender } from '../recommenders/recommender';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../recommenders/registry';
import type { Arm } from './arms';
import {
  armFit,
  comparisonEpoch,
  fairSettings,
  matchedArms,
  PAPER_CONSTANTS,
  PAPER_OPTIMIZERS,
  paperArms,
  tunedArm,
} from './arms';
import type { ArmRuns, Comparison, ComparisonArm, ComparisonRun, ModelRun } from './comparison';
import { lastSpread, summarize, summarizeModel } from './comparison';
import { checkRecommender, type EvaluationOptions, evaluationFields } from './evaluation-options';
import { type FitRunner, mapLimited, startFitRunner } from './fit-threads';
import { type Fit, fitterOf } from './fits';

/** The options of compare. */
export interface CompareOptions
  extends Omit<
    EvaluationOptions<{
      /** The optimizer and the product of the arm whose run begins; with tuned terms first of the arm that is tuned. */
      readonly optimizer?: string;
      readonly overparam?: Comparison['runs'][number]['overparam'];
      /** The name of the model whose run begins. */
      readonly model?: string;
      readonly seed: number;
    }>,
    'seed'
  > {
  /** Names (with the constants of `terms`), or full configurations. @defaultValue the paper's five */
  readonly optimizers?: readonly (OptimizerName | OptimizerConfig)[] | undefined;
  /** The products beside plain. @defaultValue scalar per row, depth 2 */
  readonly overparams?: readonly ProductOptions[] | undefined;
  /** Each seeds a split and the models on it. @defaultValue [1] */
  readonly seeds?: readonly number[] | undefined;
  /** @defaultValue 15 */
  readonly epochs?: number | undefined;
  /** @defaultValue 15 */
  readonly rank?: number | undefined;
  /**
   * What arms compete under: `paper` gives all one learning rate, `matched` gives plain the same initial effective rate as
   * the product, `tuned` gives every arm its own best rate. @defaultValue 'paper'
   */
  readonly terms?: Comparison['terms'] | undefined;
  /**
   * Also what remains when each arm has a rate of its own, the best of six on a tenth of its training ratings: a quick look
   * at tuned terms, some six times the fits of the arms. @defaultValue false
   */
  readonly fair?: boolean | undefined;
  /** @defaultValue 0.1 */
  readonly testFraction?: number | undefined;
  /**
   * Any recommenders, side by side on the same splits: names, recommenders (each fit has a fresh one), or functions that make
   * one. With them alone there are no arms: give `optimizers` or `overparams` for those too. @defaultValue none
   */
  readonly models?: readonly (RecommenderName | Recommender | (() => Recommender))[] | undefined;
  /** Of the models. @defaultValue ['rmse', 'mae'] where the scores of all are ratings, else ['ndcg@10'] */
  readonly metrics?: readonly MetricName[] | undefined;
}

/** What may be compared: the name of a recommender, one with its options, or a function that makes one. */
export type ComparedModel = NonNullable<CompareOptions['models']>[number];

type FilledCompare = ReturnType<typeof readCompareOptions>;

/**
 * Trains plain and overparameterized matrix factorization under each optimizer, on the same splits from the same
 * starts, and follows both the training loss and the test error.
 *
 * Terms: 'paper', one set of constants for all arms (start N(0, 1), penalty .02, ratings as they are); 'matched', each
 * product beside a plain twin whose first step is as long; 'tuned', each arm at the best of 24 settings on validation
 * ratings. Cost: optimizers x arms x seeds fits; tuned: 24 more for each arm.
 *
 * `models` are any recommenders beside or in place of the arms, each fitted and measured on the same splits.
 *
 * @throws OptionError; DataError, also for values that are all equal; the signal's reason; UnsupportedError for
 * `metrics` of ratings where the scores of a model are none. A run that diverges is marked, not thrown.
 * @see Chen and Chen (DeLTA 2020)
 * @example
 * ```ts
 * import { compare, syntheticInteractions } from 'opmf';
 * const data = syntheticInteractions({ users: 100, items: 80, ratings: 2000 });
 * const { summary } = await compare(data, {
 *   optimizers: ['sgd', 'adam'],
 *   overparams: [{ kind: 'scalar', depth: 2 }],
 *   epochs: 3,
 *   rank: 4,
 * });
 * console.log(summary.length); // 8
 * const { models = [] } = await compare(data, { models: ['ease', 'popularity'], metrics: ['ndcg@10'] });
 * console.log(models.map(({ model }) => model).join(' ')); // ease popularity
 * ```
 */
export async function compare(data: Interactions, options?: CompareOptions): Promise<Comparison> {
  const read = readCompareOptions(options);
  read.signal?.throwIfAborted();
  checkInteractions(data, 'data');
  const runner = startFitRunner(read.threads);
  try {
    return await compareWith(runner, data, read);
  } finally {
    runner.close();
  }
}

async function compareWith(runner: FitRunner, data: Interactions, filled: FilledCompare): Promise<Comparison> {
  const { rank, epochs, seeds, terms, testFraction, onProgress, signal } = filled;
  if (filled.optimizers.length > 0) checkDiffer(data, 'data');
  const splits = new Map(seeds.map((seed) => [seed, splitRandom(data, { testFraction, seed })]));
  if (filled.optimizers.length > 0)
    for (const [seed, { train }] of splits) checkDiffer(train, `the training ratings of seed ${seed}`);
  const rules = filled.optimizers.map((given) => {
    const config = typeof given === 'string' && Object.hasOwn(PAPER_CONSTANTS, given) ? PAPER_CONSTANTS[given] : given;
    return resolveOptimizer(config as OptimizerConfig).config;
  });
  refuseRepeats('optimizers', rules, ({ name }) => name);
  const paper = rules.flatMap((config) =>
    terms === 'matched' ? matchedArms(config, filled.overparams, rank) : paperArms(config, filled.overparams),
  );
  let done = 0;
  const fair = filled.fair ? rules.flatMap((config) => paperArms(config, filled.overparams)) : [];
  const total = (paper.length + fair.length + filled.models.length) * seeds.length;
  const report = ({ optimizer, overparam }: ReturnType<typeof describe>, seed: number) =>
    onProgress?.({ done, total, optimizer, overparam, seed });
  const first = { rank, epochs, seed: seeds[0]! };
  const tune = (arm: Arm, candidates?: Arm[]) => {
    report(describe(arm, rank, first.seed), first.seed);
    return tunedArm(arm, splits.get(first.seed)!.train, first, runner, signal, candidates);
  };
  const runAll = (arms: readonly Arm[]) => {
    const jobs = arms.flatMap((arm) => seeds.map((seed) => ({ arm, seed })));
    return mapLimited(jobs, runner.atOnce, async ({ arm, seed }): Promise<ComparisonRun> => {
      signal?.throwIfAborted();
      const label = describe(arm, rank, seed);
      report(label, seed);
      const result = await runner.run(armFit(arm, { rank, epochs, seed }), splits.get(seed)!, signal);
      done++;
      return { ...label, epochs: result.epochs.map(comparisonEpoch), diverged: result.diverged };
    });
  };
  const arms = terms === 'tuned' ? await mapLimited(paper, runner.atOnce, async (arm) => (await tune(arm)).arm) : paper;
  const runs = await runAll(arms);
  const started = now();
  const tuned = await mapLimited(fair, runner.atOnce, (arm) => tune(arm, fairSettings(arm)));
  const fairRuns = await runAll(tuned.map(({ arm }) => arm));
  const fairSeconds = (now() - started) / 1000;
  const { models, metrics } = readModels(filled, data);
  const modelJobs = models.flatMap((model) => seeds.map((seed) => ({ model, seed })));
  const modelRuns = await mapLimited(modelJobs, runner.atOnce, async ({ model, seed }): Promise<ModelRun> => {
    signal?.throwIfAborted();
    onProgress?.({ done, total, model: model.name, seed });
    const recommender = seeded(model.recommender, seed);
    const fit = { recommender, owner: 'compare', metrics, mayDiverge: true };
    const result = await runner.run(fit, splits.get(seed)!, signal);
    done++;
    return { seed, diverged: result.diverged, metrics: result.metrics, seconds: result.seconds };
  });
  const { train, test } = splits.get(seeds[0]!)!;
  return {
    opmf: VERSION,
    terms,
    dataset: { name: 'data', users: data.users.size, items: data.items.size, train: train.size, test: test.size },
    rank,
    epochs,
    seeds,
    machine: describeMachine(),
    constants: Object.fromEntries(rules.map((config) => [config.name, config])),
    runs,
    summary: summarize(groupArms(arms, runs, seeds.length)),
    ...(filled.fair && {
      fair: {
        trials: fairSettings(paper[0]!).length,
        seconds: fairSeconds,
        arms: tuned.map(({ arm, rmse }, at) => {
          const own = fairRuns.slice(at * seeds.length, (at + 1) * seeds.length);
          const { optimizer, overparam, learningRate } = describe(arm, rank, first.seed);
          const testRmse = lastSpread(own, (epoch) => epoch.testRmse);
          return { optimizer, overparam, learningRate, validationRmse: finite(rmse), testRmse };
        }),
      },
    }),
    ...(models.length > 0 && {
      models: models.map(({ name, options }, at) => {
        const own = modelRuns.slice(at * seeds.length, (at + 1) * seeds.length);
        return { model: name, options, runs: own, ...summarizeModel(own, metrics) };
      }),
    }),
  };
}

/** A model that is compared. */
interface Model {
  readonly name: string;
  readonly options: object;
  readonly recommender: Fit['recommender'];
}

/** The models, and the metrics to measure. @throws OptionError; UnsupportedError */
function readModels(
  { models, metrics }: FilledCompare,
  data: Interactions,
): { models: Model[]; metrics: readonly MetricName[] } {
  const all = models.map((given, at) => {
    const name = `models[${at}]`;
    const make = typeof given === 'function' ? () => checkRecommender(given(), ['fit'], `${name}()`) : undefined;
    const one =
      typeof given === 'string'
        ? (createRecommender(oneOf(...RECOMMENDER_NAMES)(given, name)) as Recommender)
        : (make?.() ?? checkRecommender(given as Recommender, ['fresh'], name));
    return { name: one.name, options: one.options, scores: one.scores ?? 'rating', recommender: make ?? fitterOf(one) };
  });
  const areRatings =
    all.every(({ scores }) => scores === 'rating') && data.values.some((value) => value !== data.values[0]);
  const names = metrics ?? usualMetrics(areRatings ? 'rating' : 'order');
  for (const { scores } of all) checkSuits('compare', names, scores);
  return { models: all, metrics: names };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** With the seed of a run, where it has one. */
function seeded(recommender: Fit['recommender'], seed: number): Fit['recommender'] {
  if (typeof recommender === 'function' || !('seed' in recommender.options)) return recommender;
  return { ...recommender, options: { ...recommender.options, seed } };
}

/** @throws DataError where every arm would predict the one value without an error, and so would reach its targets at once */
function checkDiffer({ values, size }: Interactions, name: string): void {
  if (values.some((value) => value !== values[0])) return;
  throw new DataError(
    `compare: all ${size} values of ${name} are ${values[0]}, so there is nothing to predict and no arm could be better; ` +
      "want ratings that differ. For events, crossValidate recommenders that learn an order, as new MF({ loss: 'bpr' }) or new ALS()",
  );
}

/** The runs of each arm, beside those of the plain arm before it, which sets its targets. */
function groupArms(arms: readonly Arm[], runs: readonly ComparisonRun[], seeds: number): ArmRuns[] {
  let plain: readonly ComparisonRun[] = [];
  return arms.map(({ overparam }, at) => {
    const own = runs.slice(at * seeds, (at + 1) * seeds);
    if (overparam === false) plain = own;
    return { runs: own, plain };
  });
}

function describe({ overparam, optimizer, initScale, regularization, matches }: Arm, rank: number, seed: number) {
  return {
    optimizer: optimizer.name,
    overparam: armOf(overparam, rank),
    ...(matches === undefined ? {} : { matches: armOf(matches, rank) }),
    learningRate: optimizer.learningRate as LearningRate,
    initScale,
    regularization,
    seed,
  };
}

function armOf(overparam: false | ProductOptions, rank: number): ComparisonArm {
  if (overparam === false) return false;
  const { kind, scope, depth, width, init }: ProductSpec = readProduct('compare', overparam);
  return kind === 'dense' ? { kind, depth, width: width || rank, init } : { kind, scope, depth, width, init };
}

function readCompareOptions(options: CompareOptions | undefined) {
  const { seed: _, ...common } = evaluationFields<Parameters<NonNullable<CompareOptions['onProgress']>>[0]>();
  // Models alone are compared without arms.
  const hasArms = options?.models === undefined || options.optimizers !== undefined || options.overparams !== undefined;
  const read = readOptions('compare', options, {
    optimizers: field(
      list<OptimizerName | OptimizerConfig>('optimizer names or configurations'),
      hasArms ? PAPER_OPTIMIZERS : [],
    ),
    overparams: field(list<ProductOptions>("products such as { kind: 'scalar', depth: 2 }"), [
      { kind: 'scalar', scope: 'row', depth: 2 } as const,
    ]),
    models: field(list<ComparedModel>("recommenders, or their names, such as ['als', 'ease']"), []),
    metrics: optional(metricList),
    seeds: field(list<number>('seeds'), [1]),
    epochs: field(integer({ min: 1 }), 15),
    rank: field(integer({ min: 1 }), 15),
    terms: field(oneOf('paper', 'matched', 'tuned'), 'paper'),
    fair: field(boolean, false),
    testFraction: part(0.1),
    ...common,
  });
  if (read.fair && !hasArms)
    throw wrong('fair', true, 'arms to be fair to: give optimizers or overparams beside models');
  for (const [at, seed] of read.seeds.entries()) checkSeed(seed, `seeds[${at}]`);
  const dims = new Map([['userEmbedding', read.rank]]);
  for (const overparam of read.overparams) planOverparam('compare', overparam, dims);
  refuseRepeats('overparams', read.overparams, (given) => JSON.stringify(armOf(given, read.rank)));
  refuseRepeats('seeds', read.seeds, String);
  return read;
}

/** Runs, constants and summaries are keyed by optimizer, arm and seed: of two equal keys one would be lost. */
function refuseRepeats<T>(option: string, values: readonly T[], keyOf: (value: T) => string): void {
  const seen = new Set<string>();
  for (const [at, value] of values.entries()) {
    const key = keyOf(value);
    if (seen.has(key)) throw wrong(`${option}[${at}]`, value, `each once, and ${key} is there before; compare twice`);
    seen.add(key);
  }
}

function list<T>(of: string) {
  return (value: unknown, name: string): readonly T[] => {
    if (Array.isArray(value) && value.length > 0) return value;
    throw wrong(name, value, `a list of ${of}, not empty`);
  };
}

/** The part of Node's `process` that is used here. */
interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: 'os'): { cpus(): { model: string }[]; availableParallelism(): number };
}

/** The processor, the number of cores and the version of Node ('none' elsewhere). */
export function describeMachine(): { readonly cpu: string; readonly cores: number; readonly node: string } {
  const { process } = globalThis as { process?: NodeProcess };
  const os = process?.getBuiltinModule?.('os');
  return {
    cpu: os?.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1,
    node: process?.versions?.node ?? 'none',
  };
}
