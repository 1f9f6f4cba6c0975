// A trained model of features as what answers questions: about rows, and about users and items by index. After a fit on
// rows nothing is known of users and items, and every question about them says so.

import { UnsupportedError } from '../../core/errors';
import { runToEnd } from '../../core/scheduler';
import type { FeatureRow, FeatureRows, UnlabelledRows } from '../../data/feature-fields';
import { encodeRows, rowFault } from '../../data/feature-table';
import type { Id } from '../../data/vocabulary';
import type { Backend } from '../../kernels/backend';
import { FactorizationLists, type RatingScale, ServedTables } from '../factorization-tables';
import type { ScoredIndex, SimilarRequest } from '../top-k';
import type { Able, ItemRequest, PairColumns } from '../trained-state';
import { checkLayout, checkRows, featuresAtOnce, type RowLayout, type RowModel, RowScorer } from './feature-rows';
import { type PairAnswers, PairsByRows, PairsByTables, sideTables } from './pair-answers';
import type { KnownPairs, Pairing } from './pairing';

/** Scores are numbers as they are, or log-odds. */
const NUMBERS: RatingScale = { link: 'identity', shift: 0, scale: 1, minimum: 0, maximum: 1, start: 0 };
const LOG_ODDS: RatingScale = { ...NUMBERS, link: 'sigmoid' };

/** The answers of a model of features, as it is when it is first asked. */
export class FeatureState<M extends RowModel = RowModel> implements Able<'similarItems' | 'similarUsers'> {
  private ownTables: { readonly served: ServedTables; readonly serving: FactorizationLists } | undefined;
  private ownPairs: PairAnswers | undefined;

  constructor(
    /** The class, for messages. */
    private readonly owner: string,
    readonly model: M,
    readonly layout: RowLayout,
    /** Whether predictions are the sigmoids of scores. */
    private readonly isProbability: boolean,
    private readonly backend: Backend,
  ) {}

  /** The predictions of rows that suit the model. */
  predictRows(rows: UnlabelledRows): Float32Array {
    const scorer = new RowScorer(this.model, this.isProbability);
    return this.model.atWork(rows.size, featuresAtOnce(rows), () => scorer.all(rows));
  }

  /** Tries whether answers are finite: of some rows, and what is worked out once for all users and items. @throws DataError */
  check(rows: UnlabelledRows): void {
    this.predictRows(rows);
    if (this.layout.pairing !== undefined && this.model.isFactorization) this.tables;
  }

  /** Those of training, then those that the tables know. */
  get users() {
    return this.pairing.known.users;
  }
  get items() {
    return this.pairing.known.items;
  }
  get seen() {
    return this.pairing.known.seen;
  }

  /** Whether anything is known of a user, by training or by a table. */
  hasUser(user: number): boolean {
    return user >= 0 && user < this.seen.userCounts.length;
  }
  hasItem(item: number): boolean {
    return item >= 0 && item < this.seen.itemCounts.length;
  }

  predict(user: number, item: number): number {
    return this.pairs.predict(user, item);
  }

  predictAll(pairs: PairColumns): Float32Array {
    return this.pairs.predictAll(pairs);
  }

  /** Trained items; what only a table knows where it is a candidate. */
  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return this.pairs.best(users, request);
  }

  get scoreCost(): number {
    return this.pairs.scoreCost;
  }

  similarItems(item: number, request: SimilarRequest): ScoredIndex[] {
    return this.tables.serving.similarItems(item, request);
  }

  similarUsers(user: number, request: SimilarRequest): ScoredIndex[] {
    return this.tables.serving.similarUsers(user, request);
  }

  private get pairing(): Pairing {
    const { pairing } = this.layout;
    if (pairing !== undefined) return pairing;
    throw this.unsupported(
      'predictRows is all after a fit on rows of features; fit it on Interactions to ask for users and items',
    );
  }

  private unsupported(why: string): UnsupportedError {
    return new UnsupportedError(`${this.owner}.${why}`);
  }

  /** What the embeddings say of each user and each item. */
  private get tables() {
    this.ownTables ??= this.tablesOf(this.pairing.known);
    return this.ownTables;
  }

  private tablesOf(known: KnownPairs) {
    const tables = sideTables(known, this.model);
    const served = new ServedTables(tables, this.isProbability ? LOG_ODDS : NUMBERS, known.seen, true);
    return { served, serving: new FactorizationLists(tables, served, known.seen, this.backend) };
  }

  private get pairs(): PairAnswers {
    this.ownPairs ??= this.pairsOf(this.pairing);
    return this.ownPairs;
  }

  private pairsOf(pairing: Pairing): PairAnswers {
    const { model } = this;
    if (model.isFactorization) return new PairsByTables(pairing.known, this.tables.served, this.tables.serving);
    return new PairsByRows(model, pairing, this.isProbability);
  }
}

/** The predictions of rows by the state; a list of objects is encoded by the schema of the fit. */
export function predictRows(state: FeatureState, features: FeatureRows | readonly FeatureRow[]): Float32Array {
  const { layout } = state;
  if (Array.isArray(features) && layout.schema !== null)
    return state.predictRows(runToEnd(encodeRows(features, layout.schema, rowFault('FeatureTable.encode'))).rows);
  const rows = checkRows(features, 'features');
  checkLayout(rows, layout, 'features');
  return state.predictRows(rows);
}

/** Whether training, and not a table alone, knows the user and the item, or the user. */
export function isTrained({ users, items, seen }: FeatureState, userId: Id, itemId?: Id): boolean {
  const hasItem = itemId === undefined || seen.itemCounts[items.indexOf(itemId)]! > 0;
  return seen.userCounts[users.indexOf(userId)]! > 0 && hasItem;
}
