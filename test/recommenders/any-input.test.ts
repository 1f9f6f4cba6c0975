// Whatever a trained recommender is asked, of whatever type, it answers, or throws an error of the library.

import fc from 'fast-check';
import { OpmfError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { createRecommender, loadRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import type { AnyRecommender } from '../contract/odd-ratings';

const data = syntheticInteractions({ users: 16, items: 90, ratings: 160 });
const likes = Interactions.from([...data].map(({ userId, itemId }) => [userId, itemId] as const));
const small = { rank: 2, epochs: 1, embeddingDim: 2, hidden: [2] };
const RANKERS: readonly string[] = ['neural-cf', 'fm', 'wide-deep', 'deep-fm'];

async function fitted(name: (typeof RECOMMENDER_NAMES)[number]): Promise<AnyRecommender> {
  const known = createRecommender(name).options;
  const options = Object.fromEntries(Object.entries(small).filter(([key]) => Object.hasOwn(known, key)));
  if (RANKERS.includes(name)) Object.assign(options, { negatives: 2 });
  const model = createRecommender(name, options as never) as AnyRecommender;
  await model.fit(RANKERS.includes(name) ? likes : data);
  return model;
}

/** Values of every type, known ids and near misses of what is wanted among them. */
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...[...data.users].slice(0, 3), ...[...data.items].slice(0, 3)) },
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -0,
    -1,
    0.5,
    1e9,
    2 ** 31,
    2 ** 53,
    2 ** 64,
    Number.NaN,
    Infinity,
    10n,
    -(2n ** 70n),
    '',
    '1',
    'x'.repeat(1000),
    '\ud800',
    '__proto__',
    'constructor',
    Symbol('a'),
    Symbol.iterator,
    () => 1,
    class {},
    /a/,
    new Date(Number.NaN),
    new Map(),
    new Map([['1', '2']]),
    new Set(['1']),
    new WeakMap(),
    Promise.resolve(1),
    new Float32Array(3),
    new ArrayBuffer(8),
    Object.create(null),
    { [Symbol.iterator]: 5 },
    { toString: null, valueOf: null },
    new Proxy({}, {}),
    new Error('an error'),
    [],
    [null],
    [undefined],
    [[]],
    [[null, null]],
    [['1']],
    [10n],
    new Array(3),
    { itemId: '1', value: Number.NaN },
    { length: 5 },
    data,
    Interactions.from([]),
  ),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true }),
);
const oddOptions = fc.oneof(
  odd,
  fc.record(
    {
      n: odd,
      filterSeen: odd,
      exclude: fc.oneof(odd, fc.array(odd, { maxLength: 3 })),
      candidates: fc.oneof(odd, fc.array(odd, { maxLength: 3 })),
      measure: fc.oneof(odd, fc.constantFrom('cosine', 'dot')),
      history: odd,
      index: fc.oneof(odd, fc.constantFrom('cosine', 'inner-product')),
    },
    { requiredKeys: [] },
  ),
);
const oddRow = fc.oneof(
  odd,
  fc.array(odd, { maxLength: 4 }),
  fc.record({ itemId: odd, userId: odd, value: odd, weight: odd }, { requiredKeys: [] }),
);
const oddList = fc.oneof(odd, fc.array(oddRow, { maxLength: 4 }));

/** A call of a method by name, with arguments of any kind. */
const calls: fc.Arbitrary<[method: string, args: unknown[]]> = fc.oneof(
  fc.tuple(fc.constantFrom('predict', 'knows', 'hasSeen', 'explain'), fc.tuple(odd, odd, oddOptions)),
  fc.tuple(fc.constantFrom('recommend', 'similarItems', 'similarUsers'), fc.tuple(odd, oddOptions)),
  fc.tuple(
    fc.constantFrom('predictMany', 'foldInUser', 'foldInItem', 'recommendEach', 'predictRows'),
    fc.tuple(oddList, oddOptions),
  ),
  fc.tuple(fc.constantFrom('save', 'exportVectors', 'fresh', 'collapse'), fc.tuple(oddOptions)),
);

/** What is thrown that is no error of the library. */
function strayOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (!(error instanceof OpmfError)) return error;
  }
  return undefined;
}

describe.each(RECOMMENDER_NAMES)('%s', (name) => {
  let models: AnyRecommender[];
  beforeAll(async () => {
    const model = await fitted(name);
    models = [model, loadRecommender(model.save({ history: false })) as AnyRecommender];
  });

  test('answers, or throws an OpmfError of few words', () => {
    fc.assert(
      fc.property(calls, fc.boolean(), odd, oddOptions, ([method, args], isBare, id, options) => {
        const model = models[isBare ? 1 : 0] as unknown as Record<string, (...args: unknown[]) => unknown>;
        if (model[method] === undefined) return;
        const stray = strayOf(() => {
          const answer = model[method]!(...args);
          if (typeof answer === 'number') expect(answer).not.toBeNaN();
          if (!method.startsWith('foldIn')) return;
          const folded = answer as { predict(id: unknown): number; recommend?(options: unknown): unknown };
          folded.predict(id);
          folded.recommend?.(options);
        });
        if (stray !== undefined) throw stray;
      }),
      { numRuns: 300 },
    );
  });

  test('fit and partialFit of anything reject with an OpmfError, or resolve', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), odd, oddOptions, async (isPartial, given, options) => {
        const model = models[0]!;
        const before = model.save();
        const fit =
          isPartial && model.partialFit !== undefined
            ? model.partialFit(given as never, options as never)
            : model.fit(given as never, options as never);
        const error: unknown = await fit.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) models[0] = await fitted(name);
        else {
          expect(error).toBeInstanceOf(OpmfError);
          expect(model.save()).toEqual(before);
        }
      }),
      { numRuns: 25 },
    );
  });

  test.each<[string, (model: AnyRecommender) => unknown]>([
    ['predictMany([null])', (model) => model.predictMany([null] as never)],
    ['predictMany([5])', (model) => model.predictMany([5] as never)],
    ["predictMany(['ab'])", (model) => model.predictMany(['ab'] as never)],
    ['recommendMany([Symbol()])', (model) => model.recommendMany([Symbol('a')] as never)],
  ])('%s is refused', async (_, ask) => {
    const error = await caught(async () => ask(models[0]!));
    expect(error).toBeInstanceOf(OpmfError);
    expect((error as Error).message.length).toBeLessThan(400);
  });

  test('nothing is like what is no id', async () => {
    const [model] = models as [AnyRecommender];
    for (const method of ['similarItems', 'similarUsers'] as const) {
      if (!(method in model)) continue;
      for (const id of [10n, Symbol('a')])
        expect(await caught(async () => model[method]!(id as never))).toBeInstanceOf(OpmfError);
    }
  });
});

async function caught(act: () => Promise<unknown>): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}
