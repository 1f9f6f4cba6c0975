// A recommender over the tables of a factorization, however they were trained: what a caller sees of the tables, and how
// tables alone become a recommender.

import { field, oneOf, readOptions } from '../core/options';
import type { Factorization } from '../models/factorization';
import { MFModel } from '../models/mf';
import type { FactorizationAnswers } from './factorization-answers';
import type { Fitted } from './fitted';
import { IdRecommender } from './id-recommender';
import { ServedTables, tablesOf } from './served-tables';
import { type VectorIndex, type Vectors, vectorsOf } from './vector-table';

/** What vectors are exported for. */
export interface ExportVectorsOptions {
  /** What the index compares by. @defaultValue 'inner-product' */
  readonly index?: VectorIndex | undefined;
}

/** The common part of MF, OverparamMF and ALS. */
export abstract class TableRecommender<A extends FactorizationAnswers> extends IdRecommender<A> {
  /** Takes over a trained state. */
  protected abstract serve(fitted: Fitted): void;

  /** The trained model, by index, on the rating scale (for a sigmoid link: scores). After a load it is plain. */
  get model(): Factorization {
    return this.need('model').fitted.model;
  }
  /** users x rank, an ndarray view. */
  get userFactors() {
    return this.model.userFactors;
  }
  /** items x rank, an ndarray view. */
  get itemFactors() {
    return this.model.itemFactors;
  }
  /** b_u, by row. */
  get userBiases() {
    return this.model.userBiases;
  }
  /** b_i, by row. */
  get itemBiases() {
    return this.model.itemBiases;
  }
  /** mu. */
  get globalMean(): number {
    return this.model.globalMean;
  }

  /**
   * The user and item vectors, for an index of approximate nearest neighbours.
   *
   * Items are (q_i, b_i), users (p_u, 1): their inner product is the score less mu + b_u, which is the same for all items
   * of a user. For an index that knows cosines or Euclidean distances alone, `index: 'cosine'` adds the number
   * sqrt(M^2 - |(q_i, b_i)|^2) to items, M the longest of them, and 0 to users: the cosine then orders items as the inner
   * product does. Rows that training never saw are left out. Shapes: dim = rank, + 1 with biases, + 1 for cosines.
   * Cost: O((users + items) rank).
   *
   * @throws NotFittedError; OptionError
   * @see Bachrach et al., "Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
   * Spaces" (RecSys 2014), equation 5
   */
  exportVectors(options?: ExportVectorsOptions): Vectors {
    const { fitted } = this.need('exportVectors');
    const { index } = readOptions<{ index: VectorIndex }>(`${this.owner}.exportVectors`, options, {
      index: field(oneOf('inner-product', 'cosine'), 'inner-product'),
    });
    return vectorsOf(fitted, index);
  }

  /** Takes over a trained state from tables alone: a file, or a collapsed product. Its model is plain. */
  protected installSaved(state: Omit<Fitted, 'model' | 'served'>): void {
    const { units, seen } = state;
    const model = plainModel(state);
    // The tables that answer are those of the model: who changes a view of one changes both, as after a fit.
    const tables = tablesOf(model);
    this.serve({ ...state, model, tables, served: new ServedTables(tables, units, seen) });
  }
}

/** A plain model of a trained state's tables. */
function plainModel({ tables, seen }: Pick<Fitted, 'tables' | 'seen'>): MFModel {
  const { rank, globalMean, userBias } = tables;
  const biases = userBias.length > 0;
  const [users, items] = [seen.userCounts.length, seen.itemCounts.length];
  const model = new MFModel({ users, items, rank, biases, globalMean, initScale: 0 });
  for (const parameter of model.parameters) parameter.assign(tables[parameter.name as 'userEmbedding']);
  return model;
}
