// Alternating least squares as a recommender.

import { readOptions } from '../core/options';
import type { Interactions } from '../data/interactions';
import type { Scores } from '../metrics/scores';
import { AlsFoldIn } from '../serving/fold-in/als-fold-in';
import type { SavedFactorization } from '../serving/saved-factorization';
import { decodeFitted } from '../serving/saved-factorization';
import type { History } from '../training/fit';
import { type ALSOptions, alsFields, type FilledAlsOptions } from './als-options';
import { fitAls } from './fit-als';
import type { FilledFitOptions } from './fit-options';
import type { FittedTables } from './partial-fit';
import { restore } from './restore';
import { TableRecommender } from './table-recommender';

export type { ALSOptions } from './als-options';

/**
 * Matrix factorization by alternating least squares: for implicit feedback (who has what), and for ratings.
 *
 * Implicit: score = <p_u, q_i> is to be 1 for what users have and near 0 for the rest, all of which takes part:
 * sum over interactions of w (score - 1)^2 + alpha0 (sum over all users and items of score^2)
 * + lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2), w = weight (1 + alpha value).
 * Explicit: prediction = mu + b_u + b_i + <p_u, q_i>, with ratings less their mean, by their standard deviation, in place
 * of 1, alpha0 = 0, and x with its bias. Weights are relative to their mean over the pairs, and n counts interactions by
 * weight: rows that are there several times and a row of their weight are the same.
 *
 * No learning rate: with one side held still the best row of the other is the solution of rank equations. Predictions of
 * implicit feedback are scores, not clipped. `trainLoss` is half the sums over interactions and pairs, by interactions.
 *
 * Cost: fit O(epochs (interactions rank^2 + rows rank^3)) with 'cholesky'; predict and recommend as MF.
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008); Rendle, Krichene, Zhang,
 * Koren, "Revisiting the Performance of iALS on Item Recommendation Benchmarks" (RecSys 2022), equations 1 to 5; explicit:
 * Zhou, Wilkinson, Schreiber, Pan, "Large-Scale Parallel Collaborative Filtering for the Netflix Prize" (AAIM 2008)
 * @example
 * ```ts
 * import { ALS, Interactions } from 'opmf';
 * const model = new ALS({ rank: 2 });
 * await model.fit(Interactions.from([['ann', 'tea'], ['ann', 'milk'], ['bob', 'tea'], ['cy', 'beer'], ['dan', 'beer']]));
 * console.log(model.recommend('bob', { n: 1 }).map(({ itemId }) => itemId)); // [ 'milk' ]
 * console.log(model.predict('bob', 'milk') > model.predict('bob', 'beer')); // true
 * ```
 */
export class ALS extends TableRecommender {
  readonly name = 'als';
  readonly options: FilledAlsOptions;

  constructor(options?: ALSOptions) {
    super('ALS');
    this.options = readOptions<FilledAlsOptions>('ALS', options, alsFields());
  }

  /** Ratings of explicit feedback; of implicit feedback orders. */
  get scores(): Scores {
    return this.options.feedback === 'explicit' ? 'rating' : 'order';
  }

  fresh(): ALS {
    return new (this.constructor as typeof ALS)(this.options);
  }

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { options, isFitted: isServing } = this;
    return fitAls({ data, options, fitOptions, isServing, install: (fitted) => this.serve(fitted) });
  }

  protected problemsOf(state: FittedTables): AlsFoldIn {
    return new AlsFoldIn(state, this.options);
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): ALS {
    return restore(bytes, 'als', (saved) => ALS.of(decodeFitted<FilledAlsOptions>(saved)));
  }

  /** A recommender of a trained state. */
  static of({ options, ...state }: Omit<SavedFactorization<FilledAlsOptions>, 'recommender'>): ALS {
    const model = new ALS(options);
    model.installSaved(state);
    return model;
  }
}
