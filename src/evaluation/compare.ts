// The main job: plain against overparameterized matrix factorization under each optimizer.

import { DataError } from '../core/errors';
import {
  callable,
  seed as checkSeed,
  type Filled,
  field,
  integer,
  number,
  oneOf,
  optional,
  readOptions,
  wrong,
} from '../core/options';
import { VERSION } from '../core/version';
import type { Interactions } from '../data/interactions';
import { splitRandom } from '../data/splits';
import type { LearningRate } from '../optimizers/learning-rate';
import type { OptimizerConfig } from '../optimizers/optimizer';
import { type OptimizerName, resolveOptimizer } from '../optimizers/registry';
import { type ProductOptions, type ProductSpec, planOverparam, readProduct } from '../parameters/overparam';
import { abortSignal, checkInteractions } from '../recommenders/fit-options';
import { type Arm, matchedArms, PAPER_CONSTANTS, PAPER_OPTIMIZERS, paperArms, runArm, tunedArm } from './arms';
import {
  type ArmRuns,
  type Comparison,
  type ComparisonArm,
  type ComparisonProgress,
  type ComparisonRun,
  type ComparisonTerms,
  summarize,
} from './comparison';

/** The options of compare. */
export interface CompareOptions {
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
  /** @defaultValue 'paper' */
  readonly terms?: ComparisonTerms | undefined;
  /** @defaultValue 0.1 */
  readonly testFraction?: number | undefined;
  readonly onProgress?: ((progress: ComparisonProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type FilledCompare = Filled<Omit<CompareOptions, 'onProgress' | 'signal'>> &
  Pick<CompareOptions, 'onProgress' | 'signal'>;

/**
 * Trains plain and overparameterized matrix factorization under each optimizer, on the same splits from the same
 * starts, and follows both the training loss and the test error.
 *
 * Terms: 'paper', one set of constants for all arms (start N(0, 1), penalty .02, ratings as they are); 'matched', each
 * product beside a plain twin whose first step is as long; 'tuned', each arm at the best of 24 settings on validation
 * ratings. Cost: optimizers x arms x seeds fits; tuned: 24 more for each arm.
 *
 * @throws OptionError; DataError, also for values that are all equal; the signal's reason. A run that diverges is marked, not thrown.
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
 * ```
 */
export async function compare(data: Interactions, options?: CompareOptions): Promise<Comparison> {
  return compareWith({ run: runArm, atOnce: 1 }, data, options);
}

/** Who carries out the runs: this thread, one at a time, or several others. */
export interface ArmRunner {
  readonly run: typeof runArm;
  /** How many runs may be under way at once. */
  readonly atOnce: number;
}

/** `compare` with its runs carried out by others. The document is the same, but for the seconds. */
export async function compareWith(
  { run, atOnce }: ArmRunner,
  data: Interactions,
  options: CompareOptions | undefined,
): Promise<Comparison> {
  const filled = readCompareOptions(options);
  const { rank, epochs, seeds, terms, testFraction, onProgress, signal } = filled;
  checkInteractions(data, 'data');
  checkDiffer(data, 'data');
  const splits = new Map(seeds.map((seed) => [seed, splitRandom(data, { testFraction, seed })]));
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
  const report = ({ optimizer, overparam }: ReturnType<typeof describe>, seed: number) =>
    onProgress?.({ done, total: paper.length * seeds.length, optimizer, overparam, seed });
  const first = { rank, epochs, seed: seeds[0]! };
  const tune = (arm: Arm) => {
    report(describe(arm, rank, first.seed), first.seed);
    return tunedArm(arm, splits.get(first.seed)!.train, first, run, signal);
  };
  const arms = terms === 'tuned' ? await mapLimited(paper, atOnce, tune) : paper;
  const jobs = arms.flatMap((arm) => seeds.map((seed) => ({ arm, seed })));
  const runs = await mapLimited(jobs, atOnce, async ({ arm, seed }): Promise<ComparisonRun> => {
    signal?.throwIfAborted();
    const label = describe(arm, rank, seed);
    report(label, seed);
    const result = await run(arm, splits.get(seed)!, { rank, epochs, seed }, signal);
    done++;
    return { ...label, ...result };
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
  };
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

function readCompareOptions(options: CompareOptions | undefined): FilledCompare {
  const read = readOptions<FilledCompare>('compare', options, {
    optimizers: field(list<OptimizerName | OptimizerConfig>('optimizer names or configurations'), PAPER_OPTIMIZERS),
    overparams: field(list<ProductOptions>("products such as { kind: 'scalar', depth: 2 }"), [
      { kind: 'scalar', scope: 'row', depth: 2 } as const,
    ]),
    seeds: field(list<number>('seeds'), [1]),
    epochs: field(integer({ min: 1 }), 15),
    rank: field(integer({ min: 1 }), 15),
    terms: field(oneOf('paper', 'matched', 'tuned'), 'paper'),
    testFraction: field(number({ min: 0, max: 1, above: true, below: true }), 0.1),
    onProgress: optional(callable<NonNullable<CompareOptions['onProgress']>>()),
    signal: optional(abortSignal),
  });
  for (const [at, seed] of read.seeds.entries()) checkSeed(seed, `seeds[${at}]`);
  const dims = new Map([['userEmbedding', read.rank]]);
  for (const overparam of read.overparams) planOverparam('compare', overparam, dims);
  refuseRepeats('overparams', read.overparams, (given) => JSON.stringify(armOf(given, read.rank)));
  refuseRepeats('seeds', read.seeds, String);
  return read;
}

/** Runs, constants and summaries are told apart by optimizer, arm and seed: of two alike one would be lost. */
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

/** Maps the inputs by `task`, at most `limit` at a time, started in order. The first failure is thrown, and no more start. */
export async function mapLimited<I, O>(
  inputs: readonly I[],
  limit: number,
  task: (input: I) => Promise<O>,
): Promise<O[]> {
  const results: O[] = new Array(inputs.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < inputs.length && !failed) {
      const at = next++;
      try {
        results[at] = await task(inputs[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, inputs.length) }, lane));
  return results;
}
