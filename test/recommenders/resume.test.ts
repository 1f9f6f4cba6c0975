// A fit that is stopped and goes on from a checkpoint ends in the bits of one that was never stopped: every rule with every
// product, in batches or one by one, from one engine to another.

import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { decodeSafetensors } from '../../src/io/files/safetensors';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import type { FitOptions } from '../../src/recommenders/recommender';
import type { History } from '../../src/training/fit';

const small = syntheticInteractions({ users: 30, items: 25, ratings: 300 });
const { train } = splitRandom(small, { testFraction: 0.3 });

interface Trained {
  fit(data: typeof train, options?: FitOptions): Promise<History>;
  save(): Uint8Array;
}

/** Everything in a history that does not depend on the clock. */
const timeless = ({ epochs, bestEpoch, stopped }: History) => ({
  bestEpoch,
  stopped,
  epochs: epochs.map(({ seconds, ratingsPerSecond, ...rest }) => rest),
});

/** The checkpoint after some epoch of a fit that is then aborted. */
async function checkpointOf(model: Trained, epoch: number, options: FitOptions = {}): Promise<Uint8Array> {
  const stop = new AbortController();
  let bytes = new Uint8Array();
  const write = async (given: Uint8Array, at: number) => {
    if (at !== epoch) return;
    bytes = given.slice();
    stop.abort();
  };
  const signal = stop.signal;
  await model.fit(train, { ...options, signal, checkpoint: { every: epoch, write } }).catch((error) => {
    if (!stop.signal.aborted) throw error;
  });
  return bytes;
}

/** All that a saved model has but its options, some of which change no bit. */
function tablesOf(model: Trained): string {
  const { tensors, metadata } = decodeSafetensors(model.save());
  const data = [...tensors].map(([name, tensor]) => `${name} ${Buffer.from(tensor.data.buffer).toString('hex')}`);
  return [...data, metadata.units].join('\n');
}

async function expectSameBits(make: () => Trained, options: FitOptions = {}, resumed = make, at = 2): Promise<void> {
  const whole = make();
  const history = await whole.fit(train, options);
  const resume = await checkpointOf(make(), at, options);
  const later = resumed();
  expect(timeless(await later.fit(train, { ...options, resume }))).toEqual(timeless(history));
  expect(tablesOf(later)).toBe(tablesOf(whole));
}

const optimizers = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam'] as const;
const products = [
  false,
  { kind: 'scalar', scope: 'row' },
  { kind: 'scalar', scope: 'shared' },
  { kind: 'scalar', scope: 'row', width: 2 },
  { kind: 'diagonal', scope: 'row', depth: 3 },
  { kind: 'dense' },
] as const;

describe.each(optimizers)('%s', (optimizer) => {
  test.each([1, 64])('every product, WebAssembly and JavaScript, steps of %d', async (batchSize) => {
    for (const overparam of products) {
      for (const kernels of ['wasm', 'js'] as const) {
        const options = { rank: 3, epochs: 4, batchSize, optimizer, kernels };
        await expectSameBits(() =>
          overparam === false ? new MF(options) : new OverparamMF({ ...options, overparam }),
        );
      }
    }
  });
});

test('rates by row, a start that is not 0, decayed averages, and a schedule', async () => {
  const adagrad = { name: 'adagrad', learningRate: 0.05, per: 'row', initialAccumulator: 0.1 } as const;
  for (const kernels of ['wasm', 'js'] as const) {
    await expectSameBits(() => new MF({ rank: 5, epochs: 4, optimizer: adagrad, kernels }));
    await expectSameBits(
      () => new OverparamMF({ rank: 5, epochs: 4, optimizer: { name: 'rmsprop', momentum: 0.5 }, kernels }),
    );
  }
});

test.each(['bpr', 'warp', 'softmax'] as const)('negatives of %s', async (loss) => {
  await expectSameBits(() => new MF({ rank: 3, epochs: 4, loss, optimizer: 'adam', batchSize: 16 }));
});

test('a checkpoint of WebAssembly goes on in JavaScript, and on threads, and back', async () => {
  const make = (kernels: 'wasm' | 'js', threads: number) => () =>
    new OverparamMF({ rank: 4, epochs: 4, optimizer: 'adam', kernels, threads });
  await expectSameBits(make('wasm', 1), {}, make('js', 1));
  await expectSameBits(make('js', 1), {}, make('wasm', 1));
  await expectSameBits(make('wasm', 2), {}, make('wasm', 1));
  await expectSameBits(make('wasm', 1), {}, make('wasm', 2));
});

test('the order in which options were given does not matter', async () => {
  const given = [
    {},
    { regularization: {} },
    { optimizer: {}, rank: 32 },
    { rank: 32, regularization: { scaling: 'frequency' } },
  ] as const;
  for (const first of given) {
    const kept: Uint8Array[] = [];
    await new MF(first).fit(train, { checkpoint: { every: 6, write: (bytes) => void kept.push(bytes.slice()) } });
    for (const next of given) {
      const model = new MF(next);
      expect((await model.fit(train, { resume: kept[0]! })).epochs).toHaveLength(10);
    }
  }
});
