// One row of alternating least squares: with the other side fixed, its optimal values solve a linear system.

import { exponential, naturalLog } from '../core/elementary';
import { wrong } from '../core/options';
import { forEachChunk, type Scheduler } from '../core/scheduler';
import { groupRows } from '../data/csr';
import { factorizeGram, solve } from '../kernels/cholesky';
import { type Gram, ROWS_A_TIME } from '../kernels/gram';
import type { Real } from '../optimizers/factor';
import type { KernelChoice } from '../wasm/host';

/** How the equations of a row are solved. */
export type RowMethodName = 'cholesky' | 'conjugate-gradient';

/**
 * The objective, with x a vector (and a bias, where there are some) and n the interactions of its row:
 * sum over interactions of w (score - t)^2 + alpha0 (sum over all pairs of score^2)
 * + lambda (sum over rows of (n + alpha0 |rows of the other side|)^nu |x|^2).
 */
export interface AlsRule {
  readonly rank: number;
  /** Whether rows have biases; then alpha0 is 0. */
  readonly biases: boolean;
  /** alpha0. */
  readonly unobservedWeight: number;
  /** lambda. */
  readonly regularization: number;
  /** nu. */
  readonly regularizationExponent: number;
  /** Of the biases, whatever n; undefined: as vectors. */
  readonly biasPenalties?: BiasPenalties | undefined;
  readonly method: RowMethodName;
  /** Steps of the conjugate gradient. */
  readonly steps: number;
  /** Who does the arithmetic, with the same bits. */
  readonly kernels: KernelChoice;
}

/** What a bias is penalized by, whatever its row has: that of n ratings is the mean of what is left of them times n / (n + penalty). */
export interface BiasPenalties {
  readonly user: number;
  readonly item: number;
}

/** The penalties of biases that options have; undefined: as vectors, also in files that know no others. */
export function biasPenaltiesOf({ biasRegularization }: { readonly biasRegularization?: unknown }) {
  return typeof biasRegularization === 'object' ? (biasRegularization as BiasPenalties) : undefined;
}

/** The penalty weight of a row with n interactions, where `others` rows of the other side were trained. */
export function ridgeOf(
  rule: Pick<AlsRule, 'unobservedWeight' | 'regularization' | 'regularizationExponent'>,
  n: number,
  others: number,
): number {
  const frequency = n + rule.unobservedWeight * others;
  const nu = rule.regularizationExponent;
  // Exact if no power is taken.
  if (nu === 1) return rule.regularization * frequency;
  return frequency > 0 ? rule.regularization * exponential(nu * naturalLog(frequency)) : 0;
}

/** The interactions of a row with rows of the other side. */
export interface RowHistory {
  /** The other side's rows. */
  readonly others: Int32Array;
  /** The target scores; null: 1. */
  readonly targets: Real | null;
  /** The weights of the squared errors; null: 1. */
  readonly weights: Real | null;
  /** How often each counts in the penalty; null: once. */
  readonly copies: Real | null;
}

/** The interactions of all rows of a side. */
export interface SideHistory extends RowHistory {
  /** Row r has the interactions starts[r] to starts[r + 1] - 1. */
  readonly starts: Int32Array;
}

/** Groups interactions by the rows of one side, keeping their order within a row. */
export async function historyOf(
  rows: Int32Array,
  count: number,
  { others, targets, weights, copies }: RowHistory,
  scheduler: Scheduler,
): Promise<SideHistory> {
  const { order, starts } = await groupRows(rows, count, scheduler);
  const pick = async <T extends Real | Int32Array>(from: T, to: T): Promise<T> => {
    await forEachChunk(order.length, scheduler, (start, end) => {
      for (let at = start; at < end; at++) to[at] = from[order[at]!]!;
    });
    return to;
  };
  return {
    starts,
    targets: targets && (await pick(targets, new Float32Array(targets.length))),
    weights: weights && (await pick(weights, new Float32Array(weights.length))),
    copies: copies && (await pick(copies, new Float32Array(copies.length))),
    others: await pick(others, new Int32Array(others.length)),
  };
}

/**
 * The fixed side: its table, in which rows without training data are 0, and the sum of its outer products,
 * which accounts for all unobserved pairs.
 */
export class FixedSide {
  /** The sum of q q^T over all rows, padded x padded, both triangles. */
  readonly gram: Float64Array;
  readonly padded: number;

  constructor(
    readonly embedding: Real,
    readonly bias: Real | null,
    readonly rank: number,
    /** How many rows occur in training. */
    readonly trained: number,
    /** For adding up, of rank, and one for the bias where there are biases, rounded up. */
    private readonly sums: Gram,
  ) {
    this.padded = sums.n;
    this.gram = new Float64Array(this.padded * this.padded);
  }

  /** Sums the outer products of the current table. Cost: rows x rank^2 / 2. */
  async sum(scheduler: Scheduler): Promise<void> {
    const { embedding, rank, padded, gram, sums } = this;
    const { matrix } = sums;
    const count = embedding.length / rank;
    matrix.fill(0);
    for (let from = 0; from < count; from += ROWS_A_TIME) {
      const to = Math.min(from + ROWS_A_TIME, count);
      for (let row = from; row < to; row++) {
        const at = (row - from) * padded;
        for (let f = 0; f < rank; f++) sums.rows[at + f] = embedding[row * rank + f]!;
      }
      sums.add(to - from);
      if (scheduler.isDue((ROWS_A_TIME * padded * padded) >> 5)) await scheduler.yieldNow();
    }
    gram.set(matrix);
    for (let i = 0; i < padded; i++) for (let j = 0; j < i; j++) gram[j * padded + i] = gram[i * padded + j]!;
  }
}

/** What is added to the diagonal of a row's equations: of its vector, and of its bias. */
export interface Ridge {
  readonly vector: number;
  readonly bias: number;
}

/** Solves (sum of w q q^T + alpha0 G + ridge I) x = sum of w (t - bias) q for one row at a time. */
export interface RowMethod {
  /** Forgets the last row. */
  begin(): void;
  /** Adds the interactions [from, to): a row may come in several parts. */
  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void;
  /**
   * Overwrites x (the vector, then the bias where there are biases) with the solution; the row's interactions are
   * [from, to). An iterative method starts at x. Returns false if there is no unique solution.
   */
  solve(history: RowHistory, fixed: FixedSide, from: number, to: number, ridge: Ridge, x: Float64Array): boolean;
}

/** Solves exactly: accumulates and factorizes the matrix of a row's equations. Cost: O(n rank^2 + rank^3) a row. */
export class CholeskyRows implements RowMethod {
  private readonly width: number;
  private readonly right: Float64Array;

  constructor(
    private readonly rule: AlsRule,
    /** For the matrix of the equations, its width rounded up. */
    private readonly sums: Gram,
  ) {
    this.width = rule.rank + (rule.biases ? 1 : 0);
    this.right = new Float64Array(this.sums.n);
  }

  begin(): void {
    this.sums.matrix.fill(0);
    this.right.fill(0);
  }

  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    for (let start = from; start < to; start += ROWS_A_TIME) {
      const end = Math.min(start + ROWS_A_TIME, to);
      this.pack(history, fixed, start, end);
      this.sums.add(end - start);
    }
  }

  solve(_: RowHistory, fixed: FixedSide, from: number, to: number, ridge: Ridge, x: Float64Array): boolean {
    if (to === from) {
      x.fill(0);
      return true;
    }
    const { right, width, rule, sums } = this;
    const { matrix, n: padded } = sums;
    const { gram } = fixed;
    if (rule.unobservedWeight > 0) {
      for (let i = 0; i < matrix.length; i++) matrix[i]! += rule.unobservedWeight * gram[i]!;
    }
    // The padding solves to 0.
    for (let f = 0; f < padded; f++)
      matrix[f * padded + f]! += f < rule.rank ? ridge.vector : f < width ? ridge.bias : 1;
    if (!factorizeGram(sums)) return false;
    solve(matrix, padded, right);
    for (let f = 0; f < width; f++) x[f] = right[f]!;
    return true;
  }

  /** Packs sqrt(w) q (and a 1 for the bias) of some interactions, and adds them to the right-hand side. */
  private pack({ others, targets, weights }: RowHistory, fixed: FixedSide, from: number, to: number): void {
    const { right, rule } = this;
    const { rows: packed, n: padded } = this.sums;
    const { embedding, bias } = fixed;
    const { rank } = rule;
    for (let k = from; k < to; k++) {
      const other = others[k]!;
      const at = (k - from) * padded;
      const root = weights === null ? 1 : Math.sqrt(weights[k]!);
      const pull = root * ((targets === null ? 1 : targets[k]!) - (bias === null ? 0 : bias[other]!));
      for (let f = 0; f < rank; f++) {
        const value = root * embedding[other * rank + f]!;
        packed[at + f] = value;
        right[f]! += pull * value;
      }
      if (bias !== null) {
        packed[at + rank] = root;
        right[rank]! += pull * root;
      }
    }
  }
}

/** A residual this much smaller than the right-hand side, squared, is rounding error. */
const NOTHING = 1e-28;

/**
 * Solves by a few conjugate-gradient steps from the current row: the matrix is never formed, only multiplied with.
 * Cost: O(steps (n rank + rank^2)) a row.
 * @see Takacs, Pilaszy, Tikk, "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering"
 * (RecSys 2011), algorithm 1
 */
export class ConjugateGradientRows implements RowMethod {
  private readonly width: number;
  private readonly residual: Float64Array;
  private readonly direction: Float64Array;
  private readonly product: Float64Array;

  constructor(private readonly rule: AlsRule) {
    this.width = rule.rank + (rule.biases ? 1 : 0);
    this.residual = new Float64Array(this.width);
    this.direction = new Float64Array(this.width);
    this.product = new Float64Array(this.width);
  }

  begin(): void {
    this.residual.fill(0);
  }

  /** The right side. */
  add({ others, targets, weights }: RowHistory, { bias, embedding }: FixedSide, from: number, to: number): void {
    const { residual, rule } = this;
    const { rank } = rule;
    for (let k = from; k < to; k++) {
      const other = others[k]!;
      const pull =
        (weights === null ? 1 : weights[k]!) *
        ((targets === null ? 1 : targets[k]!) - (bias === null ? 0 : bias[other]!));
      for (let f = 0; f < rank; f++) residual[f]! += pull * embedding[other * rank + f]!;
      if (bias !== null) residual[rank]! += pull;
    }
  }

  solve(history: RowHistory, fixed: FixedSide, from: number, to: number, ridge: Ridge, x: Float64Array): boolean {
    if (to === from) {
      x.fill(0);
      return true;
    }
    const { width, residual, direction, product } = this;
    const least = NOTHING * squaredLength(residual);
    this.multiply(history, fixed, from, to, ridge, x);
    for (let f = 0; f < width; f++) {
      residual[f]! -= product[f]!;
      direction[f] = residual[f]!;
    }
    let length = squaredLength(residual);
    for (let step = 0; step < this.rule.steps && length > least; step++) {
      this.multiply(history, fixed, from, to, ridge, direction);
      let curvature = 0;
      for (let f = 0; f < width; f++) curvature += direction[f]! * product[f]!;
      if (!(curvature > 0)) return false;
      const stride = length / curvature;
      for (let f = 0; f < width; f++) {
        x[f]! += stride * direction[f]!;
        residual[f]! -= stride * product[f]!;
      }
      const before = length;
      length = squaredLength(residual);
      for (let f = 0; f < width; f++) direction[f] = residual[f]! + (length / before) * direction[f]!;
    }
    return true;
  }

  /** product = (alpha0 G + ridge I + sum of w q q^T) v */
  private multiply(
    { others, weights }: RowHistory,
    { embedding, bias, gram, padded }: FixedSide,
    from: number,
    to: number,
    ridge: Ridge,
    v: Float64Array,
  ): void {
    const { width, product, rule } = this;
    const { rank, unobservedWeight } = rule;
    for (let i = 0; i < width; i++) product[i] = (i < rule.rank ? ridge.vector : ridge.bias) * v[i]!;
    if (unobservedWeight > 0) {
      for (let i = 0; i < width; i++) {
        const scaled = unobservedWeight * v[i]!;
        for (let j = 0; j < width; j++) product[j]! += scaled * gram[i * padded + j]!;
      }
    }
    for (let k = from; k < to; k++) {
      const start = others[k]! * rank;
      // Four independent sums, which do not wait for each other.
      let s0 = bias === null ? 0 : v[rank]!;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let f = 0;
      for (; f + 3 < rank; f += 4) {
        s0 += embedding[start + f]! * v[f]!;
        s1 += embedding[start + f + 1]! * v[f + 1]!;
        s2 += embedding[start + f + 2]! * v[f + 2]!;
        s3 += embedding[start + f + 3]! * v[f + 3]!;
      }
      for (; f < rank; f++) s0 += embedding[start + f]! * v[f]!;
      const score = (weights === null ? 1 : weights[k]!) * (s0 + s1 + (s2 + s3));
      for (f = 0; f < rank; f++) product[f]! += score * embedding[start + f]!;
      if (bias !== null) product[rank]! += score;
    }
  }
}

function squaredLength(v: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < v.length; f++) sum += v[f]! * v[f]!;
  return sum;
}

/** Solves for rows, one at a time. */
export class RowSolver {
  /** The current row: its vector, then its bias if there are biases. */
  readonly x: Float64Array;
  private readonly method: RowMethod;

  /** The Gram is shared between rows. */
  constructor(
    readonly rule: AlsRule,
    gram: Gram,
  ) {
    this.x = new Float64Array(rule.rank + (rule.biases ? 1 : 0));
    this.method = rule.method === 'cholesky' ? new CholeskyRows(rule, gram) : new ConjugateGradientRows(rule);
  }

  /** Begins a row. `x` holds the initial values. */
  begin(): void {
    this.method.begin();
  }

  /** Adds a part of its interactions. */
  add(history: RowHistory, fixed: FixedSide, from: number, to: number): void {
    this.method.add(history, fixed, from, to);
  }

  /**
   * Leaves in `x` the minimizer of the objective for this row. `bias`: the penalty of its bias; undefined: as of its vector.
   * @throws OptionError if it is not unique
   */
  finish(history: RowHistory, fixed: FixedSide, from: number, to: number, bias?: number): void {
    const vector = ridgeOf(this.rule, occurrencesOf(history, from, to), fixed.trained);
    if (this.method.solve(history, fixed, from, to, { vector, bias: bias ?? vector }, this.x)) return;
    const { regularization } = this.rule;
    throw wrong('regularization', regularization, 'a larger one: the equations of a row have no unique solution');
  }
}

/** The number of interactions of a row, counted by weight. */
function occurrencesOf({ copies }: RowHistory, from: number, to: number): number {
  if (copies === null) return to - from;
  let sum = 0;
  for (let k = from; k < to; k++) sum += copies[k]!;
  return sum;
}
