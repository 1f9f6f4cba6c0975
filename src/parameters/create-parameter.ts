// From a table's shape, its product and its plain start to a Parameter: the one place that knows every kind.

import type { Stream } from '../core/random';
import { DenseProduct } from './dense-product';
import { ElementwiseProduct } from './elementwise-product';
import type { ProductSpec } from './overparam';
import { allocate, type Parameter } from './parameter';
import { PlainTable, type TableShape } from './table';

/**
 * Makes the parameter of a table that starts at normal draws with standard deviation `sigma` (0: at zeros). Whatever
 * the product, it starts at the plain table of the same stream: curves then compare optimization, not initial luck.
 */
export function createParameter(
  shape: TableShape,
  spec: ProductSpec | undefined,
  sigma: number,
  stream: Stream,
): Parameter {
  const parameter = emptyParameter(shape, spec, stream.fork(shape.name));
  // Every kind is made as a product that is zero.
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

function emptyParameter(shape: TableShape, spec: ProductSpec | undefined, stream: Stream): Parameter {
  if (spec === undefined) return new PlainTable(shape);
  const { kind, scope, depth, init } = spec;
  if (kind === 'dense') {
    const width = spec.width === 0 ? shape.dim : spec.width;
    return new DenseProduct(shape, { kind, depth, width, init }, stream);
  }
  return new ElementwiseProduct(shape, { kind, scope, depth, width: spec.width, init }, stream);
}
