// The course of an arm: the mean over its runs, epoch by epoch.

import type { ComparisonEpoch, ComparisonRun } from './comparison';

/** Means by epoch, as far as every run got: a mean over the runs that are left would jump. */
export function meanCurve(runs: readonly ComparisonRun[], read: (epoch: ComparisonEpoch) => number): number[] {
  const shortest = Math.min(...runs.map(({ epochs }) => epochs.length));
  return Array.from({ length: shortest }, (_, at) => {
    return runs.reduce((sum, { epochs }) => sum + read(epochs[at]!), 0) / runs.length;
  });
}
