// A recommender over the tables of a factorization, however they were trained: what a caller sees of the tables, and how
// tables alone become a recommender.

import type { Factorization } from '../models/factorization';
import { MFModel } from '../models/mf';
import type { FactorizationAnswers } from './factorization-answers';
import type { Fitted } from './fitted';
import { IdRecommender } from './id-recommender';
import { ServedTables, tablesOf } from './served-tables';

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
