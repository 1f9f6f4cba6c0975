// The best items of users: a few users at a time in one pass over all items, or over a short list of candidates.

import type { Backend } from '../kernels/backend';
import type { Query, RowTable, Scorer } from '../kernels/scorer';
import type { Real } from '../optimizers/factor';
import type { ServedTables, Tables } from './factorization-tables';
import type { InteractionHistory } from './interaction-history';
import type { SimilarRequest } from './top-k';
import { CandidateMask, popularItems, type ScoredIndex, similarRows, TopK, USERS_A_BATCH } from './top-k';
import type { ItemRequest } from './trained-state';

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
  private readonly marks: CandidateMask;
  private readonly count: number;

  constructor(
    private readonly tables: Tables,
    private readonly served: ServedTables,
    private readonly seen: InteractionHistory,
    /** Of the items; made when all of them are to be scored. */
    private readonly scorer: () => Scorer,
  ) {
    // Not the size of the vocabulary, which may have grown since the fit, where other data share it.
    this.count = seen.itemCounts.length;
    this.marks = new CandidateMask(this.count, (item) => seen.itemCounts[item]! > 0);
  }

  /** The best items of each user, best first, with their scores; the popular ones, with their counts, for one not known. */
  of(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    const { n, exclude } = request;
    return this.marks.during(request.candidates, exclude, (candidates) => {
      const known = users.filter((user) => this.served.hasUser(user));
      const lists = new Map<number, ScoredIndex[]>();
      for (let from = 0; from < known.length; from += USERS_A_BATCH) {
        const group = known.slice(from, from + USERS_A_BATCH);
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
  ofRow(row: UserRow, { n, exclude, candidates, filterSeen }: ItemRequest): ScoredIndex[] {
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
    const rankings = users.map(() => new TopK(n));
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

// What finds the best rows of a trained state, made when it is first asked for: item and user vectors laid out for their
// scorers. Later changes of a view of the tables are seen by predictions, and not by what was laid out.

interface Scored {
  readonly table: RowTable;
  readonly scorer: Scorer;
}

/** Best items, similar items, similar users, all by index. */
export class Serving {
  private scoredItems: Scored | undefined;
  private scoredUsers: Scored | undefined;
  private best: BestItems | undefined;

  constructor(
    private readonly tables: Tables,
    private readonly served: ServedTables,
    private readonly seen: InteractionHistory,
    private readonly backend: Backend,
  ) {}

  get bestItems(): BestItems {
    this.best ??= new BestItems(this.tables, this.served, this.seen, () => this.itemRows.scorer);
    return this.best;
  }

  /** As Answers.best. */
  recommend(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    const { served } = this;
    return this.bestItems.of(users, request).map((list, at) => {
      if (!served.hasUser(users[at]!)) return list;
      return list.map(({ index, score }) => ({ index, score: served.toRating(score) }));
    });
  }

  similarItems(item: number, request: SimilarRequest): ScoredIndex[] {
    return similarRows(this.itemRows.table, this.itemRows.scorer, item, request);
  }

  similarUsers(user: number, request: SimilarRequest): ScoredIndex[] {
    const { userEmbedding, rank } = this.tables;
    const { hasUser } = this.served;
    this.scoredUsers ??= this.scored(userEmbedding as Float32Array, this.seen.userCounts.length, NONE, rank, hasUser);
    return similarRows(this.scoredUsers.table, this.scoredUsers.scorer, user, request);
  }

  private get itemRows(): Scored {
    const { itemEmbedding, itemBias, rank } = this.tables;
    const { hasItem } = this.served;
    const count = this.seen.itemCounts.length;
    this.scoredItems ??= this.scored(itemEmbedding as Float32Array, count, itemBias as Float32Array, rank, hasItem);
    return this.scoredItems;
  }

  private scored(
    values: Float32Array,
    count: number,
    shifts: Float32Array,
    dim: number,
    isUsed: (row: number) => boolean,
  ): Scored {
    const table = { values, dim, count, shifts, isUsed };
    return { table, scorer: this.backend.scorer(table) };
  }
}

const NONE = new Float32Array(0);
