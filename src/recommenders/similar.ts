// Which rows of a table are most like one of them.

import { kernels } from '../kernels/select';
import type { Real } from '../optimizers/factor';
import { type Ranked, Ranking } from './ranked';

/** What to compare: rows of a table, of which only the trained ones mean anything. */
export interface Rows {
  readonly table: Real;
  readonly rank: number;
  readonly count: number;
  isTrained(row: number): boolean;
}

/** The n trained rows most like `row`, itself left out. Cost: O(rows x rank). A zero vector has cosine 0 to all. */
export function similarRows(rows: Rows, row: number, n: number, measure: 'cosine' | 'dot'): Ranked[] {
  const { table, rank, count } = rows;
  const norm = (r: number) => Math.sqrt(kernels.dot(table, r * rank, table, r * rank, rank));
  const own = measure === 'cosine' ? norm(row) : 1;
  const ranking = new Ranking(Math.min(n, count));
  for (let other = 0; other < count; other++) {
    if (other === row || !rows.isTrained(other)) continue;
    const dot = kernels.dot(table, row * rank, table, other * rank, rank);
    const size = measure === 'cosine' ? own * norm(other) : 1;
    ranking.offer(other, size > 0 ? dot / size : 0);
  }
  return ranking.list();
}
