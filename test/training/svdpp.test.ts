// The training of SVD++: its steps written out, the generic steps and those in closed form come to the same tables.

import fc from 'fast-check';
import { Stream } from '../../src/core/random';
import type { RatingData } from '../../src/models/model';
import { SVDppModel } from '../../src/models/svdpp';
import { linear } from '../../src/optimizers/learning-rate';
import { resolveOptimizer } from '../../src/optimizers/registry';
import { Penalty } from '../../src/parameters/parameter';
import { huber, logistic, sigmoidLink, squared } from '../../src/training/losses';
import type { OrderOptions } from '../../src/training/per-rating/block-schedule';

import { startTraining } from '../../src/training/start-training';
import { PooledSgd, UserBatcher } from '../../src/training/svdpp';
import { NEVER_YIELD, randomRatings } from '../support/training';

const shape = { users: 6, items: 7, rank: 3 };
const [rate, lambda, lambdaOfBias, epochs] = [0.05, 0.1, 0.03, 3];
/** User 0 has none; pairs are twice here and there. */
const ratings: RatingData = (() => {
  const { users, ...rest } = randomRatings({ users: 5, items: 7 }, 40, 'float64');
  return { ...rest, users: users.map((user) => user + 1) };
})();

const make = (overparam = {}) =>
  new SVDppModel({ ...shape, precision: 'float64', initScale: 0.5, globalMean: 0.2, seed: 4, overparam });
const penaltiesOf = (model: SVDppModel, counts: Int32Array | null = null) =>
  model.parameters.map((one) => {
    const byUser = one.name.startsWith('user') ? counts : null;
    return new Penalty(one, one.dim === 1 ? lambdaOfBias : lambda, byUser);
  });

const batchesOf = (model: SVDppModel) => (data: RatingData, order: OrderOptions) =>
  new UserBatcher(data, model, order, (most) => model.implicitEmbedding.reserve(most));

interface How {
  readonly data?: RatingData;
  readonly shuffle?: boolean;
  readonly loss?: typeof squared;
  readonly counts?: Int32Array | null;
  readonly learningRate?: unknown;
}

/** The tables and mean losses after all epochs. */
async function trained(
  isPooled: boolean,
  { data = ratings, shuffle = true, loss = squared, counts, ...how }: How = {},
) {
  const model = make();
  const penalties = penaltiesOf(model, counts);
  const optimizer = resolveOptimizer({ name: 'sgd', learningRate: how.learningRate ?? rate } as never);
  const options = { epochs, batchSize: 1, shuffle, stream: Stream.of(9), batches: batchesOf(model) };
  const task = { model, loss, optimizer, penalties, data, options };
  const training = isPooled ? PooledSgd.of(task, 1)! : await startTraining(task, NEVER_YIELD);
  expect(training instanceof PooledSgd).toBe(isPooled);
  const losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) losses.push(await training.epoch(epoch, NEVER_YIELD));
  training.dispose?.();
  return { model, numbers: [...losses, ...model.parameters.flatMap((parameter) => [...parameter.collapse()])] };
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!)).toBeLessThan(1e-12);
}

test('the steps of Koren, written out, in the order of users', async () => {
  const model = make();
  const { rank } = shape;
  const [p, q, y, bu, bi] = model.parameters.map((parameter) => parameter.collapse());
  const losses: number[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (let u = 0; u < shape.users; u++) {
      const own = [...ratings.users.keys()].filter((k) => ratings.users[k] === u);
      const set = [...new Set(own.map((k) => ratings.items[k]!))];
      const norm = 1 / Math.sqrt(set.length);
      for (const k of own) {
        const i = ratings.items[k]!;
        const vector = Array.from(
          { length: rank },
          (_, f) => p![u * rank + f]! + norm * set.reduce((total, j) => total + y![j * rank + f]!, 0),
        );
        const dot = vector.reduce((total, v, f) => total + v * q![i * rank + f]!, 0);
        const error = ratings.targets[k]! - (model.globalMean + bu![u]! + bi![i]! + dot);
        sum += error ** 2 / 2;
        bu![u]! += rate * (error - lambdaOfBias * bu![u]!);
        bi![i]! += rate * (error - lambdaOfBias * bi![i]!);
        for (let f = 0; f < rank; f++) {
          const item = q![i * rank + f]!;
          p![u * rank + f]! += rate * (error * item - lambda * p![u * rank + f]!);
          q![i * rank + f]! += rate * (error * vector[f]! - lambda * item);
          for (const j of set) y![j * rank + f]! += rate * (error * norm * item - lambda * y![j * rank + f]!);
        }
      }
    }
    losses.push(sum / ratings.size);
  }
  const wanted = [...losses, ...[p, q, y, bu, bi].flatMap((table) => [...table!])];
  for (const isPooled of [false, true]) expectClose((await trained(isPooled, { shuffle: false })).numbers, wanted);
});

test.each<[string, How]>([
  ['plain', {}],
  ['with weights', { data: { ...ratings, weights: ratings.targets.map((_, k) => 0.5 + (k % 3)) } }],
  ['under another loss', { loss: huber }],
  ['with penalties by frequency on users', { counts: Int32Array.of(1, 2, 3, 4, 5, 6) }],
  ['with rates that fall, and of biases', { learningRate: linear({ embedding: 0.06, bias: 0.02 }) }],
])('in closed form as step by step: %s', async (_, how) => {
  const inOrder = { ...how, shuffle: false };
  expectClose((await trained(true, inOrder)).numbers, (await trained(false, inOrder)).numbers);
});

test('another epoch has another order, unless it is that of the data', async () => {
  const [shuffled, plain] = [await trained(true), await trained(true, { shuffle: false })];
  expect(shuffled.numbers).not.toEqual(plain.numbers);
  expect((await trained(true)).numbers).toEqual(shuffled.numbers);
});

test('what is not plain SGD rating by rating is no business of the closed form', () => {
  const of = (change: { overparam?: object; optimizer?: object; batchSize?: number; counts?: Int32Array }) => {
    const model = make(change.overparam);
    const penalties = model.parameters.map((one) => new Penalty(one, lambda, change.counts ?? null));
    const optimizer = resolveOptimizer({ name: 'sgd', ...change.optimizer } as never);
    const options = { epochs, batchSize: change.batchSize ?? 1, shuffle: true, stream: Stream.of(1) };
    return PooledSgd.of({ model, loss: squared, optimizer, penalties, data: ratings, options });
  };
  expect(of({})).not.toBeNull();
  expect(of({ overparam: { implicitEmbedding: { kind: 'scalar' } } })).toBeNull();
  expect(of({ optimizer: { name: 'adam' } })).toBeNull();
  expect(of({ optimizer: { weightDecay: 0.1 } })).toBeNull();
  expect(of({ batchSize: 2 })).toBeNull();
  expect(of({ counts: new Int32Array(7).fill(3) })).toBeNull();
});

/** Float32 tables after two epochs, and the losses. */
async function bits(seed: number, how: HowBits): Promise<number[]> {
  const rows = { users: 70, items: 30 };
  const random = randomRatings(rows, 900, 'float32');
  const weights = how.isWeighted ? Float32Array.from(random.targets, (_, k) => 0.5 + (k % 3)) : null;
  const data = { ...random, weights };
  const model = new SVDppModel({ ...rows, rank: how.rank, biases: how.biases, initScale: 0.5, globalMean: 0.2, seed });
  const counts = Int32Array.from({ length: rows.users }, (_, user) => 1 + user);
  const penalties = penaltiesOf(model, how.biases ? counts : null);
  const optimizer = resolveOptimizer({ name: 'sgd', learningRate: { embedding: 0.06, bias: 0.02 } } as never);
  const place = { kernels: how.kernels, threads: how.threads ?? 1 } as const;
  const options = { epochs: 2, batchSize: 1, shuffle: true, stream: Stream.of(seed), ...place };
  const training = PooledSgd.of({ model, loss: how.loss, optimizer, penalties, data, options }, how.group)!;
  const losses = [await training.epoch(1, NEVER_YIELD), await training.epoch(2, NEVER_YIELD)];
  training.dispose();
  return [...losses, ...model.parameters.flatMap((parameter) => [...parameter.collapse()])];
}

interface HowBits {
  readonly rank: number;
  readonly biases: boolean;
  readonly isWeighted: boolean;
  readonly loss: typeof squared;
  readonly group: number;
  readonly kernels: 'js' | 'wasm';
  readonly threads?: number;
}

test('WebAssembly has the bits of the definition, on any number of threads', async () => {
  const how = fc.record({
    rank: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 40, 65)),
    biases: fc.boolean(),
    isWeighted: fc.boolean(),
    loss: fc.constantFrom(squared, huber, logistic, sigmoidLink(-1, 3).compose(squared)),
    group: fc.integer({ min: 1, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(how, fc.nat(100), async (one, seed) => {
      const inJs = await bits(seed, { ...one, kernels: 'js' });
      expect(await bits(seed, { ...one, kernels: 'wasm' })).toEqual(inJs);
    }),
    { numRuns: 40 },
  );
  const one = { rank: 7, biases: true, isWeighted: true, loss: squared, group: 9, kernels: 'wasm' } as const;
  const alone = await bits(3, one);
  for (const threads of [2, 3, 4]) expect(await bits(3, { ...one, threads })).toEqual(alone);
});

test('users of a group see the items as they were, and items take up what each has left', async () => {
  const before = make().itemEmbedding.collapse().slice();
  const optimizer = resolveOptimizer({ name: 'sgd', learningRate: rate } as never);
  const options = { epochs: 1, batchSize: 1, shuffle: false, stream: Stream.of(9) };
  const changed = async (data: RatingData, group: number) => {
    const own = make();
    await PooledSgd.of({ model: own, loss: squared, optimizer, penalties: [], data, options }, group)!.epoch(
      1,
      NEVER_YIELD,
    );
    return own.itemEmbedding.collapse().map((value, at) => value - before[at]!);
  };
  const sums = new Float64Array(before.length);
  for (let user = 1; user < shape.users; user++) {
    const own = <T extends Int32Array | Float64Array>(array: T) =>
      array.filter((_, k) => ratings.users[k] === user) as T;
    const targets = own(ratings.targets as Float64Array);
    const data = { ...ratings, size: targets.length, users: own(ratings.users), items: own(ratings.items), targets };
    for (const [at, value] of (await changed(data, 1)).entries()) sums[at]! += value;
  }
  expectClose([...(await changed(ratings, 6))], [...sums]);
});

test('larger steps take ratings of one user, and every rating once an epoch', async () => {
  const model = make();
  const order = { stream: Stream.of(2), shuffle: true, blocks: { users: 1, items: 1 }, grouping: 1 } as const;
  const batcher = batchesOf(model)(ratings, order);
  await batcher.prepare(NEVER_YIELD);
  for (const epoch of [1, 2]) {
    const seen: string[] = [];
    batcher.begin(epoch);
    for (let batch = batcher.next(4); batch !== null; batch = batcher.next(4)) {
      const own = [...ratings.users.keys()].filter((k) => ratings.users[k] === batch!.users[0]);
      const set = new Set(own.map((k) => ratings.items[k]!));
      expect([...batch.set.subarray(0, batch.setCount)].sort()).toEqual([...set].sort());
      for (let s = 0; s < batch.count; s++) {
        expect(batch.users[s]).toBe(batch.users[0]);
        seen.push(`${batch.users[s]} ${batch.items[s]} ${batch.targets[s]}`);
      }
    }
    const all = [...ratings.users].map((user, k) => `${user} ${ratings.items[k]} ${ratings.targets[k]}`);
    expect(seen.sort()).toEqual(all.sort());
  }
});
