// The paper's equivalence, as numbers: what one SGD step on the factors does to the product, in closed form.
// scalar per row (e = s x): Arora, Cohen, Hazan 2018, section 4. dense (E = V M): their theorem 1 for two layers.

import type { NdArray } from 'ndarray';
import { OptionError, UnsupportedError } from '../core/errors';
import { number, show, wrong } from '../core/options';
import type { Real } from '../optimizers/factor';
import { DenseProduct } from '../parameters/dense-product';
import { ElementwiseProduct } from '../parameters/elementwise-product';
import { matrixView } from '../parameters/matrix-view';
import { type Overparam, planOverparam, productsOf } from '../parameters/overparam';
import { allocate, type Parameter } from '../parameters/parameter';
import { checkRow, Factorization, MFModel, type MFModelOptions } from './factorization';

/** The step of a row e = s x: update = -learningRate g + momentum e + residual. */
export interface ScalarUpdate {
  /** eta s^2: the adaptive rate along the gradient. */
  readonly learningRate: number;
  /** -(eta / s^2)(g.e): the coefficient of e itself, which carries the past gradients. */
  readonly momentum: number;
  /** eta^2 (g.e) g: of second order in the rate. */
  readonly residual: Real;
  /** e' - e. */
  readonly update: Real;
}

/** The step of the rows E = V M: update = -eta (G mapGram + rowGram G) + residual. */
export interface DenseUpdate {
  /** M^T M, rank x rank. */
  readonly mapGram: NdArray<Real>;
  /** V V^T of the rows given, rows x rows. */
  readonly rowGram: NdArray<Real>;
  /** eta^2 G M^T V^T G, rows x rank, row-major. */
  readonly residual: Real;
  /** E' - E, rows x rank, row-major. */
  readonly update: Real;
}

type Gradient = NdArray<Real> | Real;

/** The closed form of e = s x; null where the parameter is not one. */
export function effectiveScalar(
  parameter: Parameter,
  rows: readonly number[],
  gradient: Gradient,
  learningRate: number,
): ScalarUpdate | null {
  if (!(parameter instanceof ElementwiseProduct)) return null;
  const { kind, scope, depth, width } = parameter.spec;
  if (kind !== 'scalar' || scope !== 'row' || depth !== 2 || width !== 1) return null;
  if (rows.length !== 1) throw unsupported('scalar products take one row: rows do not act on each other');
  const row = rows[0]!;
  const g = readGradient(parameter, rows, gradient, learningRate);
  const { dim } = parameter;
  const s = parameter.maps[0]!.data[row]!;
  const e = new Float64Array(dim);
  let along = 0;
  for (let k = 0; k < dim; k++) {
    e[k] = s * parameter.base.data[row * dim + k]!;
    along += g[k]! * e[k]!;
  }
  const rate = learningRate * s * s;
  // (eta / s^2)(g.e) e = eta (g.x) x: written without the division, it stays right where s is near 0.
  const momentum = s === 0 ? 0 : (-learningRate / (s * s)) * along;
  const residual = allocate(parameter.precision, dim);
  const update = allocate(parameter.precision, dim);
  const alongBase = s === 0 ? dotBase(parameter, row, g) : along / s;
  for (let k = 0; k < dim; k++) {
    const x = parameter.base.data[row * dim + k]!;
    const second = learningRate * learningRate * along * g[k]!;
    residual[k] = second;
    update[k] = -rate * g[k]! - learningRate * alongBase * x + second;
  }
  return { learningRate: rate, momentum, residual, update };
}

/** The closed form of E = V M. */
export function effectiveDense(
  parameter: Parameter,
  rows: readonly number[],
  gradient: Gradient,
  learningRate: number,
): DenseUpdate {
  if (!(parameter instanceof DenseProduct) || parameter.spec.depth !== 2) {
    throw unsupported("it needs { kind: 'scalar', scope: 'row', depth: 2, width: 1 } or { kind: 'dense', depth: 2 }");
  }
  const g = readGradient(parameter, rows, gradient, learningRate);
  const { dim, precision } = parameter;
  const { width } = parameter.spec;
  const n = rows.length;
  const m = parameter.maps[0]!.data;
  const v = parameter.base.data;
  const mapGram = allocate('float64', dim * dim);
  for (let a = 0; a < dim; a++)
    for (let b = 0; b < dim; b++)
      for (let w = 0; w < width; w++) mapGram[a * dim + b]! += m[w * dim + a]! * m[w * dim + b]!;
  const rowGram = allocate('float64', n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let w = 0; w < width; w++) rowGram[i * n + j]! += v[rows[i]! * width + w]! * v[rows[j]! * width + w]!;
  // G M^T V^T, n x n: how far each row's step moves the map under every other row.
  const cross = allocate('float64', n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < dim; k++)
        for (let w = 0; w < width; w++)
          cross[i * n + j]! += g[i * dim + k]! * m[w * dim + k]! * v[rows[j]! * width + w]!;
  const residual = allocate(precision, n * dim);
  const update = allocate(precision, n * dim);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < dim; k++) {
      let first = 0;
      let second = 0;
      for (let l = 0; l < dim; l++) first += g[i * dim + l]! * mapGram[l * dim + k]!;
      for (let j = 0; j < n; j++) {
        first += rowGram[i * n + j]! * g[j * dim + k]!;
        second += cross[i * n + j]! * g[j * dim + k]!;
      }
      second *= learningRate * learningRate;
      residual[i * dim + k] = second;
      update[i * dim + k] = -learningRate * first + second;
    }
  }
  return { mapGram: matrixView(mapGram, dim, dim), rowGram: matrixView(rowGram, n, n), residual, update };
}

function readGradient(
  parameter: Parameter,
  rows: readonly number[],
  gradient: Gradient,
  learningRate: number,
): Float64Array {
  for (const row of rows) checkRow('row', row, parameter.rows);
  if (new Set(rows).size !== rows.length)
    throw new OptionError('row', rows, 'row names a row twice; want different rows');
  number({ min: 0 })(learningRate, 'learningRate');
  const wanted = rows.length * parameter.dim;
  if (typeof gradient !== 'object' || gradient === null)
    throw wrong('gradient', gradient, `an array of ${wanted} numbers (rows x rank)`);
  const values = 'shape' in gradient ? flatten(gradient) : Float64Array.from(gradient);
  if (values.length !== wanted) {
    throw new OptionError('gradient', gradient, `gradient has ${values.length} numbers; want ${wanted} (rows x rank)`);
  }
  for (const value of values) if (!Number.isFinite(value)) throw wrong('gradient', value, 'finite numbers only');
  return values;
}

/** The elements of a strided array of one or two dimensions, in order. */
function flatten(array: NdArray<Real>): Float64Array {
  const rows = array.dimension === 2 ? array.shape[0]! : 1;
  const cols = array.shape[array.dimension - 1] ?? 0;
  const flat = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < cols; k++) flat[i * cols + k] = array.dimension === 2 ? array.get(i, k) : array.get(k);
  }
  return flat;
}

function dotBase(parameter: ElementwiseProduct, row: number, g: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < parameter.dim; k++) sum += g[k]! * parameter.base.data[row * parameter.dim + k]!;
  return sum;
}

function unsupported(reason: string): UnsupportedError {
  return new UnsupportedError(`effectiveUpdate: ${reason}`);
}

// Biased matrix factorization whose tables are products of factors (Chen and Chen, DeLTA 2020).

/** The options of OverparamMFModel. */
export interface OverparamMFModelOptions extends MFModelOptions {
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
  private readonly shape: MFModelOptions;

  constructor(options: OverparamMFModelOptions) {
    const { overparam = { kind: 'scalar' }, ...shape } = options ?? {};
    super('OverparamMFModel', shape, (dims) => productsOf(planOverparam('OverparamMFModel', overparam, dims)));
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
