// The weights of EASE, solved for: one inverse of a dense matrix of items.

import { doubles, floats } from '../../core/allocate';
import { DataError } from '../../core/errors';
import type { Scheduler } from '../../core/scheduler';
import { invert } from '../../kernels/cholesky';
import { MOST } from '../../kernels/rounding';
import { DenseWeights } from '../../serving/item-weights';
import type { Histories } from './histories';
import { eachSharedRow } from './shared-users';

/** B = -P / diag(P) column by column, its diagonal 0; P = (X^T X + lambda I)^-1. */
export async function solveEase(histories: Histories, lambda: number, scheduler: Scheduler): Promise<DenseWeights> {
  const { itemCounts, userCounts } = histories.seen;
  const count = itemCounts.length;
  const p = doubles(count * count, `the matrix of EASE, of ${count} x ${count} items,`);
  const ones = new Float64Array(userCounts.length).fill(1);
  await eachSharedRow(histories, ones, scheduler, (item, { sums }) => {
    p.set(sums, item * count);
    p[item * count + item]! += lambda;
  });
  if (!(await invert(p, count, scheduler))) {
    throw singular(lambda);
  }
  const values = floats(count * count, `the matrix of EASE, of ${count} x ${count} items,`);
  let largest = 0;
  for (let from = 0; from < count; from++) {
    for (let to = 0; to < count; to++) {
      if (to === from) continue;
      const weight = -p[from * count + to]! / p[to * count + to]!;
      values[from * count + to] = weight;
      if (!(Math.abs(weight) <= largest)) largest = Number.isNaN(weight) ? Infinity : Math.abs(weight);
    }
    if (scheduler.isDue(count)) await scheduler.yieldNow();
  }
  // Scores are sums of at most `count` of them.
  if (!(count * largest <= MOST)) throw singular(lambda);
  return new DenseWeights(count, values);
}

function singular(lambda: number): DataError {
  return new DataError(
    `EASE: X^T X + regularization I is singular to working precision at regularization ${lambda}; use a greater one`,
  );
}
