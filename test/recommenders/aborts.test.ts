// What an abort, a failing callback and a divergence leave behind, in every recommender that has epochs; and that trainings
// of one recommender never run into each other.

import { DivergenceError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { sgd } from '../../src/optimizers/sgd';
import { MF } from '../../src/recommenders/mf';
import type { FitOptions, Recommender } from '../../src/recommenders/recommender';
import { createRecommender, RECOMMENDER_NAMES, type RecommenderName } from '../../src/recommenders/registry';

const data = syntheticInteractions({ users: 40, items: 60, ratings: 500 });
const other = syntheticInteractions({ users: 20, items: 40, ratings: 120, seed: 9 });
const ones = (from: Interactions) =>
  Interactions.from([...from].map(({ userId, itemId }) => [userId, itemId] as const));
const [likes, otherLikes] = [ones(data), ones(other)];

interface Kind {
  readonly name: string;
  make(epochs: number): Recommender;
  readonly data: Interactions;
  readonly other: Interactions;
}

/** A rate that does not depend on how long the fit is. */
const steady = sgd({ learningRate: 0.01 });
const ofRatings = (name: RecommenderName, options: object): Kind => ({
  name: `${name} ${Object.keys(options).join(' ')}`,
  make: (epochs) => createRecommender(name, { epochs, ...options } as never) as Recommender,
  data,
  other,
});
const ofLikes = (name: RecommenderName, options: object): Kind => ({
  ...ofRatings(name, options),
  data: likes,
  other: otherLikes,
});
const drawn = { negatives: 2 };
const KINDS: readonly Kind[] = [
  ofRatings('mf', { rank: 3, optimizer: steady }),
  ofRatings('mf', { rank: 3, optimizer: steady, link: 'sigmoid' }),
  ofRatings('overparam-mf', { rank: 3, optimizer: steady }),
  ofRatings('overparam-mf', { rank: 3, optimizer: steady, overparam: { kind: 'dense' } }),
  ofRatings('svdpp', { rank: 3, optimizer: steady }),
  ofRatings('nmf', { rank: 3 }),
  ofRatings('nmf', { rank: 3, solver: 'gradient', optimizer: steady }),
  ofRatings('als', { rank: 3, feedback: 'explicit' }),
  ofLikes('als', { rank: 3 }),
  ofLikes('mf', { rank: 3, optimizer: steady, loss: 'bpr' }),
  ofLikes('neural-cf', { rank: 2, embeddingDim: 2, hidden: [2], optimizer: steady }),
  ofRatings('fm', { task: 'regression', rank: 3, optimizer: steady }),
  ofLikes('fm', { rank: 3, optimizer: steady, ...drawn }),
  ofLikes('wide-deep', { embeddingDim: 3, hidden: [4], optimizer: steady, ...drawn }),
  ofLikes('deep-fm', { embeddingDim: 3, hidden: [4], optimizer: steady, ...drawn }),
];

/** What a fit rejects with. */
async function failureOf(fit: Promise<unknown>): Promise<unknown> {
  let failure: unknown;
  await fit.then(
    () => {
      throw new Error('the fit resolved');
    },
    (error: unknown) => {
      failure = error;
    },
  );
  return failure;
}

const never = () => new Promise<never>(() => {});

/** Each way to end a fit in epoch 2: what it rejects with, and the options that do it. */
const ENDS: readonly (readonly [string, () => { reason: unknown; options: FitOptions }])[] = [
  ['a failing onEpoch', () => failing((reason) => ({ onEpoch: ({ epoch }) => epoch === 2 && raise(reason) }))],
  ['a rejecting onEpoch', () => failing((reason) => ({ onEpoch: async ({ epoch }) => epoch === 2 && raise(reason) }))],
  [
    'an onEpoch that throws undefined',
    () => ({ reason: undefined, options: { onEpoch: ({ epoch }) => epoch === 2 && raise(undefined) } }),
  ],
  [
    'a failing checkpoint.write',
    () => failing((reason) => ({ checkpoint: { write: (_, epoch) => epoch === 2 && raise(reason) } })),
  ],
  [
    'a rejecting checkpoint.write',
    () => failing((reason) => ({ checkpoint: { every: 2, write: async () => raise(reason) } })),
  ],
  ...[new Error('enough'), null].map(
    (reason) =>
      [
        `an abort in onEpoch with ${String(reason)}`,
        () => {
          const controller = new AbortController();
          const onEpoch: FitOptions['onEpoch'] = ({ epoch }) => epoch === 2 && controller.abort(reason);
          return { reason, options: { signal: controller.signal, onEpoch } };
        },
      ] as const,
  ),
  [
    'an abort while onEpoch does not settle',
    () => {
      const controller = new AbortController();
      const onEpoch: FitOptions['onEpoch'] = ({ epoch }) => {
        if (epoch !== 2) return undefined;
        setTimeout(() => controller.abort('late'), 1);
        return never();
      };
      return { reason: 'late', options: { signal: controller.signal, onEpoch } };
    },
  ],
  [
    'an abort while checkpoint.write does not settle',
    () => {
      const controller = new AbortController();
      const write = (_: Uint8Array, epoch: number) => {
        if (epoch !== 2) return undefined;
        setTimeout(() => controller.abort('late'), 1);
        return never();
      };
      return { reason: 'late', options: { signal: controller.signal, checkpoint: { write } } };
    },
  ],
];

function failing(make: (reason: Error) => FitOptions) {
  const reason = new Error('the disk is full');
  return { reason, options: make(reason) };
}

function raise(reason: unknown): never {
  throw reason;
}

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (_, { make, data, other }) => {
  const predictions = (model: Recommender) => [...model.predictMany(data)];
  let two: number[];
  let bytes: Uint8Array;
  beforeAll(async () => {
    const short = make(2);
    await short.fit(data);
    two = predictions(short);
    const short2 = make(6);
    await short2.fit(other);
    bytes = short2.save();
  });

  test.each(ENDS)('%s: a first fit keeps the last whole epoch, a re-fit leaves what served', async (_, end) => {
    const first = make(6);
    const { reason, options } = end();
    expect(await failureOf(first.fit(data, options))).toBe(reason);
    expect(first.isFitted).toBe(true);
    expect(predictions(first)).toEqual(two);
    const again = make(6);
    await again.fit(other);
    const ending = end();
    expect(await failureOf(again.fit(data, ending.options))).toBe(ending.reason);
    expect(again.save()).toEqual(bytes);
  });

  test('an abort in the last onEpoch rejects too; one before the first epoch is over leaves nothing', async () => {
    const controller = new AbortController();
    const model = make(2);
    const onEpoch: FitOptions['onEpoch'] = ({ epoch }) => epoch === 2 && controller.abort('at the end');
    expect(await failureOf(model.fit(data, { signal: controller.signal, onEpoch }))).toBe('at the end');
    expect(predictions(model)).toEqual(two);
    const bare = make(2);
    expect(await failureOf(bare.fit(data, { signal: AbortSignal.abort(null) }))).toBe(null);
    expect(bare.isFitted).toBe(false);
    // An abort while it is being set up.
    const early = new AbortController();
    const fit = bare.fit(data, { signal: early.signal });
    early.abort('at once');
    expect(await failureOf(fit)).toBe('at once');
    expect(bare.isFitted).toBe(false);
    await bare.fit(data);
    expect(predictions(bare)).toEqual(two);
  });
});

test('early stopping: an abort keeps the last whole epoch, an end the best one', async () => {
  const options = { rank: 3, epochs: 8, optimizer: sgd({ learningRate: 0.3 }), regularization: 0 };
  const watch = { validation: other, earlyStopping: { patience: 3 } };
  const whole = new MF(options);
  const { bestEpoch, epochs } = await whole.fit(data, watch);
  expect(bestEpoch).toBeLessThan(epochs.length);
  const last = epochs.length;
  const controller = new AbortController();
  const model = new MF(options);
  const onEpoch: FitOptions['onEpoch'] = ({ epoch }) => epoch === last && controller.abort();
  await failureOf(model.fit(data, { ...watch, onEpoch, signal: controller.signal }));
  expect([...model.predictMany(data)].every(Number.isFinite)).toBe(true);
  expect(model.isFitted).toBe(true);
});

test('a divergence after whole epochs keeps the last of them; of a re-fit nothing', async () => {
  /** Fine for two epochs, then as if the rate were beyond all bounds. */
  const make = () => {
    let isOver = false;
    const rule = {
      config: { name: 'fails later', learningRate: 0.01 },
      slots: [],
      update: ({ data: values }: { data: Float32Array | Float64Array }) => {
        if (isOver) values.fill(Number.NaN);
      },
    };
    const model = new MF({ rank: 2, epochs: 5, optimizer: rule as never });
    const options: FitOptions = {
      onEpoch: ({ epoch }) => {
        isOver = epoch === 2;
      },
    };
    return { model, options };
  };
  const { model, options } = make();
  await expect(model.fit(data, options)).rejects.toThrow(DivergenceError);
  expect(model.isFitted).toBe(true);
  expect([...model.predictMany(data)].every(Number.isFinite)).toBe(true);
  const bytes = model.save();
  await expect(model.fit(other, options)).rejects.toThrow(DivergenceError);
  expect(model.save()).toEqual(bytes);
});

describe('trainings of one recommender', () => {
  const row = (k: number) => Interactions.from([[`n${k}`, data.items.idOf(k % 20), 4]]);

  test('a burst of 20 partialFits keeps 20', async () => {
    const model = new MF({ rank: 3, epochs: 3 });
    await model.fit(data);
    await Promise.all(Array.from({ length: 20 }, (_, k) => model.partialFit(row(k))));
    for (let k = 0; k < 20; k++) expect(model.knows(`n${k}`, data.items.idOf(k % 20))).toBe(true);
    const oneByOne = new MF({ rank: 3, epochs: 3 });
    await oneByOne.fit(data);
    for (let k = 0; k < 20; k++) await oneByOne.partialFit(row(k));
    expect(model.save()).toEqual(oneByOne.save());
  });

  test('a partialFit during a fit, the first one too, comes after it', async () => {
    const model = new MF({ rank: 3, epochs: 3 });
    const order: string[] = [];
    const tell = (what: string) => () => order.push(what);
    const first = model.fit(data).then(tell('fit'));
    const part = model.partialFit(row(1)).then(tell('partialFit'));
    const second = model.fit(data).then(tell('second fit'));
    const last = model.partialFit(row(2)).then(tell('last'));
    expect(model.isFitted).toBe(false);
    await Promise.all([first, part]);
    expect(model.knows('n1', data.items.idOf(1))).toBe(true);
    await Promise.all([second, last]);
    expect(order).toEqual(['fit', 'partialFit', 'second fit', 'last']);
    expect(model.knows('n1', data.items.idOf(1))).toBe(false);
    expect(model.knows('n2', data.items.idOf(2))).toBe(true);
  });

  test.each(RECOMMENDER_NAMES)(
    '%s: two overlapping fits, and one that fails, leave the last that succeeds',
    async (name) => {
      const small = { rank: 2, epochs: 2, embeddingDim: 2, hidden: [2], negatives: 2 };
      const known = createRecommender(name).options;
      const options = Object.fromEntries(Object.entries(small).filter(([key]) => Object.hasOwn(known, key)));
      if (name === 'nmf' || name === 'svdpp' || name === 'mf' || name === 'overparam-mf') delete options.negatives;
      const make = () => createRecommender(name, options as never) as Recommender;
      const model = make();
      // Kinds that predict values want some that differ.
      const [first, second] = name === 'nmf' || name === 'svdpp' ? [row(1), data] : [otherLikes, likes];
      const fits = [
        model.fit(first),
        failureOf(model.fit(second, { signal: AbortSignal.abort('no') })),
        model.fit(second),
      ];
      expect((await Promise.all(fits))[1]).toBe('no');
      const alone = make();
      await alone.fit(second);
      expect(model.save()).toEqual(alone.save());
    },
  );

  test('an abort takes a waiting one out at once; those behind it keep their order, and a failing one blocks nobody', async () => {
    const model = new MF({ rank: 3, epochs: 3 });
    const controller = new AbortController();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const fit = model.fit(data, { onEpoch: ({ epoch }) => (epoch === 1 ? held : undefined) });
    const waiting = failureOf(model.partialFit(row(1), { signal: controller.signal }));
    const behind = model.partialFit(row(2));
    const bad = failureOf(model.partialFit(row(3), { onEpoch: () => raise('no') }));
    const end = model.partialFit(row(4));
    controller.abort('out');
    expect(await waiting).toBe('out');
    expect(model.isFitted).toBe(false);
    release();
    expect(await bad).toBe('no');
    await Promise.all([fit, behind, end]);
    const knows = [1, 2, 3, 4].map((k) => model.knows(`n${k}`, data.items.idOf(k)));
    expect(knows).toEqual([false, true, false, true]);
  });

  test('answers during a training are those of the last complete state', async () => {
    const model = new MF({ rank: 3, epochs: 3 });
    await model.fit(data);
    const before = model.save();
    let within: Uint8Array | undefined;
    await model.partialFit(row(1), {
      onEpoch: () => {
        within = model.save();
      },
    });
    expect(within).toEqual(before);
    await model.fit(other, {
      onEpoch: () => {
        within = model.save();
      },
    });
    expect(within).not.toEqual(before);
  });
});
