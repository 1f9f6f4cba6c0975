// The declarations of every recommender's options by its name, and what they say of each: for the help of the command
// line, for docs/options.md, and for the tests that hold the documentation against them.

import { alsFields } from './als';
import { deepFMFields } from './features/deep-fm';
import { fmFields } from './features/fm';
import { wideDeepFields } from './features/wide-deep';
import { easeFields } from './item-based/ease';
import { itemKNNFields } from './item-based/item-knn';
import { mfFields } from './mf';
import { neuralFields } from './neural/neural-options';
import { nmfFields } from './nmf';
import { overparamMFFields } from './overparam-mf';
import { createRecommender, type RecommenderName } from './registry';
import { svdppFields } from './svdpp';

type Declarations = Readonly<Record<string, { readonly wanted?: string | undefined }>>;

const DECLARATIONS: Readonly<Record<RecommenderName, () => Declarations>> = {
  mf: mfFields,
  'overparam-mf': overparamMFFields,
  als: alsFields,
  svdpp: svdppFields,
  nmf: nmfFields,
  popularity: () => ({}),
  'item-knn': itemKNNFields,
  ease: easeFields,
  'neural-cf': neuralFields,
  fm: fmFields,
  'wide-deep': wideDeepFields,
  'deep-fm': deepFMFields,
};

/** An option as it is declared. */
export interface DeclaredOption {
  readonly name: string;
  /** What it takes, in words. */
  readonly wanted: string;
  /** What it is where no other option and no data say otherwise; undefined: absent. */
  readonly fallback: unknown;
}

/** The options of a recommender, in the order of its declarations. */
export function declaredOptions(name: RecommenderName): readonly DeclaredOption[] {
  const options = createRecommender(name).options as Readonly<Record<string, unknown>>;
  return Object.entries(DECLARATIONS[name]()).flatMap(([option, { wanted }]) =>
    wanted === undefined ? [] : [{ name: option, wanted, fallback: options[option] }],
  );
}
