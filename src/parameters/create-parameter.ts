// From a table's shape, its product and its plain start to a Parameter. Who makes plain tables alone is not bundled with
// the products.

import type { Stream } from '../core/random';
import { DenseProduct } from './dense-product';
import { ElementwiseProduct } from './elementwise-product';
import type { OverparamPlan, ProductSpec } from './overparam';
import { allocate, type Parameter } from './parameter';
import { PlainTable, type TableShape } from './table';

/** Makes a table that holds zeros. */
export type ZeroTable = (shape: TableShape, stream: Stream) => Parameter;

/** Plain, whatever its name. */
export const plainTable: ZeroTable = (shape) => new PlainTable(shape);

/** Tables as the products that a plan has for their names. */
export const productsOf =
  (plan: OverparamPlan): ZeroTable =>
  (shape, stream) =>
    zeroProduct(shape, plan.get(shape.name), stream);

/** Makes the parameter of a table, the product that is given or plain. @see startedTable */
export function createParameter(
  shape: TableShape,
  spec: ProductSpec | undefined,
  sigma: number,
  stream: Stream,
): Parameter {
  return startedTable((table, own) => zeroProduct(table, spec, own), shape, sigma, stream);
}

/**
 * A table that starts at normal draws with standard deviation `sigma` (0: at zeros). Whatever the product, it starts at
 * the plain table of the same stream: curves then compare optimization, not initial luck.
 */
export function startedTable(zero: ZeroTable, shape: TableShape, sigma: number, stream: Stream): Parameter {
  const parameter = zero(shape, stream.fork(shape.name));
  if (sigma === 0) return parameter;
  const start = allocate(shape.precision, shape.rows * shape.dim);
  startDraws(shape.name, stream).normals(start, 0, start.length, sigma);
  parameter.assign(start);
  return parameter;
}

/** The draws that a table starts with. */
export function startDraws(name: string, stream: Stream): Stream {
  return stream.fork(name).fork('start');
}

function zeroProduct(shape: TableShape, spec: ProductSpec | undefined, stream: Stream): Parameter {
  if (spec === undefined) return new PlainTable(shape);
  const { kind, scope, depth, width, init } = spec;
  if (kind !== 'dense') return new ElementwiseProduct(shape, { kind, scope, depth, width, init }, stream);
  return new DenseProduct(shape, { kind, depth, width: width === 0 ? shape.dim : width, init }, stream);
}
