// Random options objects of every recommender, plausible and not, and what one of them does: it is refused by an
// OptionError, or a fit of tiny data gives finite predictions or says that it diverged.

import fc from 'fast-check';
import { DataError, DivergenceError, OptionError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/interactions/interactions';
import type { Recommender } from '../../src/recommenders/recommender';
import { createRecommender, type RecommenderName } from '../../src/recommenders/registry';

const LOSSES = ['auto', 'squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax'];
const RULES = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'ftrl'];

/** Values that no option, or hardly one, takes. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    ...[Number.NaN, Infinity, -Infinity, -0, 0, -1, 0.5, 1e300, 1e-300, 2 ** 31, 2 ** 53, -(2 ** 40), 1e9],
    ...['', 'auto', '__proto__', 'x'.repeat(5000), null, true, false, [], {}, [[]], 1n, Symbol('odd'), () => 1],
    ...[new Map(), new Date(0), Promise.resolve(1), /x/, new Float32Array(2), Object.create({ rank: 2 })],
    ...[{ [Symbol('k')]: 1 }, { __proto__: null, a: 1 }, { toString: 1 }, { constructor: { name: 1 } }],
  ),
  fc.anything({ maxDepth: 2 }),
);
const or = (usual: fc.Arbitrary<unknown>) => fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: odd });
const count = (most: number) => or(fc.integer({ min: 1, max: most }));
const strength = or(fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(1e3, 1e30)));
const rateNumber = fc.oneof(fc.double({ min: 1e-5, max: 1, noNaN: true }), fc.constantFrom(1e4, 1e30));
const groups = fc.record(
  { embedding: or(rateNumber), bias: or(rateNumber), map: or(rateNumber) },
  { requiredKeys: [] },
);
const schedule = fc.record(
  {
    schedule: or(fc.constantFrom('constant', 'cosine', 'linear', 'exponential', 'inverse', 'warmup')),
    rate: or(fc.oneof(rateNumber, groups)),
    final: or(fc.double({ min: 0, max: 1, noNaN: true })),
    batch: count(64),
  },
  { requiredKeys: [] },
);
const learningRate = or(fc.oneof(rateNumber, groups, schedule));
const optimizer = or(
  fc.oneof(
    fc.constantFrom(...RULES),
    fc.record(
      { name: or(fc.constantFrom(...RULES)), learningRate, weightDecay: strength, epsilon: strength, beta1: strength },
      { requiredKeys: [] },
    ),
  ),
);
const product = fc.record(
  {
    kind: or(fc.constantFrom('scalar', 'diagonal', 'dense')),
    scope: or(fc.constantFrom('row', 'shared')),
    depth: or(fc.integer({ min: 1, max: 16 })),
    width: or(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(65_536, 2 ** 31))),
    init: or(fc.double({ min: -3, max: 3, noNaN: true })),
    biases: or(fc.boolean()),
  },
  { requiredKeys: [] },
);
const overparam = or(
  fc.oneof(
    fc.constant(false),
    product,
    fc.dictionary(fc.constantFrom('userEmbedding', 'itemBias', 'embedding'), product),
  ),
);
const regularization = or(
  fc.oneof(
    strength,
    fc.record(
      {
        embedding: strength,
        bias: strength,
        dense: strength,
        linear: strength,
        scaling: or(fc.constantFrom('constant', 'frequency')),
      },
      { requiredKeys: [] },
    ),
  ),
);
const negatives = or(
  fc.oneof(
    fc.integer({ min: 0, max: 6 }),
    fc.constant(false),
    fc.record({ count: count(6), sampler: or(fc.constantFrom('uniform', 'popularity')) }, { requiredKeys: [] }),
  ),
);
const sizes = or(fc.array(or(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(65_536))), { maxLength: 4 }));

/** By the name of an option. */
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  rank: count(9),
  factors: count(9),
  embeddingDim: count(9),
  epochs: count(3),
  batchSize: or(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1e9, 2 ** 53 - 1))),
  loss: or(fc.constantFrom(...LOSSES)),
  solver: or(fc.constantFrom('multiplicative', 'gradient', 'cholesky', 'conjugate-gradient')),
  task: or(fc.constantFrom('classification', 'regression', 'ranking')),
  variant: or(fc.constantFrom('neumf', 'gmf', 'mlp')),
  activation: or(fc.constantFrom('relu', 'tanh', 'sigmoid', 'identity')),
  feedback: or(fc.constantFrom('implicit', 'explicit')),
  link: or(fc.constantFrom('identity', 'sigmoid')),
  kernels: or(fc.constantFrom('auto', 'wasm', 'js')),
  grouping: or(fc.constantFrom(1, 4)),
  hidden: sizes,
  layers: sizes,
  optimizer,
  wideOptimizer: optimizer,
  overparam,
  regularization,
  negatives,
  seed: or(fc.oneof(fc.integer(), fc.string())),
  // Threads are started by a test of their own.
  threads: or(fc.constantFrom(1)),
  initScale: strength,
  initRange: strength,
  biases: or(fc.boolean()),
  standardize: or(fc.boolean()),
  shuffle: or(fc.boolean()),
  clip: or(fc.boolean()),
  batchNorm: or(fc.boolean()),
};

/** The options of a kind: some of its names, and now and then one that it does not have. */
export function randomOptions(name: RecommenderName): fc.Arbitrary<unknown> {
  const known = Object.keys(createRecommender(name).options);
  const usual = or(fc.oneof(fc.boolean(), strength, fc.integer({ min: 0, max: 5 })));
  const fields = Object.fromEntries(known.map((option) => [option, BY_NAME[option] ?? usual]));
  const some = fc
    .subarray(known, { maxLength: Math.min(5, known.length) })
    .chain((names) => fc.record(Object.fromEntries(names.map((one) => [one, fields[one]!]))));
  return fc.oneof(
    { weight: 30, arbitrary: some },
    { weight: 2, arbitrary: fc.tuple(some, fc.dictionary(fc.string(), odd)).map(([a, b]) => ({ ...a, ...b })) },
    { weight: 1, arbitrary: odd },
  );
}

const cells = 'abcdef'
  .split('')
  .flatMap((user, u) => [1, 2, 3, 4].map((k) => [user, (u * k) % 7, 1 + ((u + k) % 5)] as const));
const DATA = {
  ratings: Interactions.from(cells),
  labels: Interactions.from(cells.map(([u, i, value]) => [u, i, value % 2] as const)),
};
const pairs = [...new Set(cells.map(([user]) => user)), 'nobody'].flatMap((user) =>
  [0, 1, 2, 6, 'none'].map((item) => [user, item] as const),
);

/** What became of some options. */
export type Outcome = 'trained' | 'refused' | 'diverged' | 'data';

/** Makes, trains, asks and saves. @throws what is neither trained nor refused as it should be */
export async function outcomeOf(name: RecommenderName, options: unknown): Promise<Outcome> {
  let model: Recommender;
  try {
    model = createRecommender(name, options as never) as Recommender;
  } catch (error) {
    if (error instanceof OptionError || error instanceof UnsupportedError) return 'refused';
    throw error;
  }
  JSON.stringify(model.options);
  const { loss, task } = model.options as { loss?: string; task?: string };
  const wantsLabels = loss === 'logistic' || task === 'classification';
  try {
    await model.fit(wantsLabels ? DATA.labels : DATA.ratings);
  } catch (error) {
    if (error instanceof DivergenceError) return 'diverged';
    if (error instanceof DataError) return 'data';
    if (error instanceof OptionError || error instanceof UnsupportedError) return 'refused';
    throw error;
  }
  const predictions = model.predictMany(pairs);
  if (!predictions.every(Number.isFinite))
    throw new Error(`predictions are ${predictions.filter((p) => !Number.isFinite(p))[0]}`);
  for (const { score } of await model.recommend('a', { filterSeen: false })) {
    if (!Number.isFinite(score)) throw new Error(`a score is ${score}`);
  }
  model.save();
  return 'trained';
}
