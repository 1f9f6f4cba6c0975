// The options of SVD++: those of a factorization of ratings, less what its steps, which are a user's, do not have.

import { UnsupportedError } from '../core/errors';
import { type Field, show } from '../core/options';
import type { Scheduler, TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { drawStart, type MFModel } from '../models/factorization';
import { addPooled, IMPLICIT, SVDppModel } from '../models/svdpp';
import { copied } from '../serving/factorization-tables';
import { decodeFitted, restore, type SavedFactorization, savedRule } from '../serving/saved-model';
import type { LossName } from '../training/losses';
import { PooledSgd, UserBatcher, UserRatings } from '../training/svdpp';
import type { ALSOptions } from './als';
import {
  type BatchShape,
  type FactorizationFields,
  type FactorizationOptionsInForce,
  type FilledOptions,
  factorizationFields,
  type OptionsReader,
  type OverparamMFOptions,
  PLAIN_PRESETS,
  productPlans,
  readerOf,
  SVDPP_PRESET,
} from './factorization-options';
import { FactorizationRecommender, type Prepared } from './factorization-recommender';
import type { Collapses } from './recommender';
import { INSTEAD_OF_KIND } from './targets';
import { type OptionsInForce, threads } from './training-options';

/**
 * The options of SVDpp: those of OverparamMF without losses of orders, negatives and grouping. A batch has
 * ratings of one user; `regularization.scaling` is not for the y_j, whose penalty is the same for all items.
 *
 * @example
 * ```ts
 * import { SVDpp, type SVDppOptions } from 'opmf';
 * const options: SVDppOptions = { rank: 20, overparam: { implicitEmbedding: { kind: 'scalar' } } };
 * console.log(new SVDpp(options).options.rank); // 20
 * ```
 */
export type SVDppOptions = Omit<OverparamMFOptions, 'loss' | 'negatives' | 'threads' | 'grouping'> & {
  /** 'auto' is 'squared', and refuses values that are all equal, as every loss does here. @defaultValue 'auto' */
  readonly loss?: LossName | 'auto' | undefined;
  /**
   * The threads to train on, a whole number from 1 to 256, with plain tables, SGD and batchSize 1; results never depend on it. `auto`:
   * one for each core, where there is enough to do. On MovieLens 1M two are no faster than one. Where threads cannot be started
   * one does the work, which is said once as a warning. @defaultValue 1
   */
  readonly threads?: ALSOptions['threads'];
};

/** Every option filled in; before a fit the loss may be 'auto'. */
export type FilledSvdppOptions = FactorizationOptionsInForce & { readonly loss: LossName | 'auto' };

/** The declarations: those of others are refused. It has no preset of orders. */
export function svdppFields(): FactorizationFields {
  const presets = { ratings: SVDPP_PRESET, orders: PLAIN_PRESETS.orders };
  const fields = factorizationFields(presets, productPlans(IMPLICIT));
  const { loss, negatives, grouping } = fields;
  return {
    ...fields,
    loss: { ...loss, wanted: 'one of auto, squared, logistic, absolute, huber' },
    negatives: only(negatives, false, "false, with loss 'squared', 'absolute' or 'huber'"),
    threads,
    grouping: only(grouping, 1, '1; batchSize is how many ratings of a user a step takes'),
  };
}

/** An option that has one value here. @throws UnsupportedError for another */
function only<T, Options, Data>(
  { read }: Field<T, Options, Data>,
  one: unknown,
  wanted: string,
): Field<T, Options, Data> {
  return {
    read(given, name, context) {
      const value = read(given, name, context);
      if (value === one) return value;
      throw new UnsupportedError(`SVDpp trains on ratings, user by user: ${name} is ${show(value)}; want ${wanted}`);
    },
  };
}

/** How they are read. @throws OptionError; UnsupportedError for what is of other factorizations */
export const svdppReader = (): OptionsReader => readerOf('SVDpp', svdppFields(), INSTEAD_OF_KIND, ofOneUser);

/**
 * A batch has ratings of one user alone, whose vector and pooled set all of them move: fewer are borne at once. Most users
 * have fewer ratings than a large batch takes: rates are for a batch of as many as are borne, and in proportion for fewer.
 */
const ofOneUser = async ({ size }: Interactions): Promise<BatchShape> => ({ size: Math.min(size, 15), busiest: 4 });

// SVD++ as a recommender: matrix factorization in which who has rated what counts beside the ratings.

/**
 * SVD++: matrix factorization in which the items that a user has rated say something of it, whatever the ratings.
 *
 * prediction = mu + b_u + b_i + <p_u + |N(u)|^-1/2 sum over j in N(u) of y_j, q_i>, N(u) the items that u has rated, trained on
 * sum over ratings of loss + 1/2 lambda (|p_u|^2 + |q_i|^2 + sum over j in N(u) of |y_j|^2) + 1/2 lambda_b (b_u^2 + b_i^2).
 *
 * Training goes from user to user. With plain tables, SGD and a step a rating, what a set pools is followed in closed form:
 * O(n_u + |N(u)|) row operations a user. Otherwise each step of up to `batchSize` ratings of a user pools its set once.
 *
 * Once trained, users are vectors p_u + what they pool: `model` is that plain factorization, files hold it, and foldInUser
 * and partialFit fit such vectors as MF does; the y_j end with the fit.
 *
 * Cost: fit O(epochs x ratings x rank) in closed form, else times the ratings of a user; predict and recommend as MF.
 *
 * @throws OptionError for an unknown option or a value out of its range; UnsupportedError for losses of orders, negatives
 * and grouping
 * @see Koren, "Factorization Meets the Neighborhood" (KDD 2008), equations 15 and 16
 * @example
 * ```ts
 * import { evaluateRatings, splitRandom, SVDpp, syntheticInteractions } from 'opmf';
 * const { train, test } = splitRandom(syntheticInteractions({ users: 200, items: 100, ratings: 5000 }));
 * const model = new SVDpp({ rank: 8 });
 * await model.fit(train);
 * console.log((await evaluateRatings(model, test)).rmse < test.stats().standardDeviation); // true
 * ```
 */
export class SVDpp extends FactorizationRecommender implements Collapses<SVDpp> {
  readonly name = 'svdpp';

  constructor(options?: SVDppOptions) {
    super('SVDpp', options, svdppReader());
  }

  override get options(): OptionsInForce<OverparamMFOptions> & { readonly loss: LossName | 'auto' } {
    return super.options as FilledSvdppOptions;
  }

  fresh(): SVDpp {
    return new (this.constructor as typeof SVDpp)(this.read.asked as SVDppOptions);
  }

  protected async prepare(data: Interactions, options: FilledOptions, scheduler: TaskScheduler): Promise<Prepared> {
    const { rank, biases, seed, overparam } = options;
    const [users, items] = [data.users.size, data.items.size];
    const model = new SVDppModel({ users, items, rank, biases, seed, initScale: 0, overparam });
    await drawStart([model.userEmbedding, model.itemEmbedding, model.implicitEmbedding], options, scheduler);
    const ratings = { size: data.size, users: data.userIndex, items: data.itemIndex };
    /** Laid out when first asked for: by the first validation, or at the end. */
    let byUser: UserRatings | undefined;
    return {
      model,
      plainOf: async (scheduler) => {
        byUser ??= await UserRatings.of(ratings, model, scheduler);
        return plainOf(model, byUser, scheduler);
      },
      batches: (data, order) => new UserBatcher(data, model, order, (most) => model.implicitEmbedding.reserve(most)),
      trainingOf: (task) => PooledSgd.of({ ...task, model }),
    };
  }

  /** A plain recommender with equal predictions, of the vectors p_u + what is pooled: the products multiplied out. */
  collapse(): SVDpp {
    const { fitted } = this.need('collapse');
    const plain = new SVDpp({ ...this.options, optimizer: this.read.rule, overparam: false });
    plain.installSaved({ ...fitted, tables: copied(fitted.tables) });
    return plain;
  }

  /** A recommender from the bytes of `save`. @throws FormatError */
  static load(bytes: Uint8Array): SVDpp {
    return restore(bytes, 'svdpp', (saved) => SVDpp.of(decodeFitted<FilledSvdppOptions>(saved)));
  }

  /** @internal A recommender of a trained state. */
  static of({ options, asked, ...state }: Omit<SavedFactorization<FilledSvdppOptions>, 'recommender'>): SVDpp {
    const model = new SVDpp({ ...options, optimizer: savedRule(options.optimizer) });
    model.askedFor(asked);
    model.installSaved(state);
    return model;
  }
}

/** The plain model with equal scores. */
async function plainOf(model: SVDppModel, ratings: UserRatings, scheduler: Scheduler): Promise<MFModel> {
  const { users, rank } = model;
  const plain = model.withoutSets();
  await scheduler.yieldNow();
  const implicit = model.implicitEmbedding.collapse();
  const vectors = plain.userEmbedding.values;
  const pooled = new Float64Array(rank);
  for (let user = 0; user < users; user++) {
    const set = ratings.setOf(user);
    addPooled(vectors, user, implicit, set, rank, pooled);
    if (scheduler.isDue((1 + set.length) * (1 + (rank >> 2)))) await scheduler.yieldNow();
  }
  return plain;
}
