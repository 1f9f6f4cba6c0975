// The training loop against SGD written out, and what it tells the update rule of where it is.

import { DivergenceError } from '../../src/core/errors';
import { Stream } from '../../src/core/random';
import { TaskScheduler } from '../../src/core/scheduler';
import { MFModel } from '../../src/models/factorization';
import type { RatingData } from '../../src/models/model';
import { OverparamMFModel } from '../../src/models/overparam-mf';
import { LearningRates, linear } from '../../src/optimizers/learning-rate';
import type { Optimizer } from '../../src/optimizers/optimizer';
import { resolveOptimizer } from '../../src/optimizers/registry';
import type { Overparam } from '../../src/parameters/overparam';
import { Penalty } from '../../src/parameters/parameter';
import { type EpochRecord, fit } from '../../src/training/fit';
import { LOSSES } from '../../src/training/losses';
import { WHOLE } from '../../src/training/per-rating/block-schedule';
import { WasmEngine } from '../../src/training/per-rating/engine';
import { planPerRating } from '../../src/training/per-rating/plan';
import { RatingBatcher } from '../../src/training/rating-batches';
import { type StepOptions, startTraining } from '../../src/training/start-training';
import type { KernelChoice } from '../../src/wasm/host';
import { NEVER_YIELD, randomRatings } from '../support/training';
import { batchEpoch, type PlainTables, publishedEpoch, type Rating } from './plain-sgd';

const [users, items, rank] = [5, 4, 3];
const rate = 0.05;
const lambda = 0.1;
const draws = Stream.of('ratings');
// Every cell but a few, so that every batch of several ratings has a user or an item twice.
const ratings: Rating[] = Array.from({ length: users * items }, (_, cell) => ({
  user: cell % users,
  item: Math.floor(cell / users),
  value: 1 + 4 * draws.uniform(),
  weight: 0.5 + draws.uniform(),
})).filter((_, cell) => cell % 7 !== 3);

function dataOf(list: readonly Rating[], weighted = false): RatingData {
  return {
    size: list.length,
    users: Int32Array.from(list, ({ user }) => user),
    items: Int32Array.from(list, ({ item }) => item),
    targets: Float64Array.from(list, ({ value }) => value),
    weights: weighted ? Float64Array.from(list, ({ weight }) => weight!) : null,
  };
}

function makeModel(): MFModel {
  const model = new MFModel({ users, items, rank, precision: 'float64', initScale: 0.5, globalMean: 3, seed: 4 });
  // Biases that start at 0 would hide a penalty on them.
  for (const bias of [model.userBias!, model.itemBias!]) bias.assign(bias.collapse().map((_, row) => 0.1 * (row - 1)));
  return model;
}

function tablesOf(model: MFModel): PlainTables {
  const rows = (table: ArrayLike<number>) =>
    Array.from({ length: table.length / rank }, (_, row) => Array.from(table).slice(row * rank, (row + 1) * rank));
  return {
    mean: model.globalMean,
    p: rows(model.userEmbedding.collapse()),
    q: rows(model.itemEmbedding.collapse()),
    bu: [...model.userBias!.collapse()],
    bi: [...model.itemBias!.collapse()],
  };
}

function trainingOf(
  model: MFModel,
  data: RatingData,
  {
    optimizer = { name: 'sgd', learningRate: rate },
    counts = null,
    ...options
  }: Partial<StepOptions> & {
    readonly optimizer?: Optimizer | { name: string; learningRate: unknown };
    readonly counts?: { readonly users: Int32Array; readonly items: Int32Array } | null;
  } = {},
) {
  const penalties = model.parameters.map((parameter) => {
    const rows = parameter.name.startsWith('user') ? counts?.users : counts?.items;
    return new Penalty(parameter, lambda, rows ?? null);
  });
  const task = {
    model,
    loss: LOSSES.squared,
    optimizer: resolveOptimizer(optimizer as Optimizer),
    penalties,
    data,
    options: { ...{ epochs: 2, batchSize: 1, shuffle: false, stream: Stream.of('order') }, ...options },
  };
  return startTraining(task, NEVER_YIELD);
}

/** The records of a whole fit. */
async function fitted(epochs: number, data: RatingData, how: Parameters<typeof trainingOf>[2]): Promise<EpochRecord[]> {
  const model = makeModel();
  const records: EpochRecord[] = [];
  await fit({
    epochs,
    ratings: data.size,
    parameters: model.parameters,
    start: () => trainingOf(model, data, { epochs, ...how }),
    options: { onEpoch: (record) => records.push(record) },
    suspects: { targets: null },
    isServing: false,
    finish: async () => model,
    install: () => undefined,
    scheduler: new TaskScheduler(undefined),
  });
  return records;
}

function expectSame(model: MFModel, tables: PlainTables): void {
  const found = tablesOf(model);
  for (const name of ['p', 'q', 'bu', 'bi'] as const) {
    const [a, b] = [found[name].flat(), tables[name].flat()];
    expect(a.length).toBe(b.length);
    for (let k = 0; k < a.length; k++) expect(Math.abs(a[k]! - b[k]!)).toBeLessThan(1e-12);
  }
}

describe('one rating a step', () => {
  test('is the published SGD of biased MF, to 1e-12 over two epochs, and so is the loss', async () => {
    const model = makeModel();
    const expected = tablesOf(model);
    const training = await trainingOf(model, dataOf(ratings));
    for (const epoch of [1, 2]) {
      const loss = await training.epoch(epoch, NEVER_YIELD);
      expect(Math.abs(loss - publishedEpoch(expected, ratings, rate, lambda))).toBeLessThan(1e-12);
      expectSame(model, expected);
    }
  });

  test('shuffled: the same, in the order that the batcher gives each epoch', async () => {
    const model = makeModel();
    const expected = tablesOf(model);
    const data = dataOf(ratings);
    const training = await trainingOf(model, data, { shuffle: true });
    const batcher = new RatingBatcher(data, model, {
      stream: Stream.of('order'),
      shuffle: true,
      blocks: { users: 1, items: 1 },
      grouping: 1,
    });
    await batcher.prepare(NEVER_YIELD);
    const orders: string[] = [];
    for (const epoch of [1, 2]) {
      const order: Rating[] = [];
      batcher.begin(epoch);
      for (let batch = batcher.next(1); batch !== null; batch = batcher.next(1))
        order.push({ user: batch.users[0]!, item: batch.items[0]!, value: batch.targets[0]! });
      orders.push(JSON.stringify(order));
      await training.epoch(epoch, NEVER_YIELD);
      publishedEpoch(expected, order, rate, lambda);
    }
    expectSame(model, expected);
    expect(orders[0]).not.toBe(orders[1]);
  });
});

describe('several ratings a step', () => {
  test.each([1, 2, 3, 8, ratings.length, 100])(
    'batch of %p: the mean gradient, rows that come twice share a step, weights multiply loss and penalty',
    async (batchSize) => {
      const model = makeModel();
      const expected = tablesOf(model);
      const training = await trainingOf(model, dataOf(ratings, true), { batchSize });
      for (const epoch of [1, 2]) {
        const loss = await training.epoch(epoch, NEVER_YIELD);
        const reference = batchEpoch(expected, ratings, batchSize, rate, () => lambda);
        expect(Math.abs(loss - reference)).toBeLessThan(1e-12);
      }
      expectSame(model, expected);
    },
  );

  test.each([1, 4])('batch of %p with a penalty by frequency: lambda sqrt(20 / n)', async (batchSize) => {
    const counts = { users: new Int32Array(users), items: new Int32Array(items) };
    for (const { user, item } of ratings) {
      counts.users[user]!++;
      counts.items[item]!++;
    }
    const plain = ratings.map(({ user, item, value }) => ({ user, item, value }));
    const model = makeModel();
    const expected = tablesOf(model);
    await (await trainingOf(model, dataOf(plain), { batchSize, counts })).epoch(1, NEVER_YIELD);
    batchEpoch(expected, plain, batchSize, rate, (table, row) => {
      return lambda * Math.sqrt(20 / counts[table === 'user' ? 'users' : 'items'][row]!);
    });
    expectSame(model, expected);
  });
});

describe('what the update rule is told', () => {
  test('progress and schedule run over the whole fit, not over each epoch', async () => {
    const seen: { step: number; progress: number; rate: number }[] = [];
    const optimizer: Optimizer = {
      config: { name: 'spy', learningRate: linear(0.3) },
      slots: [],
      update(factor, _gradient, _state, step) {
        if (factor.name !== 'userEmbedding') return;
        seen.push({ step: step.step, progress: step.progress, rate: step.learningRateOf(factor) });
      },
    };
    const ten = ratings.slice(0, 10);
    const records = await fitted(3, dataOf(ten), { optimizer, batchSize: 4 });
    const expected = [0, 4, 8, 10, 14, 18, 20, 24, 28].map((done) => done / 30);
    expect(seen.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const [k, progress] of expected.entries()) {
      expect(seen[k]!.progress).toBeCloseTo(progress, 14);
      expect(seen[k]!.rate).toBeCloseTo(0.3 * (1 - progress), 14);
    }
    for (const [k, start] of [0.3, 0.2, 0.1].entries()) expect(records[k]!.learningRate).toBeCloseTo(start, 14);
  });
});

describe('divergence', () => {
  test('names the epoch, the parameter and the rate that is in force', async () => {
    const optimizer: Optimizer = {
      config: { name: 'breaks', learningRate: linear(0.4) },
      slots: [],
      update(factor, _gradient, _state, { step }) {
        if (step > ratings.length && factor.name === 'itemBias') factor.data[1] = Number.POSITIVE_INFINITY;
      },
    };
    const error = await fitted(2, dataOf(ratings), { optimizer }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ epoch: 2, parameter: 'itemBias', learningRate: 0.2 });
    expect(String(error)).toMatch(/epoch 2.*'itemBias'.*learning rate 0\.2.*lower learningRate/);
  });

  test('a parameter that breaks in the very last step is found', async () => {
    const optimizer: Optimizer = {
      config: { name: 'breaks', learningRate: 0.1 },
      slots: [],
      update(factor, _gradient, _state, { step }) {
        if (step === ratings.length && factor.name === 'userEmbedding') factor.data[0] = Number.NaN;
      },
    };
    await expect(fitted(1, dataOf(ratings), { optimizer })).rejects.toMatchObject({
      parameter: 'userEmbedding',
    });
  });
});

describe('what a training does without is said', () => {
  /** What is warned of meanwhile. */
  async function warnings(work: () => Promise<unknown>): Promise<unknown[]> {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      await work();
      return warn.mock.calls.map(([text]) => text);
    } finally {
      warn.mockRestore();
    }
  }
  const counts = { users: new Int32Array(20).fill(10), items: new Int32Array(15).fill(13) };
  const ratings = { ...randomRatings({ users: 20, items: 15 }, 200, 'float32'), counts };
  const model = () => new OverparamMFModel({ users: 20, items: 15, rank: 4 });
  const start = (options: Partial<StepOptions>, made: OverparamMFModel = model()) =>
    startTraining(
      {
        model: made,
        loss: LOSSES.squared,
        optimizer: resolveOptimizer('sgd'),
        penalties: [],
        data: ratings,
        options: { epochs: 1, batchSize: 1, shuffle: true, stream: Stream.of(1), ...options },
      },
      NEVER_YIELD,
    );

  test.each([
    ['batches', { batchSize: 8 }, undefined, /batches have one; batchSize 1 has several/],
    [
      'negatives',
      { negatives: { count: 2, sampler: 'uniform' as const, exponent: 0 } },
      undefined,
      /where items are drawn, few interactions/,
    ],
    ['kernels js', { kernels: 'js' as const }, undefined, /kernels 'js' has one; 'auto' has several/],
    ['shared products', {}, { kind: 'scalar' as const, scope: 'shared' as const }, /products that rows share/],
  ])('threads that cannot be used, of %s: once, and not of auto', async (_, options, overparam, text) => {
    const made = () => (overparam === undefined ? model() : shared(overparam));
    expect(await warnings(() => start({ ...options, threads: 'auto' }, made()))).toEqual([]);
    expect(await warnings(() => start({ ...options, threads: 2 }, made()))).toEqual([expect.stringMatching(text)]);
    expect(await warnings(() => start({ ...options, threads: 2 }, made()))).toEqual([]);
  });

  const shared = (overparam: Overparam) => new OverparamMFModel({ users: 20, items: 15, rank: 4, overparam });

  test('more than 4 GiB: a warning once, and an error where WebAssembly is demanded', async () => {
    const plan = planPerRating(model(), LOSSES.squared, resolveOptimizer('sgd'), [], false, 1)!;
    // 2^24 rows of 64 factors and more.
    const spec = { ...plan.spec, rank: 64 };
    const tooLarge = { ...plan, spec, user: { ...plan.user, rows: 2 ** 24 } };
    const create = (kernels: KernelChoice) =>
      WasmEngine.create(
        {
          ...{ plan: tooLarge, data: ratings, slots: [], epochs: 1, kernels, threads: 1, host: null },
          order: { stream: Stream.of(1), shuffle: false, blocks: WHOLE, grouping: 1 },
          rates: new LearningRates(resolveOptimizer('sgd').config.learningRate),
        },
        NEVER_YIELD,
      );
    await expect(create('wasm')).rejects.toThrow(
      /kernels is 'wasm', and 4\d{3}\.\d MiB is more than the 4 GiB that 32-bit addresses reach \(a lower rank, .*use kernels/,
    );
    const said = await warnings(async () => {
      expect(await create('auto')).toBeNull();
      expect(await create('auto')).toBeNull();
    });
    expect(said).toEqual([expect.stringMatching(/in JavaScript, some ten times as long, .* 4 GiB .*a lower rank/)]);
  });
});
