// Means of ranking metrics over users, one user's list after the other.

import type { RankingMetric, RankingMetricName } from './metric-names';
import type { RelevantUser } from './relevant-items';

/** Takes lists and gives means. */
export class RankingMeter {
  /** How long a list has to be; Infinity where a metric looks at all of it. */
  readonly depth: number;
  private readonly sums: Float64Array;
  private users = 0;

  constructor(private readonly metrics: readonly RankingMetric[]) {
    this.depth = Math.max(...metrics.map(({ k, needsCandidates }) => (needsCandidates ? Infinity : k)));
    this.sums = new Float64Array(metrics.length);
  }

  /** The metrics of a user's list, which now count. `items` are numbers of the test set, best first; -1: none of its. */
  add({ gains, ideal }: RelevantUser, items: readonly number[]): Record<RankingMetricName, number> {
    const listed = items.map((item) => gains.get(item) ?? 0);
    const missing = ideal.length - listed.reduce((count, gain) => count + (gain > 0 ? 1 : 0), 0);
    const list = { gains: listed, ideal, candidates: items.length + missing };
    this.users++;
    return this.byName((at) => {
      const { measure, k } = this.metrics[at]!;
      const value = measure(list, k);
      this.sums[at]! += value;
      return value;
    });
  }

  /** The means over the users so far; NaN without any. */
  means(): Record<RankingMetricName, number> {
    return this.byName((at) => this.sums[at]! / this.users);
  }

  private byName(value: (at: number) => number) {
    return Object.fromEntries(this.metrics.map(({ name }, at) => [name, value(at)])) as Record<
      RankingMetricName,
      number
    >;
  }
}
