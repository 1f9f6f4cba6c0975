// A matrix factorization as a recommender: what MF and OverparamMF share, which is all but their presets and models.

import type { Interactions } from '../interactions/interactions';
import type { Factorization } from '../models/factorization';
import { MFModel } from '../models/mf';
import type { Optimizer } from '../optimizers/optimizer';
import { Breather } from '../training/breather';
import type { EpochRecord, History } from '../training/history';
import { drawStart } from './draw-start';
import { FactorizationAnswers } from './factorization-answers';
import {
  type FactorizationRecommenderOptions,
  type FilledOptions,
  readRecommenderOptions,
} from './factorization-options';
import { fitFactorization, measure } from './fit-factorization';
import { checkInteractions, readFitOptions } from './fit-options';
import type { Fitted } from './fitted';
import { IdRecommender } from './id-recommender';
import { partialFit } from './partial-fit';
import type { Presets } from './presets';
import type { FitOptions } from './recommender';
import { ServedTables, tablesOf } from './served-tables';

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

  /**
   * Goes on training with new interactions, of known or new users and items; before a fit it is `fit`. The rows of their
   * users and items, where a fifth of what they have is new, are fitted to all of their history, the other rows as they
   * are; those keep their bytes, mu stays, and the model is plain afterwards, as after a load. Weights of
   * interactions are taken for 1. Losses that compare items (bpr, warp, softmax) move users alone. One epoch, no learning
   * rate; an abort leaves the model as it was.
   *
   * Cost: O(history of those rows x rank^2 + rows x rank^3), and a copy of the tables.
   * @throws as fit; UnsupportedError for a model saved with `history: false`
   */
  async partialFit(data: Interactions, options?: FitOptions): Promise<History> {
    if (!this.isFitted) return this.fit(data, options);
    checkInteractions(data, 'data');
    const { validation, metrics, onEpoch, signal } = readFitOptions(`${this.owner}.partialFit`, options);
    const breather = new Breather(signal);
    const started = performance.now();
    const { state, loss } = await partialFit(this.need('partialFit').fitted, data, this.options, breather);
    this.installSaved(state);
    const seconds = (performance.now() - started) / 1000;
    const { clip } = this.options;
    const { fitted } = this.need('partialFit');
    const record: EpochRecord = {
      epoch: 1,
      trainLoss: loss,
      metrics: validation === undefined ? {} : await measure(fitted, validation, metrics, clip, breather),
      learningRate: 0,
      seconds,
      ratingsPerSecond: data.size / seconds,
    };
    await onEpoch?.(record);
    return { epochs: [record], bestEpoch: 1, stopped: 'epochs', seconds };
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
