// What can be trained by one loop over the ratings instead of a step for each: looked up once, before the first epoch.
// The same bits as the steps, several times as fast, for what most people run: per-rating SGD on the squared loss, with
// tables that are plain or scalar per row of depth 2.

import type { PairSide } from '../kernels/kernels';
import { kernels } from '../kernels/select';
import { Factorization } from '../models/factorization';
import type { Batch, Model } from '../models/model';
import type { RatingBatch } from '../models/rating-batcher';
import type { Factor } from '../optimizers/factor';
import type { Optimizer, StepInfo } from '../optimizers/optimizer';
import { Sgd } from '../optimizers/sgd';
import { ElementwiseProduct } from '../parameters/elementwise-product';
import type { Parameter } from '../parameters/parameter';
import type { Penalty } from '../parameters/penalty';
import { PlainTable } from '../parameters/plain';
import type { Loss } from './loss';
import { squared } from './losses';

/** Ratings a call. An abort waits for no more, and the event loop is looked at as often as before. */
export const BLOCK = 512;

/** Steps of one rating each, a block at a time. */
export interface FusedSteps<B extends Batch> {
  /** Notes the learning rates of rating `at` of the next block: those of `step` as it is now. */
  note(at: number, step: StepInfo): void;
  /** Makes the steps of a block of at most BLOCK ratings, each with its noted rates; adds their losses to `sum`. */
  run(batch: B, sum: number): number;
}

/** Per-rating SGD on the pairs of a factorization. */
class SgdPairSteps implements FusedSteps<RatingBatch> {
  private readonly rates = {
    base: new Float64Array(BLOCK),
    map: new Float64Array(BLOCK),
    bias: new Float64Array(BLOCK),
  };

  constructor(
    private readonly model: Factorization,
    private readonly left: PairSide,
    private readonly right: PairSide,
    private readonly factors: { readonly base: Factor; readonly map: Factor | null; readonly bias: Factor | null },
  ) {}

  note(at: number, step: StepInfo): void {
    const { base, map, bias } = this.factors;
    this.rates.base[at] = step.learningRateOf(base);
    if (map !== null) this.rates.map[at] = step.learningRateOf(map);
    if (bias !== null) this.rates.bias[at] = step.learningRateOf(bias);
  }

  run({ users, items, targets, weights, count }: RatingBatch, sum: number): number {
    const { model, left, right, rates } = this;
    return kernels.sgdPairs(
      left,
      right,
      users,
      items,
      targets as Float32Array,
      weights as Float32Array | null,
      count,
      model.globalMean,
      rates,
      sum,
    );
  }
}

/** The fused steps of a training with `batchSize` 1, or null where its steps have to be made one by one. */
export function fuse<B extends Batch>(
  model: Model<B>,
  loss: Loss,
  optimizer: Optimizer,
  penalties: readonly Penalty[],
): FusedSteps<B> | null {
  if (loss !== squared || !(optimizer instanceof Sgd) || optimizer.config.weightDecay !== 0) return null;
  if (!(model instanceof Factorization)) return null;
  const { userEmbedding, itemEmbedding, userBias, itemBias } = model;
  const left = sideOf(userEmbedding, userBias, penalties);
  const right = sideOf(itemEmbedding, itemBias, penalties);
  if (left === null || right === null) return null;
  const map = [...userEmbedding.factors, ...itemEmbedding.factors].find(({ role }) => role === 'map') ?? null;
  const steps: FusedSteps<RatingBatch> = new SgdPairSteps(model, left, right, {
    base: userEmbedding.factors[0]!,
    map,
    bias: userBias?.factors[0] ?? null,
  });
  // A factorization's batches are RatingBatches: this is what the look at its class has told.
  return steps as FusedSteps<Batch> as FusedSteps<B>;
}

/** An embedding and its bias as the kernel takes them; null where they are of another kind. */
function sideOf(embedding: Parameter, bias: Parameter | null, penalties: readonly Penalty[]): PairSide | null {
  const map = mapOf(embedding);
  const base = embedding.factors[0]!.data;
  if (map === undefined || !(base instanceof Float32Array) || !(bias === null || bias instanceof PlainTable))
    return null;
  const decay = (parameter: Parameter | null) =>
    penalties.find((penalty) => penalty.parameter === parameter)?.byRows() ?? new Float64Array(embedding.rows);
  return {
    rank: embedding.dim,
    base,
    map,
    bias: bias === null ? null : (bias.values as Float32Array),
    decay: decay(embedding),
    biasDecay: decay(bias),
    row: new Float32Array(embedding.dim),
  };
}

/** The scalars of a table of depth 2 and width 1; null for a plain table, undefined for every other kind. */
function mapOf(parameter: Parameter): Float32Array | null | undefined {
  if (parameter instanceof PlainTable) return null;
  if (!(parameter instanceof ElementwiseProduct)) return undefined;
  const { kind, scope, depth, width } = parameter.spec;
  if (kind !== 'scalar' || scope !== 'row' || depth !== 2 || width !== 1) return undefined;
  return parameter.maps[0]!.data as Float32Array;
}
