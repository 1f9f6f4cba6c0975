// The recommenders by name: for the command line, and for files.

import { FormatError } from '../core/errors';
import { oneOf } from '../core/options';
import { decodeFile, decodeFitted, ofUsersAndItems, type SavedFile } from '../serving/saved-model';
import { ALS, type FilledAlsOptions } from './als';
import type { FilledOptions } from './factorization-options';
import { DeepFM } from './features/deep-fm';
import { FM } from './features/fm';
import { WideDeep } from './features/wide-deep';
import { EASE } from './item-based/ease';
import { ItemKNN } from './item-based/item-knn';
import { Popularity } from './item-based/popularity';
import { MF } from './mf';
import { NeuralCF } from './neural/neural-cf';
import { type FilledNmfOptions, NMF } from './nmf';
import { OverparamMF } from './overparam-mf';
import { type FilledSvdppOptions, SVDpp } from './svdpp';

/** The classes of recommenders by their names. */
export interface RecommenderKinds {
  mf: typeof MF;
  'overparam-mf': typeof OverparamMF;
  als: typeof ALS;
  svdpp: typeof SVDpp;
  nmf: typeof NMF;
  popularity: typeof Popularity;
  'item-knn': typeof ItemKNN;
  ease: typeof EASE;
  'neural-cf': typeof NeuralCF;
  fm: typeof FM;
  'wide-deep': typeof WideDeep;
  'deep-fm': typeof DeepFM;
}

/** The names of the recommenders. */
export type RecommenderName = keyof RecommenderKinds;

type Made<N extends RecommenderName> = InstanceType<RecommenderKinds[N]>;
type OptionsOf<N extends RecommenderName> = ConstructorParameters<RecommenderKinds[N]>[0];

/** How each kind is made of options, and of what a file says. */
interface Kind<N extends RecommenderName> {
  make(options: OptionsOf<N>): Made<N>;
  restore(file: SavedFile): Made<N>;
}

const KINDS: { readonly [N in RecommenderName]: Kind<N> } = {
  mf: {
    make: (options) => new MF(options),
    restore: (file) => ofUsersAndItems(file, (saved) => MF.of(decodeFitted<FilledOptions>(saved))),
  },
  'overparam-mf': {
    make: (options) => new OverparamMF(options),
    restore: (file) => ofUsersAndItems(file, (saved) => OverparamMF.of(decodeFitted<FilledOptions>(saved))),
  },
  als: {
    make: (options) => new ALS(options),
    restore: (file) => ofUsersAndItems(file, (saved) => ALS.of(decodeFitted<FilledAlsOptions>(saved))),
  },
  svdpp: {
    make: (options) => new SVDpp(options),
    restore: (file) => ofUsersAndItems(file, (saved) => SVDpp.of(decodeFitted<FilledSvdppOptions>(saved))),
  },
  nmf: {
    make: (options) => new NMF(options),
    restore: (file) => ofUsersAndItems(file, (saved) => NMF.of(decodeFitted<FilledNmfOptions>(saved))),
  },
  popularity: { make: (options) => new Popularity(options), restore: (file) => ofUsersAndItems(file, Popularity.of) },
  'item-knn': { make: (options) => new ItemKNN(options), restore: (file) => ofUsersAndItems(file, ItemKNN.of) },
  ease: { make: (options) => new EASE(options), restore: (file) => ofUsersAndItems(file, EASE.of) },
  'neural-cf': { make: (options) => new NeuralCF(options), restore: (file) => ofUsersAndItems(file, NeuralCF.of) },
  fm: { make: (options) => new FM(options), restore: (file) => FM.of(file) },
  'wide-deep': { make: (options) => new WideDeep(options), restore: (file) => WideDeep.of(file) },
  'deep-fm': { make: (options) => new DeepFM(options), restore: (file) => DeepFM.of(file) },
};

/** Every name. */
export const RECOMMENDER_NAMES = /* @__PURE__ */ Object.keys(KINDS) as readonly RecommenderName[];

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
export function createRecommender<N extends RecommenderName>(
  name: N,
  options?: ConstructorParameters<RecommenderKinds[N]>[0],
): InstanceType<RecommenderKinds[N]> {
  oneOf(...RECOMMENDER_NAMES)(name, 'recommender');
  return KINDS[name].make(options);
}

/**
 * A recommender from the bytes that its `save` gave, whatever its kind; its `name` says which.
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
export function loadRecommender(bytes: Uint8Array): InstanceType<RecommenderKinds[RecommenderName]> {
  return restoreRecommender(decodeFile(bytes));
}

/** A recommender from what a file says. @throws FormatError */
export function restoreRecommender(file: SavedFile): InstanceType<RecommenderKinds[RecommenderName]> {
  const name = RECOMMENDER_NAMES.find((one) => one === file.recommender);
  if (name !== undefined) return KINDS[name].restore(file);
  throw new FormatError(`the file holds a '${file.recommender}'; this version knows ${RECOMMENDER_NAMES.join(', ')}`);
}
