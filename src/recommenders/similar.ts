// Which rows of a table are most like one of them.

import type { RowTable, Scorer } from '../kernels/scorer';
import { type Ranked, Ranking } from '../serving/ranked';

/** The n used rows most like `row`, itself left out. Cost: O(rows x dim). A zero vector has cosine 0 to all. */
export function similarRows(
  table: RowTable,
  scorer: Scorer,
  row: number,
  n: number,
  measure: 'cosine' | 'dot',
): Ranked[] {
  const ranking = new Ranking(Math.min(n, table.count));
  const keeper = {
    get threshold() {
      return ranking.threshold;
    },
    offer(other: number, score: number) {
      if (other !== row && table.isUsed(other)) ranking.offer(other, score);
    },
  };
  scorer.scan(measure, [{ values: table.values, start: row * table.dim, base: 0, keeper }]);
  return ranking.list();
}
