// The options of SVD++: those of a factorization of ratings, less what its steps, which are a user's, do not have.

import { UnsupportedError } from '../core/errors';
import { show } from '../core/options';
import type { Interactions } from '../interactions/interactions';
import { IMPLICIT } from '../models/svdpp';
import type { LossName } from '../training/losses';
import { INSTEAD_OF_KIND } from './choose-loss';
import {
  type FactorizationOptionsInForce,
  type FactorizationRecommenderOptions,
  type OptionsReader,
  readForData,
  readRecommenderOptions,
} from './factorization-options';
import { type BatchShape, PLAIN_PRESETS, type Presets, SVDPP_PRESET } from './presets';

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
  /** 'auto' is 'squared', and refuses values that are all equal, as every loss does here. @defaultValue 'auto' */
  readonly loss?: LossName | 'auto' | undefined;
};

/** Every option filled in; before a fit the loss may be 'auto'. */
export type FilledSvdppOptions = FactorizationOptionsInForce & { readonly loss: LossName | 'auto' };

/** Its presets: it has none of orders. */
const PRESETS: Presets = { ratings: SVDPP_PRESET, orders: PLAIN_PRESETS.orders };

/** How they are read. @throws OptionError; UnsupportedError for what is of other factorizations */
export const SVDPP_READER: OptionsReader = {
  read(given) {
    const read = readRecommenderOptions('SVDpp', given, PRESETS, IMPLICIT);
    const { negatives, threads, grouping } = read.options;
    if (negatives !== false) throw refused('negatives', negatives, "false, with loss 'squared', 'absolute' or 'huber'");
    if (threads !== 1) throw refused('threads', threads, '1');
    if (grouping !== 1) throw refused('grouping', grouping, '1; batchSize is how many ratings of a user a step takes');
    return read;
  },
  forData: (asked, data, turns) =>
    readForData('SVDpp', asked, PRESETS, data, turns, IMPLICIT, INSTEAD_OF_KIND, ofOneUser),
};

/**
 * A batch has ratings of one user alone, whose vector and pooled set all of them move: fewer are borne at once. Most users
 * have fewer ratings than a large batch takes: rates are for a batch of as many as are borne, and in proportion for fewer.
 */
const ofOneUser = async ({ size }: Interactions): Promise<BatchShape> => ({ size: Math.min(size, 15), busiest: 4 });

function refused(name: string, value: unknown, wanted: string): UnsupportedError {
  return new UnsupportedError(`SVDpp trains on ratings, user by user: ${name} is ${show(value)}; want ${wanted}`);
}
