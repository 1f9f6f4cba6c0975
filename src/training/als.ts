// Alternating least squares: with the items fixed, the optimal row of every user solves a linear system, and vice
// versa. A pass solves for all users, then for all items.

import type { Scheduler } from '../core/scheduler';
import { createGram, paddedLength } from '../kernels/gram';
import type { Real } from '../optimizers/factor';
import { type AlsRule, FixedSide, historyOf, type RowHistory, RowSolver, type SideHistory } from './als-rows';
import type { Training } from './fit';

/** The tables to train, changed in place. */
export interface AlsTables {
  readonly userEmbedding: Real;
  readonly itemEmbedding: Real;
  /** null if there are no biases. */
  readonly userBias: Real | null;
  readonly itemBias: Real | null;
}

/** Interactions by index. */
export interface AlsData {
  readonly users: Int32Array;
  readonly items: Int32Array;
  /** null: 1. */
  readonly targets: Real | null;
  /** The weights of the squared errors; null: 1. */
  readonly weights: Real | null;
  /** How often each counts in the penalty; null: once. */
  readonly copies?: Real | null;
  /** The number of interactions, by weight; absent: each counts once. */
  readonly total?: number;
  /** How often each row occurs. */
  readonly counts: { readonly users: Int32Array; readonly items: Int32Array };
}

/** Interactions of a row processed between two chances to yield. */
const PART = 1024;

/** Trains a factorization by alternating least squares. */
export class AlsSolver implements Training {
  private readonly rows: RowSolver;
  private readonly users: FixedSide;
  private readonly items: FixedSide;
  private byUser: SideHistory | null = null;
  private byItem: SideHistory | null = null;

  constructor(
    { userEmbedding, itemEmbedding, userBias, itemBias }: AlsTables,
    private readonly data: AlsData,
    private readonly rule: AlsRule,
  ) {
    const { users, items } = data.counts;
    const { rank } = rule;
    // Shared: a side is summed when no row is in progress.
    const gram = createGram(paddedLength(rank + (rule.biases ? 1 : 0)), rule.kernels);
    this.rows = new RowSolver(rule, gram);
    this.users = new FixedSide(userEmbedding, userBias, rank, clear(userEmbedding, users, rank), gram);
    this.items = new FixedSide(itemEmbedding, itemBias, rank, clear(itemEmbedding, items, rank), gram);
  }

  /** @returns half the data term of the objective, unobserved pairs included, divided by the weight of the interactions */
  async epoch(_: number, scheduler: Scheduler): Promise<number> {
    const { users, items, rule } = this;
    if (this.byUser === null || this.byItem === null) await this.prepare(scheduler);
    await this.half(this.byUser!, users, items, rule.biasPenalties?.user, scheduler);
    if (rule.unobservedWeight > 0) await users.sum(scheduler);
    let loss = await this.half(this.byItem!, items, users, rule.biasPenalties?.item, scheduler);
    if (rule.unobservedWeight > 0) {
      await items.sum(scheduler);
      loss += rule.unobservedWeight * inner(users.gram, items.gram);
    }
    return loss / (2 * (this.data.total ?? this.data.users.length));
  }

  private async prepare(scheduler: Scheduler): Promise<void> {
    const { users, items, targets, weights, copies = null, counts } = this.data;
    this.byUser = await historyOf(users, counts.users.length, { others: items, targets, weights, copies }, scheduler);
    this.byItem = await historyOf(items, counts.items.length, { others: users, targets, weights, copies }, scheduler);
    if (this.rule.unobservedWeight > 0) await this.items.sum(scheduler);
  }

  /** Solves for every row of a side. Returns the sum of its weighted squared errors. */
  private async half(
    history: SideHistory,
    side: FixedSide,
    fixed: FixedSide,
    biasPenalty: number | undefined,
    scheduler: Scheduler,
  ): Promise<number> {
    const { rows, rule } = this;
    const { rank } = rule;
    const { x } = rows;
    const { embedding, bias } = side;
    const { starts } = history;
    // The cost of an interaction and of a row, in units of some ten nanoseconds.
    const entry = 1 + (rule.method === 'cholesky' ? (rank * rank) >> 5 : (rule.steps * rank) >> 2);
    const solving = 1 + (rule.method === 'cholesky' ? (rank * rank * rank) >> 7 : (rule.steps * rank * rank) >> 4);
    let loss = 0;
    for (let row = 0; row + 1 < starts.length; row++) {
      const [from, to] = [starts[row]!, starts[row + 1]!];
      if (to === from) continue;
      for (let f = 0; f < rank; f++) x[f] = embedding[row * rank + f]!;
      if (bias !== null) x[rank] = bias[row]!;
      rows.begin();
      for (let at = from; at < to; at += PART) {
        const end = Math.min(at + PART, to);
        rows.add(history, fixed, at, end);
        if (scheduler.isDue((end - at) * entry)) await scheduler.yieldNow();
      }
      rows.finish(history, fixed, from, to, biasPenalty);
      for (let f = 0; f < rank; f++) embedding[row * rank + f] = x[f]!;
      if (bias !== null) bias[row] = x[rank]!;
      loss += squaredErrors(history, fixed, from, to, x);
      if (scheduler.isDue(solving)) await scheduler.yieldNow();
    }
    return loss;
  }
}

/** The sum of w (score - t)^2 over a row's interactions. */
function squaredErrors(
  { others, targets, weights }: RowHistory,
  { embedding, bias, rank }: FixedSide,
  from: number,
  to: number,
  x: Float64Array,
): number {
  let sum = 0;
  for (let k = from; k < to; k++) {
    const other = others[k]!;
    const start = other * rank;
    const shift = (bias === null ? 0 : bias[other]! + x[rank]!) - (targets === null ? 1 : targets[k]!);
    // Two independent sums, which do not wait for each other.
    let even = 0;
    let odd = 0;
    let f = 0;
    for (; f + 1 < rank; f += 2) {
      even += x[f]! * embedding[start + f]!;
      odd += x[f + 1]! * embedding[start + f + 1]!;
    }
    if (f < rank) even += x[f]! * embedding[start + f]!;
    const error = shift + even + odd;
    sum += (weights === null ? 1 : weights[k]!) * error * error;
  }
  return sum;
}

/** Sets rows without interactions to 0, their solution: otherwise they would count among the unobserved pairs until solved. */
function clear(embedding: Real, counts: Int32Array, rank: number): number {
  let trained = 0;
  for (let row = 0; row < counts.length; row++) {
    if (counts[row]! > 0) trained++;
    else embedding.fill(0, row * rank, (row + 1) * rank);
  }
  return trained;
}

/** The sum of the entry-wise products of two matrices; for two sums of outer products, the sum of all squared scores. */
function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
