// How far one step of an optimizer moves the product of a table at its start: the initial effective learning rate,
// measured through the seams, so that it holds for every parameterization and every rule.

import { Stream } from '../core/random';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer } from '../optimizers/optimizer';
import { createParameter } from '../parameters/create-parameter';
import type { ProductSpec } from '../parameters/overparam';
import { OptimizerSink } from '../training/optimizer-sink';

/** Rows that are tried: the mean length is then known to a few per cent. */
const ROWS = 64;

/**
 * The mean length of the first step of a row, over rows that start at N(0, sigma^2) and gradients drawn from N(0, 1).
 * Plain SGD with rate eta: eta times the mean length of a gradient.
 */
export function firstStepLength(spec: ProductSpec | undefined, rule: Optimizer, dim: number, sigma: number): number {
  let total = 0;
  for (let row = 0; row < ROWS; row++) {
    const stream = Stream.of('first step').fork(row);
    // One table a row: the step of one row must not change the maps that the next would share.
    const shape = { name: 'row', group: 'embedding', rows: 1, dim, precision: 'float64' } as const;
    const parameter = createParameter(shape, spec, sigma, stream);
    const rates = new LearningRates(rule.config.learningRate);
    rates.begin(1, 0);
    const before = parameter.collapse();
    parameter.select(Int32Array.of(0), 1);
    const draws = stream.fork('gradient');
    for (let k = 0; k < dim; k++) parameter.grads[k] = draws.normal();
    parameter.pullback(new OptimizerSink(rule, rates, [parameter]));
    const after = parameter.collapse();
    let square = 0;
    for (let k = 0; k < dim; k++) square += (after[k]! - before[k]!) * (after[k]! - before[k]!);
    total += Math.sqrt(square);
  }
  return total / ROWS;
}
