// A trained factorization as what answers questions: its collapsed tables, and what finds the best rows of them.

import { UnsupportedError } from '../core/errors';
import type { Vocabulary } from '../data/vocabulary';
import type { Backend } from '../kernels/backend';
import { FactorizationLists, type ServedFactorization } from './factorization-tables';
import { explain, type FoldIn, foldInItem, foldInUser } from './fold-in/fold-in';
import { NormalEquations } from './fold-in/fold-row';
import type { ScoredIndex } from './top-k';
import type {
  Abilities,
  FoldedItemState,
  FoldedUserState,
  HistoryEntry,
  PairColumns,
  TrainedState,
} from './trained-state';

/** The answers of a factorization. */
export class FactorizationState<F extends ServedFactorization = ServedFactorization>
  extends FactorizationLists
  implements TrainedState, Abilities
{
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly hasUser: (user: number) => boolean;
  readonly hasItem: (item: number) => boolean;
  private ownEquations: NormalEquations | undefined;
  private ownFoldIn: FoldIn | undefined;

  constructor(
    readonly fitted: F,
    private readonly owner: string,
    private readonly clip: boolean,
    backend: Backend,
    /** Makes what a row is when the other side is frozen: the objective of training. */
    private readonly makeFoldIn: () => FoldIn,
  ) {
    const { tables, served, seen, users, items } = fitted;
    super(tables, served, seen, backend);
    this.users = users;
    this.items = items;
    this.hasUser = served.hasUser;
    this.hasItem = served.hasItem;
  }

  predict(user: number, item: number): number {
    return this.served.predict(user, item, this.clip);
  }

  predictAll(pairs: PairColumns): Float32Array {
    return this.served.predictAll(this.users, this.items, pairs, this.clip);
  }

  foldInUser(history: readonly HistoryEntry[]): FoldedUserState {
    return foldInUser(this.fitted, this.foldIn, this.equations, this.clip, this, history);
  }

  foldInItem(history: readonly HistoryEntry[]): FoldedItemState {
    return foldInItem(this.fitted, this.foldIn, this.equations, this.clip, history);
  }

  explain(user: number, item: number): ScoredIndex[] {
    const { seen } = this;
    if (!seen.isKept || (seen.values === null && this.foldIn.needsValues)) {
      throw new UnsupportedError(
        `${this.owner}: explain needs to know who has rated what and how, and this model was saved without; save it with history: true`,
      );
    }
    return explain(this.fitted, this.foldIn, this.equations, user, item);
  }

  /** Made when a row is first asked for, as the equations are. */
  private get foldIn(): FoldIn {
    this.ownFoldIn ??= this.makeFoldIn();
    return this.ownFoldIn;
  }

  private get equations(): NormalEquations {
    const { rank, itemBias } = this.tables;
    this.ownEquations ??= new NormalEquations(rank + (itemBias.length > 0 ? 1 : 0), this.backend);
    return this.ownEquations;
  }
}
