// The map of the library: what `import ... from 'opmf'` gives, from what most people want to what few do.

// Errors
export type { Bytes } from './core/bytes';
export {
  DataError,
  DivergenceError,
  FormatError,
  NotFittedError,
  OpmfError,
  OptionError,
  ThreadError,
  UnknownIdError,
  UnsupportedError,
} from './core/errors';
// What they are asked, what they answer, and their options once read
// Data
export {
  categorical,
  crossed,
  type FeatureRow,
  type FeatureRows,
  type FeatureTableOptions,
  type FieldConfig,
  multiValued,
  numeric,
} from './data/feature-fields';
export { FeatureSchema } from './data/feature-schema';
export { FeatureTable } from './data/feature-table';
export {
  type Interaction,
  Interactions,
  type InteractionsOptions,
  type Row,
} from './data/interactions';
export { interactionFeatures } from './data/pair-features';
export {
  kFold,
  predefinedSplit,
  type Split,
  splitByTime,
  splitByUser,
  splitLeaveOneOut,
  splitRandom,
} from './data/splits';
export { syntheticInteractions } from './data/synthetic';
export { type Id, Vocabulary } from './data/vocabulary';
// Evaluation, and reports as strings
export { type CompareOptions, compare } from './evaluation/compare';
export type { Comparison } from './evaluation/comparison';
export { type CrossValidation, crossValidate } from './evaluation/cross-validate';
export { type EvaluateRankingOptions, evaluateRanking } from './evaluation/evaluate-ranking';
export { evaluateRatings, type RatingPredictor } from './evaluation/evaluate-ratings';
export type { EvaluationOptions } from './evaluation/evaluation-options';
export type { Ranker } from './evaluation/ranking-lists';
export type { SearchSpace } from './evaluation/search-space';
export { type TuneOptions, type Tuning, tune } from './evaluation/tune';
export { encodeNpy, encodeVectorCsv } from './io/files/vectors';
export { parseFeatureTable, type ReadFeatureOptions } from './io/text/parse-feature-table';
export { parseInteractions } from './io/text/parse-interactions';
export { type LibFMOptions, parseLibFM } from './io/text/parse-libfm';
export type { ReadOptions } from './io/text/read-options';
export { auc, calibration, logLoss } from './metrics/label-metrics';
export { coverage, diversity, gini, novelty } from './metrics/list-metrics';
export type { MetricName, RankingMetricName } from './metrics/metric-names';
// Bare models; all of them, and what they are made of: opmf/models
export { MFModel } from './models/factorization';
export { OverparamMFModel } from './models/overparam-mf';
export { adadelta } from './optimizers/adadelta';
export { adagrad } from './optimizers/adagrad';
export { adam } from './optimizers/adam';
export { ftrl } from './optimizers/ftrl';
export {
  constant,
  cosine,
  exponential,
  type GroupRates,
  inverse,
  type LearningRate,
  linear,
  type RuleOptions,
  type Schedule,
  warmup,
} from './optimizers/learning-rate';
export { momentum } from './optimizers/momentum';
export { nesterov } from './optimizers/nesterov';
export type { Optimizer, OptimizerConfig } from './optimizers/optimizer';
export type { OptimizerName } from './optimizers/registry';
export { rmsprop } from './optimizers/rmsprop';
export { sgd } from './optimizers/sgd';
export type { Overparam, ParameterName, ProductOptions } from './parameters/overparam';
export { ALS, type ALSOptions } from './recommenders/als';
export type {
  FactorizationRecommender,
  FeatureRecommender,
  FoldedItem,
  FoldedUser,
  IdRecommender,
  ItemMask,
  ItemRecommender,
  TableRecommender,
} from './recommenders/class-types';
export type { OverparamMFOptions } from './recommenders/factorization-options';
export { DeepFM } from './recommenders/features/deep-fm';
export type { DeepFMOptions, FeatureRecommenderOptions } from './recommenders/features/feature-options';
export type { FeatureFitOptions } from './recommenders/features/fit-input';
export { FM, type FMOptions } from './recommenders/features/fm';
export { WideDeep, type WideDeepOptions } from './recommenders/features/wide-deep';
export { EASE, type EASEOptions } from './recommenders/item-based/ease';
export { ItemKNN, type ItemKNNOptions } from './recommenders/item-based/item-knn';
export { Popularity } from './recommenders/item-based/popularity';
export { MF, type MFOptions } from './recommenders/mf';
export { NeuralCF } from './recommenders/neural/neural-cf';
export type { NeuralCFOptions } from './recommenders/neural/neural-options';
export { NMF, type NMFOptions } from './recommenders/nmf';
export { OverparamMF } from './recommenders/overparam-mf';
// Recommenders, and what they can do
export type { Collapses, FitOptions, PartialFits, Recommender } from './recommenders/recommender';
export {
  createRecommender,
  loadRecommender,
  type RecommenderKinds,
  type RecommenderName,
} from './recommenders/registry';
export { SVDpp, type SVDppOptions } from './recommenders/svdpp';
export type { Negatives, OptionsInForce, ThreadOptions, TrainingOptions } from './recommenders/training-options';
export { comparisonReport } from './report/comparison-report';
export { comparisonTable } from './report/comparison-table';
export type { Explains, FoldsIn, Similar } from './serving/capabilities';
export type {
  HistoryRow,
  Recommendation,
  RecommendationList,
  RecommendManyOptions,
  RecommendOptions,
  SimilarOptions,
} from './serving/questions';
export type { EpochRecord, History } from './training/fit';
// Losses, optimizers and their learning rates, products
export type { LossName, RankingLossName } from './training/losses';
