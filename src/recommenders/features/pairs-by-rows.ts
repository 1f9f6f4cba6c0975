// Predictions and lists of a model of features whose score is no inner product: pairs become rows, some hundred at a time.

import { sigmoid } from '../../core/elementary';
import type { FeatureModel } from '../../models/feature-models';
import { type BlockScorer, ItemScan } from '../../serving/item-scan';
import type { ScoredIndex } from '../../serving/top-k';
import type { ItemRequest, PairColumns } from '../../serving/trained-state';
import type { KernelChoice } from '../../wasm/host';
import type { PairAnswers } from './pair-answers';
import type { Pairing } from './pairing';
import { onHeap, ROWS_AT_ONCE, RowScorer } from './score-rows';

/** Pairs whose rows are in memory at once. */
const PAIRS_AT_ONCE = 64 * ROWS_AT_ONCE;

/** Makes rows of pairs, and has the model score them. */
export class PairsByRows implements PairAnswers {
  private readonly scan: ItemScan;
  private readonly scorer: RowScorer;

  constructor(
    private readonly model: FeatureModel,
    private readonly pairing: Pairing,
    isProbability: boolean,
    /** 'js': the model stays where it is. */
    private readonly kernels: KernelChoice,
  ) {
    const { seen } = pairing.known;
    this.scorer = new RowScorer(model, isProbability);
    const isKnown = (user: number) => user >= 0 && user < seen.userCounts.length;
    const toPrediction = (score: number) => (isProbability ? Math.fround(sigmoid(score)) : score);
    this.scan = new ItemScan(seen, isKnown, this.blockScorer(), toPrediction);
  }

  predict(user: number, item: number): number {
    const { rows } = this.pairing.known;
    return this.scorer.all(rows.rowsOf(Int32Array.of(user), Int32Array.of(item)))[0]!;
  }

  predictAll({ size, users, items, userIndex, itemIndex }: PairColumns): Float32Array {
    const { pairing, scorer } = this;
    const { known } = pairing;
    const isKnown = users === known.users && items === known.items;
    const pairs = isKnown ? known.rows : pairing.among(users, items);
    const out = new Float32Array(size);
    this.atWork(size, ROWS_AT_ONCE * pairs.longest, () => {
      for (let from = 0; from < size; from += PAIRS_AT_ONCE) {
        const to = Math.min(from + PAIRS_AT_ONCE, size);
        out.set(scorer.all(pairs.rowsOf(userIndex.subarray(from, to), itemIndex.subarray(from, to))), from);
      }
    });
    return out;
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    const { rows, items } = this.pairing.known;
    const count = users.length * (request.candidates?.length ?? items.size);
    return this.atWork(count, ROWS_AT_ONCE * rows.longest, () => this.scan.of(users, request));
  }

  get scoreCost(): number {
    const { embedding, parameters } = this.model;
    let multiplications = 2 * this.pairing.known.rows.longest * embedding.dim;
    for (const { factors, rows, dim } of parameters) if (factors[0]!.group === 'dense') multiplications += rows * dim;
    return Math.max(1, Math.round(multiplications / 16));
  }

  private atWork<T>(rows: number, features: number, ask: () => T): T {
    return onHeap(this.model, this.kernels, rows, features, ask);
  }

  private blockScorer(): BlockScorer {
    const { rows } = this.pairing.known;
    const scorer = new RowScorer(this.model, false);
    const users = new Int32Array(ROWS_AT_ONCE);
    return {
      itemsAtOnce: ROWS_AT_ONCE,
      begin: (user) => users.fill(user),
      score: (items, count, scores) =>
        scores.set(scorer.all(rows.rowsOf(users.subarray(0, count), items.subarray(0, count)))),
    };
  }
}
