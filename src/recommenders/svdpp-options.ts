// The options of SVD++: those of a factorization of ratings, less what its steps, which are a user's, do not have.

import { UnsupportedError } from '../core/errors';
import { type Field, show } from '../core/options';
import type { Interactions } from '../data/interactions';
import { IMPLICIT } from '../models/svdpp';
import type { LossName } from '../training/losses';
import {
  type FactorizationFields,
  type FactorizationOptionsInForce,
  type FactorizationRecommenderOptions,
  factorizationFields,
  type OptionsReader,
  readerOf,
} from './factorization-options';
import { type BatchShape, PLAIN_PRESETS, SVDPP_PRESET } from './presets';
import { INSTEAD_OF_KIND } from './targets';

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

/** The declarations: those of others are refused. It has no preset of orders. */
export function svdppFields(): FactorizationFields {
  const fields = factorizationFields({ ratings: SVDPP_PRESET, orders: PLAIN_PRESETS.orders }, IMPLICIT);
  const { loss, negatives, threads, grouping } = fields;
  return {
    ...fields,
    loss: { ...loss, wanted: 'one of auto, squared, logistic, absolute, huber' },
    negatives: only(negatives, false, "false, with loss 'squared', 'absolute' or 'huber'"),
    threads: only(threads, 1, '1'),
    grouping: only(grouping, 1, '1; batchSize is how many ratings of a user a step takes'),
  };
}

/** An option that has one value here. @throws UnsupportedError for another */
function only<T, Options, Data>(
  { read }: Field<T, Options, Data>,
  one: unknown,
  wanted: string,
): Field<T, Options, Data> {
  return {
    read(given, name, context) {
      const value = read(given, name, context);
      if (value === one) return value;
      throw new UnsupportedError(`SVDpp trains on ratings, user by user: ${name} is ${show(value)}; want ${wanted}`);
    },
  };
}

/** How they are read. @throws OptionError; UnsupportedError for what is of other factorizations */
export const svdppReader = (): OptionsReader => readerOf('SVDpp', svdppFields(), INSTEAD_OF_KIND, ofOneUser);

/**
 * A batch has ratings of one user alone, whose vector and pooled set all of them move: fewer are borne at once. Most users
 * have fewer ratings than a large batch takes: rates are for a batch of as many as are borne, and in proportion for fewer.
 */
const ofOneUser = async ({ size }: Interactions): Promise<BatchShape> => ({ size: Math.min(size, 15), busiest: 4 });
