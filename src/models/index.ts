// The entry `opmf/models`: the bare trainable models, by index, and the seams that they and optimizers are written against.

import type { Factorization as FactorizationClass } from './factorization';
import type { FeatureModel as FeatureModelClass } from './feature-models';
import type { NeuralCFModel as NeuralCFModelClass } from './neural-cf';

export type { Factor, Real, RowGradient } from '../optimizers/factor';
export { LearningRates } from '../optimizers/learning-rate';
export type { Optimizer, SlotSpec, StepInfo } from '../optimizers/optimizer';
export type { Parameter } from '../parameters/parameter';

export type { FactorizationTables } from './factorization';
export { MFModel, type MFModelOptions } from './factorization';
export type { FeatureBatch } from './feature-models';
export type { SparseRows } from './forward';
// The seams
export type { Batch, Model, RatingBatch, Scorer } from './model';
export { NMFModel, type NMFModelOptions } from './nmf';
export { type DenseUpdate, OverparamMFModel, type OverparamMFModelOptions, type ScalarUpdate } from './overparam-mf';
export { SVDppModel, type SVDppModelOptions, type UserBatch } from './svdpp';

// Classes that a fit makes and callers only name: exported as classes, they would be values in the declarations of the package,
// and absent in the module, as the build does not tell the two apart.

/** What MFModel, OverparamMFModel, NMFModel and SVDppModel have in common: the bare model of a factorization. */
export type Factorization = FactorizationClass;

/** The model of FM, WideDeep and DeepFM: what its parameters are, and scores of batches of rows. */
export type FeatureModel = FeatureModelClass;

/** The model of NeuralCF. */
export type NeuralCFModel = NeuralCFModelClass;
