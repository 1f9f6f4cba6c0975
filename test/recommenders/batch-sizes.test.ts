// `batchSize` set and nothing else: the default rates follow it, so that training neither diverges nor learns much less.

import { Interactions } from '../../src/data/interactions';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { SVDpp } from '../../src/recommenders/svdpp';

// Some users rate a hundred items, one item is rated by everybody, and the rows are in the order of the items.
const rows = [
  ...[...syntheticInteractions({ users: 400, items: 200, ratings: 8000, seed: 5 })],
  ...Array.from({ length: 400 }, (_, k) => ({ userId: `${k}`, itemId: 'hit', value: 1 + ((k * 7) % 5) })),
  ...Array.from({ length: 1200 }, (_, k) => ({ userId: `busy${k % 3}`, itemId: `i${k}`, value: 1 + ((k * 11) % 5) })),
];
const { train, test: held } = splitRandom(Interactions.from(rows), { testFraction: 0.1, seed: 1 });
const grouped = (by: 'userId' | 'itemId') =>
  Interactions.from([...train].sort((a, b) => (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0)));

async function rmseOf(model: MF | OverparamMF | SVDpp, data = train): Promise<number> {
  await model.fit(data);
  return (await evaluateRatings(model, held)).rmse;
}

test.each([
  ['MF', (batchSize: number) => new MF({ batchSize })],
  ['OverparamMF', (batchSize: number) => new OverparamMF({ batchSize })],
  ['OverparamMF, diagonal', (batchSize: number) => new OverparamMF({ batchSize, overparam: { kind: 'diagonal' } })],
  ['MF, huber', (batchSize: number) => new MF({ batchSize, loss: 'huber' })],
])('%s: every batch size learns about as much', async (_, make) => {
  const single = await rmseOf(make(1));
  for (const batchSize of [2, 7, 32, 256]) expect(await rmseOf(make(batchSize))).toBeLessThan(1.02 * single);
  for (const batchSize of [1024, 4096, 1e9]) expect(await rmseOf(make(batchSize))).toBeLessThan(1.1 * single);
});

test('SVDpp, whose batches are of one user', async () => {
  const make = (batchSize: number) => new SVDpp({ batchSize, rank: 8 });
  const single = await rmseOf(make(1));
  for (const batchSize of [8, 16, 32]) expect(await rmseOf(make(batchSize))).toBeLessThan(1.02 * single);
  for (const batchSize of [64, 1024]) expect(await rmseOf(make(batchSize))).toBeLessThan(1.1 * single);
});

test.each(['userId', 'itemId'] as const)('in the order of the data, which is by %s, nothing diverges', async (by) => {
  const data = grouped(by);
  const single = await rmseOf(new MF({ shuffle: false }), data);
  for (const batchSize of [32, 256, 1024, 4096])
    for (const make of [MF, OverparamMF])
      expect(await rmseOf(new make({ shuffle: false, batchSize }), data)).toBeLessThan(1.15 * single);
});
