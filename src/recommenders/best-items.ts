// The best items of users: a few users at a time in one pass over all items, or over a short list of candidates.

import type { Keeper, Query, Scorer } from '../kernels/scoring/scorer';
import type { ItemRequest } from './answers';
import { Marks, USERS_AT_HAND } from './marks';
import { popularItems } from './popular-items';
import { type Ranked, Ranking } from './ranked';
import type { Seen } from './seen';
import type { ServedTables, Tables } from './served-tables';

/** A pass over all items takes as long as scoring one in so many by itself. */
const PASS_SPEED = 4;

/** Finds the best items of a trained state. */
export class BestItems {
  private readonly marks: Marks;
  private readonly count: number;

  constructor(
    private readonly tables: Tables,
    private readonly served: ServedTables,
    private readonly seen: Seen,
    /** Of the items; made when all of them are to be scored. */
    private readonly scorer: () => Scorer,
  ) {
    // Not the size of the vocabulary, which may have grown since the fit, where other data share it.
    this.count = seen.itemCounts.length;
    this.marks = new Marks(this.count, served.hasItem);
  }

  /** The best items of each user, best first, with their scores; the popular ones, with their counts, for one not known. */
  of(users: readonly number[], request: ItemRequest): Ranked[][] {
    const { n, exclude } = request;
    return this.marks.during(request.candidates, exclude, (candidates) => {
      const known = users.filter((user) => this.served.hasUser(user));
      const lists = new Map<number, Ranked[]>();
      for (let from = 0; from < known.length; from += USERS_AT_HAND) {
        const group = known.slice(from, from + USERS_AT_HAND);
        const found = this.ofGroup(group, candidates, Math.min(n, this.count), request.filterSeen);
        for (const [place, user] of group.entries()) lists.set(user, found[place]!);
      }
      const popular =
        known.length < users.length ? popularItems(this.seen, this.marks.check(0, candidates !== null), n) : [];
      return users.map((user) => lists.get(user) ?? popular);
    });
  }

  private ofGroup(users: readonly number[], candidates: readonly number[] | null, n: number, filterSeen: boolean) {
    const { marks, seen, tables, served } = this;
    const rankings = users.map(() => new Ranking(n));
    const queries = users.map((user, place): Query => {
      const ranking = rankings[place]!;
      const isAllowed = marks.check(place, candidates !== null);
      const keeper = {
        get threshold() {
          return ranking.threshold;
        },
        offer(item: number, score: number) {
          if (isAllowed(item)) ranking.offer(item, score);
        },
      };
      return {
        values: tables.userEmbedding as Float32Array,
        start: user * tables.rank,
        base: served.base(user),
        keeper,
      };
    });
    marks.hiding(filterSeen ? users.map((user) => seen.itemsOf(user)) : [], () => {
      if (n === 0) return;
      if (candidates === null || candidates.length * PASS_SPEED > this.count) this.scorer().scan('sum', queries);
      else for (const [place, user] of users.entries()) this.scoreEach(candidates, user, queries[place]!.keeper);
    });
    return rankings.map((ranking) => ranking.list());
  }

  private scoreEach(candidates: readonly number[], user: number, keeper: Keeper): void {
    for (const item of candidates) keeper.offer(item, this.served.score(user, item));
  }
}
