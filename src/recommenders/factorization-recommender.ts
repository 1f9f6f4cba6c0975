// A matrix factorization as a recommender: what MF and OverparamMF share, which is all but their presets and models.

import type { Interactions } from '../interactions/interactions';
import { type Scores, scoresOf } from '../metrics/scores';
import type { Factorization } from '../models/factorization';
import type { Optimizer } from '../optimizers/optimizer';
import { Breather } from '../training/breather';
import type { History } from '../training/history';
import { drawStart } from './draw-start';
import {
  type FactorizationRecommenderOptions,
  type FilledOptions,
  readRecommenderOptions,
} from './factorization-options';
import { fitFactorization } from './fit-factorization';
import type { FilledFitOptions } from './fit-options';
import type { Fitted } from './fitted';
import type { TrainedState } from './partial-fit';
import type { Presets } from './presets';
import { RowFolder } from './row-folder';
import { TableRecommender } from './table-recommender';

/** The common part of MF and OverparamMF. */
export abstract class FactorizationRecommender extends TableRecommender {
  readonly options: FilledOptions;
  protected readonly rule: Optimizer;

  protected constructor(owner: string, options: FactorizationRecommenderOptions | undefined, presets: Presets) {
    super(owner);
    const read = readRecommenderOptions(owner, options, presets);
    this.options = read.options;
    this.rule = read.rule;
  }

  /** Ratings; of loss 'logistic' without negatives probabilities, and with negatives orders. */
  get scores(): Scores {
    return scoresOf(this.options.loss, this.options.negatives !== false);
  }

  /** A recommender of the same kind and options, not fitted. */
  abstract override fresh(): FactorizationRecommender;
  /** Makes the model to be trained, with embeddings of 0: their start is drawn afterwards, giving way to other tasks. */
  protected abstract createModel(users: number, items: number): Factorization;

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { rule, name, options, isFitted: isServing } = this;
    const breather = new Breather(fitOptions.signal);
    const model = this.createModel(data.users.size, data.items.size);
    await drawStart([model.userEmbedding, model.itemEmbedding], this.options, breather);
    const install = (fitted: Fitted) => this.serve(fitted);
    const plainOf = () => model;
    const task = { name, data, options, rule, fitOptions, model, plainOf, breather, install, isServing };
    return fitFactorization(task);
  }

  protected problemsOf(state: TrainedState): RowFolder {
    return new RowFolder(state, this.options);
  }
}
