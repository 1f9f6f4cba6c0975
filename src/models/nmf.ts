// Non-negative matrix factorization as a model: a factorization whose factors never fall below 0.

import { UnsupportedError } from '../core/errors';
import { number } from '../core/options';
import { type Overparam, planOverparam, productsOf, startDraws, tableDims } from '../parameters/overparam';
import { Factorization, type MFModelOptions, parameterStream } from './factorization';

/** The options of NMFModel. */
export interface NMFModelOptions extends Omit<MFModelOptions, 'biases' | 'globalMean' | 'initScale'> {
  /** Whether users and items have biases, of either sign. @defaultValue false */
  readonly biases?: boolean | undefined;
  /** The embeddings (the products) start at uniform draws from 0 to this. @defaultValue 1 */
  readonly initRange?: number | undefined;
  /** How tables are written as products of non-negative factors: scalar or diagonal. @defaultValue false */
  readonly overparam?: Overparam | undefined;
}

/**
 * Non-negative matrix factorization, bare: score(u, i) = <p_u, q_i>, p and q of no number below 0, and with `biases` + b_u + b_i.
 *
 * Every factor is marked as non-negative: training puts what an update, of whatever optimizer, makes negative back to 0. The
 * product of such factors is non-negative as well. Shapes: userFactors users x rank, itemFactors items x rank. Cost of a
 * score: O(rank).
 *
 * @throws OptionError for an unknown option or a value out of its range; UnsupportedError for products that start with
 * negative maps: dense ones, and an `init` below 0
 * @see Lin, "Projected Gradient Methods for Nonnegative Matrix Factorization" (2007), section 3
 * @example
 * ```ts
 * import { NMFModel } from 'opmf/models';
 * const model = new NMFModel({ users: 3, items: 2, rank: 4, overparam: { kind: 'scalar' } });
 * console.log(model.score(0, 1) > 0); // true
 * ```
 */
export class NMFModel extends Factorization {
  constructor(options: NMFModelOptions) {
    const { overparam = false, initRange = 1, biases = false, ...shape } = options ?? {};
    number({ min: 0 })(initRange, 'initRange');
    const tablesOf = (dims: ReadonlyMap<string, number>) => productsOf(planOverparam('NMFModel', overparam, dims));
    super('NMFModel', { ...shape, biases, initScale: 0 }, tablesOf, 'nonnegative');
    checkNonNegative('NMFModel', overparam, this.rank, biases);
    if (initRange === 0) return;
    for (const parameter of [this.userEmbedding, this.itemEmbedding]) {
      const draws = startDraws(parameter.name, parameterStream(shape.seed ?? 1));
      parameter.assign(
        Float64Array.from({ length: parameter.rows * parameter.dim }, () => initRange * draws.uniform()),
      );
    }
  }
}

/** @throws UnsupportedError where a product would start with negative maps */
export function checkNonNegative(owner: string, overparam: unknown, rank: number, biases: boolean): void {
  for (const [table, spec] of planOverparam(owner, overparam, tableDims(rank, biases))) {
    if (table.endsWith('Bias')) continue;
    if (spec === undefined || (spec.kind !== 'dense' && spec.init > 0)) continue;
    throw new UnsupportedError(
      `${owner}: overparam has ${spec.kind} maps of init ${spec.init} for ${table}, which start with negative numbers; ` +
        "want kind 'scalar' or 'diagonal' with init above 0",
    );
  }
}
