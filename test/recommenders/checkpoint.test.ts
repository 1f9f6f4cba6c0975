// A fit that stops at a checkpoint and goes on in a new recommender ends in the bits of one that never stopped; what is not
// a checkpoint of this very training is refused, and changes nothing.

import fc from 'fast-check';
import {
  ALS,
  DataError,
  type FitOptions,
  FormatError,
  type History,
  type Interactions,
  MF,
  type MFOptions,
  OptionError,
  OverparamMF,
  Popularity,
  type Recommender,
  splitRandom,
  syntheticInteractions,
  UnsupportedError,
} from 'opmf';

const { train: data, test: held } = splitRandom(syntheticInteractions({ users: 30, items: 25, ratings: 500 }));
const small = { rank: 4, epochs: 5 };

/** Everything that an uninterrupted fit leaves, and a checkpoint of each epoch. */
async function whole(make: () => Recommender, options: FitOptions = {}) {
  const written: Uint8Array[] = [];
  const model = make();
  const history = await model.fit(data, {
    ...options,
    checkpoint: { every: 1, write: (bytes) => written.push(bytes) },
  });
  return { bytes: model.save(), history, written };
}

const told = ({ epochs, bestEpoch, stopped }: History) => ({
  bestEpoch,
  stopped,
  epochs: epochs.map(({ epoch, trainLoss, metrics, learningRate }) => ({ epoch, trainLoss, metrics, learningRate })),
});

const RULES = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam'] as const;
const CASES: [string, (more?: MFOptions) => Recommender][] = [
  ...RULES.map((optimizer): [string, (more?: MFOptions) => Recommender] => [
    `OverparamMF, ${optimizer}`,
    (more) => new OverparamMF({ ...small, optimizer, ...more }),
  ]),
  ...RULES.map((optimizer): [string, (more?: MFOptions) => Recommender] => [
    `MF in batches, ${optimizer}`,
    (more) => new MF({ ...small, optimizer, batchSize: 64, ...more }),
  ]),
  ['AdaGrad per row', (more) => new MF({ ...small, optimizer: { name: 'adagrad', per: 'row' } as never, ...more })],
  ['grouping', (more) => new MF({ ...small, grouping: 4, ...more })],
  [
    'diagonal, shared',
    (more) => new OverparamMF({ ...small, overparam: { kind: 'diagonal', scope: 'shared' }, ...more }),
  ],
  ['dense', (more) => new OverparamMF({ ...small, overparam: { kind: 'dense', depth: 3 }, batchSize: 32, ...more })],
  ['logistic with negatives', (more) => new MF({ ...small, loss: 'logistic', negatives: 3, ...more })],
  ['softmax', (more) => new OverparamMF({ ...small, loss: 'softmax', negatives: 5, ...more })],
  ['ALS', (more) => new ALS({ ...small, kernels: more?.kernels })],
  ['ALS by conjugate gradient', (more) => new ALS({ ...small, solver: 'conjugate-gradient', kernels: more?.kernels })],
];

test.each(CASES)('%s: the same bits from every epoch, also with other kernels', async (_name, make) => {
  const { bytes, history, written } = await whole(() => make());
  expect(written).toHaveLength(5);
  for (const [k, checkpoint] of written.entries()) {
    const kernels = k % 2 === 0 ? 'js' : 'auto';
    const model = make({ kernels });
    const resumed = await model.fit(data, { resume: checkpoint });
    expect(told(resumed)).toEqual(told(history));
    // The file keeps the options, of which kernels is one.
    const same = make({ kernels: 'auto' });
    await same.fit(data, { resume: checkpoint });
    expect(Buffer.compare(same.save(), bytes)).toBe(0);
    expect([...model.predictMany(held)]).toEqual([...same.predictMany(held)]);
  }
});

test('early stopping goes on as it would have, with the best epoch of before', async () => {
  const make = () => new MF({ rank: 8, epochs: 40, regularization: 0, optimizer: 'adam' });
  const options: FitOptions = { validation: held, earlyStopping: { patience: 4 } };
  const { bytes, history, written } = await whole(make, options);
  expect(history.stopped).toBe('early');
  for (const at of [0, history.bestEpoch - 1, history.bestEpoch + 1, written.length - 1]) {
    const model = make();
    expect(told(await model.fit(data, { ...options, resume: written[at]! }))).toEqual(told(history));
    expect(Buffer.compare(model.save(), bytes)).toBe(0);
  }
});

test('`every` and an abort: the last checkpoint is there, and the history goes on', async () => {
  const written: [number, Uint8Array][] = [];
  const controller = new AbortController();
  const onEpoch = ({ epoch }: { epoch: number }) => epoch === 5 && controller.abort();
  const checkpoint = { every: 2, write: (bytes: Uint8Array, epoch: number) => written.push([epoch, bytes]) };
  const make = () => new OverparamMF({ rank: 4, epochs: 8 });
  await expect(make().fit(data, { checkpoint, onEpoch, signal: controller.signal })).rejects.toThrow();
  expect(written.map(([epoch]) => epoch)).toEqual([2, 4]);
  const resumed = make();
  const uninterrupted = make();
  const history = await resumed.fit(data, { resume: written[1]![1] });
  expect(told(history)).toEqual(told(await uninterrupted.fit(data)));
  expect(Buffer.compare(resumed.save(), uninterrupted.save())).toBe(0);
});

describe('refuses', () => {
  let checkpoint: Uint8Array;
  beforeAll(async () => {
    checkpoint = (await whole(() => new OverparamMF(small))).written[1]!;
  });
  const resume = (bytes: Uint8Array, more: MFOptions = {}, of: Interactions = data) =>
    new OverparamMF({ ...small, ...more }).fit(of, { resume: bytes });

  test.each<[string, MFOptions]>([
    ['rank', { rank: 5 }],
    ['epochs', { epochs: 9 }],
    ['seed', { seed: 2 }],
    ['optimizer', { optimizer: 'adam' }],
  ])('another %s', async (_name, more) => {
    await expect(resume(checkpoint, more)).rejects.toThrow(OptionError);
  });

  test('another kind, other data, no checkpoint, a model', async () => {
    await expect(new MF(small).fit(data, { resume: checkpoint })).rejects.toThrow(OptionError);
    await expect(resume(checkpoint, {}, held)).rejects.toThrow(DataError);
    await expect(resume(new Uint8Array(9))).rejects.toThrow(FormatError);
    const model = new MF(small);
    await model.fit(data);
    await expect(resume(model.save())).rejects.toThrow(FormatError);
    await expect(resume('x' as never)).rejects.toThrow(OptionError);
    const checkpointOf = (value: object) => new MF(small).fit(data, { checkpoint: value as never });
    await expect(checkpointOf({ every: 0, write: () => undefined })).rejects.toThrow(OptionError);
    await expect(checkpointOf({ every: 1 })).rejects.toThrow(OptionError);
    const write = () => undefined;
    await expect(new Popularity().fit(data, { checkpoint: { every: 1, write } })).rejects.toThrow(UnsupportedError);
    await expect(model.partialFit(data, { resume: checkpoint })).rejects.toThrow(UnsupportedError);
  });

  test('another watch', async () => {
    const watched = { validation: held, earlyStopping: { patience: 4 } };
    const { written } = await whole(() => new MF(small), watched);
    const goOn = (options: FitOptions) => new MF(small).fit(data, { ...options, resume: written[1]! });
    await expect(goOn({})).rejects.toThrow(OptionError);
    await expect(goOn({ ...watched, earlyStopping: { patience: 5 } })).rejects.toThrow(OptionError);
    await expect(goOn({ ...watched, validation: data })).rejects.toThrow(OptionError);
    await goOn(watched);
  });

  test('what is damaged: it is refused, or what was changed is a number and training goes on with it', async () => {
    const edits = fc.array(fc.tuple(fc.nat(checkpoint.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(edits, fc.option(fc.nat(checkpoint.length - 1)), async (changes, length) => {
        const bytes = checkpoint.slice(0, length ?? undefined);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const model = new OverparamMF(small);
        try {
          await model.fit(data, { resume: bytes });
        } catch (error) {
          expect(['FormatError', 'OptionError', 'DataError', 'DivergenceError']).toContain((error as Error).name);
          expect(model.isFitted).toBe(false);
          return;
        }
        for (const prediction of model.predictMany(held)) expect(Number.isFinite(prediction)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
