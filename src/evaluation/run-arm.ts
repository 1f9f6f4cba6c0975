// One training run of a comparison: an arm, a split, a seed.

import { DivergenceError } from '../core/errors';
import type { Split } from '../interactions/split';
import type { OptimizerConfig } from '../optimizers/optimizer';
import { type ProductOptions, readProduct } from '../parameters/overparam';
import { OverparamMF } from '../recommenders/overparam-mf';
import type { EpochRecord } from '../training/history';
import type { ComparisonEpoch } from './comparison';

/** One arm as it runs. */
export interface Arm {
  readonly overparam: false | ProductOptions;
  readonly optimizer: OptimizerConfig;
  readonly initScale: number;
  /** lambda, constant, of every table. */
  readonly regularization: number;
  /** For the plain twin of matched terms: the product whose first step it matches. */
  readonly matches?: ProductOptions;
}

/** Trains an arm and follows it on the test ratings. A diverged run ends with its last good epoch. */
export async function runArm(
  arm: Arm,
  { train, test }: Split,
  base: { readonly rank: number; readonly epochs: number; readonly seed: number },
  signal: AbortSignal | undefined,
): Promise<{ readonly epochs: readonly ComparisonEpoch[]; readonly diverged: boolean }> {
  const { overparam, optimizer, initScale, regularization } = arm;
  // Ratings and predictions as they are: clipping would hide how far a memorising arm is off on unseen ratings.
  // `overparam: false` makes this the plain model.
  const model = new OverparamMF({
    ...base,
    // Fields left out are those of a product, and not those of the default of OverparamMF. Values that are all equal are
    // refused: there is nothing to compare by.
    overparam: overparam && filledProduct(overparam),
    loss: 'squared',
    optimizer,
    initScale,
    regularization,
    standardize: false,
    clip: false,
  });
  const epochs: ComparisonEpoch[] = [];
  try {
    await model.fit(train, {
      validation: test,
      onEpoch: (record) => epochs.push(toEpoch(record)),
      ...(signal === undefined ? {} : { signal }),
    });
    return { epochs, diverged: false };
  } catch (error) {
    if (error instanceof DivergenceError) return { epochs, diverged: true };
    throw error;
  }
}

/** A product with every field; a width that is not given is that of the table. */
function filledProduct(given: ProductOptions): ProductOptions {
  const { width, ...product } = readProduct('compare', given);
  return width === 0 ? product : { ...product, width };
}

function toEpoch({ epoch, trainLoss, metrics, seconds }: EpochRecord): ComparisonEpoch {
  return { epoch, trainLoss, testRmse: metrics.rmse!, testMae: metrics.mae!, seconds };
}
