// One row of a factorization with the other side frozen: Newton's method on rank (+ 1 for a bias) unknowns. For a
// squared loss one step is the answer, the ridge of alternating least squares (Hu, Koren, Volinsky, ICDM 2008).

import { DataError } from '../../core/errors';
import type { Backend } from '../../kernels/backend';
import { factorizeGram, solve } from '../../kernels/cholesky';
import { type Gram, paddedLength, ROWS_A_TIME } from '../../kernels/gram';
import type { Real } from '../../optimizers/factor';
import type { FoldLoss } from './fold-loss';

/** minimize loss(scores) + 1/2 penalty |vector|^2 + 1/2 biasPenalty bias^2, score_s = scale (bases_s + <vector, q_s> + bias). */
export interface RidgeProblem {
  /** The frozen table, and its rows that are candidates. */
  readonly table: Real;
  readonly rank: number;
  readonly rows: Int32Array;
  /** What the score of each candidate is without the row. */
  readonly bases: Float64Array;
  readonly scale: number;
  readonly hasBias: boolean;
  readonly penalty: number;
  readonly biasPenalty: number;
  readonly loss: FoldLoss;
  /**
   * Scores of every row of the table that cost 1/2 weight score^2, where the loss is quadratic and there is no bias: the
   * lower triangle of the rank^2 sums of products.
   */
  readonly everywhere?: { readonly sums: Float64Array; readonly weight: number };
}

/** The unknowns of a row. */
export function lengthOf({ rank, hasBias }: RidgeProblem): number {
  return rank + (hasBias ? 1 : 0);
}

const MOST_STEPS = 50;
/** A step of no more than this part of the row ends it. */
const TOLERANCE = 1e-6;
const MOST_HALVINGS = 20;

/** The row: its vector, and its bias where it has one. Cost of a step: O(candidates x rank^2 + rank^3). */
export function foldRow(problem: RidgeProblem, equations: NormalEquations): Float64Array {
  const steps = foldSteps(problem, equations);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same step by step; each tells what it took, in some ten nanoseconds. Between steps the equations are anybody's. */
export function* foldSteps(problem: RidgeProblem, equations: NormalEquations): Generator<number, Float64Array> {
  const { loss } = problem;
  const row = new Float64Array(lengthOf(problem));
  const slopes = new Float64Array(problem.rows.length);
  const curvatures = new Float64Array(problem.rows.length);
  const scores = basesOf(problem);
  const moved = loss.isQuadratic ? scores : new Float64Array(scores.length);
  for (let step = 0; step < MOST_STEPS; step++) {
    loss.linearize(scores, slopes, curvatures);
    equations.prepare(problem, curvatures);
    const direction = descent(problem, row, slopes);
    equations.solve(direction);
    if (loss.isQuadratic) return requireFinite(direction);
    const change = directionScores(problem, direction);
    const before = loss.value(scores) + penaltyOf(problem, row);
    let length = 1;
    for (let halving = 0; ; halving++) {
      for (let s = 0; s < moved.length; s++) moved[s] = scores[s]! + length * change[s]!;
      const next = row.map((value, k) => value + length * direction[k]!);
      if (loss.value(moved) + penaltyOf(problem, next) <= before) break;
      if (halving === MOST_HALVINGS) return requireFinite(row);
      length /= 2;
    }
    let [largest, size] = [0, 0];
    for (let k = 0; k < row.length; k++) {
      row[k]! += length * direction[k]!;
      largest = Math.max(largest, Math.abs(length * direction[k]!));
      size = Math.max(size, Math.abs(row[k]!));
    }
    scores.set(moved);
    if (largest <= TOLERANCE * size) break;
    yield problem.rows.length * problem.rank;
  }
  return requireFinite(row);
}

function requireFinite(row: Float64Array): Float64Array {
  if (row.every((value) => Math.abs(value) < Infinity)) return row;
  throw new DataError('a row cannot be fitted: its values, weights or the trained tables are beyond what numbers hold');
}

/** What the scores of a row's candidates cost, without the penalty. */
export function costOf(problem: RidgeProblem, row: Float64Array): number {
  const scores = directionScores(problem, row);
  for (let s = 0; s < scores.length; s++) scores[s]! += problem.scale * problem.bases[s]!;
  return problem.loss.value(scores);
}

/**
 * What each candidate adds to <vector, query> (+ bias) at a row that `foldRow` gave: query^T A^-1 (c_s u_s - g_s) q_s,
 * with the slope g, the curvature c and the row's own part u of the score (Hu, Koren, Volinsky 2008, section 5).
 */
export function contributions(
  problem: RidgeProblem,
  row: Float64Array,
  query: Float64Array,
  equations: NormalEquations,
): Float64Array {
  const { bases, scale, loss } = problem;
  const own = directionScores(problem, row);
  const slopes = new Float64Array(own.length);
  const curvatures = new Float64Array(own.length);
  loss.linearize(
    own.map((part, s) => part + scale * bases[s]!),
    slopes,
    curvatures,
  );
  equations.prepare(problem, curvatures);
  const influence = query.slice();
  equations.solve(influence);
  return directionScores(problem, influence).map((pull, s) => pull * (curvatures[s]! * own[s]! - slopes[s]!));
}

/** The scores of a row of zeros. */
function basesOf({ bases, scale }: RidgeProblem): Float64Array {
  const scores = new Float64Array(bases.length);
  for (let s = 0; s < scores.length; s++) scores[s] = scale * bases[s]!;
  return scores;
}

/** Minus the gradient. */
function descent(problem: RidgeProblem, row: Float64Array, slopes: Float64Array): Float64Array {
  const { table, rank, rows, scale, hasBias, penalty, biasPenalty } = problem;
  const down = new Float64Array(row.length);
  for (let k = 0; k < row.length; k++) down[k] = -(k < rank ? penalty : biasPenalty) * row[k]!;
  for (let s = 0; s < rows.length; s++) {
    const slope = scale * slopes[s]!;
    const start = rows[s]! * rank;
    for (let k = 0; k < rank; k++) down[k]! -= slope * table[start + k]!;
    if (hasBias) down[rank]! -= slope;
  }
  return down;
}

/** What a change of the row adds to the scores. */
function directionScores({ table, rank, rows, scale, hasBias }: RidgeProblem, row: Float64Array): Float64Array {
  const scores = new Float64Array(rows.length);
  for (let s = 0; s < rows.length; s++) {
    const start = rows[s]! * rank;
    let sum = hasBias ? row[rank]! : 0;
    for (let k = 0; k < rank; k++) sum += row[k]! * table[start + k]!;
    scores[s] = scale * sum;
  }
  return scores;
}

function penaltyOf({ rank, penalty, biasPenalty }: RidgeProblem, row: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += 0.5 * (k < rank ? penalty : biasPenalty) * row[k]! * row[k]!;
  return sum;
}

// The equations of a Newton step of one row: sum_s c_s q_s q_s^T + penalties, in memory that is used for row after row, of every model.

/** The ridge grows by 100 each time: after ten it outweighs whatever was positive. */
const MOST_ATTEMPTS = 32;

/** The equations of rows of one length: rank, and one more for a bias. */
export class NormalEquations {
  private readonly gram: Gram;
  private readonly padded: Float64Array;

  constructor(
    private readonly size: number,
    backend: Backend,
  ) {
    this.gram = backend.gram(paddedLength(size));
    this.padded = new Float64Array(this.gram.n);
  }

  /**
   * Sets them up for curvatures c and factorizes them, to be solved before others get a turn: the memory is common. Without a penalty, and with fewer candidates than unknowns, a little
   * of the diagonal makes the answer one. Cost: O(candidates x size^2 + size^3).
   */
  prepare(problem: RidgeProblem, curvatures: Float64Array): void {
    const { size } = this;
    for (let attempt = 0, ridge = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const trace = this.assemble(problem, curvatures, ridge);
      // Only tables that somebody has written to can be at fault.
      if (!Number.isFinite(trace))
        throw new DataError('the trained tables hold what is no number; a row cannot be fitted to them');
      if (factorizeGram(this.gram)) return;
      ridge = ridge * 100 + (trace / size) * 1e-12 + 1e-30;
    }
    throw new DataError(
      'the equations of a row have no solution: the trained tables, weights or penalties are beyond what numbers hold, or a weight or penalty is negative',
    );
  }

  /** Overwrites the right side with the solution. */
  solve(side: Float64Array): void {
    const { gram, padded } = this;
    padded.fill(0);
    padded.set(side);
    solve(gram.matrix, gram.n, padded);
    side.set(padded.subarray(0, side.length));
  }

  /** Returns the trace before `ridge` is added. */
  private assemble(problem: RidgeProblem, curvatures: Float64Array, ridge: number): number {
    const { gram, size } = this;
    const { matrix, n } = gram;
    const { rank, penalty, biasPenalty, everywhere } = problem;
    matrix.fill(0);
    if (everywhere !== undefined) {
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) matrix[i * n + j] = everywhere.weight * everywhere.sums[i * size + j]!;
    }
    this.addCandidates(problem, curvatures);
    let trace = 0;
    for (let k = 0; k < size; k++) {
      const at = k * n + k;
      matrix[at]! += k < rank ? penalty : biasPenalty;
      trace += matrix[at]!;
      matrix[at]! += ridge;
    }
    for (let k = size; k < n; k++) matrix[k * n + k] = 1;
    return trace;
  }

  private addCandidates({ table, rank, rows, scale, hasBias }: RidgeProblem, curvatures: Float64Array): void {
    const { gram } = this;
    const { n } = gram;
    let held = 0;
    for (let s = 0; s < rows.length; s++) {
      if (curvatures[s] === 0) continue;
      const root = scale * Math.sqrt(curvatures[s]!);
      const from = rows[s]! * rank;
      const to = held * n;
      for (let k = 0; k < rank; k++) gram.rows[to + k] = root * table[from + k]!;
      if (hasBias) gram.rows[to + rank] = root;
      // What factorizing has left there.
      for (let k = rank + (hasBias ? 1 : 0); k < n; k++) gram.rows[to + k] = 0;
      if (++held < ROWS_A_TIME) continue;
      gram.add(held);
      held = 0;
    }
    if (held > 0) gram.add(held);
  }
}
