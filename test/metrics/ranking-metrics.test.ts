// Metrics of a list: values by hand, each against its definition over random lists, and what they cannot exceed.

import fc from 'fast-check';
import { rankingMeasures } from '../../src/metrics/metric-names';
import {
  auc,
  averagePrecision,
  hitRate,
  ndcg,
  precision,
  type RankedList,
  recall,
  reciprocalRank,
} from '../../src/metrics/ranking-metrics';

const binary = (gains: readonly number[], relevant: number, candidates = 10): RankedList => ({
  gains,
  ideal: new Array(relevant).fill(1),
  candidates,
});

test('by hand: hits at ranks 2 and 4, three relevant, ten candidates', () => {
  const list = binary([0, 1, 0, 1, 0], 3);
  expect(precision(list, 5)).toBe(2 / 5);
  expect(recall(list, 5)).toBe(2 / 3);
  expect(hitRate(list, 5)).toBe(1);
  expect(averagePrecision(list, 5)).toBe((1 / 2 + 2 / 4) / 3);
  expect(reciprocalRank(list, 5)).toBe(1 / 2);
  expect(ndcg(list, 5)).toBeCloseTo(
    (1 / Math.log2(3) + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3) + 1 / Math.log2(4)),
    14,
  );
  // Of 3 x 7 pairs: the hits before 2 and 1 listed others and 4 unlisted, the third before half of the unlisted 4.
  expect(auc(list, 5)).toBeCloseTo((2 + 4 + (1 + 4) + 4 / 2) / 21, 14);
});

test('a cut hides what is behind it', () => {
  const list = binary([0, 1, 0, 1, 0], 3);
  expect(precision(list, 1)).toBe(0);
  expect(recall(list, 2)).toBe(1 / 3);
  expect([hitRate(list, 1), reciprocalRank(list, 1), ndcg(list, 1), averagePrecision(list, 1)]).toEqual([0, 0, 0, 0]);
  // The best list of one place has one hit, however much is relevant.
  expect([ndcg(binary([1, 0], 3), 1), averagePrecision(binary([1, 0], 3), 1)]).toEqual([1, 1]);
});

test('a short list is filled up with misses', () => {
  expect(precision(binary([1], 1), 10)).toBe(0.1);
  expect(ndcg(binary([], 2), 10)).toBe(0);
});

test('graded gains', () => {
  const list: RankedList = { gains: [1, 0, 7], ideal: [7, 3, 1], candidates: 9 };
  expect(ndcg(list, 3)).toBeCloseTo((1 + 7 / 2) / (7 + 3 / Math.log2(3) + 1 / 2), 14);
  expect(ndcg({ ...list, gains: [7, 3, 1] }, 3)).toBe(1);
});

test('auc of whole lists is the part of pairs in order; where all is relevant there is none out of order', () => {
  expect(auc(binary([1, 0, 0], 1, 3), Infinity)).toBe(1);
  expect(auc(binary([0, 1, 0], 1, 3), Infinity)).toBe(0.5);
  expect(auc(binary([0, 0, 1], 1, 3), Infinity)).toBe(0);
  expect(auc(binary([1, 1], 2, 2), Infinity)).toBe(1);
  // A relevant item that cannot be listed is behind all that are.
  expect(auc(binary([0, 0], 1, 3), Infinity)).toBe(0);
  expect(auc(binary([], 1, 3), 5)).toBe(0.5);
});

const cases = fc
  .record({
    all: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
    listed: fc.nat(12),
    k: fc.integer({ min: 1, max: 14 }),
  })
  .filter(({ all }) => all.some((gain) => gain > 0))
  .map(({ all, listed, k }) => ({
    k,
    all,
    list: {
      gains: all.slice(0, listed),
      ideal: all.filter((gain) => gain > 0).sort((a, b) => b - a),
      candidates: all.length,
    },
  }));

test('every metric is 0 to 1, and 1 for no worse list than the best', () => {
  fc.assert(
    fc.property(cases, ({ list, k }) => {
      for (const measure of Object.values(rankingMeasures)) {
        expect(measure(list, k)).toBeGreaterThanOrEqual(0);
        expect(measure(list, k)).toBeLessThanOrEqual(1 + 1e-12);
      }
      const best = { ...list, gains: list.ideal };
      expect([ndcg(best, k), averagePrecision(best, k), reciprocalRank(best, k), hitRate(best, k)]).toEqual([
        1, 1, 1, 1,
      ]);
    }),
  );
});

test('by definition, over ranks from 1', () => {
  fc.assert(
    fc.property(cases, ({ list, k }) => {
      const ranks = list.gains.flatMap((gain, at) => (gain > 0 && at < k ? [at + 1] : []));
      const relevant = list.ideal.length;
      expect(precision(list, k)).toBe(ranks.length / k);
      expect(recall(list, k)).toBe(ranks.length / relevant);
      expect(reciprocalRank(list, k)).toBe(ranks.length > 0 ? 1 / ranks[0]! : 0);
      const at = ranks.map((rank) => ranks.filter((other) => other <= rank).length / rank);
      expect(averagePrecision(list, k)).toBeCloseTo(at.reduce((sum, x) => sum + x, 0) / Math.min(k, relevant), 12);
      const dcg = (gains: readonly number[]) =>
        gains.slice(0, k).reduce((sum, gain, place) => sum + gain / Math.log2(place + 2), 0);
      expect(ndcg(list, k)).toBeCloseTo(dcg(list.gains) / dcg(list.ideal), 12);
    }),
  );
});

test('auc is the mean over all orders of what is behind the cut', () => {
  // Pairs by definition, a pair behind the cut counting half.
  fc.assert(
    fc.property(cases, ({ all, k }) => {
      const gains = all.slice(0, k);
      const list = { gains, ideal: all.filter((gain) => gain > 0), candidates: all.length };
      let right = 0;
      let pairs = 0;
      for (const [a, x] of all.entries())
        for (const [b, y] of all.entries()) {
          if (x === 0 || y > 0) continue;
          pairs++;
          right += a >= k && b >= k ? 0.5 : a < b ? 1 : 0;
        }
      expect(auc(list, k)).toBeCloseTo(pairs === 0 ? 1 : right / pairs, 12);
    }),
  );
});
