// Biased matrix factorization by SGD as it is published, in float64 and written out: the oracle of the trainer.
// Koren, Bell, Volinsky 2009, section "Stochastic gradient descent"; Koren 2010, equations 5 and 6.

/** A rating by index. */
export interface Rating {
  readonly user: number;
  readonly item: number;
  readonly value: number;
  readonly weight?: number;
}

/** The tables, row by row. */
export interface PlainTables {
  readonly mean: number;
  readonly p: number[][];
  readonly q: number[][];
  readonly bu: number[];
  readonly bi: number[];
}

/** One pass of per-rating SGD; returns the mean of 1/2 error^2, each error before its own step. */
export function publishedEpoch(t: PlainTables, ratings: readonly Rating[], rate: number, lambda: number): number {
  let loss = 0;
  for (const { user, item, value } of ratings) {
    const p = t.p[user]!;
    const q = t.q[item]!;
    const error = value - (t.mean + t.bu[user]! + t.bi[item]! + dot(p, q));
    loss += 0.5 * error * error;
    t.bu[user]! += rate * (error - lambda * t.bu[user]!);
    t.bi[item]! += rate * (error - lambda * t.bi[item]!);
    for (let k = 0; k < p.length; k++) {
      const [pk, qk] = [p[k]!, q[k]!];
      p[k] = pk + rate * (error * qk - lambda * pk);
      q[k] = qk + rate * (error * pk - lambda * qk);
    }
  }
  return loss / ratings.length;
}

/**
 * One pass by batches: the gradient of the mean over a batch of
 * weight/2 (error^2 + lambda (|p_u|^2 + |q_i|^2 + b_u^2 + b_i^2)), then one step of all rows at once.
 */
export function batchEpoch(
  t: PlainTables,
  ratings: readonly Rating[],
  batchSize: number,
  rate: number,
  lambdaOf: (table: 'user' | 'item', row: number) => number,
): number {
  let loss = 0;
  for (let from = 0; from < ratings.length; from += batchSize) {
    const batch = ratings.slice(from, from + batchSize);
    const steps: (() => void)[] = [];
    for (const { user, item, value, weight = 1 } of batch) {
      const p = t.p[user]!;
      const q = t.q[item]!;
      const error = t.mean + t.bu[user]! + t.bi[item]! + dot(p, q) - value;
      loss += 0.5 * weight * error * error;
      const scale = rate / batch.length;
      const [lu, li] = [lambdaOf('user', user), lambdaOf('item', item)];
      const gU = weight * (error + lu * t.bu[user]!);
      const gI = weight * (error + li * t.bi[item]!);
      const gP = p.map((pk, k) => weight * (error * q[k]! + lu * pk));
      const gQ = q.map((qk, k) => weight * (error * p[k]! + li * qk));
      steps.push(() => {
        t.bu[user]! -= scale * gU;
        t.bi[item]! -= scale * gI;
        for (let k = 0; k < p.length; k++) {
          p[k]! -= scale * gP[k]!;
          q[k]! -= scale * gQ[k]!;
        }
      });
    }
    for (const step of steps) step();
  }
  return loss / ratings.length;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}
