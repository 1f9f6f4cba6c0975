// The map of the library: what `import ... from 'opmf'` gives, by layer, from what most people want to what few do.

export {
  DataError,
  type DivergenceDetails,
  DivergenceError,
  type DivergenceReason,
  type FilePlace,
  FormatError,
  NotFittedError,
  OpmfError,
  OptionError,
  ThreadError,
  UnknownIdError,
  UnsupportedError,
} from './core/errors';
export type { Seed } from './core/random';
export type { FeatureRows, FieldKind, FieldRange } from './data/feature-fields';
// Data
export {
  type CategoricalField,
  type CrossedField,
  categorical,
  crossed,
  type FeatureRow,
  type FeatureTableOptions,
  type FeatureValue,
  type FieldConfig,
  type LabelConfig,
  type MultiValuedField,
  multiValued,
  type NumericField,
  numeric,
} from './data/feature-fields';
export type { LearnedField } from './data/feature-schema';
export { FeatureSchema, type FeatureSchemaJson } from './data/feature-schema';
export { FeatureTable } from './data/feature-table';
export {
  type DuplicatePolicy,
  type InputColumns,
  type Interaction,
  type InteractionStats,
  Interactions,
  type InteractionsOptions,
  type LeftOut,
  type Row,
} from './data/interactions';
export type { SideFeatures } from './data/pair-features';
export { type InteractionFeatureOptions, interactionFeatures } from './data/pair-features';
export type { Split } from './data/splits';
export {
  type KFoldOptions,
  kFold,
  predefinedSplit,
  type SplitByTimeOptions,
  type SplitByUserOptions,
  type SplitLeaveOneOutOptions,
  type SplitRandomOptions,
  splitByTime,
  splitByUser,
  splitLeaveOneOut,
  splitRandom,
  type UserSplit,
} from './data/splits';
export { type SyntheticOptions, syntheticInteractions } from './data/synthetic';
export { type Id, Vocabulary } from './data/vocabulary';
// Evaluation
export { type ComparedModel, type CompareOptions, compare } from './evaluation/compare';
export type {
  Comparison,
  ComparisonArm,
  ComparisonEpoch,
  ComparisonModel,
  ComparisonProgress,
  ComparisonRun,
  ComparisonSummary,
  ComparisonTerms,
  ModelRun,
} from './evaluation/comparison';
export {
  type CrossValidateOptions,
  type CrossValidation,
  type CrossValidationProgress,
  crossValidate,
  type FoldResult,
} from './evaluation/cross-validate';
export { type EvaluateRankingOptions, evaluateRanking, type RankingEvaluation } from './evaluation/evaluate-ranking';
export { evaluateRatings, type RatingEvaluation, type RatingPredictor } from './evaluation/evaluate-ratings';
export type { EvaluationOptions, EvaluationProgress } from './evaluation/evaluation-options';
export type { NegativeDraw, Ranker } from './evaluation/ranking-lists';
export type { SearchRange, SearchSpace } from './evaluation/search-space';
export { type Trial, type TuneOptions, type Tuning, type TuningProgress, tune } from './evaluation/tune';
export { encodeNpy, encodeVectorCsv } from './io/files/vectors';
export type { MissingValue } from './io/text/cells';
// Reading text, and reports as strings
export { parseFeatureTable, type ReadFeatureOptions } from './io/text/parse-feature-table';
export { parseInteractions } from './io/text/parse-interactions';
export { type LibFMOptions, parseLibFM } from './io/text/parse-libfm';
export type { ColumnRef, ColumnRefs, InvalidPolicy, ReadOptions } from './io/text/read-options';
export { auc, type Calibration, type CalibrationBin, calibration, logLoss } from './metrics/label-metrics';
// Metrics: their names, and what recommended lists are like
export { coverage, diversity, gini, novelty } from './metrics/list-metrics';
export type {
  FeatureMetricName,
  MetricName,
  RankingMeasureName,
  RankingMetricName,
  RowMetricName,
  Scores,
} from './metrics/metric-names';
export type { GainName } from './metrics/relevant-items';
export type { FactorizationOptions } from './models/factorization';
export { MFModel, type MFModelOptions } from './models/factorization';
// Errors
export type { Model, RatingBatch } from './models/model';
export { NMFModel, type NMFModelOptions } from './models/nmf';
// Bare models
export type { DenseUpdate, ScalarUpdate } from './models/overparam-mf';
export { OverparamMFModel, type OverparamMFModelOptions } from './models/overparam-mf';
export { SVDppModel, type SVDppModelOptions } from './models/svdpp';
// Optimizers and their learning rates
export { type AdadeltaConfig, type AdadeltaOptions, adadelta } from './optimizers/adadelta';
export { type AdagradConfig, type AdagradOptions, adagrad } from './optimizers/adagrad';
export { type AdamConfig, type AdamOptions, adam } from './optimizers/adam';
export type { Factor, Real, RowGradient } from './optimizers/factor';
export { type FtrlConfig, type FtrlOptions, ftrl } from './optimizers/ftrl';
export type { GroupRates } from './optimizers/learning-rate';
export {
  type ConstantSchedule,
  constant,
  cosine,
  exponential,
  type FallingSchedule,
  type InverseSchedule,
  inverse,
  type LearningRate,
  LearningRates,
  linear,
  type Schedule,
  type WarmupSchedule,
  warmup,
} from './optimizers/learning-rate';
export { type MomentumConfig, type MomentumOptions, momentum } from './optimizers/momentum';
export { type NesterovConfig, type NesterovOptions, nesterov } from './optimizers/nesterov';
export type { Optimizer, OptimizerConfig, SlotSpec, StepInfo } from './optimizers/optimizer';
export type { OptimizerName } from './optimizers/registry';
export { type RmspropConfig, type RmspropOptions, rmsprop } from './optimizers/rmsprop';
export { type SgdConfig, type SgdOptions, sgd } from './optimizers/sgd';
export type { Overparam, OverparamByName, ParameterName, ProductOptions } from './parameters/overparam';
export type { Parameter, Precision } from './parameters/parameter';
export { ALS, type ALSOptions } from './recommenders/als';
export type {
  Factorization,
  FoldedItem,
  FoldedUser,
  ItemMask,
  TableRecommender,
} from './recommenders/class-types';
export type {
  FactorizationRecommenderOptions,
  Regularization,
} from './recommenders/factorization-options';
export { DeepFM, type DeepFMOptions } from './recommenders/features/deep-fm';
export type {
  DeepRecommenderOptions,
  FeatureOverparam,
  FeatureRecommenderOptions,
  FeatureRegularization,
} from './recommenders/features/feature-options';
export type { FeatureFitOptions } from './recommenders/features/fit-input';
export { FM, type FMOptions } from './recommenders/features/fm';
export { WideDeep, type WideDeepOptions } from './recommenders/features/wide-deep';
// Recommenders
export { EASE, type EASEOptions } from './recommenders/item-based/ease';
export { ItemKNN, type ItemKNNOptions } from './recommenders/item-based/item-knn';
export { Popularity } from './recommenders/item-based/popularity';
export { MF, type MFOptions } from './recommenders/mf';
export { NeuralCF } from './recommenders/neural/neural-cf';
export type { NeuralCFOptions, NeuralOverparam, NeuralRegularization } from './recommenders/neural/neural-options';
export { NMF, type NMFOptions } from './recommenders/nmf';
export { OverparamMF, type OverparamMFOptions } from './recommenders/overparam-mf';
export type { Collapses, FitOptions, PartialFits, Recommender } from './recommenders/recommender';
export {
  createRecommender,
  loadRecommender,
  type RecommenderKindOptions,
  type RecommenderKinds,
  type RecommenderName,
} from './recommenders/registry';
export { SVDpp, type SVDppOptions } from './recommenders/svdpp';
export type { ExportVectorsOptions } from './recommenders/table-recommender';
export type { Negatives, OptimizerOption, TrainingOptions } from './recommenders/training-options';
export type { VectorIndex, Vectors, VectorTable } from './recommenders/vector-table';
export { comparisonReport } from './report/comparison-report';
export { comparisonTable } from './report/comparison-table';
export type { Explains, FoldsIn, Similar } from './serving/capabilities';
export type {
  ExplainOptions,
  Explanation,
  ItemHistoryRow,
  Recommendation,
  RecommendationList,
  RecommendManyOptions,
  RecommendOptions,
  SaveOptions,
  SimilarOptions,
  SimilarUser,
  UserHistoryRow,
} from './serving/questions';
export type { EpochRecord, History } from './training/fit';
export type { LossName, RankingLossName } from './training/losses';
export type { NegativeSampling } from './training/negatives';
