// Plain matrix factorization as a recommender.

import { check, field } from '../core/options';
import type { TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { MFModel } from '../models/factorization';
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer';
import { copied } from '../serving/factorization-tables';
import { decodeFitted, restore, type SavedFactorization, savedRule } from '../serving/saved-model';
import type { FactorizationFields, FilledOptions, OverparamMFOptions } from './factorization-options';
import { factorizationFields, PLAIN_PRESETS, readerOf } from './factorization-options';
import { FactorizationRecommender, type Prepared, started } from './factorization-recommender';
import type { Collapses } from './recommender';
import type { OptionsInForce } from './training-options';

/** The options of MF: those of OverparamMF without the products. */
export type MFOptions = Omit<OverparamMFOptions, 'overparam'> & {
  /** Tables are plain: products are what OverparamMF takes. @defaultValue false */
  readonly overparam?: false | undefined;
};

/** Their declarations. */
export function mfFields(): FactorizationFields {
  const plain = check<false>('false: MF is plain; products are what OverparamMF takes', (value) => value === false);
  return { ...factorizationFields(PLAIN_PRESETS, () => new Map()), overparam: field(plain, false) };
}

/**
 * Biased matrix factorization with plain tables, and defaults that need no tuning.
 *
 * prediction = mu + b_u + b_i + <p_u, q_i>, trained on
 * sum over ratings of loss + 1/2 lambda (|p_u|^2 + |q_i|^2) + 1/2 lambda_b (b_u^2 + b_i^2).
 *
 * Cost: fit O(epochs x ratings x rank), predict O(rank), recommend O(items x rank).
 *
 * @throws OptionError for an unknown option or a value out of its range.
 * @see Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems" (2009), equation 5
 * @example
 * ```ts
 * import { Interactions, MF } from 'opmf';
 * const model = new MF({ rank: 2, epochs: 40 });
 * await model.fit(Interactions.from([['ann', 'tea', 5], ['ann', 'milk', 1], ['bob', 'tea', 4], ['cy', 'milk', 2]]));
 * console.log(model.predict('bob', 'tea') > model.predict('bob', 'milk')); // true
 * ```
 */
export class MF extends FactorizationRecommender implements Collapses<MF> {
  readonly name = 'mf';

  constructor(options?: MFOptions) {
    super('MF', options, readerOf('MF', mfFields()));
  }

  override get options(): OptionsInForce<MFOptions> {
    return super.options as OptionsInForce<MFOptions>;
  }

  fresh(): MF {
    return new (this.constructor as typeof MF)(this.read.asked as MFOptions);
  }

  protected prepare(data: Interactions, options: FilledOptions, scheduler: TaskScheduler): Promise<Prepared> {
    const { rank, biases, seed } = options;
    const [users, items] = [data.users.size, data.items.size];
    return started(new MFModel({ users, items, rank, biases, seed, initScale: 0 }), options, scheduler);
  }

  /** A copy: its tables are plain as they are. */
  collapse(): MF {
    const { options, rule } = this.read;
    const { fitted } = this.need('collapse');
    return MF.of({ ...fitted, tables: copied(fitted.tables), options: options as FilledOptions }, rule);
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): MF {
    return restore(bytes, 'mf', (saved) => MF.of(decodeFitted<FilledOptions>(saved)));
  }

  /** @internal A recommender of a trained state. */
  static of(
    { options, asked, ...state }: Omit<SavedFactorization<FilledOptions>, 'recommender'>,
    optimizer: Optimizer | OptimizerConfig = savedRule(options.optimizer),
  ): MF {
    const model = new MF({ ...options, optimizer, overparam: false });
    model.askedFor(asked);
    model.installSaved(state);
    return model;
  }
}
