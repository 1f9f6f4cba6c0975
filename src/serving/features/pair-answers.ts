// What a model of features says of users and items, by index: by rows, which every model can, or by tables, where the score
// is an inner product of what the model says of each side.

import { sigmoid } from '../../core/elementary';
import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { SideRows } from '../../data/pair-features';
import type { Real } from '../../optimizers/factor';
import type { FactorizationLists, ServedTables, Tables } from '../factorization-tables';
import { type BlockScorer, ItemScan } from '../item-scan';
import type { ScoredIndex } from '../top-k';
import type { ItemRequest, PairColumns, TrainedState } from '../trained-state';
import { ROWS_AT_ONCE, type RowModel, RowScorer } from './feature-rows';
import type { KnownPairs, Pairing } from './pairing';

/** Answers about pairs, by the numbers of who is known. */
export interface PairAnswers extends Pick<TrainedState, 'predict' | 'predictAll' | 'best'> {
  /** How many times the work of a product of two short vectors a score is. */
  readonly scoreCost: number;
}

/** Pairs whose rows are in memory at once. */
const PAIRS_AT_ONCE = 64 * ROWS_AT_ONCE;

/** Makes rows of pairs, and has the model score them. */
export class PairsByRows implements PairAnswers {
  private readonly scan: ItemScan;
  private readonly scorer: RowScorer;

  constructor(
    private readonly model: RowModel,
    private readonly pairing: Pairing,
    isProbability: boolean,
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
    this.model.atWork(size, ROWS_AT_ONCE * pairs.longest, () => {
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
    return this.model.atWork(count, ROWS_AT_ONCE * rows.longest, () => this.scan.of(users, request));
  }

  get scoreCost(): number {
    const { dim, layerCost } = this.model;
    const multiplications = 2 * this.pairing.known.rows.longest * dim + layerCost;
    return Math.max(1, Math.round(multiplications / 16));
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

/** With vectors and biases no larger than these, float32 holds every score: 4096 products, and their sum. */
const MOST_OF_A_VECTOR = 1e17;
const MOST_OF_A_BIAS = 1e37;

/**
 * The tables of all pairs of users and items: with x the features of a side, its own and those of its table,
 *
 *   p = sum_f x_f v_f,   b = sum_f w_f x_f + 1/2 (|p|^2 - sum_f x_f^2 |v_f|^2),   score = w_0 + b_user + b_item + <p_user, p_item>,
 *
 * which is the whole score of FM, and of other models what their embeddings alone say. Summed in double and rounded once;
 * who has no features has zeros. Cost: the rank for each feature of each row.
 *
 * @throws DataError where numbers of a table make more of a user or an item than arithmetic holds
 * @see Rendle, "Factorization Machines" (ICDM 2010), lemma 3.1
 * @see Kula, "Metadata Embeddings for User and Item Cold-start Recommendations" (CBRecSys 2015), section 2
 */
export function sideTables(
  { rows, users, items }: KnownPairs,
  { dim: rank, tables }: Pick<RowModel, 'dim' | 'tables'>,
): Tables {
  const { embedding, linear, bias } = tables;
  const user = sideTable(rows.users, embedding, linear, rank);
  const item = sideTable(rows.items, embedding, linear, rank);
  check(user, rank, (row) => `user ${show(users.idOf(row))}`);
  check(item, rank, (row) => `item ${show(items.idOf(row))}`);
  return {
    rank,
    globalMean: bias,
    userEmbedding: user.vectors,
    itemEmbedding: item.vectors,
    userBias: user.biases,
    itemBias: item.biases,
  };
}

interface SideTable {
  readonly vectors: Float32Array;
  readonly biases: Float32Array;
}

function sideTable(rows: SideRows, embedding: Real, linear: Real, rank: number): SideTable {
  const vectors = new Float32Array(rows.size * rank);
  const biases = new Float32Array(rows.size);
  const indices = new Int32Array(rows.longest);
  const values = new Float64Array(rows.longest);
  const sum = new Float64Array(rank);
  for (let row = 0; row < rows.size; row++) {
    const end = rows.writeOthers(row, indices, values, rows.writeOwn(row, indices, values, 0));
    sum.fill(0);
    let [bias, squares] = [0, 0];
    for (let p = 0; p < end; p++) {
      const [feature, value] = [indices[p]!, values[p]!];
      bias += value * linear[feature]!;
      for (let k = 0; k < rank; k++) {
        const part = value * embedding[feature * rank + k]!;
        sum[k]! += part;
        squares += part * part;
      }
    }
    vectors.set(sum, row * rank);
    biases[row] = bias + (sum.reduce((total, part) => total + part * part, 0) - squares) / 2;
  }
  return { vectors, biases };
}

function check({ vectors, biases }: SideTable, rank: number, nameOf: (row: number) => string): void {
  // No number is not within them either.
  const vector = vectors.findIndex((number) => !(Math.abs(number) <= MOST_OF_A_VECTOR));
  const bias = biases.findIndex((number) => !(Math.abs(number) <= MOST_OF_A_BIAS));
  if (vector < 0 && bias < 0) return;
  const row = vector < 0 ? bias : Math.floor(vector / rank);
  throw new DataError(
    `scores of ${nameOf(row)} are beyond what arithmetic holds: its features, or the model, have too large numbers; ` +
      'scale the fields of its table (numeric() standardizes), or load the file again from its source',
  );
}

/** Asks the tables of users and items. */
export class PairsByTables implements PairAnswers {
  readonly scoreCost = 1;

  constructor(
    private readonly known: KnownPairs,
    private readonly served: ServedTables,
    private readonly serving: FactorizationLists,
  ) {}

  predict(user: number, item: number): number {
    return this.served.predict(user, item, false);
  }

  predictAll(pairs: PairColumns): Float32Array {
    return this.served.predictAll(this.known.users, this.known.items, pairs, false);
  }

  best(users: readonly number[], request: ItemRequest): ScoredIndex[][] {
    return this.serving.best(users, request);
  }
}
