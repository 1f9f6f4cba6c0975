// A training whose epochs are made of sweeps, by any number of engines that are killed, doubled and stopped at random, has the bits
// of fitTiles and of a fit in memory: history, tables and what is saved.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  adagrad,
  adam,
  cosine,
  DataError,
  DivergenceError,
  Interactions,
  MF,
  type MFOptions,
  momentum,
  OverparamMF,
  type OverparamMFOptions,
  type Recommender,
  rmsprop,
  sgd,
  splitRandom,
  syntheticInteractions,
  UnsupportedError,
} from '../../../src';
import { Stream } from '../../../src/core/random';
import { TaskScheduler } from '../../../src/core/scheduler';
import { type FitTilesOptions, fitTiles, partitionInteractions } from '../../../src/node';
import { type EpochRunner, fitStripes, type StripeHosts } from '../../../src/node/distributed/fit-stripes';
import type { History } from '../../../src/training/fit';
import type { Blocks, chooseBlocks } from '../../../src/training/per-rating/block-schedule';
import type { StripeStore } from '../../../src/training/per-rating/stripe-store';
import {
  agreedSweeps,
  endEpoch,
  isOver,
  readRun,
  StripeEngine,
  type StripeRun,
  squaresOfEpoch,
  stripeKeys,
  sweepsOf,
} from '../../../src/training/per-rating/stripes';

let grid: Blocks | undefined;
jest.mock('../../../src/training/per-rating/block-schedule', () => {
  const actual = jest.requireActual('../../../src/training/per-rating/block-schedule');
  return {
    ...actual,
    chooseBlocks: (...args: Parameters<typeof chooseBlocks>) => grid ?? actual.chooseBlocks(...args),
  };
});

const folder = mkdtempSync(join(tmpdir(), 'opmf-fit-stripes-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

async function tilesOf(data: Interactions, stripes?: Blocks): Promise<string> {
  const dir = join(folder, `${made++}`);
  await partitionInteractions(data, dir, { stripes });
  return dir;
}

const hashOf = (recommender: Recommender) => createHash('sha256').update(recommender.save()).digest('hex');
/** A history without what a clock has told. */
const plain = ({ epochs, seconds: _, setupSeconds: __, ...rest }: History) => ({
  ...rest,
  epochs: epochs.map(({ seconds: _, ratingsPerSecond: __, ...record }) => record),
});

/** A store in memory, which answers late and in any order, and notices values that are not the same when they come again. */
class MemoryStore implements StripeStore {
  readonly held = new Map<string, Uint8Array>();
  readonly differing: string[] = [];
  puts = 0;
  private late = 0;

  private async sleep(): Promise<void> {
    for (let turn = this.late++ % 3; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
  }

  async get(key: string) {
    await this.sleep();
    return this.held.get(key)?.slice();
  }

  async has(key: string) {
    await this.sleep();
    return this.held.has(key);
  }

  async put(key: string, bytes: Uint8Array) {
    expect(key).toMatch(/^[a-z0-9/.-]{1,200}$/);
    const copy = bytes.slice();
    await this.sleep();
    this.puts++;
    const there = this.held.get(key);
    if (there === undefined) this.held.set(key, copy);
    else if (!/\/(lanes|epochs)\//.test(key) && Buffer.compare(there, copy) !== 0) this.differing.push(key);
  }

  async remove(prefix: string) {
    await this.sleep();
    for (const key of [...this.held.keys()]) if (key.startsWith(prefix)) this.held.delete(key);
  }

  async close() {}
}

/** A store that dies after some operations, as its process would. */
function mortal(store: StripeStore, left: number): StripeStore {
  const live = () => {
    if (left-- <= 0) throw new Error('killed');
    return store;
  };
  return {
    get: async (key) => live().get(key),
    has: async (key) => live().has(key),
    put: async (key, bytes) => live().put(key, bytes),
    remove: async (prefix) => live().remove(prefix),
    close: async () => undefined,
  };
}

interface Trouble {
  readonly engines: number;
  readonly lanes: number;
  /** Of a hundred sweeps, how many are killed, and how many are trained twice at once. */
  readonly kills?: number;
  readonly zombies?: number;
  readonly patience?: number;
  readonly saveEvery?: number;
  /** Of a hundred sweeps, how many are told to stop. */
  readonly stops?: number;
  /** Sweeps are taken in their order, not in any. */
  readonly inOrder?: boolean;
}

const told = { killed: 0, steppedBack: 0, stopped: 0, doubled: 0 };

/** Trains epochs with some engines of this process. */
function inProcess(store: StripeStore, trouble: Trouble, seed = 1): (run: StripeRun) => EpochRunner {
  const { engines, lanes, kills = 0, zombies = 0, stops = 0, inOrder, patience = 2, saveEvery = Infinity } = trouble;
  const draws = Stream.of(seed);
  const scheduler = new TaskScheduler(undefined);
  return (given) => {
    let isClosed = false;
    const trainEpoch = async (epoch: number) => {
      const run = await readRun(given.id, store);
      expect(run).toEqual(given);
      if (await isOver(run, epoch, store)) return;
      const sweeps = await agreedSweeps(run, epoch, lanes, store);
      const waiting = sweeps.map((sweep) => ({ sweep, done: 0 }));
      let left = sweeps.length;
      const work = async () => {
        let engine = await StripeEngine.create(run, store, scheduler);
        while (left > 0 && !isClosed) {
          if (waiting.length === 0) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            continue;
          }
          const [job] = waiting.splice(inOrder ? 0 : draws.below(waiting.length), 1);
          const { sweep } = job!;
          let { done } = job!;
          const note = (saved: number) => {
            done = saved;
          };
          const options = { patience, saveEvery, onSaved: note };
          if (draws.below(100) < zombies) {
            told.doubled++;
            const twin = await StripeEngine.create(run, mortal(store, draws.below(60)), scheduler);
            void twin.sweep(sweep, done, { patience: 5 }).catch(() => undefined);
          }
          if (draws.below(100) < kills) {
            const doomed = await StripeEngine.create(run, mortal(store, draws.below(40)), scheduler);
            const result = await doomed.sweep(sweep, done, options).catch(() => 'killed' as const);
            if (result === 'killed') told.killed++;
            if (result !== 'killed' && result.isComplete) left--;
            else waiting.push({ sweep, done: result === 'killed' ? done : result.done });
            continue;
          }
          const controller = new AbortController();
          if (draws.below(100) < stops) {
            told.stopped++;
            setTimeout(() => controller.abort(), draws.below(3));
          }
          const result = await engine.sweep(sweep, done, { ...options, signal: controller.signal });
          expect(result.done).toBeGreaterThanOrEqual(0);
          if (result.isComplete) left--;
          else {
            told.steppedBack++;
            waiting.push({ sweep, done: result.done });
          }
          if (draws.below(10) === 0) engine = await StripeEngine.create(run, store, scheduler);
        }
      };
      await Promise.all(Array.from({ length: engines }, work));
      if (!isClosed) await endEpoch(run, epoch, store);
    };
    return {
      epoch: trainEpoch,
      close: async () => {
        isClosed = true;
      },
    };
  };
}

async function fitted(
  dir: string,
  options: FitTilesOptions,
  trouble: Trouble,
  fitOptions?: Parameters<typeof fitStripes>[2],
  more: Partial<StripeHosts> = {},
) {
  const store = new MemoryStore();
  const hosts = { owner: 'train', store, runEpochs: inProcess(store, trouble), ...more };
  const result = await fitStripes(dir, options, fitOptions, hosts);
  expect(store.differing).toEqual([]);
  expect([...store.held.keys()].filter((key) => !/\/steps\//.test(key))).toEqual([]);
  return { ...result, store };
}

const troubles: readonly (readonly [string, Trouble])[] = [
  ['one engine, one lane', { engines: 1, lanes: 1, patience: 1000, inOrder: true }],
  ['one engine, many lanes, no patience', { engines: 1, lanes: 7, patience: 0 }],
  ['two engines', { engines: 2, lanes: 2, patience: 2 }],
  ['four engines, all of it', { engines: 4, lanes: 4, patience: 1, kills: 20, zombies: 20, stops: 20, saveEvery: 1 }],
  ['more engines than lanes', { engines: 3, lanes: 2, patience: 1, kills: 40, saveEvery: 0 }],
];

const cases: readonly (readonly [string, Blocks, OverparamMFOptions & { readonly recommender?: 'mf' }])[] = [
  ['users longer, the last group smaller', { users: 23, items: 5 }, {}],
  ['items longer', { users: 3, items: 17 }, { recommender: 'mf' }],
  ['squares of several tiles', { users: 40, items: 19 }, { optimizer: sgd({ learningRate: 0.02 }) }],
  ['as many blocks', { users: 18, items: 18 }, { recommender: 'mf', optimizer: adam({ learningRate: 0.01 }) }],
  ['one block', { users: 1, items: 1 }, { recommender: 'mf', optimizer: adagrad({ learningRate: 0.05 }) }],
  ['one block of one side', { users: 7, items: 1 }, { optimizer: sgd({ learningRate: 0.02 }), biases: false }],
  [
    'scalars by row',
    { users: 12, items: 5 },
    { overparam: { kind: 'scalar', scope: 'row', depth: 3 }, optimizer: sgd({ learningRate: cosine(0.002) }) },
  ],
  ['diagonals by row', { users: 12, items: 5 }, { overparam: { kind: 'diagonal', scope: 'row' } }],
  [
    'adagrad by row',
    { users: 12, items: 5 },
    { recommender: 'mf', optimizer: adagrad({ learningRate: 0.05, per: 'row' }) },
  ],
];

/** Ratings with weights, of few users and items, so that there are empty squares. */
function dataOf(users: number, items: number, ratings: number, isWeighted: boolean): Interactions {
  const draws = Stream.of(7);
  const rows = Array.from({ length: ratings }, () => ({
    userId: draws.below(users),
    itemId: `i${draws.below(items)}`,
    value: draws.below(9) / 2 + draws.below(3) / 7,
    ...(isWeighted && { weight: [0.25, 1, 4, 9.5][draws.below(4)]! }),
  }));
  return Interactions.from(rows, { duplicates: 'keep' });
}

describe.each(cases)('%s', (_, blocks, given) => {
  const { recommender: name, ...options } = { rank: 5, epochs: 2, seed: 5, ...given };
  // Each case sees all troubles, each kind of data some of them.
  test.each([
    ['plain', [0, 3]],
    ['weighted', [1, 4]],
    ['few', [2, 3]],
  ] as const)('%s: the bits of fitTiles and of memory', async (kind, some) => {
    const data = kind === 'few' ? dataOf(60, 40, 70, false) : dataOf(90, 50, 900, kind === 'weighted');
    grid = { users: Math.min(blocks.users, data.users.size), items: Math.min(blocks.items, data.items.size) };
    const dir = await tilesOf(data, grid);
    const wanted = name === 'mf' ? new MF(options as MFOptions) : new OverparamMF(options);
    const history = await wanted.fit(data);
    const tiled = await fitTiles(dir, { ...options, recommender: name });
    expect(hashOf(tiled.recommender)).toBe(hashOf(wanted));
    for (const [, trouble] of some.map((at) => troubles[at]!)) {
      const chunkBytes = [2 ** 24, 100, 3000][trouble.engines % 3];
      const stripes = await fitted(dir, { ...options, recommender: name }, trouble, undefined, { chunkBytes });
      expect(plain(stripes.history)).toEqual(plain(history));
      expect(hashOf(stripes.recommender)).toBe(hashOf(wanted));
    }
    expect((await readdir(dir)).sort()).toEqual(['ids.safetensors', 'index.json', 'rows', 'tiles']);
  });
});

const trainings = fc.record({
  users: fc.integer({ min: 1, max: 60 }),
  items: fc.integer({ min: 1, max: 60 }),
  ratings: fc.integer({ min: 2, max: 600 }),
  blocks: fc.record({ users: fc.integer({ min: 1, max: 30 }), items: fc.integer({ min: 1, max: 30 }) }),
  isWeighted: fc.boolean(),
  optimizer: fc.constantFrom(
    undefined,
    sgd({ learningRate: 0.01 }),
    momentum({ learningRate: 0.002 }),
    adam({ learningRate: cosine({ embedding: 0.01, bias: 0.02, map: 0.005 }) }),
    rmsprop({ learningRate: 0.005 }),
  ),
  loss: fc.constantFrom('squared', 'absolute', 'huber'),
  link: fc.constantFrom('identity', 'sigmoid'),
  overparam: fc.constantFrom(
    undefined,
    false,
    { kind: 'scalar', scope: 'row', depth: 3 },
    { kind: 'diagonal', scope: 'row' },
  ),
  rank: fc.integer({ min: 1, max: 9 }),
  biases: fc.boolean(),
  seed: fc.integer({ min: 0, max: 99 }),
  trouble: fc.record({
    engines: fc.integer({ min: 1, max: 4 }),
    lanes: fc.integer({ min: 1, max: 17 }),
    kills: fc.integer({ min: 0, max: 50 }),
    zombies: fc.integer({ min: 0, max: 50 }),
    stops: fc.integer({ min: 0, max: 50 }),
    patience: fc.integer({ min: 0, max: 5 }),
    saveEvery: fc.constantFrom(0, 2, Infinity),
  }),
  chunkBytes: fc.constantFrom(1, 200, 4000, 2 ** 24),
});

test('the bits of fitTiles, whatever is trained and whatever goes wrong', () =>
  fc.assert(
    fc.asyncProperty(trainings, async (given) => {
      const { users, items, ratings, blocks, isWeighted, trouble, chunkBytes, overparam, ...options } = given;
      const data = dataOf(users, items, ratings, isWeighted);
      if (new Set(data.values).size < 2) return;
      const stripes = {
        users: Math.min(blocks.users, data.users.size),
        items: Math.min(blocks.items, data.items.size),
      };
      const dir = await tilesOf(data, stripes);
      const all = {
        ...options,
        epochs: 2,
        recommender: overparam === false ? 'mf' : 'overparam-mf',
        ...(overparam && { overparam }),
      } as FitTilesOptions;
      const wanted = await fitTiles(dir, all).catch((error) => error);
      const result = await fitted(dir, all, trouble, undefined, { chunkBytes }).catch((error) => error);
      if (wanted instanceof Error) expect(result).toMatchObject({ name: wanted.name, message: wanted.message });
      else {
        expect(plain(result.history)).toEqual(plain(wanted.history));
        expect(hashOf(result.recommender)).toBe(hashOf(wanted.recommender));
      }
      rmSync(dir, { recursive: true });
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 8) },
  ));

test('there was trouble of every kind', () => {
  for (const times of Object.values(told)) expect(times).toBeGreaterThan(20);
});

describe('a set of some size', () => {
  const data = syntheticInteractions({ users: 1500, items: 200, ratings: 20_000 });
  const { train, test: held } = splitRandom(data, { testFraction: 0.1 });
  const blocks: Blocks = { users: 25, items: 9 };
  const options: OverparamMFOptions = { rank: 8, epochs: 4, seed: 5, optimizer: adam({ learningRate: 0.01 }) };
  const trouble = { engines: 2, lanes: 3, kills: 20, zombies: 10, patience: 2, saveEvery: 5 };
  const fitOptions = {
    validation: held,
    metrics: ['rmse', 'ndcg@10'],
    earlyStopping: { metric: 'rmse', patience: 2 },
  } as const;
  let dir: string;
  beforeAll(async () => {
    grid = blocks;
    dir = await tilesOf(train, blocks);
  });

  test('validation, early stopping and progress are those of fitTiles', async () => {
    const wanted = await fitTiles(dir, options, fitOptions);
    const told: number[] = [];
    const onProgress = ({ epoch, epochs, secondsLeft }: { epoch: number; epochs: number; secondsLeft: number }) => {
      expect(secondsLeft > 0).toBe(epoch < epochs);
      told.push(epoch);
    };
    const stripes = await fitted(dir, { ...options, onProgress }, trouble, fitOptions);
    expect(plain(stripes.history)).toEqual(plain(wanted.history));
    expect(hashOf(stripes.recommender)).toBe(hashOf(wanted.recommender));
    expect(told).toEqual(wanted.history.epochs.map(({ epoch }) => epoch));
  });

  test('a checkpoint of fitTiles goes on in stripes, and the other way round', async () => {
    const whole = await fitTiles(dir, options);
    const kept: Uint8Array[] = [];
    const write = (bytes: Uint8Array) => void kept.push(bytes.slice());
    await fitTiles(dir, options, { checkpoint: { every: 2, write } });
    await fitted(dir, options, trouble, { checkpoint: { every: 2, write } });
    for (const resume of [kept[0]!, kept[2]!]) {
      const stripes = await fitted(dir, options, trouble, { resume });
      expect(hashOf(stripes.recommender)).toBe(hashOf(whole.recommender));
      const tiled = await fitTiles(dir, options, { resume });
      expect(hashOf(tiled.recommender)).toBe(hashOf(whole.recommender));
    }
  });

  test.each([undefined, fitOptions])('called again it goes on with what is in the store', async (given) => {
    const wanted = await fitTiles(dir, options, given);
    const store = new MemoryStore();
    const makes = inProcess(store, trouble);
    const runs: StripeRun[] = [];
    /** Epochs up to one are trained, then the caller ends. */
    const until = (last: number) => (run: StripeRun) => {
      runs.push(run);
      const { epoch, close } = makes(run);
      return {
        epoch: async (e: number) => {
          if (e > last) throw new Error('the caller is killed');
          // Others train on.
          for (let next = e; next <= Math.min(e + 1, run.epochs); next++) await epoch(next);
        },
        close,
      };
    };
    for (const last of [1, 1, 2, 3]) {
      const hosts = { owner: 'train', store, runEpochs: until(last) };
      await expect(fitStripes(dir, options, given, hosts)).rejects.toThrow('the caller is killed');
    }
    const keys = stripeKeys(runs[0]!);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    expect(store.held.has(`${keys.ends(1)}short/0`)).toBe(given !== undefined);
    const before = store.puts;
    const { recommender, history } = await fitStripes(dir, options, given, {
      owner: 'train',
      store,
      runEpochs: until(4),
    });
    // Nothing is published again.
    expect(store.puts - before).toBeLessThan(20);
    expect(plain(history)).toEqual(plain(wanted.history));
    expect(hashOf(recommender)).toBe(hashOf(wanted.recommender));
    expect([...store.held.keys()].filter((key) => !/\/steps\//.test(key))).toEqual([]);
    expect(store.differing).toEqual([]);
  });

  test('other options, data and checkpoints are other runs; what is kept stays', async () => {
    const store = new MemoryStore();
    const ids = new Set<string>();
    const note = (run: StripeRun) => {
      ids.add(run.id);
      throw new Error('noted');
    };
    const other = await tilesOf(held, { users: 10, items: 3 });
    const hosts = { owner: 'train', store, runEpochs: note };
    for (const given of [{}, { seed: 6 }, { rank: 9 }, { regularization: 0.5 }, { epochs: 5 }, { initScale: 0.3 }])
      await expect(fitStripes(dir, { ...options, ...given }, undefined, hosts)).rejects.toThrow('noted');
    await expect(fitStripes(other, options, undefined, hosts)).rejects.toThrow('noted');
    expect(ids.size).toBe(7);
    await fitStripes(dir, options, undefined, {
      owner: 'train',
      store,
      keep: true,
      runEpochs: inProcess(store, trouble),
    });
    expect([...store.held.keys()].some((key) => key.includes('/ends/4/'))).toBe(true);
  });

  test('what a run that has ended, diverged or is of another version says', async () => {
    const store = new MemoryStore();
    const makes = inProcess(store, trouble);
    let run: StripeRun | undefined;
    const hosts = {
      owner: 'train',
      store,
      runEpochs: (given: StripeRun) => {
        run = given;
        return makes(given);
      },
    };
    const wild = { ...options, optimizer: sgd({ learningRate: 1e6 }) };
    await expect(fitStripes(dir, wild, undefined, hosts)).rejects.toThrow(DivergenceError);
    expect([...store.held.keys()].filter((key) => !/\/steps\//.test(key))).toEqual([]);
    const scheduler = new TaskScheduler(undefined);
    const engine = await StripeEngine.create(run!, store, scheduler);
    const [sweep] = sweepsOf(run!, 2, 2);
    await expect(engine.sweep(sweep!)).rejects.toThrow(DataError);
    await expect(engine.sweep(sweep!)).rejects.toThrow(
      /the store has no .*; want the store that the run was published in/,
    );
    await expect(StripeEngine.create({ ...run!, version: '0.0.1' }, store, scheduler)).rejects.toThrow(
      UnsupportedError,
    );
    await expect(fitStripes(dir, { ...options, batchSize: 64 }, undefined, hosts)).rejects.toThrow(
      /^train trains per rating: not with batchSize: 64/,
    );
  });

  test('a publication that was cut off goes on; what is there is not written again', async () => {
    const store = new MemoryStore();
    const hosts = { owner: 'train', store, runEpochs: inProcess(store, trouble) };
    const cut = { ...hosts, store: mortal(store, 100) };
    await expect(fitStripes(dir, options, undefined, cut)).rejects.toThrow('killed');
    const written = [...store.held.keys()];
    expect(written.length).toBeGreaterThan(30);
    const put = jest.spyOn(store, 'put');
    const { recommender } = await fitStripes(dir, options, undefined, hosts);
    expect(put.mock.calls.map(([key]) => key).filter((key) => written.includes(key))).toEqual([]);
    expect(hashOf(recommender)).toBe(hashOf((await fitTiles(dir, options)).recommender));
  });

  test('a sweep whose saved stripes are gone begins again', async () => {
    const store = new MemoryStore();
    const scheduler = new TaskScheduler(undefined);
    let again = 0;
    const runEpochs = (run: StripeRun) => ({
      epoch: async (epoch: number) => {
        for (const sweep of await agreedSweeps(run, epoch, 1, store)) {
          const controller = new AbortController();
          const onSaved = (done: number) => void (done === 3 && controller.abort());
          const first = await StripeEngine.create(run, store, scheduler);
          const { done } = await first.sweep(sweep, 0, { saveEvery: 0, onSaved, signal: controller.signal });
          expect(done).toBe(3);
          await store.remove(`${stripeKeys(run).steps(epoch)}long/`);
          const second = await StripeEngine.create(run, store, scheduler);
          expect((await second.sweep(sweep, done, { patience: 0 })).isComplete).toBe(true);
          again++;
        }
        await endEpoch(run, epoch, store);
      },
      close: async () => undefined,
    });
    const { recommender } = await fitStripes(dir, options, undefined, { owner: 'train', store, runEpochs });
    expect(again).toBe(3 * options.epochs!);
    expect(hashOf(recommender)).toBe(hashOf((await fitTiles(dir, options)).recommender));
  });

  test('a sweep that is stopped because its run was removed leaves nothing behind', async () => {
    const store = new MemoryStore();
    let run: StripeRun | undefined;
    const runEpochs = (given: StripeRun) => {
      run = given;
      throw new Error('enough');
    };
    await fitStripes(dir, options, undefined, { owner: 'train', store, runEpochs }).catch(() => undefined);
    const engine = await StripeEngine.create(run!, store, new TaskScheduler(undefined));
    const controller = new AbortController();
    const onSaved = async () => {
      await store.remove(stripeKeys(run!).all);
      controller.abort();
    };
    const [sweep] = sweepsOf(run!, 1, 2);
    const { done, isComplete } = await engine.sweep(sweep!, 0, { saveEvery: 0, onSaved, signal: controller.signal });
    expect([done, isComplete]).toEqual([1, false]);
    expect([...store.held.keys()]).toEqual([]);
  });

  test('sweeps cover every square of an epoch once', async () => {
    const store = new MemoryStore();
    let run: StripeRun | undefined;
    await fitStripes(dir, options, undefined, {
      owner: 'train',
      store,
      runEpochs: (given) => {
        run = given;
        throw new Error('enough');
      },
    }).catch(() => undefined);
    for (const lanes of [1, 2, 3, 5, 16, 100]) {
      const sweeps = sweepsOf(run!, 1, lanes);
      for (const { group, part } of squaresOfEpoch(run!, 1))
        expect(sweeps.filter((sweep) => sweep.group === group && sweep.from <= part && part < sweep.to).length).toBe(1);
      expect(JSON.parse(JSON.stringify(sweeps))).toEqual(sweeps);
    }
    expect(await agreedSweeps(run!, 1, 3, store)).toEqual(await agreedSweeps(run!, 1, 5, store));
  });
});
