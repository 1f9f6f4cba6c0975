// A scorer in plain JavaScript: the definition, row by row, and the fallback everywhere.

import { RowScores } from './row-scores';
import type { Measure, Query, RowTable, Scorer } from './scorer';

/** Scores rows where they lie. */
export class JsScorer implements Scorer {
  readonly rows: RowScores;

  constructor(table: RowTable) {
    this.rows = new RowScores(table);
  }

  scan(measure: Measure, queries: readonly Query[]): void {
    const { rows } = this;
    const { count } = rows.table;
    for (const query of queries) {
      const { keeper } = query;
      const factor = rows.factor(measure, query);
      for (let row = 0; row < count; row++) {
        const score = rows.score(measure, query, factor, row);
        // Not where it is NaN.
        if (score >= keeper.threshold) keeper.offer(row, score);
      }
    }
  }
}
