// The best items and the most similar rows against a sort of every score, and JavaScript against WebAssembly.

import fc from 'fast-check';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { backendOf } from '../../src/kernels/backend';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { BestItems, FactorizationLists, ServedTables, type Tables } from '../../src/serving/factorization-tables';
import { InteractionHistory } from '../../src/serving/interaction-history';
import type { ItemRequest } from '../../src/serving/trained-state';

const UNITS = { link: 'identity', shift: 0, scale: 1, minimum: 1, maximum: 5, start: 0 } as const;

/** Few different numbers, so that most scores are ties; now and then one that is none. */
const value = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: -1, max: 1 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const column = (length: number) => fc.array(value, { minLength: length, maxLength: length });

const states = fc
  .record({
    users: fc.integer({ min: 1, max: 11 }),
    items: fc.integer({ min: 1, max: 30 }),
    rank: fc.integer({ min: 1, max: 5 }),
  })
  .chain(({ users, items, rank }) =>
    fc.record({
      rank: fc.constant(rank),
      userEmbedding: column(users * rank),
      itemEmbedding: column(items * rank),
      biases: fc.option(fc.record({ user: column(users), item: column(items) }), { nil: null }),
      pairs: fc.array(fc.tuple(fc.nat(users - 1), fc.nat(items - 1)), { maxLength: 60 }),
      // -1 and `items` are no items, as ids that are not known or came later.
      request: fc.record({
        n: fc.nat(items + 3),
        filterSeen: fc.boolean(),
        exclude: fc.array(fc.integer({ min: -1, max: items }), { maxLength: 5 }),
        candidates: fc.option(fc.array(fc.integer({ min: -1, max: items }), { maxLength: 2 * items }), { nil: null }),
      }),
      asked: fc.uniqueArray(fc.integer({ min: -1, max: users - 1 }), { maxLength: 12 }),
    }),
  );

type State = typeof states extends fc.Arbitrary<infer T> ? T : never;

function trained({ rank, userEmbedding, itemEmbedding, biases, pairs }: State) {
  const tables: Tables = {
    rank,
    globalMean: 0.1,
    userEmbedding: Float32Array.from(userEmbedding),
    itemEmbedding: Float32Array.from(itemEmbedding),
    userBias: Float32Array.from(biases?.user ?? []),
    itemBias: Float32Array.from(biases?.item ?? []),
  };
  const [users, items] = [userEmbedding.length / rank, itemEmbedding.length / rank];
  const itemCounts = new Int32Array(items);
  const byUser = Array.from({ length: users }, (): number[] => []);
  for (const [user, item] of pairs) {
    itemCounts[item]!++;
    byUser[user]!.push(item);
  }
  const offsets = new Int32Array(users + 1);
  for (const [user, list] of byUser.entries()) offsets[user + 1] = offsets[user]! + list.length;
  const userCounts = Int32Array.from(byUser, (list) => list.length);
  const seen = new InteractionHistory(offsets, Int32Array.from(byUser.flat()), userCounts, itemCounts, null);
  return { tables, seen, served: new ServedTables(tables, UNITS, seen) };
}

/** Every allowed item, sorted: score first, then index; NaN is no score. */
function sorted(items: number, n: number, isAllowed: (item: number) => boolean, score: (item: number) => number) {
  return Array.from({ length: items }, (_, index) => index)
    .filter((index) => isAllowed(index) && !Number.isNaN(score(index)))
    .map((index) => ({ index, score: score(index) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, n);
}

describe.each(['js', 'wasm'] as const)('%s', (kernels) => {
  test('the best items are those of a sort, for every mask, twice in a row', () => {
    fc.assert(
      fc.property(states, (state) => {
        const { tables, seen, served } = trained(state);
        const items = seen.itemCounts.length;
        const { n, filterSeen, exclude, candidates } = state.request;
        const best = new FactorizationLists(tables, served, seen, backendOf(kernels)).bestItems;
        expect(best).toBeInstanceOf(BestItems);
        const isOffered = (item: number) =>
          (candidates === null ? seen.itemCounts[item]! > 0 : candidates.includes(item)) && !exclude.includes(item);
        const wanted = state.asked.map((user) => {
          if (!served.hasUser(user)) return sorted(items, n, isOffered, (item) => seen.itemCounts[item]!);
          const isSeen = (item: number) => filterSeen && seen.itemsOf(user).includes(item);
          return sorted(
            items,
            n,
            (item) => isOffered(item) && !isSeen(item),
            (item) => served.score(user, item),
          );
        });
        const request: ItemRequest = state.request;
        expect(best.of(state.asked, request)).toEqual(wanted);
        // Nothing of a request is left behind for the next one.
        const plain = { n: items, filterSeen: false, exclude: [], candidates: null };
        const every = state.asked.map((user) =>
          sorted(
            items,
            items,
            served.hasItem,
            served.hasUser(user) ? (item) => served.score(user, item) : (item) => seen.itemCounts[item]!,
          ),
        );
        expect(best.of(state.asked, plain)).toEqual(every);
        expect(best.of(state.asked, request)).toEqual(wanted);
        // In turns, with other questions in between.
        const inTurns = best.inTurns(request);
        for (const users of [state.asked, [...state.asked].reverse()]) {
          const steps = inTurns(users);
          let step = steps.next();
          for (; !step.done; step = steps.next()) {
            expect(best.of(state.asked.slice(0, 1), plain)).toEqual(every.slice(0, 1));
          }
          expect(step.value).toEqual(users === state.asked ? wanted : [...wanted].reverse());
        }
      }),
      { numRuns: 200 },
    );
  });

  test('similar rows are those of a sort, by the measure of the vectors', () => {
    const measures = fc.constantFrom('dot' as const, 'cosine' as const);
    fc.assert(
      fc.property(states, measures, fc.nat(30), (state, measure, n) => {
        const { tables, seen, served } = trained(state);
        const { rank, itemEmbedding } = tables;
        const serving = new FactorizationLists(tables, served, seen, backendOf(kernels));
        const at = (row: number) => [...itemEmbedding.subarray(row * rank, (row + 1) * rank)];
        const dot = (a: number, b: number) => at(a).reduce((sum, x, k) => sum + x * at(b)[k]!, 0);
        const items = seen.itemCounts.length;
        for (const row of Array.from({ length: items }, (_, item) => item).filter(served.hasItem)) {
          const score = (other: number) => {
            const length = Math.sqrt(dot(row, row)) * Math.sqrt(dot(other, other));
            if (measure === 'dot' || Number.isNaN(length)) return dot(row, other);
            return length > 0 ? dot(row, other) / length : 0;
          };
          const isOther = (other: number) => other !== row && served.hasItem(other);
          const wanted = sorted(items, n, isOther, score);
          const found = serving.similarItems(row, { n, measure, isWanted: () => true });
          expect(found).toHaveLength(wanted.length);
          for (const [place, entry] of found.entries()) {
            expect(entry.score).toBeCloseTo(wanted[place]!.score, 5);
            expect(entry.score).toBeCloseTo(score(entry.index), 5);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('the choice of kernels is not seen in any answer', async () => {
  const data = syntheticInteractions({ users: 60, items: 700, ratings: 6000, seed: 3 });
  for (const Kind of [MF, OverparamMF]) {
    const answers: unknown[] = [];
    for (const kernels of ['js', 'wasm'] as const) {
      const model = new Kind({ rank: 21, epochs: 1, initScale: 0.3, kernels });
      await model.fit(data);
      const users = [...data.users, 'nobody'];
      const lists = await model.recommendMany(users, { n: 30 });
      for (const user of users) expect(model.recommend(user, { n: 30 })).toEqual(lists.get(user));
      const [item] = data.items;
      const [user] = data.users;
      answers.push([
        lists,
        model.similarItems(item!),
        model.similarItems(item!, { measure: 'dot' }),
        model.similarUsers(user!),
      ]);
    }
    expect(answers[0]).toEqual(answers[1]);
  }
});

test('a fit lays out what questions need, and what it has left is made by the first', async () => {
  const data = syntheticInteractions({ users: 60, items: 3000, ratings: 9000, seed: 3 });
  const model = new MF({ rank: 64, epochs: 1 });
  await model.fit(data);
  expect([...model.state!.layOut()]).toEqual([]);
  const loaded = MF.load(model.save());
  // Begun, and left: by two, who go on from where the other is.
  const [one, other] = [loaded.state!.layOut(), loaded.state!.layOut()];
  one.next();
  other.next();
  expect(loaded.recommend([...data.users][0]!)).toEqual(model.recommend([...data.users][0]!));
  expect([...one, ...other]).toEqual([]);
});

describe('what a caller does meanwhile', () => {
  const data = Interactions.from([
    ['ann', 'tea', 5],
    ['ann', 'milk', 2],
    ['bob', 'tea', 4],
    ['bob', 'rice', 1],
  ]);
  const fitted = async () => {
    const model = new MF({ rank: 2, epochs: 1 });
    await model.fit(data);
    return model;
  };

  test('lists may ask the same recommender while they are read', async () => {
    const model = await fitted();
    const alone = model.recommend('bob');
    const asking = function* (id: string) {
      expect(model.recommend('bob')).toEqual(alone);
      yield id;
    };
    expect((await model.recommendMany(asking('bob'))).get('bob')).toEqual(alone);
    expect(model.recommend('bob', { exclude: asking('tea'), candidates: ['milk', 'tea'] })).toEqual(alone);
  });

  test('a list that throws leaves nothing excluded', async () => {
    const model = await fitted();
    const failing = function* () {
      yield 'milk';
      throw new Error('no more');
    };
    expect(() => model.recommend('bob', { exclude: failing() })).toThrow('no more');
    expect(model.recommend('bob').map(({ itemId }) => itemId)).toEqual(['milk']);
  });

  test('a new fit is what answers from then on', async () => {
    const model = await fitted();
    model.recommend('ann');
    model.similarItems('tea');
    await model.fit(Interactions.from([...data, ['cid', 'salt', 5]]));
    expect(
      model
        .recommend('ann')
        .map(({ itemId }) => itemId)
        .sort(),
    ).toEqual(['rice', 'salt']);
    expect(model.similarItems('salt')).toHaveLength(3);
  });
});
