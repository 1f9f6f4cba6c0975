// Training from disk has the bits of training in memory on the same grid: history, tables and what is saved.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  adagrad,
  adam,
  cosine,
  DataError,
  FormatError,
  Interactions,
  MF,
  momentum,
  OptionError,
  OverparamMF,
  type OverparamMFOptions,
  type Recommender,
  sgd,
  splitRandom,
  syntheticInteractions,
  UnsupportedError,
} from '../../../src';
import { type FitTilesOptions, fitTiles, partitionInteractions } from '../../../src/node';
import { RecordFile } from '../../../src/node/tiles/tile-folder';
import type { History } from '../../../src/training/fit';
import type { Blocks, chooseBlocks } from '../../../src/training/per-rating/block-schedule';
import { PagedEngine } from '../../../src/training/per-rating/paged';

let grid: Blocks | undefined;
jest.mock('../../../src/training/per-rating/block-schedule', () => {
  const actual = jest.requireActual('../../../src/training/per-rating/block-schedule');
  return {
    ...actual,
    chooseBlocks: (...args: Parameters<typeof chooseBlocks>) => grid ?? actual.chooseBlocks(...args),
  };
});

const folder = mkdtempSync(join(tmpdir(), 'opmf-fit-tiles-'));
afterAll(() => rmSync(folder, { recursive: true }));
let made = 0;

/** A folder of some ratings. */
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

const makeRecommender = (name: 'mf' | 'overparam-mf', options: object) =>
  name === 'mf' ? new MF(options) : new OverparamMF(options);

const rate = (learningRate: number) => cosine({ embedding: learningRate, map: learningRate, bias: learningRate });
const optimizers = {
  default: undefined,
  sgd: sgd({ learningRate: 0.02 }),
  momentum: momentum({ learningRate: 0.004 }),
  adam: adam({ learningRate: rate(0.01) }),
  adagrad: adagrad({ learningRate: 0.05 }),
};
const products = [
  false,
  undefined,
  { kind: 'scalar', scope: 'row', depth: 3 },
  { kind: 'diagonal', scope: 'row' },
] as const;

const trainings = fc.record({
  users: fc.integer({ min: 1, max: 60 }),
  items: fc.integer({ min: 1, max: 60 }),
  ratings: fc.integer({ min: 2, max: 600 }),
  blocks: fc.record({ users: fc.integer({ min: 1, max: 9 }), items: fc.integer({ min: 1, max: 9 }) }),
  weights: fc.constantFrom('none', 'equal', 'some'),
  optimizer: fc.constantFrom(...(Object.keys(optimizers) as (keyof typeof optimizers)[])),
  loss: fc.constantFrom('squared', 'absolute', 'huber', 'logistic', 'auto'),
  link: fc.constantFrom('identity', 'sigmoid'),
  overparam: fc.constantFrom(...products),
  rank: fc.integer({ min: 1, max: 9 }),
  biases: fc.boolean(),
  seed: fc.integer({ min: 0, max: 99 }),
});

type Training = typeof trainings extends fc.Arbitrary<infer T> ? T : never;

/** Ratings with and without weights, a user without any, and one pair twice. */
function dataOf({ users, items, ratings, weights, loss, seed }: Training): Interactions {
  let state = seed + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const rows = Array.from({ length: ratings }, () => ({
    userId: next(users),
    itemId: `i${next(items)}`,
    value: loss === 'logistic' ? next(2) : next(9) / 2 + next(3) / 7,
    ...(weights !== 'none' && { weight: weights === 'equal' ? 3 : [0.25, 1, 4, 9.5][next(4)] }),
  }));
  return Interactions.from(rows, { duplicates: 'keep' });
}

test('the bits are those of a fit in memory on the same grid, whatever is trained', () =>
  fc.assert(
    fc.asyncProperty(trainings, async (given) => {
      const data = dataOf(given);
      if (new Set(data.values).size < 2) return;
      const { users, items } = given.blocks;
      grid = { users: Math.min(users, data.users.size), items: Math.min(items, data.items.size) };
      const { rank, biases, seed, loss, link, overparam } = given;
      const name = overparam === false ? 'mf' : 'overparam-mf';
      const options = {
        rank,
        biases,
        seed,
        loss,
        link,
        epochs: 3,
        optimizer: optimizers[given.optimizer],
        ...(overparam && { overparam }),
      };
      if (given.optimizer === 'adagrad' && overparam) return;
      const dir = await tilesOf(data, grid);
      const wanted = makeRecommender(name, options);
      const histories: History[] = [];
      let failure: unknown;
      try {
        histories.push(await wanted.fit(data));
      } catch (error) {
        failure = error;
      }
      const training = fitTiles(dir, { recommender: name, ...options } as FitTilesOptions);
      if (failure !== undefined) {
        await expect(training).rejects.toMatchObject({ name: (failure as Error).name });
        return;
      }
      const { recommender, history } = await training;
      expect(plain(history)).toEqual(plain(histories[0]!));
      expect(hashOf(recommender)).toBe(hashOf(wanted));
      expect((await readdir(dir)).sort()).toEqual(['ids.safetensors', 'index.json', 'rows', 'tiles']);
      await rm(dir, { recursive: true });
    }),
    { numRuns: 40 },
  ));

describe('a set of some size', () => {
  const data = syntheticInteractions({ users: 4000, items: 300, ratings: 60_000 });
  const { train, test: held } = splitRandom(data, { testFraction: 0.1 });
  const blocks: Blocks = { users: 40, items: 3 };
  const options: OverparamMFOptions = { rank: 8, epochs: 3, seed: 5 };
  let dir: string;
  let wanted: OverparamMF;
  let history: History;
  const fitOptions = {
    validation: held,
    metrics: ['rmse', 'ndcg@10'],
    earlyStopping: { metric: 'rmse', patience: 2 },
  } as const;
  beforeAll(async () => {
    grid = blocks;
    dir = await tilesOf(train, blocks);
    wanted = new OverparamMF(options);
    history = await wanted.fit(train, fitOptions);
  });
  beforeEach(() => {
    grid = blocks;
  });

  test('groups are paged: validation, early stopping and every bit are those in memory; progress is told', async () => {
    const create = jest
      .spyOn(PagedEngine, 'create')
      .mockImplementation((task, ...rest) => original(little(task), ...rest));
    const read = jest.spyOn(RecordFile.prototype, 'read');
    const told: number[] = [];
    const onProgress = ({
      epoch,
      steps,
      of,
      secondsLeft,
    }: {
      epoch: number;
      steps: number;
      of: number;
      secondsLeft: number;
    }) => {
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
      told.push(epoch * of + steps);
    };
    const fitted = await fitTiles(dir, { ...options, onProgress }, fitOptions);
    create.mockRestore();
    expect(read.mock.calls.length).toBeGreaterThan(3 * 14 * 3);
    read.mockRestore();
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.length).toBeGreaterThan(3 * 14);
    expect(told.at(-1)).toBe(4 * train.size);
    expect(plain(fitted.history)).toEqual(plain(history));
    expect(hashOf(fitted.recommender)).toBe(hashOf(wanted));
    const [user] = [...train.users];
    expect(fitted.recommender.recommend(user!)).toEqual(wanted.recommend(user!));
  });
  const original = PagedEngine.create.bind(PagedEngine);
  /** A task with room for few ratings: the largest tile and little more. */
  const little = (task: Parameters<typeof PagedEngine.create>[0]) => ({ ...task, partBytes: 12 * 1024 });

  test.each([2, 3])('the same on %i threads', async (threads) => {
    const fitted = await fitTiles(dir, { ...options, threads }, fitOptions);
    wanted = new OverparamMF({ ...options, threads: 1 });
    await wanted.fit(train, fitOptions);
    const tables = ({ userFactors, itemFactors }: OverparamMF | MF) => [userFactors.data, itemFactors.data];
    expect(tables(fitted.recommender)).toEqual(tables(wanted));
  });

  test.each([1, 2])('squares of several tiles, which parts cut, on %i threads', async (threads) => {
    grid = { users: 45, items: 19 };
    const other = await tilesOf(train, grid);
    const given = { rank: 5, epochs: 2, threads };
    const memory = new MF(given);
    await memory.fit(train);
    const create = jest
      .spyOn(PagedEngine, 'create')
      .mockImplementation((task, ...rest) => original({ ...task, partBytes: 4096 }, ...rest));
    const { recommender } = await fitTiles(other, { recommender: 'mf', ...given });
    create.mockRestore();
    expect(hashOf(recommender)).toBe(hashOf(memory));
  });

  test('items may be the longer side', async () => {
    grid = { users: 3, items: 17 };
    const other = await tilesOf(train, grid);
    const memory = new MF({ rank: 5, epochs: 2 });
    await memory.fit(train);
    const { recommender } = await fitTiles(other, { recommender: 'mf', rank: 5, epochs: 2 });
    expect(hashOf(recommender)).toBe(hashOf(memory));
  });

  test('a checkpoint goes on to the same bits, in another process and after an abort', async () => {
    const rule = { ...options, optimizer: adam({ learningRate: 0.01 }), epochs: 4 };
    const whole = await fitTiles(dir, rule);
    let kept: Uint8Array | undefined;
    const controller = new AbortController();
    const write = (bytes: Uint8Array) => {
      kept = bytes.slice();
    };
    const onEpoch = ({ epoch }: { epoch: number }) => {
      if (epoch === 3) controller.abort();
    };
    const aborted = fitTiles(dir, rule, { checkpoint: { every: 2, write }, onEpoch, signal: controller.signal });
    await expect(aborted).rejects.toThrow('aborted');
    const { recommender, history } = await fitTiles(dir, rule, { resume: kept! });
    expect(history.epochs.length).toBe(4);
    expect(hashOf(recommender)).toBe(hashOf(whole.recommender));
    await expect(new OverparamMF(rule).fit(train, { resume: kept! })).rejects.toThrow(DataError);
    expect((await readdir(dir)).sort()).toEqual(['ids.safetensors', 'index.json', 'rows', 'tiles']);
  });

  test('without history, who has what is not known', async () => {
    const { recommender } = await fitTiles(dir, { ...options, history: false });
    const [user] = [...train.users];
    expect(recommender.recommend(user!)).toEqual(wanted.recommend(user!, { filterSeen: false }));
    await expect(recommender.partialFit(held)).rejects.toThrow(UnsupportedError);
  });

  test('what is not trained so is refused, and too little memory with what is wanted', async () => {
    for (const option of [
      { batchSize: 64 },
      { grouping: 4 },
      { shuffle: false },
      { kernels: 'js' },
      { loss: 'bpr' },
      { overparam: { kind: 'dense' } },
      { overparam: { kind: 'scalar', scope: 'shared' } },
    ] as const) {
      const error = await fitTiles(dir, { ...options, ...option }).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(UnsupportedError);
      expect(error.message).toMatch(/^fitTiles trains per rating: not with /);
    }
    await expect(fitTiles(dir, { rank: 4096, memory: 2 ** 27 })).rejects.toThrow(
      /memory is 128 MiB; this training takes \d+ MiB at least .*; want more memory, history: false, a lower rank or more/,
    );
    await expect(fitTiles(dir, { rank: 4096, memory: 2 ** 27, history: false })).rejects.toThrow(OptionError);
    const events = await tilesOf(
      Interactions.from([
        ['a', 'b'],
        ['a', 'c'],
        ['b', 'c'],
      ]),
    );
    await expect(fitTiles(events)).rejects.toThrow('not with values that are all equal');
    await expect(fitTiles(dir, { ranks: 3 } as object)).rejects.toThrow("unknown option 'ranks'");
    await expect(fitTiles(dir, { recommender: 'als' } as object)).rejects.toThrow(OptionError);
    await expect(fitTiles(join(folder, 'none'))).rejects.toThrow(DataError);
  });

  test('tiles that are not as they were written, and a full disk, are errors; the folder stays whole', async () => {
    const file = await open(join(dir, 'tiles'), 'r+');
    const byte = new Uint8Array(1);
    await file.read(byte, 0, 1, 777);
    await file.write(Uint8Array.of(byte[0]! ^ 4), 0, 1, 777);
    const error = await fitTiles(dir, options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(/tiles is damaged: the checksum of tile \d+ is/);
    await file.write(byte, 0, 1, 777);
    await file.close();
    const write = jest
      .spyOn(RecordFile.prototype, 'write')
      .mockRejectedValue(new DataError('cannot write: the disk is full'));
    await expect(fitTiles(dir, options)).rejects.toThrow('the disk is full');
    write.mockRestore();
    expect(hashOf((await fitTiles(dir, { ...options, threads: 1 }, fitOptions)).recommender)).toBe(hashOf(wanted));
  });
});
