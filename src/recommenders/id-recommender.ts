// What every recommender that can be trained does alike: fits one after another, in the order of the calls.

import { retoldAllocation } from '../core/allocate';
import type { Bytes } from '../core/bytes';
import { isNamed } from '../core/errors';
import { boolean, field, readOptions } from '../core/options';
import { runYielding, TaskScheduler, untilAborted } from '../core/scheduler';
import type { Interactions } from '../data/interactions';
import type { Scores } from '../metrics/metric-names';
import { ROWS_A_STEP } from '../metrics/relevant-items';
import { Predictor } from '../serving/predictor';
import type { TrainedState } from '../serving/trained-state';
import type { History } from '../training/fit';
import { checkInteractions, type FilledFitOptions, readFitOptions } from './fit-options';
import type { FitOptions, Recommender } from './recommender';

/** A recommender over a trained state of one kind. */
export abstract class IdRecommender extends Predictor implements Recommender {
  /** A recommender of the same kind and options, not fitted. */
  abstract fresh(): Recommender;

  /**
   * Trains on the interactions, from the start. Other tasks of the process go on meanwhile, and the recommender answers
   * from its last complete state. Several calls of `fit` and `partialFit` run one after another, in the order of the calls.
   *
   * After an abort or an error a recommender that was fitted before stays as it was; otherwise it keeps the last whole
   * epoch, that is, the last one that was trained and measured, where there was one.
   *
   * @throws DataError without interactions, or with values that the kind does not take; OptionError; DivergenceError; the
   * signal's reason after an abort; what `onEpoch` or `checkpoint.write` throws or rejects with
   */
  async fit(data: Interactions, options?: FitOptions): Promise<History> {
    checkInteractions(data, 'data');
    const fitOptions = readFitOptions(`${this.owner}.fit`, options, this.scoresFor(data));
    return this.inTurn(fitOptions.signal, () => this.withSeen(this.train(data, fitOptions), fitOptions.validation));
  }

  /** `partialFit` of a kind that has it: `update` when its turn comes, and `fit` where nothing has been fitted by then. */
  protected async goOn(
    data: Interactions,
    options: FitOptions | undefined,
    update: (options: FilledFitOptions) => Promise<History>,
  ): Promise<History> {
    checkInteractions(data, 'data');
    const scores = this.isFitted ? this.scores : this.scoresFor(data);
    const fitOptions = readFitOptions(`${this.owner}.partialFit`, options, scores);
    return this.inTurn(fitOptions.signal, () => {
      const training = this.isFitted ? update(fitOptions) : this.train(data, fitOptions);
      return this.withSeen(training, fitOptions.validation);
    });
  }

  /** What a training tells, and how much of its validation it was trained on, once the first question costs no more than others. */
  protected async withSeen(training: Promise<History>, validation: unknown): Promise<History> {
    const history = await training;
    const laidOut = this.state?.layOut?.();
    if (laidOut !== undefined) await runYielding(laidOut);
    if (!isNamed<Interactions>('Interactions', validation)) return history;
    const kinds = await runYielding(this.familiaritySteps(validation), new TaskScheduler(undefined), ROWS_A_STEP);
    return { ...history, seen: kinds.reduce((count, kind) => count + (kind === 2 ? 1 : 0), 0) };
  }

  /** What scores are after a fit to some data: where the data choose the loss, they choose this too. */
  protected scoresFor(_data: Interactions): Scores {
    return this.scores;
  }

  /** Trains from the start and installs the result. */
  protected abstract train(data: Interactions, options: FilledFitOptions): Promise<History>;

  /** The last training that was asked for, while there is one; it never rejects. */
  private queue: Promise<unknown> | undefined;

  /**
   * Runs a training when those before it have ended, well or not. An abort takes it out of the queue, whose order stays.
   * @throws what the training throws; the signal's reason
   */
  protected inTurn<T>(signal: AbortSignal | undefined, training: () => Promise<T>): Promise<T> {
    const before = this.queue;
    const result = (before === undefined ? training() : untilAborted(before, signal).then(training)).catch((error) =>
      retoldAllocation(error, `a training of ${this.owner}`),
    );
    const queue: Promise<unknown> = Promise.allSettled([before, result]).then(() => {
      if (this.queue === queue) this.queue = undefined;
    });
    this.queue = queue;
    return result;
  }

  /** The trained state, the ids and the options as one safetensors file. `loadRecommender` reads it. */
  save(options?: Parameters<Recommender['save']>[0]): Bytes {
    const state = this.need('save');
    const { history } = readOptions(`${this.owner}.save`, options, {
      history: field(boolean, true),
    });
    return this.encode(state, history);
  }

  /** The bytes of a file. Without `history`, who has rated what is left out; how often stays. */
  protected abstract encode(state: TrainedState, history: boolean): Bytes;
}
