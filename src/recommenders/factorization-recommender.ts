// A matrix factorization as a recommender: what MF and OverparamMF share, which is all but their presets and models.

import { field, oneOf, readOptions } from '../core/options';
import type { Interactions } from '../interactions/interactions';
import type { Factorization } from '../models/factorization';
import { MFModel } from '../models/mf';
import type { Optimizer } from '../optimizers/optimizer';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import { drawStart } from './draw-start';
import { FactorizationAnswers } from './factorization-answers';
import {
  type FactorizationRecommenderOptions,
  type FilledOptions,
  readRecommenderOptions,
} from './factorization-options';
import { fitFactorization } from './fit-factorization';
import { checkInteractions, readFitOptions } from './fit-options';
import type { Fitted } from './fitted';
import { IdRecommender } from './id-recommender';
import type { Presets } from './presets';
import type { FitOptions } from './recommender';
import { ServedTables, tablesOf } from './served-tables';
import { type VectorIndex, type Vectors, vectorsOf } from './vector-table';

/** What vectors are exported for. */
export interface ExportVectorsOptions {
  /** What the index compares by. @defaultValue 'inner-product' */
  readonly index?: VectorIndex | undefined;
}

/** The common part of MF and OverparamMF. */
export abstract class FactorizationRecommender extends IdRecommender<FactorizationAnswers> {
  readonly options: FilledOptions;
  protected readonly rule: Optimizer;

  protected constructor(owner: string, options: FactorizationRecommenderOptions | undefined, presets: Presets) {
    super(owner);
    const read = readRecommenderOptions(owner, options, presets);
    this.options = read.options;
    this.rule = read.rule;
  }

  /** A recommender of the same kind and options, not fitted. */
  abstract override fresh(): FactorizationRecommender;
  /** Makes the model to be trained, with embeddings of 0: their start is drawn afterwards, giving way to other tasks. */
  protected abstract createModel(users: number, items: number): Factorization;

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

  /**
   * Trains on the ratings, from the start. Other tasks of the process go on meanwhile.
   * Cost: O(epochs x ratings x rank).
   * @throws DataError without ratings; OptionError; DivergenceError; the signal's reason after an abort
   */
  async fit(data: Interactions, options?: FitOptions): Promise<History> {
    checkInteractions(data, 'data');
    const { rule, owner } = this;
    const fitOptions = readFitOptions(`${owner}.fit`, options);
    const breather = new Breather(fitOptions.signal);
    const model = this.createModel(data.users.size, data.items.size);
    await drawStart(model, this.options, breather);
    const install = (fitted: Fitted) => this.serve(fitted);
    return fitFactorization({ data, options: this.options, rule, fitOptions, model, breather, install });
  }

  private serve(fitted: Fitted): void {
    this.install(new FactorizationAnswers(fitted, this.name, this.options));
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
