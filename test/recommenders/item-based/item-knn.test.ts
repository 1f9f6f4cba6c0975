// ItemKNN against its definition, computed pair by pair over dense columns.

import fc from 'fast-check';
import { OptionError } from '../../../src/core/errors';
import { TaskScheduler } from '../../../src/core/scheduler';
import { Interactions } from '../../../src/data/interactions';
import { Vocabulary } from '../../../src/data/vocabulary';
import { historiesOf } from '../../../src/recommenders/item-based/histories';
import {
  FEATURE_WEIGHTINGS,
  type FeatureWeighting,
  findNeighbors,
  ItemKNN,
  type NeighborOptions,
  SIMILARITIES,
} from '../../../src/recommenders/item-based/item-knn';
import { ItemState } from '../../../src/serving/item-state';
import type { NeighborLists } from '../../../src/serving/item-weights';
import type { Workplace } from '../../../src/training/threads';

const USERS = 6;
const ITEMS = 7;
const scheduler = () => new TaskScheduler(undefined);

/** Interactions of numbered users and items, some pairs twice. */
const pairsOf = fc.array(fc.tuple(fc.nat(USERS - 1), fc.nat(ITEMS - 1)), { minLength: 1, maxLength: 30 });
const numbers = (size: number) => Vocabulary.from(Array.from({ length: size }, (_, n) => n));
const dataOf = (pairs: readonly (readonly [number, number])[]) =>
  Interactions.from(pairs, { users: numbers(USERS), items: numbers(ITEMS), duplicates: 'keep' });

/** The weighted column of each item. */
function columnsOf(pairs: readonly (readonly [number, number])[], scheme: FeatureWeighting): number[][] {
  const has = (user: number, item: number) => pairs.some(([u, i]) => u === user && i === item);
  const range = (size: number) => Array.from({ length: size }, (_, n) => n);
  const sizes = range(ITEMS).map((item) => range(USERS).filter((user) => has(user, item)).length);
  const trained = sizes.filter((size) => size > 0).length;
  const mean = sizes.reduce((a, b) => a + b, 0) / trained;
  return range(ITEMS).map((item) =>
    range(USERS).map((user) => {
      if (!has(user, item)) return 0;
      if (scheme === 'none') return 1;
      const idf = Math.log(trained / (1 + range(ITEMS).filter((other) => has(user, other)).length));
      const length = 1.2 * (0.25 + (0.75 * sizes[item]!) / mean);
      return scheme === 'tf-idf' ? idf : (idf * 2.2) / (length + 1);
    }),
  );
}

const alone = { kernels: 'auto', threads: 1 } as const;
const js = { kernels: 'js', threads: 1 } as const;

/** The neighbours, found in several places. */
async function listsOf(data: Interactions, options: NeighborOptions, places: readonly Workplace[]) {
  const histories = await historiesOf(data, scheduler());
  const lists: NeighborLists[] = [];
  for (const place of places)
    lists.push((await findNeighbors(histories, data.items, options, place, scheduler())).lists);
  return lists as [NeighborLists, ...NeighborLists[]] & { 1: NeighborLists };
}

test.each(SIMILARITIES)('%s: any number of threads and either engine have the same bits', async (similarity) => {
  const rows = Array.from({ length: 9000 }, (_, k) => [k % 311, (7 * k * k + (k % 13) * k) % 157] as const);
  const data = Interactions.from(rows, { duplicates: 'keep' });
  const more = [2, 3, 4].map((threads) => ({ kernels: 'auto', threads }) as const);
  const places = [js, alone, ...more, { kernels: 'wasm', threads: 2, host: null }] as const;
  for (const [neighbors, featureWeighting] of [
    [1, 'none'],
    [20, 'bm25'],
    [200, 'tf-idf'],
  ] as const) {
    const options = { neighbors, similarity, shrinkage: 2, featureWeighting };
    const [first, ...others] = await listsOf(data, options, places);
    expect(first.items.length).toBeGreaterThan(100);
    for (const lists of others) expect(lists).toEqual(first);
  }
});

test('every similarity is that of the definition, and each item keeps its best neighbours', async () => {
  const options = fc.record({
    neighbors: fc.integer({ min: 1, max: 8 }),
    similarity: fc.constantFrom(...SIMILARITIES),
    shrinkage: fc.constantFrom(0, 0.5, 3),
    featureWeighting: fc.constantFrom(...FEATURE_WEIGHTINGS),
  });
  await fc.assert(
    fc.asyncProperty(pairsOf, options, async (pairs, given) => {
      const data = dataOf(pairs);
      const [lists, inWasm] = await listsOf(data, given, [js, alone]);
      expect(inWasm).toEqual(lists);
      const columns = columnsOf(pairs, given.featureWeighting);
      const inner = (a: number, b: number) => columns[a]!.reduce((sum, x, user) => sum + x * columns[b]![user]!, 0);
      for (let item = 0; item < ITEMS; item++) {
        const all = columns.map((_, other) => {
          const product = inner(item, other);
          const [a, b] = [inner(item, item), inner(other, other)];
          const norm = { cosine: Math.sqrt(a * b), jaccard: a + b - product, dot: 1 }[given.similarity];
          return other === item || product < 1e-20 ? 0 : product / (norm + given.shrinkage);
        });
        const kept = all.map((_, other) => lists.at(other, item));
        const least = [...all].sort((a, b) => b - a)[Math.min(given.neighbors, ITEMS) - 1]!;
        expect(kept.filter((value) => value !== 0).length).toBe(
          Math.min(given.neighbors, all.filter((value) => value > 0).length),
        );
        for (const [other, value] of kept.entries()) {
          if (value !== 0) expect(value).toBeCloseTo(all[other]!, 5);
          else expect(all[other]!).toBeLessThanOrEqual(least + 1e-6);
        }
      }
    }),
    { numRuns: 200 },
  );
});

describe('the answers over weights', () => {
  test.each([1, 3, 100])('predictions, lists, explanations and folded users are one sum (%d neighbours)', async (k) => {
    await fc.assert(
      fc.asyncProperty(pairsOf, fc.uniqueArray(fc.nat(ITEMS - 1), { maxLength: 3 }), async (pairs, asked) => {
        const data = dataOf(pairs);
        const histories = await historiesOf(data, scheduler());
        const { options } = new ItemKNN({ neighbors: k });
        const { lists, base } = await findNeighbors(histories, data.items, options, alone, scheduler());
        const { users, items } = data;
        const answers = new ItemState('ItemKNN', { users, items, seen: histories.seen }, lists, base);
        const request = { n: ITEMS, filterSeen: true, exclude: [], candidates: null };
        for (let user = 0; user < USERS; user++) {
          const had = [...new Set(pairs.filter(([u]) => u === user).map(([, item]) => item))];
          if (had.length === 0) continue;
          const sum = (item: number) =>
            Math.fround(had.reduce((total, from) => total + lists.at(from, item), base![item]!));
          const trained = Array.from({ length: ITEMS }, (_, item) => item).filter((item) => answers.hasItem(item));
          const expected = trained
            .filter((item) => !had.includes(item))
            .map((index) => ({ index, score: sum(index) }))
            .sort((a, b) => b.score - a.score || a.index - b.index);
          expect(answers.best([user], request)).toEqual([expected]);
          // Few candidates are scored one by one, and have the same scores.
          const some = answers.best([user], { ...request, filterSeen: false, candidates: asked })[0]!;
          expect(some.map(({ index }) => index).sort()).toEqual([...asked].sort());
          for (const { index, score } of some) expect(score).toBe(answers.predict(user, index));
          for (const item of trained) {
            const reasons = answers.explain(user, item);
            expect(Math.fround(reasons.reduce((total, { score }) => total + score, base![item]!))).toBe(
              answers.predict(user, item),
            );
            expect(reasons.every(({ index }) => had.includes(index))).toBe(true);
          }
          const folded = answers.foldInUser([...had, -1, had[0]!].map((index) => ({ index, value: 1, weight: 1 })));
          expect(folded.best(request)).toEqual(expected);
          for (const item of trained) expect(folded.predict(item)).toBe(answers.predict(user, item));
        }
        expect(answers.foldInUser([]).best(request)).toEqual(answers.best([-1], request)[0]);
      }),
      { numRuns: 60 },
    );
  });

  test('a file without history knows no users, and still folds them in', async () => {
    const data = Interactions.from([
      ['ann', 'tea'],
      ['ann', 'milk'],
      ['bob', 'tea'],
      ['bob', 'milk'],
      ['cy', 'tea'],
    ]);
    const model = new ItemKNN({ shrinkage: 0 });
    await model.fit(data);
    const loaded = ItemKNN.load(model.save({ history: false }));
    expect(loaded.predict('cy', 'milk')).toBe(0);
    expect(model.predict('cy', 'milk')).toBeCloseTo(2 / Math.sqrt(6), 6);
    expect(loaded.knows('cy', 'milk')).toBe(false);
    expect(loaded.recommend('cy').basis).toBe('popularity');
    expect(loaded.similarItems('tea')).toEqual(model.similarItems('tea'));
  });
});

test('of equally alike items those with the first ids are kept, in whatever order the data come', async () => {
  // Everybody has everything: all items are equally alike.
  const rows = ['ann', 'bob'].flatMap((user) => ['c', 10, 'a', 9, 'd', 'b'].map((item) => [user, item] as const));
  for (const ordered of [rows, [...rows].reverse()]) {
    const model = new ItemKNN({ neighbors: 2 });
    await model.fit(Interactions.from(ordered));
    expect(new Set(model.similarItems('d').map(({ itemId }) => itemId))).toEqual(new Set([9, 10]));
    expect(new Set(model.similarItems(9).map(({ itemId }) => itemId))).toEqual(new Set([10, 'a']));
  }
});

test("shrinkage 'auto' is a number after the fit, by its data; a fresh and a loaded one choose again; a number holds", async () => {
  const few = Interactions.from(['a', 'b', 'c'].flatMap((user) => [1, 2].map((item) => [user, item] as const)));
  const more = Interactions.from(['a', 'b'].flatMap((user) => [1, 2, 3, 4].map((item) => [user, item] as const)));
  const model = new ItemKNN();
  expect(model.options.shrinkage).toBe('auto');
  await model.fit(few);
  // (300 + 6 users of an item) / items of a user.
  expect(model.options.shrinkage).toBe((300 + 6 * 3) / 2);
  const loaded = ItemKNN.load(model.save());
  expect(loaded.options).toEqual(model.options);
  for (const next of [model, model.fresh(), loaded, loaded.fresh()]) {
    await next.fit(more);
    expect(next.options.shrinkage).toBe((300 + 6 * 2) / 4);
  }
  const given = new ItemKNN({ shrinkage: 7 });
  await given.fit(few);
  expect([given.options.shrinkage, ItemKNN.load(given.save()).fresh().options.shrinkage]).toEqual([7, 7]);
});

test.each([
  [{ neighbors: 0 }, 'neighbors'],
  [{ similarity: 'pearson' }, 'similarity'],
  [{ shrinkage: -1 }, 'shrinkage'],
  [{ featureWeighting: 'bm26' }, 'featureWeighting'],
  [{ neighbours: 5 }, 'neighbours'],
])('%p is refused by name', (options, option) => {
  expect(() => new ItemKNN(options as never)).toThrow(OptionError);
  expect(() => new ItemKNN(options as never)).toThrow(option);
});
