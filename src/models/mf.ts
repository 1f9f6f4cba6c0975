// Plain biased matrix factorization: every table is its own only factor.

import { Factorization } from './factorization';
import type { FactorizationOptions } from './factorization-tables';

/** The options of MFModel. */
export type MFModelOptions = FactorizationOptions;

/**
 * Biased matrix factorization, bare: tables and scores by index, without a recommender around them.
 *
 * score(u, i) = mu + b_u + b_i + <p_u, q_i>
 *
 * Shapes: userFactors users x rank, itemFactors items x rank, userBiases users, itemBiases items.
 * Embeddings start at N(0, initScale^2), biases at 0. Cost of a score: O(rank).
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems" (2009), equation 4
 * @example
 * ```ts
 * import { MFModel } from 'opmf';
 * const model = new MFModel({ users: 3, items: 2, rank: 4, seed: 1 });
 * console.log(model.userFactors.shape.join(' x ')); // 3 x 4
 * console.log(Number.isFinite(model.score(0, 1))); // true
 * ```
 */
export class MFModel extends Factorization {
  constructor(options: MFModelOptions) {
    super('MFModel', options, false);
  }
}
