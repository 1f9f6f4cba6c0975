// The options of SVD++: those of a factorization of ratings, less what its steps, which are a user's, do not have.

import { UnsupportedError } from '../core/errors';
import { show } from '../core/options';
import { IMPLICIT } from '../models/svdpp/svdpp';
import type { Optimizer } from '../optimizers/optimizer';
import type { LossName } from '../training/losses';
import {
  type FactorizationRecommenderOptions,
  type FilledOptions,
  readRecommenderOptions,
} from './factorization-options';
import { PLAIN_PRESETS, SVDPP_PRESET } from './presets';

/**
 * The options of SVDpp: those of OverparamMF without losses of orders, negatives, threads and grouping. A batch has
 * ratings of one user; `regularization.scaling` is not for the y_j, whose penalty is the same for all items.
 *
 * @example
 * ```ts
 * import { SVDpp, type SVDppOptions } from 'opmf';
 * const options: SVDppOptions = { rank: 20, overparam: { implicitEmbedding: { kind: 'scalar' } } };
 * console.log(new SVDpp(options).options.rank); // 20
 * ```
 */
export type SVDppOptions = Omit<FactorizationRecommenderOptions, 'loss' | 'negatives' | 'threads' | 'grouping'> & {
  /** @defaultValue 'squared' */
  readonly loss?: LossName | undefined;
};

/** Every option filled in. */
export type FilledSvdppOptions = FilledOptions & { readonly loss: LossName };

/** Reads the options of SVD++. @throws OptionError; UnsupportedError for what is of other factorizations */
export function readSvdppOptions(given: SVDppOptions | undefined): { options: FilledSvdppOptions; rule: Optimizer } {
  const presets = { ratings: SVDPP_PRESET, orders: PLAIN_PRESETS.orders };
  const { options, rule } = readRecommenderOptions('SVDpp', given, presets, IMPLICIT);
  const { loss, negatives, threads, grouping } = options;
  if (negatives !== false) throw refused('negatives', negatives, "false, with loss 'squared', 'absolute' or 'huber'");
  if (threads !== 1) throw refused('threads', threads, '1');
  if (grouping !== 1) throw refused('grouping', grouping, '1; batchSize is how many ratings of a user a step takes');
  return { options: { ...options, loss: loss as LossName }, rule };
}

function refused(name: string, value: unknown, wanted: string): UnsupportedError {
  return new UnsupportedError(`SVDpp trains on ratings, user by user: ${name} is ${show(value)}; want ${wanted}`);
}
