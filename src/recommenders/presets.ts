// The defaults that need no tuning, as data. Where the numbers come from: docs/defaults.md.

import type { OptimizerConfig } from '../optimizers/optimizer';
import { cosine } from '../optimizers/schedule';
import { sgd } from '../optimizers/sgd';
import type { Overparam, ProductSpec } from '../parameters/overparam';

/** The defaults in which MF and OverparamMF differ. */
export interface Preset {
  readonly overparam: Overparam;
  readonly epochs: number;
  readonly initScale: number;
  readonly regularization: {
    readonly embedding: number;
    readonly bias: number;
    readonly scaling: 'constant' | 'frequency';
  };
}

/** OverparamMF: scalar per row, depth 2. */
export const OVERPARAM_PRESET: Preset = {
  overparam: { kind: 'scalar', scope: 'row', depth: 2, init: 2.53 },
  epochs: 10,
  initScale: 0.034,
  regularization: { embedding: 0.214, bias: 0.15, scaling: 'frequency' },
};

/** MF: the same recipe for plain tables, with the rates that are best for them. */
export const PLAIN_PRESET: Preset = {
  overparam: false,
  epochs: 10,
  initScale: 0.0255,
  regularization: { embedding: 0.219, bias: 0.153, scaling: 'frequency' },
};

/** The rates of plain tables. */
const PLAIN_RATES = { embedding: 0.16, bias: 0.0433 };
/** The rates of the preset product, at its `init`. */
const PRODUCT_RATES = { embedding: 0.0177, map: 0.0219, bias: 0.0433, init: 2.53 };

/**
 * SGD with a cosine decay to 0, at rates that suit a product: a step on the factors moves the product by the square of
 * its maps times the rate, so the rate of the base falls with that square, to keep the product's own.
 */
export function defaultOptimizer(spec: ProductSpec | undefined): OptimizerConfig {
  if (spec === undefined) return sgd({ learningRate: cosine(PLAIN_RATES) });
  let square = 1;
  for (let layer = 1; layer < spec.depth; layer++) square *= spec.init * spec.init;
  const terms = spec.kind === 'dense' ? 1 : spec.width;
  const { embedding, map, bias, init } = PRODUCT_RATES;
  return sgd({
    learningRate: cosine({
      embedding: (embedding * init * init) / (square * terms),
      map: (map * spec.init * spec.init) / (init * init),
      bias,
    }),
  });
}
