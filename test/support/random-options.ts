// Random options objects of every recommender, plausible and not, and what one of them does: it is refused by an
// OptionError, or a fit of tiny data gives finite predictions or says that it diverged.

import fc from 'fast-check';
import {
  DataError,
  DivergenceError,
  FormatError,
  OpmfError,
  OptionError,
  UnsupportedError,
} from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import type { Recommender } from '../../src/recommenders/recommender';
import { createRecommender, loadRecommender, type RecommenderName } from '../../src/recommenders/registry';

const LOSSES = ['auto', 'squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax'];
const RULES = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'ftrl'];

type Fields = Readonly<Record<string, fc.Arbitrary<unknown>>>;

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
const or = (usual: fc.Arbitrary<unknown>) => fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: odd });
const count = (most: number) => or(fc.integer({ min: 1, max: most }));
const strength = or(fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(1e3, 1e30)));
const rateNumber = fc.oneof(fc.double({ min: 1e-5, max: 1, noNaN: true }), fc.constantFrom(1e4, 1e30));
const both = { embedding: or(rateNumber), bias: or(rateNumber) };
const groups = fc.oneof(
  { weight: 4, arbitrary: fc.record(both, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.record({ ...both, map: or(rateNumber) }, { requiredKeys: [] }) },
);
const schedule = fc.record(
  {
    schedule: or(fc.constantFrom('constant', 'cosine', 'linear', 'exponential', 'inverse', 'warmup')),
    rate: or(fc.oneof(rateNumber, groups)),
    batch: count(64),
  },
  { requiredKeys: ['schedule', 'rate'] },
);
const learningRate = or(fc.oneof(rateNumber, groups, schedule));
const share = or(fc.double({ min: 0, max: 0.999, noNaN: true }));
const tiny = or(fc.constantFrom(1e-10, 1e-6, 0.1, 1));
/** Constants that the rules have beside their rates. */
const CONSTANTS: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  sgd: {},
  momentum: { momentum: share },
  nesterov: { momentum: share },
  adagrad: { epsilon: tiny, initialAccumulator: strength, per: or(fc.constantFrom('element', 'row')) },
  adadelta: { rho: share, epsilon: tiny },
  rmsprop: { alpha: share, epsilon: tiny, momentum: share },
  adam: { beta1: share, beta2: share, epsilon: tiny },
};
const configs = Object.entries(CONSTANTS).map(([name, constants]) =>
  fc.record({ name: fc.constant(name), learningRate, weightDecay: strength, ...constants }, { requiredKeys: ['name'] }),
);
const ftrl = fc.record(
  { name: fc.constant('ftrl'), learningRate: or(rateNumber), beta: tiny, l1: strength, l2: strength },
  { requiredKeys: ['name'] },
);
const optimizer = or(
  fc.oneof(
    fc.constantFrom(...RULES),
    { weight: 4, arbitrary: fc.oneof(...configs, ftrl) },
    fc.record({ learningRate }, { requiredKeys: [] }),
    fc.record({ name: or(fc.constantFrom(...RULES)), beta1: share, epsilon: tiny }, { requiredKeys: [] }),
  ),
);
const product = fc.record(
  {
    kind: or(fc.constantFrom('scalar', 'diagonal', 'dense')),
    scope: or(fc.constantFrom('row', 'shared')),
    depth: or(fc.integer({ min: 1, max: 5 })),
    width: or(
      fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 1, max: 12 }) },
        { weight: 1, arbitrary: fc.constantFrom(65_536, 2 ** 31) },
      ),
    ),
    init: or(fc.double({ min: 0.1, max: 3, noNaN: true })),
    biases: or(fc.boolean()),
  },
  { requiredKeys: ['kind'] },
);
/** `false`, one product for all, or products by the names of parameters. */
const overparamOf = (...parameters: string[]) =>
  or(
    fc.oneof(
      fc.constant(false),
      product,
      fc.record(Object.fromEntries(parameters.map((name) => [name, product])), { requiredKeys: [] }),
    ),
  );
const regularizationOf = (parts: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  or(fc.oneof(strength, fc.record(parts, { requiredKeys: [] })));
const negatives = or(
  fc.oneof(
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom(0, false),
    fc.record(
      {
        count: count(4),
        sampler: or(fc.constantFrom('uniform', 'popularity')),
        exponent: or(fc.double({ min: 0, max: 2, noNaN: true })),
      },
      { requiredKeys: ['count'] },
    ),
  ),
);
// Tables of gigabytes are told early, or filled for seconds: seldom.
const layer = (usual: fc.Arbitrary<number>) =>
  or(fc.oneof({ weight: 400, arbitrary: usual }, { weight: 1, arbitrary: fc.constant(2 ** 24) }));
const hidden = or(fc.array(layer(fc.integer({ min: 1, max: 8 })), { minLength: 0, maxLength: 3 }));
const activation = or(fc.constantFrom('relu', 'tanh', 'sigmoid', 'relu'));
const lossOf = (...losses: string[]) => {
  const usual = { weight: 12, arbitrary: fc.constantFrom(...losses) };
  return or(fc.oneof(usual, { weight: 1, arbitrary: fc.constantFrom(...LOSSES) }));
};

/** Options that several kinds have. */
const COMMON: Fields = {
  rank: count(9),
  epochs: count(3),
  batchSize: or(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 1, 1e9, 2 ** 53 - 1))),
  loss: lossOf(...LOSSES),
  link: or(fc.constantFrom('identity', 'sigmoid')),
  kernels: or(fc.constantFrom('auto', 'wasm', 'js')),
  grouping: or(fc.constantFrom(1, 4)),
  optimizer,
  overparam: overparamOf('userEmbedding', 'itemEmbedding', 'userBias', 'itemBias'),
  regularization: regularizationOf({
    embedding: strength,
    bias: strength,
    scaling: or(fc.constantFrom('constant', 'frequency')),
  }),
  negatives,
  seed: or(fc.oneof(fc.integer(), fc.string())),
  // Threads are started by a test of their own.
  threads: or(fc.constantFrom(1)),
  initScale: or(fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constantFrom(1e3, 1e30))),
  biases: or(fc.boolean()),
  biasDamping: or(
    fc.oneof(
      fc.constantFrom<'auto' | false>('auto', false),
      fc.record({ user: fc.double({ min: 0, max: 50, noNaN: true }) }),
    ),
  ),
  standardize: or(fc.boolean()),
  shuffle: or(fc.boolean()),
  clip: or(fc.boolean()),
};
const DEEP: Fields = {
  embeddingDim: count(6),
  hidden,
  activation,
  dropout: share,
  batchNorm: or(fc.boolean()),
  pooling: or(fc.constantFrom('sum', 'mean')),
};
const FEATURES: Fields = {
  task: or(fc.constantFrom('classification', 'regression', 'ranking')),
  loss: lossOf('squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax'),
  overparam: overparamOf('linear', 'embedding'),
  regularization: regularizationOf({ embedding: strength, linear: strength }),
};
const DENSE = { regularization: regularizationOf({ embedding: strength, dense: strength, linear: strength }) };

/** What a kind has of its own. */
const OWN: Readonly<Partial<Record<RecommenderName, Fields>>> = {
  svdpp: { loss: lossOf('squared', 'absolute', 'huber', 'auto'), negatives: or(fc.constant(false)) },
  als: {
    feedback: or(fc.constantFrom('implicit', 'explicit')),
    regularization: strength,
    regularizationExponent: or(fc.double({ min: 0, max: 2, noNaN: true })),
    biasRegularization: or(
      fc.oneof(
        fc.record({ user: fc.double({ min: 0, max: 9, noNaN: true }), item: fc.constant(2) }),
        fc.constant('auto'),
      ),
    ),
    unobservedWeight: or(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant('auto'))),
    alpha: strength,
    solver: or(fc.constantFrom('cholesky', 'conjugate-gradient')),
    steps: count(9),
  },
  nmf: {
    solver: or(fc.constantFrom('multiplicative', 'gradient', 'gradient')),
    biases: or(fc.boolean()),
    regularization: strength,
    initRange: strength,
    loss: lossOf('squared', 'absolute', 'huber'),
    overparam: overparamOf('userEmbedding', 'itemEmbedding'),
  },
  'item-knn': {
    neighbors: or(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(2 ** 40))),
    similarity: or(fc.constantFrom('cosine', 'jaccard', 'dot')),
    shrinkage: strength,
    featureWeighting: or(fc.constantFrom('none', 'tf-idf', 'bm25')),
  },
  ease: { regularization: strength },
  'neural-cf': {
    variant: or(fc.constantFrom('neumf', 'gmf', 'mlp')),
    embeddingDim: count(5),
    hidden: or(fc.array(layer(fc.constantFrom(2, 4, 8)), { minLength: 1, maxLength: 3 })),
    activation,
    dropout: share,
    loss: lossOf('logistic', 'bpr', 'warp', 'softmax'),
    overparam: overparamOf('gmfUser', 'mlpItem', 'output'),
    regularization: regularizationOf({ embedding: strength, dense: strength }),
  },
  fm: { ...FEATURES, overparam: overparamOf('embedding') },
  'wide-deep': {
    ...FEATURES,
    ...DEEP,
    ...DENSE,
    wide: or(fc.oneof(fc.constant(null), fc.subarray(['user', 'item']))),
    wideOptimizer: optimizer,
  },
  'deep-fm': { ...FEATURES, ...DEEP, ...DENSE },
};
/** What keeps a fit short is nearly always there. */
const SIZES = ['rank', 'epochs', 'embeddingDim', 'hidden'];

/** The options of a kind: its sizes, some other of its names, and now and then one that it does not have. */
export function randomOptions(name: RecommenderName): fc.Arbitrary<unknown> {
  const known = Object.keys(createRecommender(name).options);
  const fields: Fields = { ...COMMON, ...OWN[name] };
  const missing = known.filter((option) => fields[option] === undefined);
  if (missing.length > 0) throw new Error(`${name}: say which values ${missing} may have`);
  const sizes = known.filter((option) => SIZES.includes(option));
  const others = known.filter((option) => !SIZES.includes(option));
  const recordOf = (names: readonly string[]) =>
    fc.record(Object.fromEntries(names.map((option) => [option, fields[option]!])));
  const some = fc
    .tuple(recordOf(sizes), fc.subarray(others, { maxLength: Math.min(4, others.length) }).chain(recordOf))
    .map(([size, other]) => ({ ...size, ...other }));
  return fc.oneof(
    { weight: 60, arbitrary: some },
    { weight: 2, arbitrary: fc.tuple(some, fc.dictionary(fc.string(), odd)).map(([a, b]) => ({ ...a, ...b })) },
    { weight: 1, arbitrary: odd },
  );
}

const cells = 'abcdef'
  .split('')
  .flatMap((user, u) => [1, 2, 3, 4].map((k) => [user, (u * k) % 7, 1 + ((u + k) % 5)] as const));
const rows = cells.map(([userId, itemId, value]) => ({ userId, itemId, value }));
const DATA = {
  ratings: Interactions.from(rows),
  weighted: Interactions.from(rows.map((row, at) => ({ ...row, weight: [1, 0.2, 30][at % 3]! }))),
  likes: Interactions.from(rows.map(({ userId, itemId }) => ({ userId, itemId }))),
  labels: Interactions.from(rows.map((row) => ({ ...row, value: row.value % 2 }))),
};
const pairs = [...new Set(cells.map(([user]) => user)), 'nobody'].flatMap((user) =>
  [0, 1, 2, 6, 'none'].map((item) => [user, item] as const),
);
/** Which of the sets a fit is of. */
export const randomData: fc.Arbitrary<keyof typeof DATA> = fc.constantFrom(
  ...(['ratings', 'ratings', 'ratings', 'weighted', 'weighted', 'labels', 'likes'] as const),
);

/** What a fit may be told beside its data. */
export const randomFitOptions: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        validation: or(fc.constantFrom(...Object.values(DATA))),
        metrics: or(fc.array(or(fc.constantFrom('rmse', 'mae', 'ndcg@10', 'auc', 'recall@2')), { maxLength: 2 })),
        earlyStopping: or(
          fc.record(
            { metric: or(fc.constantFrom('rmse', 'ndcg@10')), patience: count(3), minDelta: strength },
            { requiredKeys: [] },
          ),
        ),
        checkpoint: or(fc.record({ every: count(3), write: or(fc.constant(() => undefined)) })),
        onEpoch: or(fc.constant(() => undefined)),
        signal: or(fc.constant(new AbortController().signal)),
        resume: odd,
      },
      { requiredKeys: [] },
    ),
  },
);

/** What became of some options. */
export type Outcome = 'trained' | 'refused' | 'diverged' | 'data';

/** Makes, trains, asks and saves. @throws what is neither trained nor refused as it should be */
export async function outcomeOf(
  name: RecommenderName,
  options: unknown,
  data: keyof typeof DATA = 'ratings',
  fitOptions: unknown = {},
): Promise<Outcome> {
  let model: Recommender;
  try {
    model = createRecommender(name, options as never) as Recommender;
    JSON.stringify(model.options);
    const { loss, task } = model.options as { loss?: string; task?: string };
    const wantsLabels = loss === 'logistic' || task === 'classification';
    await model.fit(wantsLabels && data !== 'likes' ? DATA.labels : DATA[data], fitOptions as never);
  } catch (error) {
    if (!(error instanceof OpmfError)) throw error;
    if (error.message.length > 1500) throw new Error(`a message of ${error.message.length} characters`);
    if (error instanceof OptionError || error instanceof UnsupportedError) return 'refused';
    if (error instanceof DivergenceError) return 'diverged';
    if (error instanceof DataError || error instanceof FormatError) return 'data';
    throw error;
  }
  const predictions = model.predictMany(pairs);
  if (!predictions.every(Number.isFinite))
    throw new Error(`predictions are ${predictions.filter((p) => !Number.isFinite(p))[0]}`);
  for (const { score } of model.recommend('a', { filterSeen: false })) {
    if (!Number.isFinite(score)) throw new Error(`a score is ${score}`);
  }
  const again = loadRecommender(model.save()) as Recommender;
  if (again.predictMany(pairs).some((value, k) => value !== predictions[k])) throw new Error('a loaded model differs');
  return 'trained';
}
