// A short real training of a model: the library's trainer, on ratings that follow from a seed.

import { Stream } from '../../src/core/random';
import type { Scheduler } from '../../src/core/scheduler';
import type { Factorization } from '../../src/models/factorization';
import type { RatingBatch, RatingData } from '../../src/models/model';
import type { OptimizerConfig } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import type { Precision } from '../../src/parameters/parameter';
import { squared } from '../../src/training/losses';
import { OptimizerSink } from '../../src/training/optimizer-sink';
import { RatingBatcher } from '../../src/training/rating-batches';
import { Stepper } from '../../src/training/stepper';

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

/** Never a pause: for loops that a test runs to their end. */
export const NEVER_YIELD: Scheduler = { isDue: () => false, yieldNow: async () => {} };

/** Trains by steps of `batchSize` through the data once, in its order; `visit` sees each batch before its step. */
export async function trainOnce(
  model: Factorization,
  data: RatingData,
  optimizer: OptimizerConfig,
  batchSize: number,
  visit: (batch: RatingBatch, step: () => number) => void = (_, step) => step(),
): Promise<void> {
  const rule = resolveOptimizer(optimizer);
  const sink = new OptimizerSink([{ optimizer: rule, parameters: model.parameters }]);
  const batcher = new RatingBatcher(data, model, {
    stream: Stream.of(1),
    shuffle: false,
    blocks: { users: 1, items: 1 },
    grouping: 1,
  });
  const stepper = new Stepper(model, squared, [], batcher, sink, data, 1, { epochs: 1, batchSize });
  await batcher.prepare(NEVER_YIELD);
  batcher.begin(1);
  for (let batch = batcher.next(batchSize); batch !== null; batch = batcher.next(batchSize)) {
    const of: RatingBatch = batch;
    visit(of, () => stepper.step(of, 0));
  }
}
