// Random options of every recommender: refused by a typed error, or trained to finite answers. The campaign of 100,000 is
// benchmarks/faults/options.ts.

import fc from 'fast-check';
import { RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { outcomeOf, randomData, randomFitOptions, randomOptions } from '../support/random-options';

test.each(RECOMMENDER_NAMES)('%s', async (name) => {
  const counts = { trained: 0, refused: 0, diverged: 0, data: 0 };
  await fc.assert(
    fc.asyncProperty(randomOptions(name), randomData, randomFitOptions, async (options, data, fitOptions) => {
      counts[await outcomeOf(name, options, data, fitOptions)]++;
    }),
    { numRuns: 100 },
  );
  // Draws that are all refused would try nothing.
  expect(counts.trained).toBeGreaterThan(25);
  expect(counts.refused).toBeGreaterThan(15);
});

test('layers whose products are beyond float32 are refused, whichever rows would show it', async () => {
  const learningRate = { schedule: 'linear', rate: 10_000 };
  const options = { epochs: 3, embeddingDim: 5, hidden: [7], optimizer: { name: 'sgd', learningRate } };
  expect(await outcomeOf('deep-fm', options)).toBe('diverged');
});
