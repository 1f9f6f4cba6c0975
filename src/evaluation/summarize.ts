// The summary of a comparison: when each arm reached plain's targets under the same optimizer, on the mean over seeds.

import type { ComparisonEpoch, ComparisonRun, ComparisonSummary } from './comparison';
import { meanCurve } from './mean-curve';
import { spread } from './spread';

/** The runs of one arm, one a seed, and of the plain arm that sets its targets. */
export interface ArmRuns {
  readonly runs: readonly ComparisonRun[];
  readonly plain: readonly ComparisonRun[];
}

/** Two entries for each arm: the test target and the training target. */
export function summarize(arms: readonly ArmRuns[]): ComparisonSummary[] {
  return arms.flatMap(({ runs, plain }) => {
    const { optimizer, overparam, matches } = runs[0]!;
    const plainRmse = meanCurve(plain, ({ testRmse }) => testRmse);
    const plainLoss = meanCurve(plain, ({ trainLoss }) => trainLoss);
    const best = plainRmse.length > 0 ? Math.min(...plainRmse) : null;
    const last = isWhole(plain) ? (plainLoss.at(-1) ?? null) : null;
    const seconds = meanCurve(runs, (epoch) => epoch.seconds);
    const entry = (on: 'testRmse' | 'trainLoss', value: number | null): ComparisonSummary => {
      const curve = meanCurve(runs, (epoch) => epoch[on]);
      const at = value === null ? -1 : curve.findIndex((mean) => mean <= value);
      return {
        optimizer,
        overparam,
        ...(matches === undefined ? {} : { matches }),
        target: { on, value },
        epochsToTarget: at < 0 ? null : at + 1,
        secondsToTarget: at < 0 ? null : seconds.slice(0, at + 1).reduce((sum, s) => sum + s, 0),
        testRmse: lastSpread(runs, ({ testRmse }) => testRmse),
        trainLoss: lastSpread(runs, ({ trainLoss }) => trainLoss),
      };
    };
    return [entry('testRmse', best), entry('trainLoss', last)];
  });
}

function isWhole(runs: readonly ComparisonRun[]): boolean {
  return runs.every(({ diverged }) => !diverged);
}

/** The spread after the last epoch; null where a run diverged. */
function lastSpread(runs: readonly ComparisonRun[], read: (epoch: ComparisonEpoch) => number) {
  return isWhole(runs) ? spread(runs.map(({ epochs }) => read(epochs.at(-1)!))) : { mean: null, std: null };
}
