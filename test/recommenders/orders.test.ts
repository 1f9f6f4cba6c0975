// Losses that learn an order, through the recommenders: two circles of users who have like items; what is kept from a user
// of a circle's items is what is recommended to that user.

import { Interactions } from '../../src/interactions/interactions';
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
