// Biased matrix factorization whose tables are products of factors (Chen and Chen, DeLTA 2020).

import type { NdArray } from 'ndarray';
import { OptionError } from '../core/errors';
import { show } from '../core/options';
import type { Real } from '../optimizers/factor';
import type { Overparam } from '../parameters/overparam';
import type { Parameter } from '../parameters/parameter';
import { type DenseUpdate, effectiveDense, effectiveScalar, type ScalarUpdate } from './effective-update';
import { Factorization } from './factorization';
import type { FactorizationOptions } from './factorization-tables';
import { MFModel } from './mf';

/** The options of OverparamMFModel. */
export interface OverparamMFModelOptions extends FactorizationOptions {
  /** How the tables are written as products. @defaultValue `{ kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 }` */
  readonly overparam?: Overparam | undefined;
}

/**
 * Biased matrix factorization with tables given as products of factors; it expresses what MFModel does, and no more.
 *
 * score(u, i) = mu + b_u + b_i + <e_u, e_i>, with e = x s (scalar), x (.) v (diagonal) or x A (dense), deeper or wider.
 *
 * The product starts at the plain model of the same seed. Shapes: as MFModel. Cost of a score: that of the two rows.
 *
 * @throws OptionError for an unknown option, a value out of its range, or a dense width below the rank.
 * @see Chen and Chen, "Accelerating Matrix Factorization by Overparameterization" (DeLTA 2020)
 * @example
 * ```ts
 * import { MFModel, OverparamMFModel } from 'opmf';
 * const shape = { users: 3, items: 2, rank: 4, seed: 1 };
 * const model = new OverparamMFModel({ ...shape, overparam: { kind: 'scalar', depth: 3, init: 2 } });
 * const plain = new MFModel(shape);
 * console.log(Math.abs(model.score(0, 1) - plain.score(0, 1)) < 1e-6); // true
 * console.log(model.collapse() instanceof MFModel); // true
 * ```
 */
export class OverparamMFModel extends Factorization {
  private readonly shape: FactorizationOptions;

  constructor(options: OverparamMFModelOptions) {
    const { overparam = { kind: 'scalar' }, ...shape } = options ?? {};
    super('OverparamMFModel', shape, overparam);
    this.shape = shape;
  }

  /**
   * Multiplies the products out: a plain model with equal predictions, in memory of its own.
   * Cost: one pass over the tables.
   */
  collapse(): MFModel {
    const plain = new MFModel({ ...this.shape, globalMean: this.globalMean, initScale: 0 });
    for (const [i, parameter] of this.parameters.entries()) plain.parameters[i]!.assign(parameter.collapse());
    return plain;
  }

  /**
   * The change e' - e that one SGD step on the factors makes to a row of the product, split into the paper's terms.
   *
   * scalar (per row, depth 2, width 1): e' - e = -eta s^2 g - (eta / s^2)(g.e) e + eta^2 (g.e) g, which is
   * -learningRate g + momentum e + residual. dense (depth 2): E' - E = -eta (G M^T M + V V^T G) + eta^2 G M^T V^T G,
   * with the matrices M^T M and V V^T of the rows given.
   *
   * @param table which embedding
   * @param row a row number, or for dense several
   * @param gradient the loss's gradient at the product, rows x rank
   * @param learningRate eta
   * @throws UnsupportedError for every other kind, depth or width: no closed form of this shape is known
   * @throws OptionError for a row or a gradient of the wrong size
   * @see Arora, Cohen, Hazan (ICML 2018), section 4 and theorem 1
   * @example
   * ```ts
   * import { OverparamMFModel } from 'opmf';
   * const model = new OverparamMFModel({ users: 2, items: 2, rank: 2, overparam: { kind: 'scalar', init: 2 } });
   * const update = model.effectiveUpdate('user', 0, new Float32Array([1, 0]), 0.01);
   * console.log('learningRate' in update && update.learningRate.toFixed(2)); // 0.04
   * ```
   */
  effectiveUpdate(
    table: 'user' | 'item',
    row: number,
    gradient: NdArray<Real> | Real,
    learningRate: number,
  ): ScalarUpdate;
  effectiveUpdate(
    table: 'user' | 'item',
    row: number | readonly number[],
    gradient: NdArray<Real> | Real,
    learningRate: number,
  ): ScalarUpdate | DenseUpdate;
  effectiveUpdate(
    table: 'user' | 'item',
    row: number | readonly number[],
    gradient: NdArray<Real> | Real,
    learningRate: number,
  ): ScalarUpdate | DenseUpdate {
    const parameter = this.embedding(table);
    const rows = typeof row === 'object' && row !== null ? row : [row];
    return (
      effectiveScalar(parameter, rows, gradient, learningRate) ??
      effectiveDense(parameter, rows, gradient, learningRate)
    );
  }

  private embedding(table: 'user' | 'item'): Parameter {
    if (table === 'user') return this.userEmbedding;
    if (table === 'item') return this.itemEmbedding;
    throw new OptionError('table', table, `table is ${show(table)}; want 'user' or 'item'`);
  }
}
