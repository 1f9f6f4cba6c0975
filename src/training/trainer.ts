// The training loop. One step: forward -> loss -> backward -> penalty -> pullback into the optimizer. It knows neither
// what the model scores nor what its parameters are made of.

import { DivergenceError } from '../core/errors';
import type { Stream } from '../core/random';
import type { Batch, Batcher, Model, RatingData } from '../models/model';
import type { Real } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer } from '../optimizers/optimizer';
import { allocate } from '../parameters/memory';
import type { Penalty } from '../parameters/penalty';
import { Breather } from './breather';
import { firstBroken, largestOf } from './first-broken';
import { BLOCK, type FusedSteps, fuse } from './fused';
import type { Loss } from './loss';
import { OptimizerSink } from './optimizer-sink';

/** How to go through the data. */
export interface TrainerOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  /** The stream of the order of the ratings. */
  readonly stream: Stream;
  /** false: every step by itself, as the definition has it. @defaultValue true */
  readonly fused?: boolean;
}

/** What one epoch was. */
export interface EpochResult {
  /** The running mean of the loss over the epoch, each rating before its own step. */
  readonly loss: number;
  readonly seconds: number;
  readonly learningRate: number;
}

/** Trains a model by steps of batches. */
export class Trainer<B extends Batch> {
  private readonly batcher: Batcher<B>;
  private readonly rates: LearningRates;
  private readonly sink: OptimizerSink;
  private readonly gScores: Real;
  /** What the loss sees of a step: one object for the whole fit. */
  private readonly scored: { scores: Real; targets: Real; weights: Real | null; count: number };
  /** The same steps by one loop, where the training allows it. */
  private readonly fused: FusedSteps<B> | null;
  private steps = 0;

  constructor(
    private readonly model: Model<B>,
    private readonly loss: Loss,
    optimizer: Optimizer,
    private readonly penalties: readonly Penalty[],
    data: RatingData,
    private readonly options: TrainerOptions,
  ) {
    const { stream } = options;
    // A step has no more ratings than there are: room for more would be room for nothing.
    const batchSize = Math.min(options.batchSize, data.size);
    const precision = data.targets instanceof Float64Array ? 'float64' : 'float32';
    this.batcher = model.batches(data, stream);
    this.rates = new LearningRates(optimizer.config.learningRate);
    this.sink = new OptimizerSink(optimizer, this.rates, model.parameters);
    this.gScores = allocate(precision, batchSize);
    this.scored = { scores: allocate(precision, batchSize), targets: data.targets, weights: null, count: 0 };
    for (const parameter of model.parameters) parameter.reserve(batchSize);
    this.fused = batchSize === 1 && options.fused !== false ? fuse(model, loss, optimizer, penalties) : null;
  }

  /** One update from one batch; returns the summed loss. `progress` is the part of the fit that is done. */
  step(batch: B, progress: number): number {
    const { model, scored, gScores, penalties, sink } = this;
    const { count } = batch;
    this.rates.begin(++this.steps, progress);
    model.forward(batch, scored.scores);
    scored.targets = batch.targets;
    scored.weights = batch.weights;
    scored.count = count;
    const loss = this.loss.evaluate(scored, gScores);
    // The gradient of a batch is the mean over its ratings.
    if (count > 1) for (let s = 0; s < count; s++) gScores[s]! /= count;
    model.backward(batch, gScores);
    for (let i = 0; i < penalties.length; i++) penalties[i]!.apply(count);
    const { parameters } = model;
    for (let i = 0; i < parameters.length; i++) parameters[i]!.pullback(sink);
    return loss;
  }

  /** The updates of a block of ratings, one for each. */
  private block(fused: FusedSteps<B>, batch: B, epoch: number, seen: number, sum: number): number {
    for (let s = 0; s < batch.count; s++) {
      this.rates.begin(++this.steps, this.progress(epoch, seen + s));
      fused.note(s, this.rates);
    }
    return fused.run(batch, sum);
  }

  /** The part of the fit that is done before rating `seen` of an epoch. */
  private progress(epoch: number, seen: number): number {
    return (epoch - 1 + seen / this.batcher.size) / this.options.epochs;
  }

  /**
   * One pass over the data, giving way to the event loop now and then.
   * @throws DivergenceError as soon as the loss is no longer finite; the signal's reason when it aborts
   */
  async epoch(epoch: number, signal?: AbortSignal): Promise<EpochResult> {
    const { batcher, options } = this;
    const breather = new Breather(signal);
    const started = performance.now();
    let loss = 0;
    let seen = 0;
    batcher.begin(epoch, options.shuffle);
    const limit = this.fused === null ? options.batchSize : BLOCK;
    for (let batch = batcher.next(limit); batch !== null; batch = batcher.next(limit)) {
      if (this.fused === null) loss += this.step(batch, this.progress(epoch, seen));
      else loss = this.block(this.fused, batch, epoch, seen, loss);
      seen += batch.count;
      if (breather.isDue(batch.count)) {
        if (!Number.isFinite(loss)) throw this.divergence(epoch);
        await breather.breathe();
      }
    }
    if (!Number.isFinite(loss) || firstBroken(this.model.parameters) !== undefined) throw this.divergence(epoch);
    return {
      loss: loss / batcher.size,
      seconds: (performance.now() - started) / 1000,
      learningRate: this.rates.at((epoch - 1) / options.epochs),
    };
  }

  private divergence(epoch: number): DivergenceError {
    const name = firstBroken(this.model.parameters) ?? largestOf(this.model.parameters);
    // The epoch's rate, which is 0 where a warm-up starts; where it ends it may have decayed to nothing.
    const { rates } = this;
    const rate = Math.max(rates.at((epoch - 1) / this.options.epochs), rates.at(rates.progress));
    return new DivergenceError(epoch, name, rate);
  }
}
