// The equations of a Newton step of one row: sum_s c_s q_s q_s^T + penalties, in memory that is used for row after row, of every model.

import { DataError } from '../../core/errors';
import type { Backend } from '../../kernels/backend';
import { factorizeGram, solve } from '../../kernels/cholesky';
import { type Gram, paddedLength, ROWS_A_TIME } from '../../kernels/gram';
import type { RidgeProblem } from './fold-row';

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
