// A factorization that is trained by gradients, as a recommender: what MF, OverparamMF and SVDpp share, which is all but
// their options and models.

import { TaskScheduler } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import { type Scores, scoresOf } from '../metrics/scores';
import type { Factorization } from '../models/factorization';
import type { FittedFactorization } from '../serving/factorization-tables';
import { GradientFoldIn } from '../serving/fold-in/gradient-fold-in';
import type { History } from '../training/fit';
import { onlyValueNow } from './choose-loss';
import { drawStart } from './draw-start';
import type {
  FactorizationOptionsInForce,
  FactorizationRecommenderOptions,
  FilledOptions,
  OptionsReader,
  ReadRecommender,
} from './factorization-options';
import { type FitTask, fitFactorization } from './fit-factorization';
import type { FilledFitOptions } from './fit-options';
import type { FittedTables } from './partial-fit';
import { withSavedRule } from './restore';
import { TableRecommender } from './table-recommender';

/** A model with its start drawn, and how it is trained and served. */
export type Prepared = Pick<FitTask, 'model' | 'plainOf' | 'trainingOf' | 'batches'>;

/** The common part of MF, OverparamMF and SVDpp. */
export abstract class FactorizationRecommender extends TableRecommender {
  /** What the caller gave, and what it comes to: for the data of the fit that serves, once there is one. */
  protected read: ReadRecommender;

  protected constructor(
    owner: string,
    options: FactorizationRecommenderOptions | undefined,
    private readonly reader: OptionsReader,
  ) {
    super(owner);
    this.read = reader.read(options);
  }

  /**
   * The options in force. What the data decide is that of the last fit: the loss where it is 'auto', with the defaults
   * that go with it, and the default rates where batchSize is above 1. Before a fit: 'auto', and the defaults of ratings.
   */
  get options(): FactorizationOptionsInForce {
    return this.read.options;
  }

  /** Ratings; of loss 'logistic' without negatives probabilities, and with negatives orders. */
  get scores(): Scores {
    return scoresOf(this.options.loss, this.options.negatives !== false);
  }

  /** A recommender of the same kind and options, not fitted. */
  abstract override fresh(): FactorizationRecommender;
  /** Makes the model to be trained, and draws its start. */
  protected abstract prepare(data: Interactions, options: FilledOptions, scheduler: TaskScheduler): Promise<Prepared>;

  protected async train(data: Interactions, fitOptions: FilledFitOptions): Promise<History> {
    const { name, reader, isFitted: isServing } = this;
    const scheduler = new TaskScheduler(fitOptions.signal);
    const read = await reader.forData(this.read.asked, data, scheduler);
    // The loss is no longer 'auto'.
    const options = read.options as FilledOptions;
    const prepared = await this.prepare(data, options, scheduler);
    const install = (fitted: FittedFactorization) => {
      this.read = read;
      this.serve(fitted);
    };
    const task = { name, data, options, rule: read.rule, fitOptions, scheduler, install, isServing };
    return fitFactorization({ ...task, ...prepared });
  }

  /** What a loss that the data choose makes of them. */
  protected override scoresFor(data: Interactions): Scores {
    const { loss = 'auto', negatives } = this.read.asked;
    if (loss !== 'auto') return this.scores;
    return onlyValueNow(data) === undefined || negatives !== undefined ? 'rating' : 'order';
  }

  protected problemsOf(state: FittedTables): GradientFoldIn {
    return new GradientFoldIn(state, this.options as FilledOptions);
  }

  protected override get askedOptions(): object {
    return this.read.asked;
  }

  /** Puts back what a saved recommender was asked for: what its next fit chooses by. */
  protected askedFor(asked: object | undefined): void {
    if (asked === undefined) return;
    this.read = {
      ...this.read,
      asked: this.reader.read(withSavedRule(asked as FactorizationRecommenderOptions)).asked,
    };
  }
}

/** A factorization with its start drawn, which is served as it is trained. */
export async function started(
  model: Factorization,
  options: FilledOptions,
  scheduler: TaskScheduler,
): Promise<Prepared> {
  await drawStart([model.userEmbedding, model.itemEmbedding], options, scheduler);
  return { model, plainOf: () => model };
}
