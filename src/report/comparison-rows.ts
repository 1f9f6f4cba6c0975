// Arranges a comparison for reading: one section per optimizer, one row per arm, plain first. The text table and the
// HTML page print the same rows and notes; only the layout differs.

import { wrong } from '../core/options';
import { isPlain } from '../core/plain';
import {
  type Comparison,
  type ComparisonArm,
  type ComparisonRun,
  type ComparisonSummary,
  type ComparisonTerms,
  meanCurve,
} from '../evaluation/comparison';
import type { MetricName } from '../metrics/metric-names';
import { isSchedule, type LearningRate } from '../optimizers/learning-rate';

/** The arms under one optimizer. */
export interface Section {
  readonly optimizer: string;
  /** Plain's two targets in a sentence; under matched terms those of each twin. */
  readonly targets: string;
  readonly rows: readonly (readonly string[])[];
  readonly curves: readonly ArmCurves[];
}

/** The curves of an arm: means over its seeds, by epoch. */
export interface ArmCurves {
  readonly name: string;
  readonly testRmse: readonly (readonly [epoch: number, mean: number])[];
  readonly trainLoss: readonly (readonly [epoch: number, mean: number])[];
}

/** The column headings, in two lines. */
export const COLUMNS: readonly (readonly [string, string])[] = [
  ['arm', ''],
  ['learning', 'rate'],
  ['test RMSE', 'last epoch'],
  ['best', '(epoch)'],
  ["epochs to plain's", 'best test RMSE'],
  ['seconds', 'to it'],
  ['training loss', 'last epoch'],
  ["epochs to plain's", 'last training loss'],
  ['ms per', 'epoch'],
];

/** @throws OptionError unless it has the form that `compare` returns */
export function checkComparison(comparison: Comparison): void {
  const { dataset, machine, seeds, runs, summary, constants, terms } = isPlain(comparison) ? comparison : NONE;
  const areRuns = areAll(runs, ({ optimizer, epochs }) => typeof optimizer === 'string' && areAll(epochs, () => true));
  const isSummary = areAll(summary, ({ target, testRmse, trainLoss }) => [target, testRmse, trainLoss].every(isPlain));
  const isWhole = [dataset, machine, constants].every(isPlain) && Array.isArray(seeds) && typeof terms === 'string';
  if (!areRuns || !isSummary || !isWhole)
    throw wrong('comparison', comparison, 'what compare() gives, or JSON of opmf compare --json, parsed');
}

const NONE: Partial<Comparison> = {};

function areAll<T>(list: readonly T[] | undefined, isGood: (one: T) => boolean): boolean {
  return Array.isArray(list) && list.every((one: T) => isPlain(one) && isGood(one));
}

/** Arranges a comparison. Optimizers and arms come in the order of the runs, except that plain is first. */
export function comparisonSections({ runs, summary, seeds }: Comparison): Section[] {
  return [...groupBy(runs, (run) => run.optimizer)].map(([optimizer, ofOptimizer]) => {
    const arms = [...groupBy(ofOptimizer, nameOf)].sort(([a], [b]) => Number(b === 'plain') - Number(a === 'plain'));
    const find = (name: string, on: 'testRmse' | 'trainLoss') =>
      summary.find((entry) => entry.optimizer === optimizer && nameOf(entry) === name && entry.target.on === on);
    // The plain arm that sets a product's targets: its own twin under matched terms, else the only one.
    const plainOf = (product: ComparisonArm) => find(twinOf(product), 'testRmse') ?? find('plain', 'testRmse');
    const curves = arms.map(([name, ofArm]) => armCurves(name, ofArm));
    const rows = arms.map(([name, ofArm], i) => {
      const { overparam, learningRate } = ofArm[0]!;
      const test = find(name, 'testRmse');
      const train = find(name, 'trainLoss');
      return [
        name,
        formatRate(learningRate),
        ...resultCells(ofArm, test, curves[i]!, seeds.length),
        overparam === false ? epochs(test) : `${epochs(test)} (plain ${epochs(plainOf(overparam))})`,
        decimal(test?.secondsToTarget, 2),
        spread(train?.trainLoss, seeds.length),
        epochs(train),
        decimal(millisecondsPerEpoch(ofArm), 0),
      ];
    });
    const targets = arms
      .filter(([, ofArm]) => ofArm[0]!.overparam === false)
      .map(([name]) => describeTargets(name, find(name, 'testRmse'), find(name, 'trainLoss')));
    return { optimizer, targets: targets.join('; '), rows, curves };
  });
}

/** The models side by side, after a row of headings; no rows without models. */
export function modelRows({ models = [], seeds }: Comparison): readonly (readonly string[])[] {
  if (models.length === 0) return [];
  const names = Object.keys(models[0]!.metrics);
  const rows = models.map(({ model, metrics, seconds }) => [
    model,
    ...names.map((name) => spread(metrics[name as MetricName], seeds.length)),
    decimal(seconds.mean, 2),
  ]);
  return [['model', ...names, 'seconds'], ...rows];
}

/** What remains under fair terms, in one line: plain, and the product that was best on validation ratings, under each optimizer. */
export function fairLine({ fair }: Comparison): string | undefined {
  if (fair === undefined) return undefined;
  const parts = [...groupBy(fair.arms, ({ optimizer }) => optimizer)].map(([optimizer, arms]) => {
    const plain = arms.find(({ overparam }) => overparam === false)?.testRmse.mean;
    const [best] = arms
      .filter(({ overparam }) => overparam !== false)
      .sort((a, b) => (a.validationRmse ?? Infinity) - (b.validationRmse ?? Infinity));
    const product = best?.testRmse.mean;
    const change = plain == null || product == null ? undefined : 100 * (product / plain - 1);
    const percent = change === undefined ? '' : ` (${change < 0 ? '' : '+'}${change.toFixed(2)} %)`;
    return `${optimizer} ${decimal(plain, 4)} and ${decimal(product, 4)}${percent}`;
  });
  return `Fair terms, each arm at the best of ${fair.trials} rates on a tenth of its training ratings (${decimal(fair.seconds, 1)} s): last test RMSE of plain and of the best product: ${parts.join(', ')}`;
}

/** The name of a row. Under matched terms there is one plain arm per product, each at its own rate. */
function nameOf({ overparam, matches }: Pick<ComparisonRun, 'overparam' | 'matches'>): string {
  return matches === undefined ? armName(overparam) : twinOf(matches);
}

function twinOf(product: ComparisonArm): string {
  return `plain as ${armName(product)}`;
}

function describeTargets(name: string, test?: ComparisonSummary, train?: ComparisonSummary): string {
  const [rmse, loss] = [test?.target.value, train?.target.value];
  if (rmse == null || loss == null) return `${name} has no targets to reach; its training diverged`;
  return `${name}'s best mean test RMSE is ${decimal(rmse, 4)}, its mean training loss after the last epoch ${decimal(loss, 4)}`;
}

/** One line that describes the comparison. */
export function comparisonTitle({ dataset, rank, epochs, seeds, terms, runs }: Comparison): string {
  const arms = runs.length === 0 ? '' : `rank ${rank}, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, `;
  return (
    `${dataset.name}: ${dataset.users} users, ${dataset.items} items, ${dataset.train} training and ${dataset.test} test ratings; ` +
    `${arms}${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}${runs.length === 0 ? '' : `, ${terms} terms`}`
  );
}

/** Test RMSE after the last epoch, and the best one; `diverged` if training diverged. */
function resultCells(
  runs: readonly ComparisonRun[],
  entry: ComparisonSummary | undefined,
  curves: ArmCurves,
  seeds: number,
): string[] {
  const diverged = runs.filter((run) => run.diverged).length;
  const best = curves.testRmse.reduce<readonly [number, number] | undefined>(
    (a, b) => (a === undefined || b[1] < a[1] ? b : a),
    undefined,
  );
  return [
    diverged === 0 ? spread(entry?.testRmse, seeds) : `diverged (${diverged} of ${runs.length})`,
    best === undefined ? '-' : `${decimal(best[1], 4)} (${best[0]})`,
  ];
}

function armCurves(name: string, runs: readonly ComparisonRun[]): ArmCurves {
  return {
    name,
    testRmse: points(meanCurve(runs, ({ testRmse }) => testRmse)),
    trainLoss: points(meanCurve(runs, ({ trainLoss }) => trainLoss)),
  };
}

/** The points of a curve; means that are not finite are omitted. */
function points(means: readonly number[]): [number, number][] {
  return means.map((mean, at): [number, number] => [at + 1, mean]).filter(([, mean]) => Number.isFinite(mean));
}

function millisecondsPerEpoch(runs: readonly ComparisonRun[]): number | null {
  const seconds = runs.flatMap((run) => run.epochs.map((epoch) => epoch.seconds));
  return seconds.length === 0 ? null : (1000 * seconds.reduce((a, b) => a + b)) / seconds.length;
}

function formatRate(rate: LearningRate): string {
  if (isSchedule(rate)) return `${rate.schedule} ${formatRate(rate.rate)}`;
  if (typeof rate === 'number') return significant(rate);
  return Object.entries(rate)
    .map(([group, value]) => `${group} ${significant(value)}`)
    .join(', ');
}

function significant(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function epochs(entry: ComparisonSummary | undefined): string {
  return entry === undefined || entry.epochsToTarget === null ? 'never' : String(entry.epochsToTarget);
}

/** A mean, with its standard deviation if there are several seeds. */
function spread(value: { mean: number | null; std: number | null } | undefined, seeds: number): string {
  return seeds > 1 && value?.mean != null
    ? `${decimal(value.mean, 4)} ± ${decimal(value.std, 4)}`
    : decimal(value?.mean, 4);
}

function decimal(value: number | null | undefined, digits: number): string {
  return value == null || !Number.isFinite(value) ? '-' : value.toFixed(digits);
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

/** `scalar-row-2`, `diagonal-row-2x2`, `dense-2x24@1`. Absent parts are omitted, and so is a width of 1 except for dense. */
export function armName(arm: Partial<Exclude<ComparisonArm, false>> | false): string {
  if (arm === false) return 'plain';
  const { kind, scope, depth = 2, width, init } = arm;
  const shape = width === undefined || (width === 1 && kind !== 'dense') ? `${depth}` : `${depth}x${width}`;
  return `${kind === 'dense' ? kind : `${kind}-${scope}`}-${shape}${init === undefined ? '' : `@${init}`}`;
}

const BY_TERMS: Readonly<Record<ComparisonTerms, string>> = {
  paper:
    'Paper terms give every arm one learning rate. A product of factors can take larger effective steps at the same rate, ' +
    'and part of what is seen here may be that; --terms matched and --terms tuned show what is left.',
  matched:
    'Matched terms set each product beside a plain arm with its initial effective rate ("plain as ..."), whose targets are the ones it is held against, so a larger step at the start is not what is seen here.',
  tuned: 'Tuned terms give every arm its own best learning rate, so a better choice of rate is not what is seen here.',
};

/** Notes on how to read the comparison, one per paragraph. */
export function readingNotes({ terms, runs }: Comparison): string[] {
  if (runs.length === 0) return [];
  return [
    "The test target is plain's best mean test RMSE under the same optimizer: epochs to it count how soon an arm predicts unseen ratings as well as plain ever does.",
    'The training target is a different matter: how soon an arm fits the ratings it trains on as closely as plain does in the end. ' +
      'Under SGD it is often never reached: plain comes to memorise its training ratings and is worse on unseen ones.',
    BY_TERMS[terms],
  ];
}
