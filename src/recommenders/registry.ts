// The recommenders by name: for the command line, and for files.

import { FormatError } from '../core/errors';
import { oneOf } from '../core/options';
import { ALS, type ALSOptions } from './als';
import type { FilledAlsOptions } from './als-options';
import { MF, type MFOptions } from './mf';
import { OverparamMF, type OverparamMFOptions } from './overparam-mf';
import { remake } from './restore';
import { decodeFitted, type SavedFactorization } from './saved-factorization';

/** The names of the recommenders. */
export type RecommenderName = 'mf' | 'overparam-mf' | 'als';

/** Every name. */
export const RECOMMENDER_NAMES: readonly RecommenderName[] = ['mf', 'overparam-mf', 'als'];

/**
 * Makes a recommender by name.
 *
 * @throws OptionError for an unknown name, or what its constructor refuses.
 * @example
 * ```ts
 * import { createRecommender } from 'opmf';
 * console.log(createRecommender('overparam-mf', { rank: 16 }).name); // overparam-mf
 * ```
 */
export function createRecommender(
  name: RecommenderName,
  options?: OverparamMFOptions | MFOptions | ALSOptions,
): MF | OverparamMF | ALS {
  const known = oneOf(...RECOMMENDER_NAMES)(name, 'recommender');
  if (known === 'als') return new ALS(options as ALSOptions);
  return known === 'mf' ? new MF(options as MFOptions) : new OverparamMF(options as OverparamMFOptions);
}

/**
 * A recommender from the bytes that its `save` gave, whatever its kind.
 *
 * @throws FormatError where the bytes are not a model of this library, or damaged.
 * @example
 * ```ts
 * import { loadRecommender, MF, syntheticInteractions } from 'opmf';
 * const model = new MF({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const loaded = loadRecommender(model.save());
 * console.log(loaded.predict('1', '2') === model.predict('1', '2')); // true
 * ```
 */
export function loadRecommender(bytes: Uint8Array): MF | OverparamMF | ALS {
  const saved = decodeFitted(bytes);
  if (saved.recommender === 'mf') return remake(saved, (state) => MF.of(state));
  if (saved.recommender === 'overparam-mf') return remake(saved, (state) => OverparamMF.of(state));
  if (saved.recommender === 'als') {
    return remake(saved as SavedFactorization<unknown> as SavedFactorization<FilledAlsOptions>, (state) =>
      ALS.of(state),
    );
  }
  throw new FormatError(`the file holds a '${saved.recommender}'; this version knows ${RECOMMENDER_NAMES.join(', ')}`);
}
