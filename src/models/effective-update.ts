// The paper's equivalence, as numbers: what one SGD step on the factors does to the product, in closed form.
// scalar per row (e = s x): Arora, Cohen, Hazan 2018, section 4. dense (E = V M): their theorem 1 for two layers.

import ndarray, { type NdArray } from 'ndarray';
import { OptionError, UnsupportedError } from '../core/errors';
import { number, wrong } from '../core/options';
import type { Real } from '../optimizers/factor';
import { DenseProduct } from '../parameters/dense-product';
import { ElementwiseProduct } from '../parameters/elementwise-product';
import { allocate } from '../parameters/memory';
import type { Parameter } from '../parameters/parameter';
import { checkRow } from './table-view';

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
  return { mapGram: ndarray(mapGram, [dim, dim]), rowGram: ndarray(rowGram, [n, n]), residual, update };
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
