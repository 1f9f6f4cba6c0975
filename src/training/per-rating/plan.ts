// Which trainings the per-rating engine can run: a factorization whose tables are plain or
// products per row, under a built-in loss and a built-in rule. Looked up once, before the first epoch.

import { isPerRow, type UpdateRule } from '../../kernels/update-rules';
import { Factorization } from '../../models/factorization';
import { Adadelta } from '../../optimizers/adadelta';
import { Adagrad } from '../../optimizers/adagrad';
import { Adam } from '../../optimizers/adam';
import type { Factor } from '../../optimizers/factor';
import { Momentum } from '../../optimizers/momentum';
import { Nesterov } from '../../optimizers/nesterov';
import type { Optimizer } from '../../optimizers/optimizer';
import { Rmsprop } from '../../optimizers/rmsprop';
import { Sgd } from '../../optimizers/sgd';
import { ElementwiseProduct } from '../../parameters/elementwise-product';
import type { Parameter } from '../../parameters/parameter';
import type { Penalty } from '../../parameters/penalty';
import { PlainTable } from '../../parameters/table';
import type { Loss } from '../loss';
import { absolute, huber, logistic, SigmoidLoss, squared } from '../losses';
import type { LossSpec, SideSpec, StepSpec } from './spec';

/** The tables of one side: an embedding and its bias. */
export interface SideTables {
  readonly spec: SideSpec;
  readonly rows: number;
  readonly base: Factor;
  readonly maps: readonly Factor[];
  readonly bias: Factor | null;
  /** The strength of the penalty on each row, and on its bias. */
  readonly decay: Float32Array;
  readonly biasDecay: Float32Array;
}

/** A training that the engine can run. */
export interface PerRatingPlan {
  readonly spec: StepSpec;
  readonly user: SideTables;
  readonly item: SideTables;
}

/** The plan of a training, or null where it has to be made of batches. */
export function planPerRating(
  model: unknown,
  loss: Loss,
  optimizer: Optimizer,
  penalties: readonly Penalty[],
  isWeighted: boolean,
  grouping: 1 | 4,
): PerRatingPlan | null {
  if (!(model instanceof Factorization)) return null;
  // Constraints are kept between the steps of batches.
  if (model.parameters.some(({ factors }) => factors.some(({ constraint }) => constraint !== undefined))) return null;
  const rule = ruleOf(optimizer);
  const pointwise = lossOf(loss);
  const user = tablesOf(model.userEmbedding, model.userBias, penalties);
  const item = tablesOf(model.itemEmbedding, model.itemBias, penalties);
  if (rule === null || pointwise === null || user === null || item === null) return null;
  // A rate for a whole row is worked out for the base alone.
  if (isPerRow(rule) && (user.spec.kind === 'diagonal' || item.spec.kind === 'diagonal')) return null;
  const spec: StepSpec = {
    rank: model.rank,
    user: user.spec,
    item: item.spec,
    hasBiases: model.userBias !== null,
    isWeighted,
    mean: Math.fround(model.globalMean),
    loss: pointwise,
    rule,
    grouping,
  };
  return { spec, user, item };
}

/** The rule of an optimizer as WebAssembly has it; null for a caller's own, and for what has no arithmetic there. */
export function ruleOf(optimizer: Optimizer): UpdateRule | null {
  const rules = [Sgd, Momentum, Nesterov, Adagrad, Adadelta, Rmsprop, Adam];
  if (!rules.some((rule) => optimizer instanceof rule)) return null;
  // A built-in rule's configuration has the constants of its name.
  return optimizer.config as unknown as UpdateRule;
}

function lossOf(loss: Loss): LossSpec | null {
  if (loss instanceof SigmoidLoss) {
    const inner = lossOf(loss.loss);
    const { minimum, range } = loss;
    return inner === null || inner.sigmoid !== null ? null : { ...inner, sigmoid: { minimum, range } };
  }
  const builtIn = [squared, absolute, huber, logistic].find((known) => known === loss);
  return builtIn === undefined ? null : { name: builtIn.name as LossSpec['name'], sigmoid: null };
}

function tablesOf(embedding: Parameter, bias: Parameter | null, penalties: readonly Penalty[]): SideTables | null {
  const [base, ...maps] = embedding.factors as [Factor, ...Factor[]];
  if (!(base.data instanceof Float32Array) || !(bias === null || bias instanceof PlainTable)) return null;
  const spec = sideOf(embedding);
  if (spec === null) return null;
  const decay = (parameter: Parameter | null) => {
    const penalty = penalties.find((candidate) => candidate.parameter === parameter);
    return penalty === undefined ? new Float32Array(embedding.rows) : new Float32Array(penalty.byRows());
  };
  const { rows } = embedding;
  return { spec, rows, base, maps, bias: bias?.factors[0] ?? null, decay: decay(embedding), biasDecay: decay(bias) };
}

function sideOf(embedding: Parameter): SideSpec | null {
  if (embedding instanceof PlainTable) return { kind: 'plain', maps: 0 };
  if (!(embedding instanceof ElementwiseProduct)) return null;
  const { kind, scope, depth, width } = embedding.spec;
  return scope === 'row' && width === 1 ? { kind, maps: depth - 1 } : null;
}
