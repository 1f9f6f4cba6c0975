// What takes sparse rows into a model: sums by hand, and gradients by finite differences.

import { Stream } from '../../src/core/random';
import { Pairwise, PooledEmbedding } from '../../src/models/feature-models';
import type { Pooling } from '../../src/models/forward';
import { createParameter } from '../../src/parameters/overparam';
import { pulledBack, worstGradientError } from '../support/gradient-check';

/** Three rows: features 0, 2, 3 (two of one field); none; 2 twice. What lies beyond is not read. */
const ROWS = {
  starts: Int32Array.of(0, 3, 3, 5, 99),
  indices: Int32Array.of(0, 2, 3, 2, 2, 99),
  values: Float64Array.of(2, 1, -3, 0.5, 1, Number.NaN),
};
const COUNT = 3;
const NUMBERS = 5;
const poolOf = (pooling: Pooling) => ({ fieldOf: Int32Array.of(0, 0, 1, 1), pooling, counts: new Int32Array(2) });
const DIM = 2;

const makeEmbedding = () =>
  createParameter(
    { name: 'embedding', group: 'embedding', rows: 4, dim: DIM, precision: 'float64' },
    { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1.5, biases: false },
    1,
    Stream.of(5),
  );

describe('pooled embedding', () => {
  test('by hand: sums and means of the features of a field', () => {
    const embedding = makeEmbedding();
    embedding.assign(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    embedding.select(ROWS.indices, NUMBERS);
    const run = (pooling: Pooling) =>
      Array.from(new PooledEmbedding(embedding, poolOf(pooling), 'float64').forward(ROWS, COUNT));
    const sum = [2, 4, -16, -18, 0, 0, 0, 0, 0, 0, 7.5, 9];
    for (const [i, value] of run('sum').entries()) expect(value).toBeCloseTo(sum[i]!, 12);
    const mean = [2, 4, -8, -9, 0, 0, 0, 0, 0, 0, 3.75, 4.5];
    for (const [i, value] of run('mean').entries()) expect(value).toBeCloseTo(mean[i]!, 12);
  });

  test.each<Pooling>(['sum', 'mean'])('gradients of the %s', (pooling) => {
    const embedding = makeEmbedding();
    const pooled = new PooledEmbedding(embedding, poolOf(pooling), 'float64');
    const weights = Float64Array.from({ length: COUNT * pooled.outputs }, (_, i) => ((i * 7) % 5) - 1.7);
    const objective = () => {
      embedding.select(ROWS.indices, NUMBERS);
      const pooledRows = pooled.forward(ROWS, COUNT);
      return weights.reduce((sum, weight, i) => sum + weight * pooledRows[i]!, 0);
    };
    objective();
    embedding.clear();
    pooled.backward(ROWS, COUNT, weights);
    expect(worstGradientError([embedding], pulledBack([embedding]), objective).error).toBeLessThan(1e-7);
  });
});

describe('pairwise', () => {
  test('is the sum over pairs of features', () => {
    const embedding = makeEmbedding();
    const v = embedding.collapse();
    embedding.select(ROWS.indices, NUMBERS);
    const scores = Float64Array.of(10, 20, 30);
    new Pairwise(embedding, 'float64').forward(ROWS, COUNT, scores);
    for (let s = 0; s < COUNT; s++) {
      let wanted = 10 * (s + 1);
      for (let p = ROWS.starts[s]!; p < ROWS.starts[s + 1]!; p++)
        for (let q = p + 1; q < ROWS.starts[s + 1]!; q++)
          for (let k = 0; k < DIM; k++)
            wanted +=
              ROWS.values[p]! * ROWS.values[q]! * v[ROWS.indices[p]! * DIM + k]! * v[ROWS.indices[q]! * DIM + k]!;
      expect(scores[s]).toBeCloseTo(wanted, 12);
    }
  });

  test('gradients', () => {
    const embedding = makeEmbedding();
    const pairwise = new Pairwise(embedding, 'float64');
    const gScores = Float64Array.of(1.5, -2, 0.7);
    const objective = () => {
      embedding.select(ROWS.indices, NUMBERS);
      const scores = new Float64Array(COUNT);
      pairwise.forward(ROWS, COUNT, scores);
      return scores.reduce((sum, score, s) => sum + score * gScores[s]!, 0);
    };
    objective();
    embedding.clear();
    pairwise.backward(ROWS, COUNT, gScores);
    expect(worstGradientError([embedding], pulledBack([embedding]), objective).error).toBeLessThan(1e-7);
  });
});
