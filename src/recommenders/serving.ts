// What finds the best rows of a trained state, made when it is first asked for: item and user vectors laid out for their
// scorers. Later changes of a view of the tables are seen by predictions, and not by what was laid out.

import type { RowTable, Scorer } from '../kernels/scorer';
import { createScorer } from '../kernels/scorer-wasm';
import type { Ranked } from '../serving/ranked';
import type { Seen } from '../serving/seen';
import type { ItemRequest, SimilarRequest } from '../serving/trained-state';
import type { KernelChoice } from '../wasm/host';
import { BestItems } from './best-items';
import type { ServedTables, Tables } from './served-tables';
import { similarRows } from './similar';

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
    private readonly seen: Seen,
    private readonly kernels: KernelChoice,
  ) {}

  get bestItems(): BestItems {
    this.best ??= new BestItems(this.tables, this.served, this.seen, () => this.itemRows.scorer);
    return this.best;
  }

  /** As Answers.best. */
  recommend(users: readonly number[], request: ItemRequest): Ranked[][] {
    const { served } = this;
    return this.bestItems.of(users, request).map((list, at) => {
      if (!served.hasUser(users[at]!)) return list;
      return list.map(({ index, score }) => ({ index, score: served.toRating(score) }));
    });
  }

  similarItems(item: number, { n, measure }: SimilarRequest): Ranked[] {
    return similarRows(this.itemRows.table, this.itemRows.scorer, item, n, measure);
  }

  similarUsers(user: number, { n, measure }: SimilarRequest): Ranked[] {
    const { userEmbedding, rank } = this.tables;
    const { hasUser } = this.served;
    this.scoredUsers ??= this.scored(userEmbedding as Float32Array, this.seen.userCounts.length, NONE, rank, hasUser);
    return similarRows(this.scoredUsers.table, this.scoredUsers.scorer, user, n, measure);
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
    return { table, scorer: createScorer(table, this.kernels) };
  }
}

const NONE = new Float32Array(0);
