// What the per-rating engine is written for (everything that does not change while it runs), and where its data lie in
// memory: rows, runs of ratings, learning rates. engine.md explains the whole.

import { isPerRow, slotsOf, type UpdateRule } from '../../kernels/update-rules';
import { Factorization } from '../../models/factorization';
import type { Factor } from '../../optimizers/factor';
import type { Optimizer } from '../../optimizers/optimizer';
import { updateRuleOf } from '../../optimizers/registry';
import type { Parameter, Penalty } from '../../parameters/parameter';
import { PlainTable } from '../../parameters/table';
import { absolute, huber, type Loss, logistic, SigmoidLoss, squared } from '../losses';

/** The kind of the rows of one of the two tables. */
export type SideSpec = NonNullable<Parameter['rowProduct']>;

/** A pointwise loss, behind a sigmoid to a scale where there is one. */
export interface LossSpec {
  readonly name: 'squared' | 'absolute' | 'huber' | 'logistic';
  readonly sigmoid: { readonly minimum: number; readonly range: number } | null;
}

/** The steps: score = mean + bias_i + bias_j + <row_i, row_j>, its loss, its gradients, and the updates of both rows. */
export interface StepSpec {
  readonly rank: number;
  readonly user: SideSpec;
  readonly item: SideSpec;
  readonly hasBiases: boolean;
  readonly isWeighted: boolean;
  /** A float32. */
  readonly mean: number;
  readonly loss: LossSpec;
  readonly rule: UpdateRule;
  /** The most item rows that one step takes with one user row. */
  readonly grouping: 1 | 4;
}

/**
 * One rate for a whole x or s x, without weight decay: x' = a x - b y, three operations an element where the general form
 * has five. A rate that comes from the squares of the row's gradient takes norms for it, which carriesNorms has to allow.
 */
export function isLinear({ rule, grouping }: StepSpec, { kind }: SideSpec): boolean {
  const hasOneRate = rule.name === 'sgd' || (isPerRow(rule) && grouping === 1);
  return hasOneRate && rule.weightDecay === 0 && kind !== 'diagonal';
}

/**
 * Whether rows carry their |x|^2 along: what a linear step makes of it needs no look at the row. Nobody knows it where a
 * step has several item rows, whose products with each other it would take.
 */
export function carriesNorms(spec: StepSpec): boolean {
  const { user, item, grouping, rule } = spec;
  const isAsked = user.kind === 'scalar' || item.kind === 'scalar' || isPerRow(rule);
  return isAsked && grouping === 1 && isLinear(spec, user) && isLinear(spec, item);
}

// The layout of a row: its vectors and their optimizer slots, then single numbers. All that a step reads and writes of a
// row lies together, in few cache lines.

/** Something trainable in a row, in bytes from the row's start: a vector or a number, and the rule's slots of it. */
export interface Cell {
  readonly at: number;
  readonly slots: readonly number[];
}

/** The offsets in a row, in bytes. */
export interface RowLayout {
  /** Vectors: padded with zeros to whole groups of four. Zeros stay zeros under every rule. */
  readonly base: Cell;
  readonly diagonals: readonly Cell[];
  readonly scalars: readonly Cell[];
  readonly bias: Cell | null;
  /** The strengths of the penalties on the row and on its bias. */
  readonly decay: number;
  readonly biasDecay: number;
  /** |x|^2, where rows carry it along. */
  readonly norm: number | null;
  /** The length of a row, a multiple of 16. */
  readonly bytes: number;
  /** That of the maps where all rows share them, which then have a place of their own; else 0. A multiple of 64. */
  readonly mapBytes: number;
}

/** In front of everything else: room for the threads' barrier. */
export const CONTROL_BYTES = 64;

/** The address of the maps that the rows of a side share: those of users, then those of items. */
export function sharedMapsAt(spec: StepSpec, side: 'user' | 'item'): number {
  return CONTROL_BYTES + (side === 'user' ? 0 : rowLayout(spec, spec.user).mapBytes);
}

/** The layout of a side's rows. */
export function rowLayout(spec: StepSpec, { kind, maps, isShared }: SideSpec): RowLayout {
  const { rank, rule, hasBiases } = spec;
  const slots = slotsOf(rule);
  let end = 0;
  let shared = 0;
  const take = (bytes: number) => {
    const at = end;
    end += bytes;
    return at;
  };
  const takeShared = (bytes: number) => {
    const at = shared;
    shared += bytes;
    return at;
  };
  const cell = (bytes: number, room = take): Cell => {
    const at = room(bytes);
    return { at, slots: Array.from({ length: slots }, () => room(isPerRow(rule) ? 4 : bytes)) };
  };
  const ofMaps = isShared ? takeShared : take;
  const vector = vectorsOf(rank) * 16;
  const base = cell(vector);
  const diagonals = Array.from({ length: kind === 'diagonal' ? maps : 0 }, () => cell(vector, ofMaps));
  const scalars = Array.from({ length: kind === 'scalar' ? maps : 0 }, () => cell(4, ofMaps));
  const bias = hasBiases ? cell(4) : null;
  const decay = take(4);
  const biasDecay = take(4);
  const norm = carriesNorms(spec) ? take(4) : null;
  const [bytes, mapBytes] = [Math.ceil(end / 16) * 16, Math.ceil(shared / 64) * 64];
  return { base, diagonals, scalars, bias, decay, biasDecay, norm, bytes, mapBytes };
}

/** The vectors of four that hold `rank` numbers. */
export function vectorsOf(rank: number): number {
  return Math.ceil(rank / 4);
}

// The layout of ratings: one record a rating, and one description for each run of records that a program goes through.

/**
 * The fields of the description of a run of ratings, in bytes. The program moves `index` and `step` on, and adds to `loss`.
 * A run has a cache line to itself: threads write side by side.
 */
export const RUN = {
  ...{ ratings: 0, groups: 4, count: 8, stride: 12, index: 16, step: 20, loss: 24 },
  /** Scratch space for stores that serve as scheduling barriers. */
  scratch: 32,
  /** The rows of the tile on either side, which lie together: where they start, and how many bytes they are. */
  ...{ userRows: 48, userBytes: 52, itemRows: 56, itemBytes: 60 },
  bytes: 64,
} as const;

/** The fields of a rating, in bytes: its rows as addresses. */
export const RATING = { user: 0, item: 4, target: 8, weight: 12 } as const;

/** The bytes of a rating. */
export function ratingBytes(isWeighted: boolean): number {
  return isWeighted ? 16 : 12;
}

// The learning rates of an epoch's steps. They stay the same for STEPS_A_RATE steps, so that nobody has to work out a
// cosine for every rating; a fit has thousands of such pieces.

/** STEPS_A_RATE as a shift. */
export const RATE_SHIFT = 8;
/** Learning rates stay the same for this many steps. */
export const STEPS_A_RATE = 1 << RATE_SHIFT;

/** The progress of a whole fit at a step of an epoch, counted from 0: that of the start of its piece. */
export function progressAt(step: number, steps: number, epoch: number, epochs: number): number {
  return (epoch - 1 + (step - (step % STEPS_A_RATE)) / steps) / epochs;
}

// Which trainings the per-rating engine can run: a factorization whose tables are plain or
// products of scalars or diagonals, of a row each or shared by all, under a built-in loss and a built-in rule. Looked up once, before the first epoch.

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
  const rule = updateRuleOf(optimizer);
  const pointwise = lossSpecOf(loss);
  const user = tablesOf(model.userEmbedding, model.userBias, penalties);
  const item = tablesOf(model.itemEmbedding, model.itemBias, penalties);
  if (rule === null || pointwise === null || user === null || item === null) return null;
  // Groups would go through what rows share several times a step.
  if (grouping > 1 && (user.spec.isShared || item.spec.isShared)) return null;
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

/** What a loss is in WebAssembly; null for what is not there. */
export function lossSpecOf(loss: Loss): LossSpec | null {
  if (loss instanceof SigmoidLoss) {
    const inner = lossSpecOf(loss.loss);
    const { minimum, range } = loss;
    return inner === null || inner.sigmoid !== null ? null : { ...inner, sigmoid: { minimum, range } };
  }
  const builtIn = [squared, absolute, huber, logistic].find((known) => known === loss);
  return builtIn === undefined ? null : { name: builtIn.name as LossSpec['name'], sigmoid: null };
}

function tablesOf(embedding: Parameter, bias: Parameter | null, penalties: readonly Penalty[]): SideTables | null {
  const [base, ...maps] = embedding.factors as [Factor, ...Factor[]];
  if (!(base.data instanceof Float32Array) || !(bias === null || bias instanceof PlainTable)) return null;
  const { rowProduct: spec } = embedding;
  if (spec === undefined) return null;
  const decay = (parameter: Parameter | null) => {
    const penalty = penalties.find((candidate) => candidate.parameter === parameter);
    return penalty === undefined ? new Float32Array(embedding.rows) : new Float32Array(penalty.byRows());
  };
  const { rows } = embedding;
  return { spec, rows, base, maps, bias: bias?.factors[0] ?? null, decay: decay(embedding), biasDecay: decay(bias) };
}
