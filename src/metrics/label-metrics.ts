// How good scores of labelled rows are: as probabilities, as a ranking, and by calibration. A label above 0 is
// positive, so both 0, 1 and -1, 1 work.

import { naturalLog } from '../core/elementary';
import { DataError, OptionError } from '../core/errors';
import { field, integer, readOptions, show } from '../core/options';

/** The spacing of float32 and float64 above 1. */
const EPSILON_32 = 2 ** -23;
const EPSILON_64 = 2 ** -52;

/**
 * The mean of -log p for positive labels and -log(1 - p) for the others: the negative log-likelihood.
 *
 * Shapes: one probability and one label a row. Units: nats. Probabilities of 0 and 1 are replaced by the closest ones
 * that their type distinguishes near 1 (2^-23 from them in a Float32Array, else 2^-52): one confident mistake would
 * make the mean infinite. Cost: linear.
 *
 * @param probabilities p(label is positive), from 0 to 1
 * @throws DataError for lengths that differ, no rows, a probability outside [0, 1] or a label that is not finite; OptionError
 * unless both are arrays of numbers.
 * @see Bishop, "Pattern Recognition and Machine Learning" (2006), equation 4.90
 * @example
 * ```ts
 * import { logLoss } from 'opmf';
 * console.log(logLoss([0.5, 0.5], [0, 1]).toFixed(4), logLoss([0.9, 0.2], [1, 0]).toFixed(4)); // 0.6931 0.1643
 * ```
 */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkRows('logLoss', probabilities, labels, true);
  const least = probabilities instanceof Float32Array ? EPSILON_32 : EPSILON_64;
  let sum = 0;
  for (let r = 0; r < labels.length; r++) {
    const right = labels[r]! > 0 ? probabilities[r]! : 1 - probabilities[r]!;
    sum -= naturalLog(Math.min(Math.max(right, least), 1 - least));
  }
  return sum / labels.length;
}

/**
 * The area under the ROC curve: the probability that a positive row scores higher than a negative one, ties counted
 * half.
 *
 * Shapes: one score and one label a row. Range: 0 to 1; NaN if all labels are positive, or none is. Cost: a sort.
 *
 * @param scores any numbers: only their order counts
 * @throws DataError for lengths that differ, no rows, or a score or label that is not finite; OptionError unless both
 * are arrays of numbers.
 * @see Fawcett, "An introduction to ROC analysis" (Pattern Recognition Letters 2006), section 7
 * @example
 * ```ts
 * import { auc } from 'opmf';
 * console.log(auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), auc([1, 1], [0, 1])); // 0.75 0.5
 * ```
 */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkRows('auc', scores, labels, false);
  let positives = 0;
  for (let r = 0; r < labels.length; r++) if (labels[r]! > 0) positives++;
  const high = new Float64Array(positives);
  const low = new Float64Array(labels.length - positives);
  for (let r = 0, h = 0, l = 0; r < labels.length; r++) {
    if (labels[r]! > 0) high[h++] = scores[r]!;
    else low[l++] = scores[r]!;
  }
  high.sort();
  low.sort();
  // Both ascend, so the counts below and up to a score only grow.
  let won = 0;
  for (let h = 0, below = 0, upTo = 0; h < high.length; h++) {
    while (below < low.length && low[below]! < high[h]!) below++;
    while (upTo < low.length && low[upTo]! <= high[h]!) upTo++;
    won += below + (upTo - below) / 2;
  }
  return won / (high.length * low.length);
}

/**
 * Predicted probabilities against observed shares, in bins of equal width, and the expected calibration error
 * sum_b (n_b / n) |observed_b - predicted_b|.
 *
 * Shapes: one probability and one label a row. Range of the error: 0 to 1. It depends on the number of bins, so compare it
 * at the same number. Cost: linear.
 *
 * @param probabilities p(label is positive), from 0 to 1
 * @throws DataError for lengths that differ, no rows, a probability outside [0, 1] or a label that is not finite; OptionError
 * unless both are arrays of numbers.
 * @throws OptionError for `bins` that is not a whole number of at least 1 and at most 1,000,000, or an unknown option.
 * @see Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), equation 3
 * @example
 * ```ts
 * import { calibration } from 'opmf';
 * const { bins, ece } = calibration([0.25, 0.25, 0.75, 0.75], [0, 1, 1, 1], { bins: 2 });
 * console.log(bins.map(({ predicted, observed }) => `${predicted}: ${observed}`).join(', ')); // 0.25: 0.5, 0.75: 1
 * console.log(ece); // 0.25
 * ```
 */
export function calibration(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  options?: {
    /** How many bins. @defaultValue 10 */
    readonly bins?: number | undefined;
  },
): {
  readonly bins: readonly {
    /** The lower bound, inclusive. */
    readonly from: number;
    /** The upper bound, inclusive in the last bin only. */
    readonly to: number;
    readonly count: number;
    /** Their mean probability; NaN for no rows. */
    readonly predicted: number;
    /** The share of positive labels; NaN for no rows. */
    readonly observed: number;
  }[];
  /** The expected calibration error: the mean over rows of |predicted - observed| of their bin. */
  readonly ece: number;
} {
  const { bins: count } = readOptions('calibration', options, {
    bins: field(integer({ min: 1, max: 1e6 }), 10),
  });
  checkRows('calibration', probabilities, labels, true);
  const counts = new Float64Array(count);
  const sums = new Float64Array(count);
  const positives = new Float64Array(count);
  for (let r = 0; r < labels.length; r++) {
    const bin = Math.min(Math.floor(probabilities[r]! * count), count - 1);
    counts[bin]!++;
    sums[bin]! += probabilities[r]!;
    if (labels[r]! > 0) positives[bin]!++;
  }
  let error = 0;
  const bins = Array.from({ length: count }, (_, b) => {
    error += Math.abs(positives[b]! - sums[b]!);
    const [n, predicted, observed] = [counts[b]!, sums[b]! / counts[b]!, positives[b]! / counts[b]!];
    return { from: b / count, to: (b + 1) / count, count: n, predicted, observed };
  });
  return { bins, ece: error / labels.length };
}

function checkRows(
  owner: string,
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  areProbabilities: boolean,
): void {
  checkColumn(owner, areProbabilities ? 'probabilities' : 'scores', scores);
  checkColumn(owner, 'labels', labels);
  if (scores.length !== labels.length || labels.length === 0) {
    throw new DataError(
      `${owner}: there are ${scores.length} scores and ${labels.length} labels; want one of each a row, and a row`,
    );
  }
  for (let r = 0; r < labels.length; r++) {
    const score = scores[r]!;
    if (!Number.isFinite(score) || (areProbabilities && !(score >= 0 && score <= 1))) {
      const wanted = areProbabilities ? 'a probability from 0 to 1 (1 / (1 + e^-score) of a score)' : 'a finite number';
      throw new DataError(`${owner}: row ${r} has ${show(score)}; want ${wanted}`);
    }
    if (!Number.isFinite(labels[r]!))
      throw new DataError(`${owner}: row ${r} has the label ${show(labels[r])}; want 0 or 1`);
  }
}

/** @throws OptionError unless the value is a list of numbers */
function checkColumn(owner: string, name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && 'length' in value && Number.isSafeInteger(value.length)) return;
  throw new OptionError(name, value, `${owner}: ${name} is ${show(value)}; want an array of numbers, one a row`);
}
