// What a new user or a new item is to tables trained by alternating least squares: one more row of the last half-epoch.

import type { Scheduler } from '../core/scheduler';
import type { HistoryEntry } from '../serving/trained-state';
import { ridgeOf } from '../training/als/als-rule';
import { RatingsLoss } from '../training/fold-in/fold-loss';
import type { RowProblem } from '../training/fold-in/fold-row';
import { type FilledAlsOptions, forData } from './als-options';
import type { Fitted } from './fitted';
import type { RowProblems } from './folded-answers';
import { basesOf, columnOf, indicesOf } from './history-columns';
import { linkOf } from './units';

/** One side of the tables, as the side that holds still. */
interface Frozen {
  readonly embedding: Fitted['tables']['itemEmbedding'];
  readonly biases: Fitted['tables']['itemBias'];
  readonly counts: Int32Array;
}

/** Sets up rows of a state that was trained by alternating least squares. */
export class AlsFolder implements RowProblems {
  /** Of each side, by its counts: its trained rows and the sums of their outer products, made when first asked for. */
  private readonly trained = new Map<Int32Array, number>();
  private readonly sums = new Map<Int32Array, Float64Array>();

  private readonly options: ReturnType<typeof forData>;

  constructor(
    private readonly fitted: Pick<Fitted, 'tables' | 'units' | 'seen'>,
    options: FilledAlsOptions,
  ) {
    const { userCounts, itemCounts } = fitted.seen;
    this.options = forData(options, { users: userCounts, items: itemCounts }, fitted.units.pairs);
  }

  get needsValues(): boolean {
    return this.options.feedback === 'explicit' || this.options.alpha !== 0;
  }

  readonly comparesItems = false;

  user(history: readonly HistoryEntry[]): RowProblem {
    return this.problem(this.items, history);
  }

  item(history: readonly HistoryEntry[]): RowProblem {
    return this.problem(this.users, history);
  }

  async prepare(side: 'users' | 'items', scheduler: Scheduler): Promise<void> {
    if (this.options.unobservedWeight === 0) return;
    const frozen = side === 'users' ? this.items : this.users;
    if (this.sums.has(frozen.counts)) return;
    const { rank } = this.fitted.tables;
    const sums = new Float64Array(rank * rank);
    for (let row = 0; row < frozen.counts.length; row++) {
      this.addOuter(sums, frozen.embedding, row);
      if (scheduler.isDue((rank * rank) >> 4)) await scheduler.yieldNow();
    }
    this.sums.set(frozen.counts, this.mirrored(sums));
  }

  private get items(): Frozen {
    const { tables, seen } = this.fitted;
    return { embedding: tables.itemEmbedding, biases: tables.itemBias, counts: seen.itemCounts };
  }

  private get users(): Frozen {
    const { tables, seen } = this.fitted;
    return { embedding: tables.userEmbedding, biases: tables.userBias, counts: seen.userCounts };
  }

  private problem(side: Frozen, history: readonly HistoryEntry[]): RowProblem {
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
      biasPenalty: ridge / (folded * folded),
      loss: new RatingsLoss('squared', linkOf(units), targets, weights),
      ...(unobservedWeight > 0 && { everywhere: { sums: this.sumsOf(side), weight: unobservedWeight } }),
    };
  }

  private trainedOf({ counts }: Frozen): number {
    const trained = this.trained.get(counts) ?? counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    this.trained.set(counts, trained);
    return trained;
  }

  /** sum of q q^T over a side's rows; those that training never saw are 0. Without biases, as unobserved pairs have none. */
  private sumsOf({ embedding, counts }: Frozen): Float64Array {
    const { rank } = this.fitted.tables;
    const known = this.sums.get(counts);
    if (known !== undefined) return known;
    const sums = new Float64Array(rank * rank);
    for (let row = 0; row < counts.length; row++) this.addOuter(sums, embedding, row);
    this.sums.set(counts, this.mirrored(sums));
    return sums;
  }

  /** The lower triangle of a row's outer product. */
  private addOuter(sums: Float64Array, embedding: Frozen['embedding'], row: number): void {
    const { rank } = this.fitted.tables;
    const start = row * rank;
    for (let i = 0; i < rank; i++) {
      const part = embedding[start + i]!;
      for (let j = 0; j <= i; j++) sums[i * rank + j]! += part * embedding[start + j]!;
    }
  }

  private mirrored(sums: Float64Array): Float64Array {
    const { rank } = this.fitted.tables;
    for (let i = 0; i < rank; i++) for (let j = 0; j < i; j++) sums[j * rank + i] = sums[i * rank + j]!;
    return sums;
  }
}
