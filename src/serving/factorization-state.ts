// A trained factorization as what answers questions: its collapsed tables, and what finds the best rows of them.

import { UnsupportedError } from '../core/errors';
import type { Backend } from '../kernels/backend';
import type { ServedFactorization } from './factorization-tables';
import { Serving } from './factorization-tables';
import { explain, type FoldIn, foldInItem, foldInUser } from './fold-in/fold-in';
import { NormalEquations } from './fold-in/normal-equations';
import type { ScoredIndex, SimilarRequest } from './top-k';
import type {
  Abilities,
  FoldedItemState,
  FoldedUserState,
  HistoryEntry,
  ItemRequest,
  PairColumns,
  TrainedState,
} from './trained-state';

/** The answers of a factorization. */
export class FactorizationState<F extends ServedFactorization = ServedFactorization>
  implements TrainedState, Abilities
{
  private readonly serving: Serving;
  private ownEquations: NormalEquations | undefined;

  constructor(
    readonly fitted: F,
    private readonly owner: string,
    private readonly clip: boolean,
    private readonly backend: Backend,
    /** What a row is when the other side is frozen: the objective of training. */
    private readonly foldIn: FoldIn,
  ) {
    this.serving = new Serving(fitted.tables, fitted.served, fitted.seen, backend);
  }

  get users() {
    return this.fitted.users;
  }
  get items() {
    return this.fitted.items;
  }
  get seen() {
    return this.fitted.seen;
  }

  hasUser(user: number): boolean {
    return this.fitted.served.hasUser(user);
  }

  hasItem(item: number): boolean {
    return this.fitted.served.hasItem(item);
  }

  predict(user: number, item: number): number {
    return this.fitted.served.predict(user, item, this.clip);
  }

  predictAll(pairs: PairColumns): Float32Array {
    const { served, users, items } = this.fitted;
    return served.predictAll(users, items, pairs, this.clip);
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return this.serving.recommend(users, request);
  }

  similarItems(item: number, request: SimilarRequest): ScoredIndex[] {
    return this.serving.similarItems(item, request);
  }

  similarUsers(user: number, request: SimilarRequest): ScoredIndex[] {
    return this.serving.similarUsers(user, request);
  }

  foldInUser(history: readonly HistoryEntry[]): FoldedUserState {
    return foldInUser(this.fitted, this.foldIn, this.equations, this.clip, this.serving, history);
  }

  foldInItem(history: readonly HistoryEntry[]): FoldedItemState {
    return foldInItem(this.fitted, this.foldIn, this.equations, this.clip, history);
  }

  explain(user: number, item: number): ScoredIndex[] {
    const { seen } = this.fitted;
    if (!seen.isKept || (seen.values === null && this.foldIn.needsValues)) {
      throw new UnsupportedError(
        `${this.owner}: explain needs to know who has rated what and how, and this model was saved without; save it with history: true`,
      );
    }
    return explain(this.fitted, this.foldIn, this.equations, user, item);
  }

  /** Made when a row is first asked for. */
  private get equations(): NormalEquations {
    const { rank, itemBias } = this.fitted.tables;
    this.ownEquations ??= new NormalEquations(rank + (itemBias.length > 0 ? 1 : 0), this.backend);
    return this.ownEquations;
  }
}
