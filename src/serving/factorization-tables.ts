// Between the caller's rating scale and the scores of a model: rating = shift + scale * link(score).

import { type Pausable, runToEnd } from '../core/scheduler';
import type { Vocabulary } from '../data/vocabulary';
import type { Backend } from '../kernels/backend';
import { dot } from '../kernels/dot';
import type { Query, RowTable, Scorer } from '../kernels/scorer';
import { type Factorization, tableOf } from '../models/factorization';
import type { Real } from '../optimizers/factor';
import { identity, type Link, sigmoidLink } from '../training/losses';
import { indexMap } from './index-map';
import type { InteractionHistory } from './interaction-history';
import type { IsAllowed, ScoredIndex, SimilarRequest } from './top-k';
import { CandidateMask, popularItems, similarRows, TopK } from './top-k';
import type { ItemRequest, PairColumns } from './trained-state';

/** How ratings become targets, and scores become predictions. Plain numbers, so that a file can keep them. */
export interface RatingScale {
  readonly link: 'identity' | 'sigmoid';
  readonly shift: number;
  readonly scale: number;
  /** The range of the training ratings, on the rating scale: what predictions are clipped to. */
  readonly minimum: number;
  readonly maximum: number;
  /** The mean target, as a score: where the model's mean starts. */
  readonly start: number;
  /**
   * What the tables were divided by in training and have been multiplied by since, so that rows fitted later weigh
   * losses against penalties as training did. Absent: 1.
   */
  readonly folded?: number;
  /** What the weights of training were divided by, and weights given later are; absent where training had none. */
  readonly meanWeight?: number;
  /** How many pairs the interactions of training are of, where some are of one and it matters; absent: all differ. */
  readonly pairs?: number;
  /** The score of a user or an item that training never saw, where it is not mean + biases. */
  readonly baseline?: number;
}

/** The link from a score to a target of training. */
export function linkOf(units: RatingScale): Link {
  return units.link === 'identity' ? identity : sigmoidLink(0, (units.maximum - units.minimum) / units.scale);
}

// What answers questions: the collapsed tables of a factorization, with predictions on the rating scale.
// A row that training never saw has its random start in the tables; it is read as 0, so that the answer is the baseline.

/** The tables, by index. */
export interface Tables {
  readonly rank: number;
  readonly globalMean: number;
  readonly userEmbedding: Real;
  readonly itemEmbedding: Real;
  /** Empty where the model has no biases. */
  readonly userBias: Real;
  readonly itemBias: Real;
}

/** A trained factorization and all that answering questions needs. */
export interface ServedFactorization {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  readonly units: RatingScale;
  readonly tables: Tables;
  readonly served: ServedTables;
  /**
   * Of the rows that partialFit has left as they were: how many of their interactions have come since they were fitted.
   * Absent: none.
   */
  readonly unfitted?: Unfitted | undefined;
}

/** The same with its model: after a fit the one that was trained, after a load a plain one. */
export interface FittedFactorization extends ServedFactorization {
  readonly model: Factorization;
}

/** By the number of a user, or of an item. */
export interface Unfitted {
  readonly users: ReadonlyMap<number, number>;
  readonly items: ReadonlyMap<number, number>;
}

/** The tables of a model: its own memory where they are plain. The embeddings may be given, where they are at hand. */
export function tablesOf(
  { rank, globalMean, userEmbedding, itemEmbedding, userBias, itemBias }: Factorization,
  userTable = tableOf(userEmbedding),
  itemTable = tableOf(itemEmbedding),
): Tables {
  return {
    rank,
    globalMean,
    userEmbedding: userTable,
    itemEmbedding: itemTable,
    userBias: userBias === null ? new Float32Array(0) : tableOf(userBias),
    itemBias: itemBias === null ? new Float32Array(0) : tableOf(itemBias),
  };
}

/** Tables with memory of their own. */
export function copied({ userEmbedding, itemEmbedding, userBias, itemBias, ...rest }: Tables): Tables {
  return {
    ...rest,
    userEmbedding: userEmbedding.slice(),
    itemEmbedding: itemEmbedding.slice(),
    userBias: userBias.slice(),
    itemBias: itemBias.slice(),
  };
}

/** Scores and predictions of users and items by index; -1 is a user or item that is not known. */
export class ServedTables {
  private readonly link: Link;

  constructor(
    private readonly tables: Tables,
    private readonly units: RatingScale,
    private readonly seen: InteractionHistory,
    /** Whether rows that training never saw are made of what is known of them, and no random start. */
    private readonly isEveryRowKnown = false,
  ) {
    this.link = linkOf(units);
  }

  /** Whether something is known of the user: by training, for most. */
  readonly hasUser = (user: number): boolean => this.isKnown(this.seen.userCounts, user);
  /** The same of the item. */
  readonly hasItem = (item: number): boolean => this.isKnown(this.seen.itemCounts, item);

  private isKnown(counts: Int32Array, row: number): boolean {
    return row >= 0 && (this.isEveryRowKnown ? row < counts.length : counts[row]! > 0);
  }

  /** Where the scores of a user start: mean + the bias of a known user, in float32. */
  base(user: number): number {
    const { globalMean, userBias } = this.tables;
    return Math.fround(Math.fround(globalMean) + (this.hasUser(user) ? (userBias[user] ?? 0) : 0));
  }

  /**
   * The score; rows that are unknown or untrained contribute nothing: mean + known biases. Rounded like the measure `sum`
   * of kernels/scorer.ts, so that what is recommended has the score that is predicted.
   */
  score(user: number, item: number): number {
    const { rank, userEmbedding } = this.tables;
    if (this.hasUser(user)) return this.scoreOf(userEmbedding, user * rank, this.base(user), item);
    const { baseline } = this.units;
    if (baseline !== undefined) return Math.fround(baseline);
    const shift = this.hasItem(item) ? (this.tables.itemBias[item] ?? 0) : 0;
    return Math.fround(this.base(user) + shift);
  }

  /** The same for a user by its vector, which may be no row of the table, and by where its scores start. */
  scoreOf(vectors: Real, start: number, base: number, item: number): number {
    const { rank, itemEmbedding, itemBias } = this.tables;
    if (!this.hasItem(item)) return Math.fround(this.units.baseline ?? base);
    const product = dot(vectors, start, itemEmbedding, item * rank, rank);
    return Math.fround(Math.fround(base + (itemBias[item] ?? 0)) + product);
  }

  /** The same for an item by its vector and bias. */
  scoreOfItem(user: number, vector: Real, bias: number): number {
    const { rank, userEmbedding } = this.tables;
    if (!this.hasUser(user) && this.units.baseline !== undefined) return Math.fround(this.units.baseline);
    const product = this.hasUser(user) ? dot(userEmbedding, user * rank, vector, 0, rank) : 0;
    return Math.fround(Math.fround(this.base(user) + bias) + product);
  }

  /** A score as a rating, not clipped. */
  toRating(score: number): number {
    const { shift, scale, link } = this.units;
    return shift + scale * (link === 'identity' ? score : this.link.predict(score));
  }

  /** The predicted rating, clipped to the range of the training ratings on request. */
  predict(user: number, item: number, clip: boolean): number {
    return this.prediction(this.score(user, item), clip);
  }

  /** A score as a prediction. */
  prediction(score: number, clip: boolean): number {
    const rating = this.toRating(score);
    return clip ? Math.min(Math.max(rating, this.units.minimum), this.units.maximum) : rating;
  }

  /** The predicted ratings of pairs, whose vocabularies may be others than the model's. */
  predictAll(users: Vocabulary, items: Vocabulary, pairs: PairColumns, clip: boolean): Float32Array {
    const predictions = new Float32Array(pairs.size);
    this.predictor(users, items, pairs, clip, predictions)(0, pairs.size);
    return predictions;
  }

  /** The same for a part of them at a time, from one row up to another. */
  predictor(users: Vocabulary, items: Vocabulary, pairs: PairColumns, clip: boolean, predictions: Float32Array) {
    const userOf = indexMap(pairs.users, users);
    const itemOf = indexMap(pairs.items, items);
    return (from: number, to: number): void => {
      for (let k = from; k < to; k++) {
        const user = pairs.userIndex[k]!;
        const item = pairs.itemIndex[k]!;
        predictions[k] = this.predict(userOf?.[user] ?? user, itemOf?.[item] ?? item, clip);
      }
    };
  }
}

// The best items of users: some users at a time in one pass over all items, or over a short list of candidates.

/** A pass over all items takes as long as scoring one item in this many on its own. */
const PASS_SPEED = 4;

/** A user as scores see it: where its vector is, where its scores start, and what it has seen. */
export interface UserRow {
  readonly values: Real;
  readonly start: number;
  readonly base: number;
  readonly seen: ArrayLike<number>;
}

/** Users whose lists are made in one pass: a block of items stays in the cache for all of them. */
const USERS_A_PASS = 64;
/** Entries of their lists, where those are long. */
const ENTRIES_A_PASS = 1 << 18;
/** The fewest: of these a pass takes hardly longer than of one. */
const FEWEST_A_PASS = 4;

/** Finds the best items of a trained state. */
export class BestItems {
  readonly marks: CandidateMask;
  readonly count: number;

  constructor(
    private readonly tables: Tables,
    readonly served: ServedTables,
    private readonly seen: InteractionHistory,
    /** Of the items; made when all of them are to be scored. */
    readonly scorer: () => Scorer,
  ) {
    // Not the size of the vocabulary, which may have grown since the fit, where other data share it.
    this.count = seen.itemCounts.length;
    this.marks = new CandidateMask(this.count, (item) => seen.itemCounts[item]! > 0);
  }

  /** The best items of each user, best first, with their scores; the popular ones, with their counts, for one not known. */
  of(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return this.marks.during(request.candidates, request.exclude, (candidates) =>
      runToEnd(this.steps(users, request, this.marks, candidates)),
    );
  }

  /** What does the same for some users after others, in steps, whatever is asked in between. Memory: a byte an item. */
  inTurns(request: ItemRequest): (users: readonly number[]) => Pausable<ScoredIndex[][]> {
    const marks = this.marks.copy();
    const candidates = marks.mark(request.candidates, request.exclude);
    return (users) => this.steps(users, request, marks, candidates);
  }

  /** Whether all items are scored, and not each candidate alone. */
  isPass(candidates: readonly number[] | null): boolean {
    return candidates === null || candidates.length * PASS_SPEED > this.count;
  }

  /** The best items of a user that is no row of the tables. */
  ofRow(row: UserRow, request: ItemRequest): ScoredIndex[] {
    return this.marks.during(
      request.candidates,
      request.exclude,
      (candidates) => runToEnd(this.stepsOf([row], request, this.marks, candidates))[0]!,
    );
  }

  /** The lists of some users, in steps, where these candidates have been marked. */
  *steps(
    users: readonly number[],
    request: ItemRequest,
    marks: CandidateMask,
    candidates: readonly number[] | null,
  ): Pausable<ScoredIndex[][]> {
    const known = users.filter((user) => this.served.hasUser(user));
    const rows = known.map((user) => this.rowOf(user));
    const lists = yield* this.stepsOf(rows, request, marks, candidates);
    const popular =
      known.length < users.length ? popularItems(this.seen, marks.check(candidates !== null), request.n) : [];
    let next = 0;
    return users.map((user) => (this.served.hasUser(user) ? lists[next++]! : popular));
  }

  /** How scores see a user. */
  rowOf(user: number): UserRow {
    const { tables, served, seen } = this;
    return {
      values: tables.userEmbedding,
      start: user * tables.rank,
      base: served.base(user),
      seen: seen.itemsOf(user),
    };
  }

  private *stepsOf(
    rows: readonly UserRow[],
    request: ItemRequest,
    marks: CandidateMask,
    candidates: readonly number[] | null,
  ): Pausable<ScoredIndex[][]> {
    const n = Math.min(request.n, this.count);
    if (n === 0) return rows.map(() => []);
    const isAllowed = marks.check(candidates !== null);
    const atOnce = Math.max(FEWEST_A_PASS, Math.min(USERS_A_PASS, Math.floor(ENTRIES_A_PASS / n)));
    const isPass = this.isPass(candidates);
    const inOrder = isPass || candidates === null ? [] : Int32Array.from(candidates).sort();
    const lists: ScoredIndex[][] = [];
    for (let from = 0; from < rows.length; from += atOnce) {
      const keepers: BestUnseen[] = [];
      const queries = rows.slice(from, from + atOnce).map(({ values, start, base, seen }): Query => {
        const keeper = new BestUnseen(n, request.filterSeen ? seen : [], isAllowed);
        keepers.push(keeper);
        return { values: values as Float32Array, start, base, keeper };
      });
      if (isPass) yield* this.scorer().scan('sum', queries);
      else yield* this.scoreEach(inOrder, queries);
      for (const keeper of keepers) {
        lists.push(keeper.list());
        if (n > 100) yield;
      }
    }
    return lists;
  }

  private *scoreEach(candidates: ArrayLike<number>, queries: readonly Query[]): Pausable<void> {
    for (const { values, start, base, keeper } of queries) {
      for (let k = 0; k < candidates.length; k++) {
        keeper.offer(candidates[k]!, this.served.scoreOf(values, start, base, candidates[k]!));
      }
      yield;
    }
  }
}

/** Lists with ratings for scores, but for those of users that are not known, who have counts. */
export function rated(served: ServedTables, users: readonly number[], lists: ScoredIndex[][]): ScoredIndex[][] {
  return lists.map((list, at) => {
    if (!served.hasUser(users[at]!)) return list;
    return list.map(({ index, score }) => ({ index, score: served.toRating(score) }));
  });
}

/** Keeps the best of the items that are allowed and not among some, all offered in ascending order. */
class BestUnseen extends TopK {
  private readonly seen: Int32Array;
  private next = 0;

  constructor(
    n: number,
    seen: ArrayLike<number>,
    private readonly isAllowed: IsAllowed,
  ) {
    super(n);
    this.seen = Int32Array.from(seen).sort();
  }

  override offer(item: number, score: number): void {
    const { seen } = this;
    while (seen[this.next]! < item) this.next++;
    if (seen[this.next] !== item && this.isAllowed(item)) super.offer(item, score);
  }
}

// What finds the best rows of a trained state, made when it is first asked for: item and user vectors laid out for their
// scorers. Later changes of a view of the tables are seen by predictions, and not by what was laid out.

interface Scored {
  readonly table: RowTable;
  readonly scorer: Scorer;
}

/** The lists of a factorization, by index: best items, similar items, similar users. */
export class FactorizationLists {
  private scoredItems: Scored | undefined;
  private scoredUsers: Scored | undefined;
  private ownBest: BestItems | undefined;

  constructor(
    protected readonly tables: Tables,
    protected readonly served: ServedTables,
    readonly seen: InteractionHistory,
    protected readonly backend: Backend,
  ) {}

  get bestItems(): BestItems {
    this.ownBest ??= new BestItems(this.tables, this.served, this.seen, () => this.itemRows.scorer);
    return this.ownBest;
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return rated(this.served, users, this.bestItems.of(users, request));
  }

  /** What makes the lists of some users after others in steps. */
  inTurns(request: ItemRequest): (users: readonly number[]) => Pausable<ScoredIndex[][]> {
    const steps = this.bestItems.inTurns(request);
    const { served } = this;
    return function* (users) {
      return rated(served, users, yield* steps(users));
    };
  }

  /** Makes what the best items need, in steps; the first question does what is left of it. */
  *layOut(): Pausable<void> {
    yield* this.itemRows.scorer.layOut();
    this.bestItems;
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
