// What the types promise, for the compiler to check: equal types, and uses that must not compile. `npm run check` reads it
// against the sources, api.test.ts against the built declarations.

import {
  ALS,
  type ALSOptions,
  adam,
  type Collapses,
  type Comparison,
  compare,
  cosine,
  createRecommender,
  crossValidate,
  type DeepFM,
  EASE,
  type Explains,
  evaluateRanking,
  evaluateRatings,
  type FeatureTable,
  type FitOptions,
  FM,
  type FoldedItem,
  type FoldedUser,
  type FoldsIn,
  type History,
  type Id,
  type Interaction,
  Interactions,
  ItemKNN,
  type loadRecommender,
  type MetricName,
  MF,
  type MFOptions,
  NeuralCF,
  type NMF,
  type OptimizerConfig,
  type OptimizerName,
  type Overparam,
  OverparamMF,
  type OverparamMFOptions,
  type PartialFits,
  type Popularity,
  type Recommendation,
  type RecommendationList,
  type Recommender,
  type RecommenderName,
  type Row,
  type Similar,
  type SVDpp,
  sgd,
  splitRandom,
  type TrainingOptions,
  type WideDeep,
} from 'opmf';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Extends<A, B> = [A] extends [B] ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
/** Compiles where `T` is true. */
type Is<T extends true> = T;
type Not<T extends false> = T;

// A name gives the class and takes its options.
export const mf = createRecommender('mf', { rank: 8, optimizer: adam({ learningRate: 0.01 }) });
export const ease = createRecommender('ease', { regularization: 100 });
export type Created = [
  Is<Equal<typeof mf, MF>>,
  Is<Equal<typeof ease, EASE>>,
  Is<Extends<'overparam-mf' | 'deep-fm', RecommenderName>>,
];
// @ts-expect-error no kind has this name
createRecommender('mff');
// @ts-expect-error EASE has no rank
createRecommender('ease', { rank: 8 });
// @ts-expect-error a rank is a number
new MF({ rank: 'many' });
// @ts-expect-error no option has this name
new OverparamMF({ ranks: 8 });
// @ts-expect-error no loss has this name
new MF({ loss: 'square' });
// @ts-expect-error no product is of this kind
new OverparamMF({ overparam: { kind: 'matrix' } });

// Options: readonly, each one optional, and of the types that API.md names.
export type Options = [
  Is<Equal<Flat<MFOptions>, Readonly<MFOptions>>>,
  Is<Extends<Partial<MFOptions>, MFOptions>>,
  Is<Extends<Readonly<Partial<OverparamMFOptions>>, OverparamMFOptions>>,
  Is<Equal<MFOptions['rank'], number | undefined>>,
  Is<Equal<ALSOptions['feedback'], 'implicit' | 'explicit' | undefined>>,
  Is<Extends<{ kind: 'scalar'; scope: 'row'; depth: 2 } | false, Overparam>>,
  Is<Extends<'sgd' | 'momentum' | 'nesterov' | 'adagrad' | 'adadelta' | 'rmsprop' | 'adam', OptimizerName>>,
  Is<Extends<ReturnType<typeof adam>, OptimizerConfig<'adam'>>>,
  Is<Equal<ReturnType<typeof adam>['beta1'], number>>,
  Is<Extends<number, TrainingOptions['seed']>>,
];
export const configured = new OverparamMF({
  rank: 16,
  overparam: { userEmbedding: { kind: 'dense' }, itemBias: { kind: 'scalar', depth: 3 } },
  optimizer: sgd({ learningRate: cosine({ embedding: 0.1, bias: 0.02 }) }),
  regularization: { embedding: 0.1 },
  loss: 'huber',
});
// @ts-expect-error options in force do not change
configured.options.rank = 3;

// What a recommender is.
declare const user: Id;
declare const data: Interactions;
export type Kinds = [
  Is<Extends<MF | OverparamMF | SVDpp | NMF | NeuralCF | FM | DeepFM | ItemKNN | Popularity | EASE, Recommender>>,
  Is<Extends<ReturnType<typeof loadRecommender>, Recommender>>,
  Is<Extends<ReturnType<OverparamMF['collapse']>, Recommender>>,
];

// What each kind can do; what it cannot do it has no method for.
type Can<R> = {
  [K in keyof Abilities]: R extends Abilities[K] ? K : never;
}[keyof Abilities];
interface Abilities {
  similar: Similar;
  folds: FoldsIn;
  explains: Explains;
  updates: PartialFits;
  collapses: Collapses<Recommender>;
}
type OfVectors = 'similar' | 'folds' | 'explains' | 'updates';
export type Capabilities = [
  Is<Equal<Can<MF | OverparamMF | SVDpp | NMF>, OfVectors | 'collapses'>>,
  Is<Equal<Can<ALS>, OfVectors>>,
  Is<Equal<Can<ItemKNN>, 'explains'>>,
  Is<Equal<Can<EASE>, 'explains'>>,
  Is<Extends<ItemKNN, Pick<Similar, 'similarItems'> & Pick<FoldsIn, 'foldInUser'>>>,
  Not<Extends<ItemKNN, Pick<FoldsIn, 'foldInItem'>>>,
  Is<Equal<Can<Popularity>, 'updates'>>,
  Is<Extends<Popularity, Pick<FoldsIn, 'foldInUser'>>>,
  Is<Equal<Can<NeuralCF>, 'similar' | 'collapses'>>,
  Is<Equal<Can<FM | WideDeep | DeepFM>, 'similar' | 'collapses'>>,
  Is<Extends<ReturnType<Recommender['recommendMany']>, Promise<unknown>>>,
  Is<Extends<ReturnType<typeof evaluateRanking>, Promise<unknown>>>,
];
// @ts-expect-error ALS has no products to multiply out
new ALS().collapse();
// @ts-expect-error NeuralCF has no history to explain by
new NeuralCF().explain(1, 2);
export const sideBySide = (rows: Interactions) => compare(rows, { models: ['als', new EASE(), () => new MF()] });
// @ts-expect-error no kind has this name
compare(Interactions.from([]), { models: ['alz'] });

// Lists are arrays that say what they rest on.
export type Lists = [
  Is<Equal<ReturnType<MF['recommend']>, RecommendationList>>,
  Is<Extends<RecommendationList, readonly Recommendation[]>>,
  Is<Equal<RecommendationList['basis'], 'model' | 'popularity'>>,
  Is<Equal<Recommendation['itemId'], Id>>,
  Is<Equal<Recommendation['score'], number>>,
  Is<Equal<ReturnType<FoldedUser['recommend']>, RecommendationList>>,
  Is<Equal<ReturnType<FoldedItem['predict']>, number>>,
  Is<Equal<Awaited<ReturnType<Recommender['recommendMany']>>, Map<Id, RecommendationList>>>,
  Is<Equal<Recommender['scores'], 'rating' | 'probability' | 'order'>>,
  Is<Equal<ReturnType<Recommender['predictMany']>, Float32Array>>,
];
export const titles: Id[] = mf.recommend(user, { n: 5, exclude: [1, 'two'] }).map(({ itemId }) => itemId);
// @ts-expect-error users of similar users, not items
new ItemKNN().similarUsers?.(user)[0]?.itemId;

// Data: rows are objects or tuples.
export type Rows = [
  Is<Equal<Id, string | number>>,
  Is<Extends<Interaction, Row>>,
  Is<Extends<readonly [Id, Id, number, number], Row>>,
  Is<Extends<Interactions, Iterable<Interaction>>>,
];
export const rows = Interactions.from([{ userId: 1, itemId: 'a', weight: 2 }], { duplicates: 'sum' });
// @ts-expect-error a value is a number
Interactions.from([['u', 'i', 'five']]);

// Fitting and evaluation.
export async function evaluated(): Promise<unknown> {
  const { train, test } = splitRandom(data, { testFraction: 0.2 });
  const options: FitOptions = { validation: test, metrics: ['rmse', 'ndcg@10'], earlyStopping: { patience: 2 } };
  const history: History = await mf.fit(train, options);
  const { rmse } = await evaluateRatings(mf, test);
  const { metrics } = await evaluateRanking(mf, test, { train, k: [5, 10] });
  const folds = await crossValidate(() => new MF(), data, { folds: 3 });
  const comparison: Comparison = await compare(data, { optimizers: ['sgd'], seeds: [1] });
  return [history.bestEpoch, rmse + 1, metrics, folds.mean, comparison.summary];
}
export type Evaluation = [
  Is<Extends<'rmse' | 'mae' | 'ndcg@10' | 'recall@20', MetricName>>,
  Not<Extends<'rsme', MetricName>>,
  Is<Equal<ReturnType<MF['fit']>, Promise<History>>>,
];

// A model of features is fitted on rows or on interactions.
export const fm = (table: FeatureTable) => [new FM().fit(table), new FM().fit(data)];
export type Svd = Is<Equal<ReturnType<typeof SVDpp.load>, SVDpp>>;
