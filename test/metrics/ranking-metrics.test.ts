// Metrics of a list: values by hand, each against its definition over random lists, and what they cannot exceed.

import fc from 'fast-check';
import { type RankingMeasureName, rankingMeasures } from '../../src/metrics/metric-names';
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
import { listOf, meanOverOrders } from './tie-lists';

const binary = (gains: readonly number[], relevant: number, candidates = 10): RankedList =>
  listOf(gains, new Array(relevant).fill(1), candidates);

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
  const ideal = [7, 3, 1];
  expect(ndcg(listOf([1, 0, 7], ideal, 9), 3)).toBeCloseTo((1 + 7 / 2) / (7 + 3 / Math.log2(3) + 1 / 2), 14);
  expect(ndcg(listOf([7, 3, 1], ideal, 9), 3)).toBe(1);
});

test('auc of whole lists is the part of pairs in order; where all is relevant there are none, and it is that of chance', () => {
  expect(auc(binary([1, 0, 0], 1, 3), Infinity)).toBe(1);
  expect(auc(binary([0, 1, 0], 1, 3), Infinity)).toBe(0.5);
  expect(auc(binary([0, 0, 1], 1, 3), Infinity)).toBe(0);
  expect(auc(binary([1, 1], 2, 2), Infinity)).toBe(0.5);
  expect(auc(binary([], 2, 2), 1)).toBe(0.5);
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
    gains: all.slice(0, listed),
    ideal: all.filter((gain) => gain > 0).sort((a, b) => b - a),
  }));

test('every metric is 0 to 1, and 1 for no worse list than the best', () => {
  fc.assert(
    fc.property(cases, ({ all, gains, ideal, k }) => {
      const list = listOf(gains, ideal, all.length);
      for (const measure of Object.values(rankingMeasures)) {
        expect(measure(list, k)).toBeGreaterThanOrEqual(0);
        expect(measure(list, k)).toBeLessThanOrEqual(1 + 1e-12);
      }
      const best = listOf(ideal, ideal, all.length);
      expect([ndcg(best, k), averagePrecision(best, k), reciprocalRank(best, k), hitRate(best, k)]).toEqual([
        1, 1, 1, 1,
      ]);
    }),
  );
});

test('by definition, over ranks from 1', () => {
  fc.assert(
    fc.property(cases, ({ all, gains, ideal, k }) => {
      const list = listOf(gains, ideal, all.length);
      const ranks = gains.flatMap((gain, at) => (gain > 0 && at < k ? [at + 1] : []));
      const relevant = ideal.length;
      expect(precision(list, k)).toBe(ranks.length / k);
      expect(recall(list, k)).toBe(ranks.length / relevant);
      expect(reciprocalRank(list, k)).toBe(ranks.length > 0 ? 1 / ranks[0]! : 0);
      const at = ranks.map((rank) => ranks.filter((other) => other <= rank).length / rank);
      expect(averagePrecision(list, k)).toBeCloseTo(at.reduce((sum, x) => sum + x, 0) / Math.min(k, relevant), 12);
      const dcg = (gains: readonly number[]) =>
        gains.slice(0, k).reduce((sum, gain, place) => sum + gain / Math.log2(place + 2), 0);
      expect(ndcg(list, k)).toBeCloseTo(dcg(gains) / dcg(ideal), 12);
    }),
  );
});

test('auc is the mean over all orders of what is behind the cut', () => {
  // Pairs by definition, a pair behind the cut counting half.
  fc.assert(
    fc.property(cases, ({ all, k }) => {
      const list = listOf(
        all.slice(0, k),
        all.filter((gain) => gain > 0),
        all.length,
      );
      let right = 0;
      let pairs = 0;
      for (const [a, x] of all.entries())
        for (const [b, y] of all.entries()) {
          if (x === 0 || y > 0) continue;
          pairs++;
          right += a >= k && b >= k ? 0.5 : a < b ? 1 : 0;
        }
      expect(auc(list, k)).toBeCloseTo(pairs === 0 ? 0.5 : right / pairs, 12);
    }),
  );
});

describe('ties in expectation', () => {
  const tied = fc
    .record({
      // Relevant or not, by how much; and scores of which many are equal.
      items: fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })), {
        minLength: 1,
        maxLength: 7,
      }),
      missing: fc.integer({ min: 0, max: 2 }),
      k: fc.integer({ min: 1, max: 9 }),
    })
    .map(({ items, missing, k }) => {
      const sorted = [...items].sort(([, a], [, b]) => b - a);
      const gains = sorted.map(([gain]) => gain);
      const ideal = [...gains.filter((gain) => gain > 0), ...new Array<number>(missing).fill(1)].sort((a, b) => b - a);
      return { gains, scores: sorted.map(([, score]) => score), ideal, candidates: items.length + missing, k };
    })
    .filter(({ ideal }) => ideal.length > 0);

  test.each(Object.keys(rankingMeasures) as RankingMeasureName[])('%s is the mean over all orders', (name) => {
    const measure = rankingMeasures[name];
    fc.assert(
      fc.property(tied, ({ gains, scores, ideal, candidates, k }) => {
        for (const cut of [k, Infinity]) {
          if (cut === Infinity && name === 'precision') continue;
          const expected = meanOverOrders(measure, gains, scores, ideal, candidates, cut);
          expect(Math.abs(measure(listOf(gains, ideal, candidates, scores), cut) - expected)).toBeLessThan(1e-12);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('of a list that goes on behind the cut only the tie at the cut counts', () => {
    // Scores 3 | 2 2 2 | 1: cut at 2, one of the three in the tie is seen.
    const whole = listOf([0, 1, 0, 0, 1], [1, 1], 5, [3, 2, 2, 2, 1]);
    const cut = listOf([0, 1, 0, 0], [1, 1], 5, [3, 2, 2, 2]);
    for (const measure of [precision, recall, hitRate, ndcg, averagePrecision, reciprocalRank])
      expect(measure(cut, 2)).toBe(measure(whole, 2));
    expect(recall(cut, 2)).toBeCloseTo(1 / 3 / 2, 14);
  });

  test.each([
    [100, 1, 10],
    [100, 7, 10],
    [1682, 20, 5],
    [50, 50, 10],
    [8, 2, 20],
  ])('constant scores of %i items, %i relevant, cut at %i: chance', (items, relevant, k) => {
    const gains = Array.from({ length: items }, (_, at) => (at < relevant ? 1 : 0));
    const list = listOf(gains, new Array(relevant).fill(1), items, new Array(items).fill(0));
    const places = Math.min(k, items);
    const harmonic = (n: number) => Array.from({ length: n }, (_, at) => 1 / (at + 1)).reduce((sum, x) => sum + x, 0);
    const close = (got: number, expected: number) => expect(Math.abs(got - expected)).toBeLessThan(1e-12);
    close(recall(list, k), places / items);
    close(precision(list, k), (relevant * places) / items / k);
    let miss = 1;
    for (let place = 0; place < places; place++) miss *= Math.max(0, items - relevant - place) / (items - place);
    close(hitRate(list, k), 1 - miss);
    const discounts = (n: number) =>
      Array.from({ length: n }, (_, at) => 1 / Math.log2(at + 2)).reduce((a, b) => a + b, 0);
    close(ndcg(list, k), ((relevant / items) * discounts(places)) / discounts(Math.min(k, relevant)));
    const another = items > 1 ? (relevant - 1) / (items - 1) : 0;
    const expected =
      ((relevant / items) * (harmonic(places) * (1 - another) + places * another)) / Math.min(k, relevant);
    close(averagePrecision(list, k), expected);
    if (relevant === 1) close(reciprocalRank(list, k), harmonic(places) / items);
    close(auc(list, Infinity), 0.5);
    close(auc(list, k), 0.5);
  });
});
