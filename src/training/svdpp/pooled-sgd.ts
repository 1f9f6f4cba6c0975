// SVD++ by plain SGD, a step a rating, in O(n_u + |N(u)|) row operations a user instead of O(n_u |N(u)|). The steps of a
// user's ratings give all y_j of its set the same addend and the same decay: what they pool, and what each comes to at the
// end, follow without touching them. Steps and order are those of batches of one, up to rounding.

import type { Turns } from '../../core/turns';
import type { RatingData } from '../../models/model';
import { poolRows } from '../../models/svdpp/pool-rows';
import type { SVDppModel } from '../../models/svdpp/svdpp';
import { UserOrder } from '../../models/svdpp/user-order';
import { UserRatings } from '../../models/svdpp/user-ratings';
import type { Real } from '../../optimizers/factor';
import { LearningRates } from '../../optimizers/learning-rate';
import type { Optimizer } from '../../optimizers/optimizer';
import { Sgd } from '../../optimizers/sgd';
import type { Parameter } from '../../parameters/parameter';
import type { Penalty } from '../../parameters/penalty';
import { PlainTable } from '../../parameters/plain';
import type { Loss } from '../loss';
import type { PairEngine } from '../pairs/pair-engine';
import { progressAt } from '../pairs/pair-rates';
import { STATELESS, type TrainerState } from '../rule-state';
import type { TrainerOptions } from '../trainer';

/** A table with the strength of the penalty on each of its rows. */
interface Penalized {
  readonly data: Real;
  readonly decay: Float64Array;
}

/** What these steps are made of: what a Trainer is. */
export interface PooledTask {
  readonly model: SVDppModel;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly penalties: readonly Penalty[];
  readonly data: RatingData;
  readonly options: Pick<TrainerOptions, 'epochs' | 'batchSize' | 'shuffle' | 'stream'>;
}

/** Trains SVD++ rating by rating. */
export class PooledSgd implements PairEngine {
  private readonly rates: LearningRates;
  private order: UserOrder | null = null;
  private readonly p: Penalized;
  private readonly q: Penalized;
  private readonly y: Real;
  private readonly yDecay: number;
  private readonly userBias: Penalized | null;
  private readonly itemBias: Penalized | null;
  /** Of the user at hand: p_u, what its set pools, and what its ratings add to each y of it. */
  private readonly own: Float64Array;
  private readonly pooled: Float64Array;
  private readonly addend: Float64Array;
  private readonly scored: { scores: Real; targets: Real; weights: Real | null; count: number };
  private readonly gScores: Real;

  private constructor(private readonly task: PooledTask) {
    const { model, optimizer, penalties, data } = task;
    const of = (parameter: Parameter): Penalized => ({
      data: parameter.values,
      decay: penalties.find((penalty) => penalty.parameter === parameter)?.byRows() ?? new Float64Array(parameter.rows),
    });
    this.rates = new LearningRates(optimizer.config.learningRate);
    this.p = of(model.userEmbedding);
    this.q = of(model.itemEmbedding);
    const implicit = of(model.implicitEmbedding);
    this.y = implicit.data;
    this.yDecay = implicit.decay[0]!;
    this.userBias = model.userBias && of(model.userBias);
    this.itemBias = model.itemBias && of(model.itemBias);
    this.own = new Float64Array(model.rank);
    this.pooled = new Float64Array(model.rank);
    this.addend = new Float64Array(model.rank);
    const one = () => new Float64Array(1);
    this.scored = { scores: one(), targets: one(), weights: data.weights && one(), count: 1 };
    this.gScores = one();
  }

  /** Null where steps are not these: another rule, products, larger batches, or penalties that tell the y_j apart. */
  static of(task: PooledTask): PooledSgd | null {
    const { model, optimizer, penalties, options } = task;
    const isPlain = model.parameters.every((parameter) => parameter instanceof PlainTable);
    const isSgd = optimizer instanceof Sgd && optimizer.config.weightDecay === 0;
    const isAlike = penalties.every(({ parameter, byRow }) => parameter !== model.implicitEmbedding || byRow === null);
    return isPlain && isSgd && isAlike && options.batchSize === 1 ? new PooledSgd(task) : null;
  }

  async readState(): Promise<TrainerState> {
    return STATELESS;
  }

  async writeState(): Promise<void> {}

  dispose(): void {
    this.order = null;
  }

  async epoch(epoch: number, turns: Turns): Promise<number> {
    const { data, options, model } = this.task;
    this.order ??= new UserOrder(await UserRatings.of(data, model, turns), options);
    const { order } = this;
    order.begin(epoch);
    let sum = 0;
    let seen = 0;
    for (let user = order.next(); user >= 0; user = order.next()) {
      sum += this.trainUser(user, order, epoch, seen);
      seen += order.count;
      if (!turns.isDue(order.count * (1 + (model.rank >> 2)))) continue;
      if (!Number.isFinite(sum)) return sum;
      await turns.breathe();
    }
    return sum;
  }

  /** The steps of all ratings of a user; returns the sum of their losses. */
  private trainUser(user: number, { rows, count, ratings }: UserOrder, epoch: number, seen: number): number {
    const { p, y, own, pooled, addend, rates, task } = this;
    const { rank, userEmbedding, userBias } = task.model;
    const { epochs } = task.options;
    const { size } = task.data;
    const set = ratings.setOf(user);
    poolRows(y, set, set.length, rank, pooled);
    addend.fill(0);
    for (let k = 0; k < rank; k++) own[k] = p.data[user * rank + k]!;
    const norm = 1 / Math.sqrt(set.length);
    /** What is left of each y as it was. */
    let kept = 1;
    let sum = 0;
    for (let s = 0; s < count; s++) {
      rates.begin(1 + seen + s, progressAt(seen + s, size, epoch, epochs));
      const rate = rates.learningRateOf(userEmbedding.factors[0]!);
      const biasRate = userBias === null ? 0 : rates.learningRateOf(userBias.factors[0]!);
      sum += this.step(user, rows[s]!, rate, biasRate, norm);
      kept *= 1 - rate * (task.data.weights?.[rows[s]!] ?? 1) * this.yDecay;
    }
    for (let k = 0; k < rank; k++) p.data[user * rank + k] = own[k]!;
    for (let j = 0; j < set.length; j++) {
      for (let k = 0, at = set[j]! * rank; k < rank; k++) y[at + k] = kept * y[at + k]! + addend[k]!;
    }
    return sum;
  }

  /** The step of one rating; returns its loss. */
  private step(user: number, rating: number, rate: number, biasRate: number, norm: number): number {
    const { p, q, userBias, itemBias, own, pooled, addend, scored, gScores, yDecay, task } = this;
    const { rank, globalMean } = task.model;
    const { items, targets, weights } = task.data;
    const item = items[rating]!;
    const from = item * rank;
    let score = globalMean;
    if (userBias !== null && itemBias !== null) score += userBias.data[user]! + itemBias.data[item]!;
    for (let k = 0; k < rank; k++) score += (own[k]! + pooled[k]!) * q.data[from + k]!;
    scored.scores[0] = score;
    scored.targets[0] = targets[rating]!;
    if (scored.weights !== null) scored.weights[0] = weights![rating]!;
    const loss = task.loss.evaluate(scored, gScores);
    const step = rate * gScores[0]!;
    // Penalties count as much as the rating does.
    const weight = weights === null ? 1 : weights[rating]!;
    const decayRate = rate * weight;
    const pKept = 1 - decayRate * p.decay[user]!;
    const qKept = 1 - decayRate * q.decay[item]!;
    const yKept = 1 - decayRate * yDecay;
    for (let k = 0; k < rank; k++) {
      const qk = q.data[from + k]!;
      const pull = step * qk;
      q.data[from + k] = qKept * qk - step * (own[k]! + pooled[k]!);
      own[k] = pKept * own[k]! - pull;
      // n times norm times what each y of the n moves by, which is norm times the pull.
      pooled[k] = yKept * pooled[k]! - pull;
      addend[k] = yKept * addend[k]! - norm * pull;
    }
    if (userBias !== null && itemBias !== null) {
      userBias.data[user]! -= biasRate * (gScores[0]! + weight * userBias.decay[user]! * userBias.data[user]!);
      itemBias.data[item]! -= biasRate * (gScores[0]! + weight * itemBias.decay[item]! * itemBias.data[item]!);
    }
    return loss;
  }
}
