// A trained neural model as what answers questions. Its scores are no inner products: all items go through its layers,
// some hundred at a time.

import { naturalLog, sigmoid } from '../core/elementary';
import { FormatError } from '../core/errors';
import type { Vocabulary } from '../data/vocabulary';
import type { Backend } from '../kernels/backend';
import type { RowTable, Scorer } from '../kernels/scorer';
import { type NeuralForm, neuralTables } from '../models/neural-cf';
import { indexMap } from './index-map';
import type { InteractionHistory } from './interaction-history';
import { type BlockScorer, ItemScan } from './item-scan';
import { ITEMS_AT_ONCE, type NeuralScorer, type NeuralTables } from './neural-scorer';
import { checkFinite, type SavedModel, taker } from './saved-model';
import { type ScoredIndex, type SimilarRequest, similarRows } from './top-k';
import type { Able, ItemRequest, PairColumns } from './trained-state';

/** What answers are given from. */
export interface FittedNeural {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  readonly scorer: NeuralScorer;
}

/** The options that say what scores are. */
export interface NeuralScoreOptions {
  readonly loss: string;
  readonly negatives: { readonly count: number };
}

/** The answers of NeuralCF. */
export class NeuralState<F extends FittedNeural = FittedNeural> implements Able<'similarItems' | 'similarUsers'> {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  private readonly scan: ItemScan;
  private readonly one = new Int32Array(1);
  private readonly score = new Float64Array(1);
  private itemRows: { table: RowTable; scorer: Scorer } | undefined;
  private userRows: { table: RowTable; scorer: Scorer } | undefined;

  constructor(
    readonly fitted: F,
    private readonly options: NeuralScoreOptions,
    private readonly backend: Backend,
  ) {
    this.users = fitted.users;
    this.items = fitted.items;
    this.seen = fitted.seen;
    const scorer: BlockScorer = {
      itemsAtOnce: ITEMS_AT_ONCE,
      begin: (user) => fitted.scorer.begin(user),
      score: (items, count, scores) => {
        fitted.scorer.score(items, count, scores);
        for (let s = 0; s < count; s++) if (!this.hasItem(items[s]!)) scores[s] = this.coldScore;
      },
    };
    const hasUser = (user: number) => this.hasUser(user);
    this.scan = new ItemScan(this.seen, hasUser, scorer, (score) => this.prediction(score));
  }

  hasUser(user: number): boolean {
    return user >= 0 && this.seen.userCounts[user]! > 0;
  }

  hasItem(item: number): boolean {
    return item >= 0 && this.seen.itemCounts[item]! > 0;
  }

  predict(user: number, item: number): number {
    if (!this.hasUser(user) || !this.hasItem(item)) return this.prediction(this.coldScore);
    this.fitted.scorer.begin(user);
    return this.scoreOf(item);
  }

  predictAll(pairs: PairColumns): Float32Array {
    const predictions = new Float32Array(pairs.size);
    this.predictor(pairs, predictions)(0, pairs.size);
    return predictions;
  }

  /** What writes the predictions of a part of some interactions. */
  predictor(pairs: PairColumns, out: Float32Array): (from: number, to: number) => void {
    const userOf = indexMap(pairs.users, this.users);
    const itemOf = indexMap(pairs.items, this.items);
    const [usersOf, itemsOf, at] = [0, 1, 2].map(() => new Int32Array(ITEMS_AT_ONCE)) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const scores = new Float64Array(ITEMS_AT_ONCE);
    const cold = this.prediction(this.coldScore);
    return (from, to) => {
      for (let k = from; k < to; ) {
        const end = Math.min(k + ITEMS_AT_ONCE, to);
        let count = 0;
        for (; k < end; k++) {
          const [user, item] = [pairs.userIndex[k]!, pairs.itemIndex[k]!];
          usersOf[count] = userOf?.[user] ?? user;
          itemsOf[count] = itemOf?.[item] ?? item;
          at[count] = k;
          out[k] = cold;
          if (this.hasUser(usersOf[count]!) && this.hasItem(itemsOf[count]!)) count++;
        }
        this.fitted.scorer.scorePairs(usersOf, itemsOf, count, scores);
        for (let s = 0; s < count; s++) out[at[s]!] = this.prediction(scores[s]!);
      }
    };
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return this.scan.of(users, request);
  }

  similarItems(item: number, request: SimilarRequest): ScoredIndex[] {
    this.itemRows ??= this.rowsOf('items', this.seen.itemCounts.length, (row) => this.hasItem(row));
    return similarRows(this.itemRows.table, this.itemRows.scorer, item, request);
  }

  similarUsers(user: number, request: SimilarRequest): ScoredIndex[] {
    this.userRows ??= this.rowsOf('users', this.seen.userCounts.length, (row) => this.hasUser(row));
    return similarRows(this.userRows.table, this.userRows.scorer, user, request);
  }

  /** Of what training never saw: the log-odds of an interaction among all that was trained on, or no preference. */
  private get coldScore(): number {
    const { loss, negatives } = this.options;
    return loss === 'logistic' ? -naturalLog(negatives.count) : 0;
  }

  private prediction(score: number): number {
    return this.options.loss === 'logistic' ? sigmoid(score) : score;
  }

  /** The prediction of an item for the user at hand. */
  private scoreOf(item: number): number {
    this.one[0] = item;
    this.fitted.scorer.score(this.one, 1, this.score);
    return this.prediction(this.score[0]!);
  }

  /** The vectors of GMF and of the MLP, one after the other. */
  private rowsOf(side: 'users' | 'items', count: number, isUsed: (row: number) => boolean) {
    const parts = [this.fitted.scorer.gmf, this.fitted.scorer.mlp].filter((part) => part !== null);
    const dim = parts.reduce((sum, part) => sum + part.dim, 0);
    const values = new Float32Array(count * dim);
    let start = 0;
    for (const part of parts) {
      for (let row = 0; row < count; row++)
        values.set(part[side].subarray(row * part.dim, (row + 1) * part.dim), row * dim + start);
      start += part.dim;
    }
    const table: RowTable = { values, dim, count, shifts: new Float32Array(0), isUsed };
    return { table, scorer: this.backend.scorer(table) };
  }
}

/** The tables of a file. @throws FormatError where one is not there, or not of the form that the options say */
export function decodeNeural({ tensors, users, items }: SavedModel, form: NeuralForm): NeuralTables {
  const take = taker(tensors);
  // What the options say must be what is there before memory is asked for.
  const tables = neuralTables(form, users.size, items.size).map(([name, rows, dim]) => {
    const [length, width] = tensors.get(name)?.shape ?? [];
    if (length !== rows || width !== dim)
      throw new FormatError(`tensor '${name}' is not ${rows} x ${dim}, as the options have it; the file is damaged`);
    return [name, { values: take(name, Float32Array, rows, dim), rows, dim }] as const;
  });
  for (const [name, { values }] of tables) checkFinite({ [name]: values });
  return new Map(tables);
}
