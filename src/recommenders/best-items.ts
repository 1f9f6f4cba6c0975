// The best items of users: a few users at a time in one pass over all items, or over a short list of candidates.

import type { Query, Scorer } from '../kernels/scorer';
import type { Real } from '../optimizers/factor';
import { type Ranked, Ranking } from '../serving/ranked';
import type { Seen } from '../serving/seen';
import type { ItemRequest } from '../serving/trained-state';
import { Marks, USERS_AT_HAND } from './marks';
import { popularItems } from './popular-items';
import type { ServedTables, Tables } from './served-tables';

/** A pass over all items takes as long as scoring one in so many by itself. */
const PASS_SPEED = 4;

/** A user as scores see it: where its vector is, where its scores start, and what it has seen. */
export interface UserRow {
  readonly values: Real;
  readonly start: number;
  readonly base: number;
  readonly seen: ArrayLike<number>;
}

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
    this.marks = new Marks(this.count, (item) => seen.itemCounts[item]! > 0);
  }

  /** The best items of each user, best first, with their scores; the popular ones, with their counts, for one not known. */
  of(users: readonly number[], request: ItemRequest): Ranked[][] {
    const { n, exclude } = request;
    return this.marks.during(request.candidates, exclude, (candidates) => {
      const known = users.filter((user) => this.served.hasUser(user));
      const lists = new Map<number, Ranked[]>();
      for (let from = 0; from < known.length; from += USERS_AT_HAND) {
        const group = known.slice(from, from + USERS_AT_HAND);
        const rows = group.map((user) => this.rowOf(user));
        const found = this.ofGroup(rows, candidates, Math.min(n, this.count), request.filterSeen);
        for (const [place, user] of group.entries()) lists.set(user, found[place]!);
      }
      const popular =
        known.length < users.length ? popularItems(this.seen, this.marks.check(0, candidates !== null), n) : [];
      return users.map((user) => lists.get(user) ?? popular);
    });
  }

  /** The best items of a user that is no row of the tables. */
  ofRow(row: UserRow, { n, exclude, candidates, filterSeen }: ItemRequest): Ranked[] {
    return this.marks.during(
      candidates,
      exclude,
      (marked) => this.ofGroup([row], marked, Math.min(n, this.count), filterSeen)[0]!,
    );
  }

  private rowOf(user: number): UserRow {
    const { tables, served, seen } = this;
    return {
      values: tables.userEmbedding,
      start: user * tables.rank,
      base: served.base(user),
      seen: seen.itemsOf(user),
    };
  }

  private ofGroup(users: readonly UserRow[], candidates: readonly number[] | null, n: number, filterSeen: boolean) {
    const { marks } = this;
    const rankings = users.map(() => new Ranking(n));
    const queries = users.map(({ values, start, base }, place): Query => {
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
      return { values: values as Float32Array, start, base, keeper };
    });
    marks.hiding(filterSeen ? users.map(({ seen }) => seen) : [], () => {
      if (n === 0) return;
      if (candidates === null || candidates.length * PASS_SPEED > this.count) this.scorer().scan('sum', queries);
      else for (const query of queries) this.scoreEach(candidates, query);
    });
    return rankings.map((ranking) => ranking.list());
  }

  private scoreEach(candidates: readonly number[], { values, start, base, keeper }: Query): void {
    for (const item of candidates) keeper.offer(item, this.served.scoreOf(values, start, base, item));
  }
}
