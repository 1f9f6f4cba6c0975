// Losses that learn an order, through the recommenders: two circles of users who have like items; what is kept from a user
// of a circle's items is what is recommended to that user.

import { Interactions } from '../../src/data/interactions';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';

const SIZE = 24;

/** Users have the items of their own parity, but for one each. */
function circles(): Interactions {
  const rows: [string, string][] = [];
  for (let u = 0; u < SIZE; u++) {
    for (let i = u % 2; i < SIZE; i += 2) if (i !== u) rows.push([`u${u}`, `i${i}`]);
  }
  return Interactions.from(rows);
}

describe.each(['logistic', 'bpr', 'warp', 'softmax'] as const)('%s', (loss) => {
  test.each([
    ['MF', MF],
    ['OverparamMF', OverparamMF],
  ] as const)('%s recommends what is missing from the circle, with the same bits in JavaScript', async (_, Kind) => {
    const options = { loss, negatives: 4, rank: 4, epochs: 60, batchSize: 16, optimizer: 'adam' } as const;
    const model = new Kind({ ...options, kernels: 'auto' });
    await model.fit(circles());
    for (let u = 0; u < SIZE; u++) expect(model.recommend(`u${u}`, { n: 1 })[0]!.itemId).toBe(`i${u}`);
    const twin = new Kind({ ...options, kernels: 'js' });
    await twin.fit(circles());
    expect(twin.predict('u1', 'i2')).toBe(model.predict('u1', 'i2'));
    expect(Kind.load(model.save()).predict('u1', 'i2')).toBe(model.predict('u1', 'i2'));
  });
});

test('negatives where a loss has no use for them, and none where it needs some, are refused', () => {
  expect(() => new MF({ loss: 'squared', negatives: 2 })).toThrow("loss 'squared' takes the values as they are");
  expect(() => new MF({ loss: 'bpr', negatives: 0 })).toThrow("loss 'bpr' compares");
});

test('softmax learns how popular items are although popular items are drawn as negatives more often', async () => {
  // Users choose without a taste of their own: item i is had by 60 / (i + 1) of 60 users.
  const rows = Array.from({ length: 6 }, (_, i) =>
    Array.from({ length: 60 / (i + 1) }, (_, k) => [`u${(7 * k + 11 * i) % 60}`, i] as const),
  );
  const model = new MF({
    loss: 'softmax',
    negatives: { count: 8, sampler: 'popularity', exponent: 1 },
    rank: 1,
    epochs: 200,
    initScale: 0,
    regularization: 0.001,
    optimizer: { name: 'adam', learningRate: 0.01 },
  });
  await model.fit(Interactions.from(rows.flat()));
  // The expected loss is least where scores are log(popularity) and a constant. Without the correction by the chance of a draw they are
  // nearly equal: what is chosen more often is drawn more often.
  const lead = model.predict('u0', 1) - model.predict('u0', 5);
  expect(lead).toBeGreaterThan(0.5 * Math.log(3));
});
