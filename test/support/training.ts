// A short real training of a model: the library's trainer, on ratings that follow from a seed.

import { Stream } from '../../src/core/random';
import type { Factorization } from '../../src/models/factorization';
import type { RatingData } from '../../src/models/model';
import type { RatingBatch } from '../../src/models/rating-batcher';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import type { Precision } from '../../src/parameters/memory';
import { squared } from '../../src/training/losses';
import { Trainer } from '../../src/training/trainer';

/** Ratings of random pairs with normal targets. */
export function randomRatings(
  { users, items }: { users: number; items: number },
  size: number,
  precision: Precision,
): RatingData {
  const stream = Stream.of('ratings');
  const targets = precision === 'float64' ? new Float64Array(size) : new Float32Array(size);
  return {
    size,
    users: Int32Array.from({ length: size }, () => stream.below(users)),
    items: Int32Array.from({ length: size }, () => stream.below(items)),
    targets: targets.map(() => stream.normal()),
    weights: null,
  };
}

/** Trains by steps of `batchSize` through the data once; `visit` sees each batch before its step. */
export function trainOnce(
  model: Factorization,
  data: RatingData,
  optimizer: OptimizerConfig,
  batchSize: number,
  visit: (batch: RatingBatch, step: () => number) => void = (_, step) => step(),
): void {
  const options = { epochs: 1, batchSize, shuffle: false, stream: Stream.of(1) };
  const trainer = new Trainer(model, squared, resolveOptimizer(optimizer), [], data, options);
  const batcher = model.batches(data, Stream.of(1));
  batcher.begin(1, false);
  for (let batch = batcher.next(batchSize); batch !== null; batch = batcher.next(batchSize)) {
    const of: RatingBatch = batch;
    visit(of, () => trainer.step(of, 0));
  }
}
