// One row of a factorization by itself, the other side frozen: Newton's method on rank (+ 1 for a bias) unknowns. For a
// squared loss one step is the answer, the ridge of alternating least squares (Hu, Koren, Volinsky, ICDM 2008).

import { DataError } from '../../core/errors';
import { factorize, solve } from '../../kernels/cholesky';
import type { Real } from '../../optimizers/factor';
import type { FoldLoss } from './fold-loss';

/** minimize loss(scores) + 1/2 penalty |vector|^2 + 1/2 biasPenalty bias^2, score_s = scale (bases_s + <vector, q_s> + bias). */
export interface RowProblem {
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
}

const MOST_STEPS = 50;
/** A step of no more than this part of the row ends it. */
const TOLERANCE = 1e-6;
const MOST_HALVINGS = 20;

/** The row: its vector, and its bias where it has one. Cost of a step: O(candidates x rank^2 + rank^3). */
export function foldRow(problem: RowProblem): Float64Array {
  const { rank, hasBias, loss } = problem;
  const row = new Float64Array(rank + (hasBias ? 1 : 0));
  const scores = problem.bases.map((base) => problem.scale * base);
  const moved = new Float64Array(scores.length);
  for (let step = 0; step < MOST_STEPS; step++) {
    const { matrix, slopes } = linearize(problem, scores);
    const direction = descent(problem, row, slopes);
    solve(matrix, row.length, direction);
    if (loss.isQuadratic) return direction;
    const change = directionScores(problem, direction);
    const before = loss.value(scores) + penaltyOf(problem, row);
    let length = 1;
    for (let halving = 0; ; halving++) {
      for (let s = 0; s < moved.length; s++) moved[s] = scores[s]! + length * change[s]!;
      const next = row.map((value, k) => value + length * direction[k]!);
      if (loss.value(moved) + penaltyOf(problem, next) <= before) break;
      if (halving === MOST_HALVINGS) return row;
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
  }
  return row;
}

/** What the scores of a row's candidates cost, without the penalty. */
export function costOf(problem: RowProblem, row: Float64Array): number {
  const own = directionScores(problem, row);
  return problem.loss.value(own.map((part, s) => part + problem.scale * problem.bases[s]!));
}

/**
 * What each candidate adds to <vector, query> (+ bias) at a row that `foldRow` gave: query^T A^-1 (c_s u_s - g_s) q_s,
 * with the slope g, the curvature c and the row's own part u of the score (Hu, Koren, Volinsky 2008, section 5).
 */
export function contributions(problem: RowProblem, row: Float64Array, query: Float64Array): Float64Array {
  const { bases, scale } = problem;
  const own = directionScores(problem, row);
  const { matrix, slopes, curvatures } = linearize(
    problem,
    own.map((part, s) => part + scale * bases[s]!),
  );
  const influence = query.slice();
  solve(matrix, row.length, influence);
  return directionScores(problem, influence).map((pull, s) => pull * (curvatures[s]! * own[s]! - slopes[s]!));
}

/** Slopes, curvatures, and the factor of sum_s c_s q_s q_s^T + penalties. */
function linearize(problem: RowProblem, scores: Float64Array) {
  const { table, rank, rows, scale, hasBias, penalty, biasPenalty, loss } = problem;
  const size = rank + (hasBias ? 1 : 0);
  const slopes = new Float64Array(scores.length);
  const curvatures = new Float64Array(scores.length);
  loss.linearize(scores, slopes, curvatures);
  const sums = new Float64Array(size * size);
  // Four candidates at a time: each sum is then loaded and stored once for four products.
  const [q0, q1, q2, q3] = [0, 1, 2, 3].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const load = (q: Float64Array, s: number) => {
    if (s >= rows.length) q.fill(0);
    else {
      const root = scale * Math.sqrt(curvatures[s]!);
      const start = rows[s]! * rank;
      for (let k = 0; k < rank; k++) q[k] = root * table[start + k]!;
      if (hasBias) q[rank] = root;
    }
  };
  for (let s = 0; s < rows.length; s += 4) {
    load(q0, s);
    load(q1, s + 1);
    load(q2, s + 2);
    load(q3, s + 3);
    for (let i = 0; i < size; i++) {
      const [a0, a1, a2, a3] = [q0[i]!, q1[i]!, q2[i]!, q3[i]!];
      const at = i * size;
      for (let j = 0; j <= i; j++) sums[at + j]! += a0 * q0[j]! + a1 * q1[j]! + (a2 * q2[j]! + a3 * q3[j]!);
    }
  }
  for (let k = 0; k < size; k++) sums[k * size + k]! += k < rank ? penalty : biasPenalty;
  return { matrix: factor(sums, size), slopes, curvatures };
}

/** Without a penalty, and with fewer candidates than unknowns, a little of the diagonal makes the answer one. */
function factor(sums: Float64Array, size: number): Float64Array {
  let trace = 0;
  for (let k = 0; k < size; k++) trace += sums[k * size + k]!;
  // Only tables that somebody has written to can be at fault.
  if (!Number.isFinite(trace))
    throw new DataError('the trained tables hold what is no number; a row cannot be fitted to them');
  for (let ridge = 0; ; ridge = ridge * 100 + (trace / size) * 1e-12 + 1e-30) {
    const matrix = sums.slice();
    for (let k = 0; k < size; k++) matrix[k * size + k]! += ridge;
    if (factorize(matrix, size)) return matrix;
  }
}

/** Minus the gradient. */
function descent(problem: RowProblem, row: Float64Array, slopes: Float64Array): Float64Array {
  const { table, rank, rows, scale, hasBias, penalty, biasPenalty } = problem;
  const down = row.map((value, k) => -(k < rank ? penalty : biasPenalty) * value);
  for (let s = 0; s < rows.length; s++) {
    const slope = scale * slopes[s]!;
    const start = rows[s]! * rank;
    for (let k = 0; k < rank; k++) down[k]! -= slope * table[start + k]!;
    if (hasBias) down[rank]! -= slope;
  }
  return down;
}

/** What a change of the row adds to the scores. */
function directionScores({ table, rank, rows, scale, hasBias }: RowProblem, row: Float64Array): Float64Array {
  const scores = new Float64Array(rows.length);
  for (let s = 0; s < rows.length; s++) {
    const start = rows[s]! * rank;
    let sum = hasBias ? row[rank]! : 0;
    for (let k = 0; k < rank; k++) sum += row[k]! * table[start + k]!;
    scores[s] = scale * sum;
  }
  return scores;
}

function penaltyOf({ rank, penalty, biasPenalty }: RowProblem, row: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += 0.5 * (k < rank ? penalty : biasPenalty) * row[k]! * row[k]!;
  return sum;
}
