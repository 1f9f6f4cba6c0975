// The n best of many, against a full sort.

import fc from 'fast-check';
import { TopK } from '../../src/serving/top-k';

test('keeps what a sort by score, then by index, has first, whatever the order of the offers', () => {
  // Few different scores, so that most are ties.
  const scores = fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.nat(12), fc.boolean(), (list, n, backwards) => {
      const offers = list.map((score, index) => ({ index, score }));
      const ranking = new TopK(n);
      for (const { index, score } of backwards ? [...offers].reverse() : offers) ranking.offer(index, score);
      const sorted = [...offers].sort((a, b) => b.score - a.score || a.index - b.index);
      expect(ranking.list()).toEqual(sorted.slice(0, n));
    }),
    { numRuns: 500 },
  );
});

test('what is not a number is never kept, and the threshold is the worst one kept of a full ranking', () => {
  const ranking = new TopK(2);
  expect(ranking.threshold).toBe(-Infinity);
  for (const [index, score] of [Number.NaN, 1, Number.NaN, -Infinity, Number.NaN, 3, 2].entries()) {
    ranking.offer(index, score);
  }
  expect(ranking.list()).toEqual([
    { index: 5, score: 3 },
    { index: 6, score: 2 },
  ]);
  expect(ranking.threshold).toBe(2);
  const none = new TopK(0);
  none.offer(0, Infinity);
  expect(none.list()).toEqual([]);
  expect(Infinity >= none.threshold).toBe(false);
});
