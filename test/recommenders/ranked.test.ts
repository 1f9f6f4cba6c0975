// The n best of many, against a full sort.

import fc from 'fast-check';
import { Ranking } from '../../src/recommenders/ranked';

test('keeps what a sort by score, then by index, has first, whatever the order of the offers', () => {
  // Few different scores, so that most are ties.
  const scores = fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.nat(12), fc.boolean(), (list, n, backwards) => {
      const offers = list.map((score, index) => ({ index, score }));
      const ranking = new Ranking(n);
      for (const { index, score } of backwards ? [...offers].reverse() : offers) ranking.offer(index, score);
      const sorted = [...offers].sort((a, b) => b.score - a.score || a.index - b.index);
      expect(ranking.list()).toEqual(sorted.slice(0, n));
    }),
    { numRuns: 500 },
  );
});
