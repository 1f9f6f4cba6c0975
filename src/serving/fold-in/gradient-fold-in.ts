// What a new user or a new item is to a trained factorization: the objective of training for one row, the other side
// frozen. Penalties count once per occurrence, as in training.

import { exponential, naturalLog } from '../../core/elementary';
import { DataError, UnsupportedError } from '../../core/errors';
import type { LossName, RankingLossName } from '../../training/losses';
import type { NegativeSampling } from '../../training/negatives';
import { linkOf, type ServedFactorization } from '../factorization-tables';
import type { HistoryEntry } from '../trained-state';
import { basesOf, columnOf, type FoldIn, indicesOf } from './fold-in';
import type { Draws, FoldLoss } from './fold-loss';
import { ExpectedBpr, ExpectedLogistic, ExpectedSoftmax, ExpectedWarp, RatingsLoss } from './fold-loss';
import type { RidgeProblem } from './fold-row';

/** Candidates of a row, and what their scores cost. */
interface Candidates {
  readonly rows: Int32Array;
  readonly loss: FoldLoss;
  /** How often training would name the row: what its penalty counts. */
  readonly occurrences: number;
}

/** The options of a factorization trained by gradients that a row depends on. */
export interface GradientFoldOptions {
  readonly loss: LossName | RankingLossName | 'auto';
  readonly negatives: NegativeSampling | false;
  readonly regularization: {
    readonly embedding: number;
    readonly bias: number;
    readonly scaling: 'constant' | 'frequency';
  };
}

/** Sets up rows of a state that was trained by gradients. */
export class GradientFoldIn implements FoldIn {
  constructor(
    private readonly fitted: Pick<ServedFactorization, 'tables' | 'units' | 'seen'>,
    private readonly options: GradientFoldOptions,
  ) {}

  get needsValues(): boolean {
    return this.options.negatives === false;
  }

  get comparesItems(): boolean {
    return this.options.negatives !== false && this.options.loss !== 'logistic';
  }

  user(history: readonly HistoryEntry[]): RidgeProblem {
    const { negatives } = this.options;
    const { itemEmbedding, itemBias } = this.fitted.tables;
    const candidates = negatives === false ? this.ratings(history) : this.itemsOf(history, negatives);
    return this.problem(itemEmbedding, itemBias, candidates, history.length);
  }

  /** @throws UnsupportedError for losses that compare items */
  item(history: readonly HistoryEntry[]): RidgeProblem {
    const { negatives, loss } = this.options;
    if (this.comparesItems) {
      throw new UnsupportedError(
        `foldInItem: loss '${loss}' compares an item with others, and those of its users are not at hand; use loss 'logistic', or partialFit`,
      );
    }
    const { userEmbedding, userBias } = this.fitted.tables;
    const candidates = negatives === false ? this.ratings(history) : this.usersOf(history, negatives);
    return this.problem(userEmbedding, userBias, candidates, history.length);
  }

  private problem(
    table: RidgeProblem['table'],
    biases: RidgeProblem['table'],
    { rows, loss, occurrences }: Candidates,
    ratings: number,
  ): RidgeProblem {
    const { tables, units } = this.fitted;
    const { embedding, bias, scaling } = this.options.regularization;
    const { folded = 1 } = units;
    // As parameters/parameter.ts has it.
    const strength = occurrences * (scaling === 'frequency' ? Math.sqrt(20 / Math.max(ratings, 1)) : 1);
    return {
      table,
      rank: tables.rank,
      rows,
      bases: basesOf(rows, tables.globalMean, biases),
      // Scores, vectors and biases as they were in training: divided by `folded`, by its root, and by it.
      scale: 1 / folded,
      hasBias: biases.length > 0,
      penalty: (strength * embedding) / folded,
      biasPenalty: (strength * bias) / (folded * folded),
      loss,
    };
  }

  private ratings(history: readonly HistoryEntry[]): Candidates {
    const { units } = this.fitted;
    const { folded = 1, shift, scale } = units;
    const loss = this.options.loss as LossName;
    const outside = loss === 'logistic' ? history.find(({ value }) => value < 0 || value > 1) : undefined;
    if (outside !== undefined)
      throw new DataError(`loss 'logistic' wants values from 0 to 1 and the history has ${outside.value}`);
    const targets = columnOf(history, ({ value }) => (value - shift) / scale / folded);
    return {
      rows: indicesOf(history),
      loss: new RatingsLoss(loss, linkOf(units), targets, weightsOf(history)),
      occurrences: occurrencesOf(history),
    };
  }

  /** What a user has, and every other item by its chance to be drawn as a negative. */
  private itemsOf(history: readonly HistoryEntry[], sampling: NegativeSampling): Candidates {
    const { itemCounts } = this.fitted.seen;
    const chances = drawWeights(itemCounts, sampling);
    const own = new Set(history.map(({ index }) => index));
    const others = Int32Array.from(itemCounts.keys()).filter((item) => itemCounts[item]! > 0 && !own.has(item));
    const otherSum = others.reduce((sum, item) => sum + chances[item]!, 0);
    const { count } = sampling;
    const weights = weightsOf(history);
    const draws: Draws = { weights, chances: Float64Array.from(others, (item) => chances[item]! / otherSum), count };
    const had = columnOf(history, ({ index }) => chances[index]!);
    return {
      rows: Int32Array.of(...own, ...others),
      loss: expectedLoss(this.options.loss, draws, had, otherSum, itemCounts.length),
      occurrences: occurrencesOf(history) * (1 + count),
    };
  }

  /** Who has an item, and every other user as often as it would draw the item. */
  private usersOf(history: readonly HistoryEntry[], sampling: NegativeSampling): Candidates {
    const { userCounts, itemCounts } = this.fitted.seen;
    const items = itemCounts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const chances = drawWeights(itemCounts, sampling);
    const all = chances.reduce((sum, chance) => sum + chance, 0);
    const own = new Set(history.map(({ index }) => index));
    const others = Int32Array.from(userCounts.keys()).filter((user) => userCounts[user]! > 0 && !own.has(user));
    const chance = drawWeight(history.length, sampling);
    // Of a user with n interactions, about (items - n) / items of all chances are left.
    const hasNot = Float64Array.from(others, (user) => {
      const n = userCounts[user]!;
      return (sampling.count * n * chance) / (chance + all * Math.max(1 - n / items, 1 / items));
    });
    const drawn = hasNot.reduce((sum, count) => sum + count, 0);
    return {
      rows: Int32Array.of(...own, ...others),
      loss: new ExpectedLogistic(weightsOf(history), hasNot),
      occurrences: occurrencesOf(history) + drawn,
    };
  }
}

function expectedLoss(
  name: GradientFoldOptions['loss'],
  draws: Draws,
  had: Float64Array,
  otherSum: number,
  items: number,
): FoldLoss {
  if (name === 'bpr') return new ExpectedBpr(draws);
  if (name === 'warp') return new ExpectedWarp(draws, items);
  if (name === 'softmax') return new ExpectedSoftmax(draws, had, otherSum);
  const each = draws.count * draws.weights.reduce((sum, weight) => sum + weight, 0);
  const hasNot = draws.chances.map((chance) => each * chance);
  return new ExpectedLogistic(draws.weights, hasNot);
}

/** A row of relative weight w is as w rows. */
function occurrencesOf(history: readonly HistoryEntry[]): number {
  return history.reduce((sum, { weight }) => sum + weight, 0);
}

function weightsOf(history: readonly HistoryEntry[]): Float64Array {
  return columnOf(history, ({ weight }) => weight);
}

/** What the chance of each item to be drawn is in proportion to; 0 for one that training never saw. */
function drawWeights(counts: Int32Array, sampling: NegativeSampling): Float64Array {
  return Float64Array.from(counts, (count) => (count > 0 ? drawWeight(count, sampling) : 0));
}

function drawWeight(count: number, { sampler, exponent }: NegativeSampling): number {
  return sampler === 'uniform' ? 1 : exponential(exponent * naturalLog(count));
}
