// Matrix factorization whose tables are products of factors, as a recommender.

import type { TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { OverparamMFModel } from '../models/overparam-mf';
import { copied } from '../serving/factorization-tables';
import { decodeFitted, restore, type SavedFactorization, savedRule } from '../serving/saved-model';
import type { FilledOptions, OverparamMFOptions } from './factorization-options';
import { factorizationFields, OVERPARAM_PRESETS, productPlans, readerOf } from './factorization-options';
import { FactorizationRecommender, type Prepared, started } from './factorization-recommender';
import { MF } from './mf';
import type { Collapses } from './recommender';

/** Their declarations. */
export const overparamMFFields = () => factorizationFields(OVERPARAM_PRESETS, productPlans());

/**
 * Overparameterized matrix factorization, with defaults that need no tuning: `new OverparamMF()`.
 *
 * prediction = mu + b_u + b_i + <e_u, e_i>, with e = x s (the default), or another product. The objective is that of
 * MF in the products: sum over ratings of loss + 1/2 lambda (|e_u|^2 + |e_i|^2) + 1/2 lambda_b (b_u^2 + b_i^2).
 *
 * Cost: fit O(epochs x ratings x rank) for scalar and diagonal, times the width for dense; predict as MF.
 *
 * @throws OptionError for an unknown option, a value out of its range, or a dense width below the rank.
 * @see Chen and Chen, "Accelerating Matrix Factorization by Overparameterization" (DeLTA 2020)
 * @example
 * ```ts
 * import { OverparamMF, splitRandom, evaluateRatings, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 200, items: 100, ratings: 5000 }));
 * const model = new OverparamMF({ rank: 8 });
 * await model.fit(train);
 * console.log(model.recommend(train.users.idOf(0), { n: 3 }).length); // 3
 * console.log((await evaluateRatings(model, test)).rmse < test.stats().standardDeviation); // true
 * ```
 */
export class OverparamMF extends FactorizationRecommender implements Collapses<MF> {
  readonly name = 'overparam-mf';

  constructor(options?: OverparamMFOptions) {
    super('OverparamMF', options, readerOf('OverparamMF', overparamMFFields()));
  }

  fresh(): OverparamMF {
    return new (this.constructor as typeof OverparamMF)(this.read.asked);
  }

  protected prepare(data: Interactions, options: FilledOptions, scheduler: TaskScheduler): Promise<Prepared> {
    const { rank, biases, seed, overparam } = options;
    const [users, items] = [data.users.size, data.items.size];
    return started(
      new OverparamMFModel({ users, items, rank, biases, seed, initScale: 0, overparam }),
      options,
      scheduler,
    );
  }

  /** A plain recommender with equal predictions: the products multiplied out. */
  collapse(): MF {
    const { options, rule } = this.read;
    // What is trained has a loss.
    const { fitted } = this.need('collapse');
    return MF.of({ ...fitted, tables: copied(fitted.tables), options: options as FilledOptions }, rule);
  }

  /** A recommender from the bytes of `save`; its model is plain. @throws FormatError */
  static load(bytes: Uint8Array): OverparamMF {
    return restore(bytes, 'overparam-mf', (saved) => OverparamMF.of(decodeFitted<FilledOptions>(saved)));
  }

  /** @internal A recommender of a trained state. */
  static of({ options, asked, ...state }: Omit<SavedFactorization<FilledOptions>, 'recommender'>): OverparamMF {
    const model = new OverparamMF({ ...options, optimizer: savedRule(options.optimizer) });
    model.askedFor(asked);
    model.installSaved(state);
    return model;
  }
}
