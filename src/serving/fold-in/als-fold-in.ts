// What a new user or a new item is to tables trained by alternating least squares: one more row of the last half-epoch.

import { type Pausable, runToEnd, runYielding, type Scheduler } from '../../core/scheduler';
import { biasPenaltiesOf, ridgeOf, trainedRows } from '../../training/als';
import { linkOf, type ServedFactorization } from '../factorization-tables';
import type { HistoryEntry } from '../trained-state';
import { basesOf, columnOf, type FoldIn, indicesOf } from './fold-in';
import { RatingsLoss } from './fold-loss';
import type { RidgeProblem } from './fold-row';

/** One side of the tables, as the side that holds still. */
interface Frozen {
  readonly embedding: ServedFactorization['tables']['itemEmbedding'];
  readonly biases: ServedFactorization['tables']['itemBias'];
  readonly counts: Int32Array;
}

/** The options of ALS that a row depends on. */
export interface AlsFoldOptions {
  readonly feedback: 'explicit' | 'implicit';
  readonly alpha: number;
  readonly unobservedWeight: number | 'auto';
  readonly regularization: number;
  readonly regularizationExponent: number;
  /** Absent in files that know none. */
  readonly biasRegularization?: unknown;
}

/** Sets up rows of a state that was trained by alternating least squares. */
export class AlsFoldIn implements FoldIn {
  /** Of each side, by its counts: its trained rows and the sums of their outer products, made when first asked for. */
  private readonly trained = new Map<Int32Array, number>();
  private readonly sums = new Map<Int32Array, Float64Array>();

  private readonly options: AlsFoldOptions & { readonly unobservedWeight: number };

  constructor(
    private readonly fitted: Pick<ServedFactorization, 'tables' | 'units' | 'seen'>,
    options: AlsFoldOptions,
  ) {
    const { userCounts, itemCounts } = fitted.seen;
    this.options = forData(options, { users: userCounts, items: itemCounts }, fitted.units.pairs);
  }

  get needsValues(): boolean {
    return this.options.feedback === 'explicit' || this.options.alpha !== 0;
  }

  readonly comparesItems = false;

  user(history: readonly HistoryEntry[]): RidgeProblem {
    return this.problem(this.items, history, biasPenaltiesOf(this.options)?.user);
  }

  item(history: readonly HistoryEntry[]): RidgeProblem {
    return this.problem(this.users, history, biasPenaltiesOf(this.options)?.item);
  }

  async prepare(side: 'users' | 'items', scheduler: Scheduler): Promise<void> {
    if (this.options.unobservedWeight === 0) return;
    await runYielding(
      this.sumsOf(side === 'users' ? this.items : this.users),
      scheduler,
      (this.fitted.tables.rank ** 2) >> 4,
    );
  }

  private get items(): Frozen {
    const { tables, seen } = this.fitted;
    return { embedding: tables.itemEmbedding, biases: tables.itemBias, counts: seen.itemCounts };
  }

  private get users(): Frozen {
    const { tables, seen } = this.fitted;
    return { embedding: tables.userEmbedding, biases: tables.userBias, counts: seen.userCounts };
  }

  private problem(side: Frozen, history: readonly HistoryEntry[], bias: number | undefined): RidgeProblem {
    const { tables, units } = this.fitted;
    const { options } = this;
    const { feedback, alpha, unobservedWeight } = options;
    const { folded = 1, shift, scale } = units;
    const isExplicit = feedback === 'explicit';
    const occurrences = history.reduce((sum, { weight }) => sum + weight, 0);
    const ridge = ridgeOf(options, occurrences, this.trainedOf(side));
    const targets = columnOf(history, ({ value }) => (isExplicit ? (value - shift) / scale / folded : 1));
    const weights = columnOf(history, ({ value, weight }) => weight * (1 + alpha * value));
    const rows = indicesOf(history);
    return {
      table: side.embedding,
      rank: tables.rank,
      rows,
      bases: basesOf(rows, tables.globalMean, side.biases),
      // Scores, vectors and biases as they were in training: divided by `folded`, by its root, and by it.
      scale: 1 / folded,
      hasBias: side.biases.length > 0,
      penalty: ridge / folded,
      biasPenalty: (bias ?? ridge) / (folded * folded),
      loss: new RatingsLoss('squared', linkOf(units), targets, weights),
      ...(unobservedWeight > 0 && { everywhere: { sums: runToEnd(this.sumsOf(side)), weight: unobservedWeight } }),
    };
  }

  private trainedOf({ counts }: Frozen): number {
    const trained = this.trained.get(counts) ?? trainedRows(counts);
    this.trained.set(counts, trained);
    return trained;
  }

  /**
   * The lower triangle of the sum of q q^T over a side's rows; those that training never saw are 0. Without biases, as
   * unobserved pairs have none.
   */
  private *sumsOf({ embedding, counts }: Frozen): Pausable<Float64Array> {
    const known = this.sums.get(counts);
    if (known !== undefined) return known;
    const { rank } = this.fitted.tables;
    const sums = new Float64Array(rank * rank);
    for (let row = 0; row < counts.length; row++) {
      const start = row * rank;
      for (let i = 0; i < rank; i++) {
        const part = embedding[start + i]!;
        for (let j = 0; j <= i; j++) sums[i * rank + j]! += part * embedding[start + j]!;
      }
      yield;
    }
    this.sums.set(counts, sums);
    return sums;
  }
}

/** The weight of every pair in MovieLens 1M (Rendle et al. 2022), and how often over it outweighs the interactions. */
const DENSE_WEIGHT = 0.3;
const OUTWEIGHS = 6.75;

/**
 * The options with alpha0 as a number, for data with so many interactions of each user and each item, of so many pairs.
 * `pairs` undefined: every interaction is a pair of its own.
 */
export function forData<O extends { readonly unobservedWeight: number | 'auto' }>(
  options: O,
  { users, items }: { readonly users: Int32Array; readonly items: Int32Array },
  pairs?: number,
): O & { readonly unobservedWeight: number } {
  const { unobservedWeight } = options;
  if (unobservedWeight !== 'auto') return { ...options, unobservedWeight };
  let [interactions, trainedUsers, trainedItems] = [0, 0, 0];
  for (const count of users) {
    interactions += count;
    if (count > 0) trainedUsers++;
  }
  for (const count of items) if (count > 0) trainedItems++;
  const density = (pairs ?? interactions) / Math.max(trainedUsers * trainedItems, 1);
  return { ...options, unobservedWeight: Math.min(DENSE_WEIGHT, OUTWEIGHS * density) };
}
