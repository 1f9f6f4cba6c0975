// The best items where a score is no inner product: all items go through a scorer, some hundred at a time.

import type { InteractionHistory } from './interaction-history';
import { CandidateMask, popularItems, type ScoredIndex, TopK } from './top-k';
import type { ItemRequest } from './trained-state';

/** Scores items for a user at hand. */
export interface BlockScorer {
  /** The most items of one call of `score`. */
  readonly itemsAtOnce: number;
  /** Takes a user to hand. */
  begin(user: number): void;
  /** Writes the scores of `count` items. */
  score(items: Int32Array, count: number, scores: Float64Array): void;
}

/** Finds the best items of users. */
export class ItemScan {
  private readonly marks: CandidateMask;
  private readonly block: Int32Array;
  private readonly scores: Float64Array;

  constructor(
    private readonly seen: InteractionHistory,
    private readonly hasUser: (user: number) => boolean,
    private readonly scorer: BlockScorer,
    /** What a score is to a caller. */
    private readonly toPrediction: (score: number) => number,
  ) {
    this.block = new Int32Array(scorer.itemsAtOnce);
    this.scores = new Float64Array(scorer.itemsAtOnce);
    this.marks = new CandidateMask(seen.itemCounts.length, (item) => seen.itemCounts[item]! > 0);
  }

  /** As Answers.best. */
  of(users: readonly number[], { n, exclude, candidates, filterSeen }: ItemRequest): ScoredIndex[][] {
    const { marks, seen } = this;
    return marks.during(candidates, exclude, (marked) =>
      users.map((user) => {
        if (!this.hasUser(user)) return popularItems(seen, marks.check(candidates !== null), n);
        const hidden = filterSeen ? seen.itemsOf(user) : [];
        return marks.hiding(hidden, () => this.bestOf(user, marked, n));
      }),
    );
  }

  private bestOf(user: number, candidates: readonly number[] | null, n: number): ScoredIndex[] {
    const { block, scores, marks, scorer } = this;
    const items = this.seen.itemCounts.length;
    const count = candidates?.length ?? items;
    const isAllowed = marks.check(candidates !== null);
    // By scores: predictions of high scores may be equal.
    const ranking = new TopK(Math.min(n, items));
    scorer.begin(user);
    for (let next = 0; next < count; ) {
      let filled = 0;
      for (; next < count && filled < block.length; next++) {
        const item = candidates === null ? next : candidates[next]!;
        if (isAllowed(item)) block[filled++] = item;
      }
      scorer.score(block, filled, scores);
      for (let s = 0; s < filled; s++) ranking.offer(block[s]!, scores[s]!);
    }
    return ranking.list().map(({ index, score }) => ({ index, score: this.toPrediction(score) }));
  }
}
