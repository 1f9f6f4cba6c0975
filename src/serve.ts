// `opmf/serve`: what answers questions about saved models, without what trains them. In JavaScript alone, whose results are
// those of WebAssembly to the bit: a small program for a browser or an edge; a large catalogue is served faster by `opmf`.

import { FormatError } from './core/errors';
import { integer, oneOf, wrong } from './core/options';
import type { FeatureRow, FeatureRows } from './data/feature-fields';
import type { Id } from './data/vocabulary';
import { javaScript } from './kernels/backend';
import { multiplyInJs } from './kernels/matrix';
import { type Scores, scoresOf } from './metrics/metric-names';
import { ACTIVATIONS } from './models/forward';
import type { NeuralForm } from './models/neural-cf';
import type { Explains, FoldsIn, Similar } from './serving/capabilities';
import { explain, foldInItem, foldInUser, similarItems, similarUsers } from './serving/capabilities';
import { FactorizationState } from './serving/factorization-state';
import { type ServedFactorization, ServedTables } from './serving/factorization-tables';
import { FeatureState, isTrained, predictRows } from './serving/features/feature-state';
import { PlainFeatures } from './serving/features/plain-features';
import { decodeLayout } from './serving/features/saved-features';
import { AlsFoldIn, type AlsFoldOptions } from './serving/fold-in/als-fold-in';
import { GradientFoldIn, type GradientFoldOptions } from './serving/fold-in/gradient-fold-in';
import { decodeBase, ItemState } from './serving/item-state';
import { DenseWeights, NeighborLists } from './serving/item-weights';
import { NeuralScorer } from './serving/neural-scorer';
import { decodeNeural, type NeuralScoreOptions, NeuralState } from './serving/neural-state';
import { PopularityState } from './serving/popularity-state';
import { type FoldedItem, type FoldedUser, Predictor } from './serving/predictor';
import type { HistoryRow, Recommendation, SimilarOptions } from './serving/questions';
import { decodeFile, decodeFitted, decodeModel, readSaved, type SavedFile } from './serving/saved-model';
import type { Able, TrainedState } from './serving/trained-state';
import { biasPenaltiesOf } from './training/als';

export { DataError, FormatError, OpmfError, OptionError, UnknownIdError, UnsupportedError } from './core/errors';
export type { Id } from './data/vocabulary';
export type { Scores } from './metrics/metric-names';
export type { Predictor } from './recommenders/class-types';
export type { Explains, FoldsIn, Similar } from './serving/capabilities';
export type * from './serving/questions';

/**
 * A saved model that answers: `predict`, `recommend`, `similarItems`, `foldInUser` and the rest, as the recommender that
 * was saved, to the bit. It cannot be trained, nor saved. A kind that cannot do a thing has no method for it: where any may come,
 * ask `if ('foldInUser' in served)`.
 *
 * @example
 * ```ts
 * import { MF, syntheticInteractions } from 'opmf';
 * import { loadRecommender, type ServedRecommender } from 'opmf/serve';
 * const model = new MF({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const served: ServedRecommender = loadRecommender(model.save());
 * console.log(served.name); // mf
 * ```
 */
export class ServedRecommender extends Predictor {
  /** @internal */
  constructor(
    /** The name of the recommender that was saved: 'mf', 'item-knn'. */
    readonly name: string,
    owner: string,
    /** The options in force when it was saved. */
    readonly options: object,
    readonly scores: Scores,
    state: TrainedState,
  ) {
    super(owner);
    this.install(state);
  }
}

/** A saved Popularity. */
export class ServedPopularity extends ServedRecommender implements Pick<FoldsIn, 'foldInUser'> {
  /** @internal */
  declare state: Able<'foldInUser'> | undefined;

  /** A user that training never saw, by its history. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }
}

/** A saved ItemKNN or EASE. */
export class ServedItemModel
  extends ServedRecommender
  implements Pick<Similar, 'similarItems'>, Pick<FoldsIn, 'foldInUser'>, Explains
{
  /** @internal */
  declare state: ItemState | undefined;

  /** The items most like one by its own measure, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** A user that training never saw, by its items. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  /** What each item of a user's history adds to the score of an item, the most first. @see Explains */
  explain(
    userId: Id,
    itemId: Id,
    options?: { readonly n?: number | undefined },
  ): { readonly itemId: Id; readonly contribution: number }[] {
    return explain(this.ask('explain'), userId, itemId, options);
  }
}

/** A saved NeuralCF, and what all saved models with vectors of users and items answer. */
export class ServedVectorModel extends ServedRecommender implements Similar {
  /** @internal */
  declare state: Able<'similarItems' | 'similarUsers'> | undefined;

  /** The items most like one, best first. @see Similar */
  similarItems(itemId: Id, options?: SimilarOptions): Recommendation[] {
    return similarItems(this.ask('similarItems'), itemId, options);
  }

  /** The users most like one, best first. @see Similar */
  similarUsers(userId: Id, options?: SimilarOptions): { readonly userId: Id; readonly score: number }[] {
    return similarUsers(this.ask('similarUsers'), userId, options);
  }
}

/** A saved MF, OverparamMF, ALS, SVDpp or NMF. */
export class ServedFactorizationModel extends ServedVectorModel implements FoldsIn, Explains {
  /** @internal */
  declare state: FactorizationState | undefined;

  /** A user that training never saw, by its history. @see FoldsIn */
  foldInUser(history: Iterable<HistoryRow<'itemId'>>): FoldedUser {
    return foldInUser(this.ask('foldInUser'), history);
  }

  /** An item that training never saw, by who has rated it. @see FoldsIn */
  foldInItem(history: Iterable<HistoryRow<'userId'>>): FoldedItem {
    return foldInItem(this.ask('foldInItem'), history);
  }

  /** What each item of a user's history adds to the score of an item, the most first. @see Explains */
  explain(
    userId: Id,
    itemId: Id,
    options?: { readonly n?: number | undefined },
  ): { readonly itemId: Id; readonly contribution: number }[] {
    return explain(this.ask('explain'), userId, itemId, options);
  }
}

/** A saved FM, WideDeep or DeepFM, which answers about rows of features too. */
export class ServedFeatureModel extends ServedVectorModel {
  /** @internal */
  constructor(
    name: string,
    owner: string,
    options: object,
    scores: Scores,
    private readonly answers: FeatureState,
  ) {
    super(name, owner, options, scores, answers);
  }

  /** As `predictRows` of the model that was saved. */
  predictRows(features: FeatureRows | readonly FeatureRow[]): Float32Array {
    return predictRows(this.answers, features);
  }

  override knows(userId: Id, itemId?: Id): boolean {
    return isTrained(this.answers, userId, itemId);
  }
}

const FACTORIZATIONS: Readonly<Record<string, string>> = {
  mf: 'MF',
  'overparam-mf': 'OverparamMF',
  als: 'ALS',
  svdpp: 'SVDpp',
  nmf: 'NMF',
};

/**
 * A saved model of MF, OverparamMF, ALS, SVDpp or NMF, as `loadRecommender` gives it; a smaller program where there are no
 * others.
 *
 * @throws FormatError where the bytes are no model of these, or damaged.
 * @example
 * ```ts
 * import { ALS, syntheticInteractions } from 'opmf';
 * import { loadFactorization } from 'opmf/serve';
 * const model = new ALS({ epochs: 1 });
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * const served = loadFactorization(model.save());
 * console.log(served.recommend('1')[0]?.itemId === model.recommend('1')[0]?.itemId); // true
 * ```
 */
export function loadFactorization(bytes: Uint8Array): ServedFactorizationModel {
  return factorizationOf(decodeFile(bytes));
}

/**
 * A saved model of whatever kind, ready to answer.
 *
 * @throws FormatError where the bytes are not a model of this library, or damaged.
 * @example
 * ```ts
 * import { ItemKNN, syntheticInteractions } from 'opmf';
 * import { loadRecommender } from 'opmf/serve';
 * const model = new ItemKNN();
 * await model.fit(syntheticInteractions({ users: 50, items: 40, ratings: 500 }));
 * console.log(loadRecommender(model.save()).predict('1', '2') === model.predict('1', '2')); // true
 * ```
 */
export function loadRecommender(
  bytes: Uint8Array,
): ServedPopularity | ServedItemModel | ServedVectorModel | ServedFactorizationModel | ServedFeatureModel {
  const file = decodeFile(bytes);
  const { recommender: name, options } = file;
  if (name === 'popularity') {
    const { users, items, seen } = decodeModel(file);
    return new ServedPopularity(name, 'Popularity', options, 'order', new PopularityState(users, items, seen));
  }
  if (name === 'item-knn' || name === 'ease') {
    const [owner, weights] =
      name === 'ease' ? (['EASE', DenseWeights] as const) : (['ItemKNN', NeighborLists] as const);
    const saved = decodeModel(file);
    return new ServedItemModel(
      name,
      owner,
      options,
      'order',
      new ItemState(owner, saved, weights.decode(saved), decodeBase(saved)),
    );
  }
  if (name === 'neural-cf') return neuralOf(file);
  if (Object.hasOwn(FEATURE_MODELS, name)) return featureModelOf(file);
  return factorizationOf(file);
}

function neuralOf(file: SavedFile): ServedVectorModel {
  const saved = decodeModel(file);
  const options = saved.options as NeuralForm & NeuralScoreOptions;
  const tables = readSaved(() => {
    if (!Array.isArray(options.hidden)) throw wrong('hidden', options.hidden, 'the outputs of each layer');
    oneOf('neumf', 'gmf', 'mlp')(options.variant, 'variant');
    oneOf('logistic', 'bpr', 'warp', 'softmax')(options.loss, 'loss');
    oneOf(...ACTIVATIONS)(options.activation, 'activation');
    if (options.loss === 'logistic') integer({ min: 1 })(Object(options.negatives).count, 'negatives.count');
    return decodeNeural(saved, options);
  });
  const { users, items, seen } = saved;
  const scorer = NeuralScorer.now(tables, options.activation, multiplyInJs);
  const state = new NeuralState({ users, items, seen, scorer }, options, javaScript);
  return new ServedVectorModel('neural-cf', 'NeuralCF', saved.options, 'order', state);
}

const FEATURE_MODELS: Readonly<Record<string, string>> = { fm: 'FM', 'wide-deep': 'WideDeep', 'deep-fm': 'DeepFM' };

function featureModelOf(file: SavedFile): ServedFeatureModel {
  const { recommender: name } = file;
  const owner = FEATURE_MODELS[name]!;
  const layout = decodeLayout(file);
  const { options } = file;
  const { task, loss, negatives } = options as {
    readonly task: string;
    readonly loss: string;
    readonly negatives: unknown;
  };
  readSaved(() => oneOf('classification', 'regression', 'ranking')(task, 'task'));
  const model = new PlainFeatures(file, layout);
  const state = new FeatureState(owner, model, layout, task === 'classification', javaScript);
  return new ServedFeatureModel(name, owner, options, scoresOf(loss, negatives !== false), state);
}

function factorizationOf(file: SavedFile): ServedFactorizationModel {
  const { recommender: name } = file;
  const owner = Object.hasOwn(FACTORIZATIONS, name) ? FACTORIZATIONS[name] : undefined;
  if (owner === undefined)
    throw new FormatError(`the file holds a '${name}'; want one of ${Object.keys(FACTORIZATIONS).join(', ')}`);
  const { options, users, items, seen, units, tables } = decodeFitted<Record<string, unknown>>(decodeModel(file));
  const fitted: ServedFactorization = {
    users,
    items,
    seen,
    units,
    tables,
    served: new ServedTables(tables, units, seen),
  };
  const check = (isGood: boolean, option: string) => {
    if (!isGood)
      throw new FormatError(`options.${option} in the file is none that ${owner} takes; the file is damaged`);
  };
  const isStrength = (value: unknown) => typeof value === 'number' && value >= 0 && value < Infinity;
  check(typeof options.clip === 'boolean', 'clip');
  const clip = options.clip as boolean;
  if (name === 'als') {
    const { feedback, alpha, unobservedWeight, regularization, regularizationExponent } = options;
    check(feedback === 'explicit' || feedback === 'implicit', 'feedback');
    check(unobservedWeight === 'auto' || isStrength(unobservedWeight), 'unobservedWeight');
    check([alpha, regularization, regularizationExponent].every(isStrength), 'regularization');
    const { user = 0, item = 0 } = biasPenaltiesOf(options) ?? {};
    check(isStrength(user) && isStrength(item), 'biasRegularization');
    const foldIn = new AlsFoldIn(fitted, options as unknown as AlsFoldOptions);
    const state = new FactorizationState(fitted, name, clip, javaScript, () => foldIn);
    return new ServedFactorizationModel(name, owner, options, feedback === 'explicit' ? 'rating' : 'order', state);
  }
  const { loss, negatives = false, regularization } = options;
  const strengths =
    typeof regularization === 'number'
      ? { embedding: regularization, bias: regularization, scaling: 'constant' }
      : Object(regularization);
  const draws = negatives === false ? undefined : Object(negatives);
  readSaved(() => {
    oneOf(
      'squared',
      'logistic',
      'absolute',
      'huber',
      ...(draws ? (['bpr', 'warp', 'softmax'] as const) : []),
    )(loss, 'loss');
    oneOf('constant', 'frequency')(strengths.scaling, 'regularization.scaling');
  });
  check([strengths.embedding, strengths.bias].every(isStrength), 'regularization');
  const isDrawn =
    !draws || (isStrength(draws.count) && isStrength(draws.exponent) && /^(uniform|popularity)$/.test(draws.sampler));
  check(isDrawn, 'negatives');
  const asked = { loss, negatives, regularization: strengths } as GradientFoldOptions;
  const state = new FactorizationState(fitted, name, clip, javaScript, () => new GradientFoldIn(fitted, asked));
  return new ServedFactorizationModel(name, owner, options, scoresOf(loss as string, negatives !== false), state);
}
