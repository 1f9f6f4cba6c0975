// What a factorization machine says of users and items one by one. A score of a pair is then an inner product, as in plain
// factorization: what each side has within itself is a bias.

import { DataError } from '../../core/errors';
import { show } from '../../core/options';
import type { SideRows } from '../../data/pair-features';
import { tableOf } from '../../models/factorization';
import type { FeatureModel } from '../../models/feature-models';
import type { Real } from '../../optimizers/factor';
import type { Tables } from '../../serving/factorization-tables';
import type { KnownPairs } from './pairing';

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
export function sideTables({ rows, users, items }: KnownPairs, { embedding, linear, bias }: FeatureModel): Tables {
  const [vectors, weights, rank] = [tableOf(embedding), tableOf(linear), embedding.dim];
  const user = sideTable(rows.users, vectors, weights, rank);
  const item = sideTable(rows.items, vectors, weights, rank);
  check(user, rank, (row) => `user ${show(users.idOf(row))}`);
  check(item, rank, (row) => `item ${show(items.idOf(row))}`);
  return {
    rank,
    globalMean: tableOf(bias)[0]!,
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
