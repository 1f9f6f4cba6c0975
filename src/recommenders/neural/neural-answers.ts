// A trained neural model as what answers questions. Its scores are no inner products: all items go through its layers,
// some hundred at a time.

import { naturalLog, sigmoid } from '../../core/elementary';
import { UnsupportedError } from '../../core/errors';
import type { Interactions } from '../../interactions/interactions';
import type { Vocabulary } from '../../interactions/vocabulary';
import { createScorer } from '../../kernels/scoring/create-scorer';
import type { RowTable, Scorer } from '../../kernels/scoring/scorer';
import type { Answers, ItemRequest, SimilarRequest } from '../answers';
import { Marks } from '../marks';
import { popularItems } from '../popular-items';
import { type Ranked, Ranking } from '../ranked';
import type { Seen } from '../seen';
import { similarRows } from '../similar';
import { translation } from '../translation';
import type { FittedNeural } from './fitted-neural';
import type { FilledNeuralOptions } from './neural-options';
import { ITEMS_AT_ONCE } from './neural-scorer';
import { encodeNeural } from './saved-neural';

/** The answers of NeuralCF. */
export class NeuralAnswers implements Answers {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
  private readonly marks: Marks;
  private readonly block = new Int32Array(ITEMS_AT_ONCE);
  private readonly scores = new Float64Array(ITEMS_AT_ONCE);
  private itemRows: { table: RowTable; scorer: Scorer } | undefined;
  private userRows: { table: RowTable; scorer: Scorer } | undefined;

  constructor(
    readonly fitted: FittedNeural,
    private readonly options: FilledNeuralOptions,
  ) {
    this.users = fitted.users;
    this.items = fitted.items;
    this.seen = fitted.seen;
    this.marks = new Marks(this.seen.itemCounts.length, (item) => this.hasItem(item));
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

  predictAll(pairs: Interactions): Float32Array {
    const predictions = new Float32Array(pairs.size);
    this.predictor(pairs, predictions)(0, pairs.size);
    return predictions;
  }

  /** What writes the predictions of a part of some interactions. */
  predictor(pairs: Interactions, out: Float32Array): (from: number, to: number) => void {
    const userOf = translation(pairs.users, this.users);
    const itemOf = translation(pairs.items, this.items);
    return (from, to) => {
      for (let k = from; k < to; k++) {
        const [user, item] = [pairs.userIndex[k]!, pairs.itemIndex[k]!];
        out[k] = this.predict(userOf?.[user] ?? user, itemOf?.[item] ?? item);
      }
    };
  }

  best(users: readonly number[], request: ItemRequest): Ranked[][] {
    const { marks } = this;
    const { n, exclude, candidates, filterSeen } = request;
    return marks.during(candidates, exclude, (marked) =>
      users.map((user) => {
        if (!this.hasUser(user)) return popularItems(this.seen, marks.check(0, candidates !== null), n);
        const hidden = filterSeen ? [this.seen.itemsOf(user)] : [];
        return marks.hiding(hidden, () => this.bestOf(user, marked, n));
      }),
    );
  }

  similarItems(item: number, { n, measure }: SimilarRequest): Ranked[] {
    this.itemRows ??= this.rowsOf('items', this.seen.itemCounts.length, (row) => this.hasItem(row));
    return similarRows(this.itemRows.table, this.itemRows.scorer, item, n, measure);
  }

  similarUsers(user: number, { n, measure }: SimilarRequest): Ranked[] {
    this.userRows ??= this.rowsOf('users', this.seen.userCounts.length, (row) => this.hasUser(row));
    return similarRows(this.userRows.table, this.userRows.scorer, user, n, measure);
  }

  explain(): never {
    throw new UnsupportedError(
      'NeuralCF.explain: what comes out of layers is no sum over a history; use similarItems, or ALS, whose scores are',
    );
  }

  foldInUser(): never {
    throw new UnsupportedError(
      'NeuralCF.foldInUser: a user has no closed form under layers; fit again with the new interactions, or use MF, which folds in',
    );
  }

  foldInItem(): never {
    throw new UnsupportedError(
      'NeuralCF.foldInItem: an item has no closed form under layers; fit again with the new interactions, or use MF, which folds in',
    );
  }

  encode(history: boolean): Uint8Array {
    return encodeNeural(this.options, this.fitted, history);
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
    this.block[0] = item;
    this.fitted.scorer.score(this.block, 1, this.scores);
    return this.prediction(this.scores[0]!);
  }

  private bestOf(user: number, candidates: readonly number[] | null, n: number): Ranked[] {
    const { block, scores, marks, fitted } = this;
    const count = candidates?.length ?? this.seen.itemCounts.length;
    const isAllowed = marks.check(0, candidates !== null);
    const ranking = new Ranking(Math.min(n, this.seen.itemCounts.length));
    fitted.scorer.begin(user);
    for (let next = 0; next < count; ) {
      let filled = 0;
      for (; next < count && filled < ITEMS_AT_ONCE; next++) {
        const item = candidates === null ? next : candidates[next]!;
        if (isAllowed(item)) block[filled++] = item;
      }
      fitted.scorer.score(block, filled, scores);
      for (let s = 0; s < filled; s++) ranking.offer(block[s]!, this.hasItem(block[s]!) ? scores[s]! : this.coldScore);
    }
    return ranking.list().map(({ index, score }) => ({ index, score: this.prediction(score) }));
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
    return { table, scorer: createScorer(table, this.options.kernels) };
  }
}
