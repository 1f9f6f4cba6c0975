// EASE against what it minimizes, and a case by hand.

import fc from 'fast-check';
import { DataError, FormatError, OptionError } from '../../../src/core/errors';
import { TaskScheduler } from '../../../src/core/scheduler';
import { Interactions } from '../../../src/data/interactions';
import { Vocabulary } from '../../../src/data/vocabulary';
import { decodeSafetensors, encodeSafetensors, seal } from '../../../src/io/files/safetensors';
import { EASE, solveEase } from '../../../src/recommenders/item-based/ease';
import { historiesOf } from '../../../src/recommenders/item-based/histories';
import { loadRecommender } from '../../../src/recommenders/registry';
import type { Workplace } from '../../../src/training/threads';

const alone = { kernels: 'auto', threads: 1 } as const;
const scheduler = () => new TaskScheduler(undefined);

test('by hand: two items, three users', async () => {
  // X^T X + I = [3 1; 1 3] (tea: 2 users, milk: 2, both: 1); its inverse is [3 -1; -1 3] / 8, so that B is 1/3 off the diagonal.
  const model = new EASE({ regularization: 1 });
  await model.fit(
    Interactions.from([
      ['ann', 'tea', 5],
      ['ann', 'milk', 1],
      ['bob', 'tea', 2],
      ['cy', 'milk', 3],
    ]),
  );
  expect(model.predict('bob', 'milk')).toBeCloseTo(1 / 3, 6);
  expect(model.predict('bob', 'tea')).toBe(0);
  expect(model.predict('ann', 'tea')).toBeCloseTo(1 / 3, 6);
  expect(model.similarItems('tea')).toEqual([{ itemId: 'milk', score: expect.closeTo(1 / 3, 6) }]);
});

test('the weights of each item are where the gradient of its ridge regression is 0', async () => {
  const [users, items] = [9, 7];
  const pairs = fc.array(fc.tuple(fc.nat(users - 1), fc.nat(items - 1)), { minLength: 1, maxLength: 50 });
  const numbers = (size: number) => Vocabulary.from(Array.from({ length: size }, (_, n) => n));
  await fc.assert(
    fc.asyncProperty(pairs, fc.constantFrom(0.1, 1, 20), async (list, lambda) => {
      const data = Interactions.from(list, { users: numbers(users), items: numbers(items), duplicates: 'keep' });
      const weights = await solveEase(await historiesOf(data, scheduler()), lambda, alone, scheduler());
      const x = Array.from({ length: users }, () => new Array<number>(items).fill(0));
      for (const [u, i] of list) x[u]![i] = 1;
      for (let to = 0; to < items; to++) {
        expect(weights.at(to, to)).toBe(0);
        const residuals = x.map(
          (row) => row[to]! - row.reduce((sum, one, from) => sum + one * weights.at(from, to), 0),
        );
        for (let from = 0; from < items; from++) {
          if (from === to) continue;
          const slope = x.reduce((sum, row, u) => sum + row[from]! * residuals[u]!, 0) - lambda * weights.at(from, to);
          expect(Math.abs(slope)).toBeLessThan(1e-4);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test('any number of threads and either engine have the same bits, which are those of the definition', async () => {
  const [users, items] = [60, 131];
  const rows = Array.from({ length: 1500 }, (_, k) => [(7 * k * k) % users, (11 * k + (k % 7) * k) % items] as const);
  const data = Interactions.from(rows, { duplicates: 'keep' });
  const bits = async (place: Workplace) => {
    const { values } = await solveEase(await historiesOf(data, scheduler()), 3, place, scheduler());
    return Buffer.from(values.buffer).toString('base64');
  };
  const found = await bits(alone);
  for (const threads of [2, 3, 4]) expect(await bits({ kernels: 'auto', threads })).toBe(found);
  for (const place of [
    { kernels: 'js', threads: 1 },
    { kernels: 'js', threads: 2 },
    { kernels: 'wasm', threads: 2, host: null },
  ] as const)
    expect(await bits(place)).toBe(found);
});

test('threads that are aborted leave none behind', async () => {
  const rows = Array.from({ length: 4000 }, (_, k) => [k % 61, (k * k) % 400] as const);
  const data = Interactions.from(rows, { duplicates: 'keep' });
  const signal = AbortSignal.timeout(60);
  const fit = new EASE({ threads: 2 }).fit(data, { signal });
  await fit.catch((error: unknown) => expect(error).toBe(signal.reason));
});

test('more items than it is made for are refused, with the limit and a way out', async () => {
  const rows = Array.from({ length: 5001 }, (_, item) => ['ann', item] as const);
  const fit = new EASE().fit(Interactions.from(rows));
  await expect(fit).rejects.toThrow(DataError);
  await expect(fit).rejects.toThrow('data has 5001 items, and EASE is dense over items: at most 5000; use ItemKNN');
});

test("regularization 'auto' is a number after the fit; a fresh and a loaded one choose again; a number holds", async () => {
  const of = (items: number) =>
    Interactions.from(['a', 'b'].flatMap((user) => Array.from({ length: items }, (_, item) => [user, item] as const)));
  const model = new EASE();
  expect(model.options.regularization).toBe('auto');
  await model.fit(of(5));
  expect(model.options.regularization).toBe(120 + 2.4 * 5);
  const loaded = EASE.load(model.save());
  expect(loaded.options).toEqual(model.options);
  for (const next of [model, model.fresh(), loaded, loaded.fresh()]) {
    await next.fit(of(10));
    expect(next.options.regularization).toBe(120 + 2.4 * 10);
  }
  const given = new EASE({ regularization: 7 });
  await given.fit(of(5));
  expect([given.options.regularization, EASE.load(given.save()).fresh().options.regularization]).toEqual([7, 7]);
});

test('a bad penalty, and a file with a number that is none', async () => {
  expect(() => new EASE({ regularization: 0 })).toThrow(OptionError);
  const model = new EASE();
  await model.fit(
    Interactions.from([
      ['ann', 'tea'],
      ['bob', 'milk'],
    ]),
  );
  const { tensors, metadata } = decodeSafetensors(model.save());
  tensors.get('itemWeights')!.data[1] = Number.NaN;
  const sealed = (of: typeof tensors) => {
    const bytes = encodeSafetensors(of, metadata);
    seal(bytes);
    return bytes;
  };
  expect(() => loadRecommender(sealed(tensors))).toThrow(FormatError);
  expect(() => loadRecommender(sealed(tensors))).toThrow(/itemWeights.*NaN/);
  const rest = new Map([...tensors].filter(([name]) => name !== 'itemWeights'));
  expect(() => loadRecommender(sealed(rest))).toThrow("tensor 'itemWeights' is missing");
});

test('an aborted fit leaves no state', async () => {
  const data = Interactions.from([
    ['ann', 'tea'],
    ['bob', 'milk'],
  ]);
  const model = new EASE();
  await expect(model.fit(data, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
  expect(model.isFitted).toBe(false);
});
