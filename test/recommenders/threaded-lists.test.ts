// Lists on threads are those of one thread and of JavaScript, for whoever is asked and whatever is left out.

import { Worker } from 'node:worker_threads';
import {
  ALS,
  evaluateRanking,
  type Id,
  MF,
  type RecommendManyOptions,
  splitRandom,
  syntheticInteractions,
} from '../../src/index';
import { LONGEST_LIST, SharedLists } from '../../src/kernels/scorer-wasm';
import type { FactorizationState } from '../../src/serving/factorization-state';

const data = syntheticInteractions({ users: 700, items: 2300, ratings: 15_000 });

async function lists(model: MF | ALS, users: Iterable<Id>, options: RecommendManyOptions) {
  const found: unknown[] = [];
  for await (const [id, list] of model.recommendEach(users, options))
    found.push([id, list.basis, list.unknown, ...list]);
  // As a text: what compares objects takes seconds for so many.
  return found.map((one) => JSON.stringify(one));
}

let model: MF;
let plain: MF;
beforeAll(async () => {
  model = new MF({ rank: 33, epochs: 2 });
  await model.fit(data);
  plain = new MF({ rank: 33, epochs: 2, kernels: 'js' });
  await plain.fit(data);
});

const some = Array.from(data.items).slice(0, 600);
const cases: [string, RecommendManyOptions][] = [
  ['as they are', {}],
  ['long ones', { n: LONGEST_LIST }],
  ['with what has been seen', { n: 3, filterSeen: false }],
  ['without some items', { exclude: [...some.slice(0, 200), 'nothing'] }],
  ['of some items', { candidates: some }],
  ['of fewer items than are wanted', { n: 200, candidates: some, exclude: some.slice(100) }],
];

test.each(cases)('%s: the same for 1, 2 and 4 threads, and in JavaScript', async (_, options) => {
  const write = jest.spyOn(SharedLists.prototype, 'write');
  // Strangers, and one twice.
  const users = ['nobody', ...data.users, 'no one', data.users.idOf(5)];
  const wanted = await lists(model, users, { ...options, threads: 1 });
  expect(write).not.toHaveBeenCalled();
  expect(wanted).toHaveLength(703);
  for (const threads of [2, 4]) expect(await lists(model, users, { ...options, threads })).toEqual(wanted);
  expect(write.mock.calls.length).toBeGreaterThan(0);
  expect(await lists(plain, users, { ...options, threads: 2 })).toEqual(wanted);
  write.mockRestore();
});

test('lists that threads do not make: longer ones, of few candidates, none', async () => {
  const write = jest.spyOn(SharedLists.prototype, 'write');
  for (const options of [{ n: LONGEST_LIST + 1 }, { candidates: some.slice(0, 20) }, { n: 0 }]) {
    const users = [...data.users].slice(0, 70);
    expect(await lists(model, users, { ...options, threads: 2 })).toEqual(
      await lists(model, users, { ...options, threads: 1 }),
    );
  }
  // Little work.
  await model.recommendMany(data.users);
  expect(write).not.toHaveBeenCalled();
  write.mockRestore();
});

test('biases, ALS, recommendMany', async () => {
  for (const other of [
    new ALS({ rank: 8, epochs: 1, kernels: 'wasm' }),
    new MF({ rank: 8, epochs: 1, kernels: 'wasm', loss: 'bpr', biases: false }),
  ]) {
    await other.fit(data);
    const [two, one] = [
      await other.recommendMany(data.users, { threads: 2 }),
      await other.recommendMany(data.users, { threads: 1 }),
    ];
    expect(JSON.stringify([...two])).toBe(JSON.stringify([...one]));
  }
});

test('evaluateRanking: the same numbers, for models without their history too', async () => {
  const { train, test: held } = splitRandom(data);
  const other = new MF({ rank: 8, epochs: 1, kernels: 'wasm', loss: 'bpr' });
  await other.fit(train);
  for (const one of [other, MF.load(other.save({ history: false }))]) {
    const write = jest.spyOn(SharedLists.prototype, 'write');
    const [first, second] = await Promise.all(
      [1, 2].map((threads) => evaluateRanking(one, held, { train, k: [5, 20], threads })),
    );
    expect(second).toEqual(first);
    expect(write).toHaveBeenCalled();
    write.mockRestore();
  }
});

test('vectors that are no numbers, and users with more than a thread has room for', async () => {
  const values = model.state!.fitted.tables.userEmbedding as Float32Array;
  const kept = values.slice();
  values[3 * 33] = Number.NaN;
  values[4 * 33] = Infinity;
  values.fill(0, 5 * 33, 6 * 33);
  const state = model.state as FactorizationState;
  const itemsOf = jest
    .spyOn(state.seen, 'itemsOf')
    .mockImplementation((user) => new Int32Array(user === 7 ? 70_000 : 9000).fill(user));
  try {
    const users = [...data.users].slice(0, 40);
    expect(await lists(model, users, { threads: 2 })).toEqual(await lists(model, users, { threads: 1 }));
  } finally {
    itemsOf.mockRestore();
    values.set(kept);
  }
});

test('a loop that ends early, an abort, and a wrong number', async () => {
  const stop = jest.spyOn(Worker.prototype, 'terminate');
  for await (const [id] of model.recommendEach(data.users, { threads: 2 })) {
    expect(id).toBe(data.users.idOf(0));
    break;
  }
  expect(stop).toHaveBeenCalledTimes(2);
  const controller = new AbortController();
  const reason = new Error('enough');
  const work = model.recommendMany(data.users, { threads: 2, n: 100, signal: controller.signal });
  setTimeout(() => controller.abort(reason), 5);
  await expect(work).rejects.toBe(reason);
  expect(() => model.recommendEach(data.users, { threads: 0 })).toThrow(
    /threads is 0; want a whole number from 1 to 256, or 'auto'/,
  );
});
