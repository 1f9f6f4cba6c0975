// Fits over options and data drawn from lists of what is ordinary and what is not: one that resolves must answer with finite
// numbers, be saved and loaded; one that does not must reject with an error of the library. fits.ts runs it.

import {
  createRecommender,
  type Explains,
  type FoldsIn,
  Interactions,
  loadRecommender,
  OpmfError,
  type Recommender,
  type RecommenderName,
  type Similar,
  syntheticInteractions,
} from 'opmf';

/** One fit. */
export interface Trial {
  readonly name: RecommenderName;
  readonly options: Record<string, unknown>;
  readonly data: string;
}

type Row = { userId: string; itemId: string; value?: number; weight?: number };
const ordinary = [...syntheticInteractions({ users: 24, items: 30, ratings: 260 })] as unknown as Row[];
const mapped = (map: (row: Row, k: number) => Partial<Row>) => () =>
  Interactions.from(ordinary.map((row, k) => ({ ...row, ...map(row, k) })));

/** Data by name. */
const DATA: Readonly<Record<string, () => Interactions>> = {
  ordinary: mapped(() => ({})),
  likes: mapped(() => ({ value: 1 })),
  'all values 3': mapped(() => ({ value: 3 })),
  'yes and no': mapped((row) => ({ value: row.value! > 3 ? 1 : 0 })),
  'values to 1e30': mapped((row) => ({ value: row.value! * 2e29 })),
  'values to 3e38': mapped((row) => ({ value: row.value! * 6e37 })),
  'values of 1e-30': mapped((row) => ({ value: row.value! * 1e-30 })),
  'values of 1e-40': mapped((row) => ({ value: row.value! * 1e-40 })),
  'one value of 1e20': mapped((row, k) => ({ value: k === 7 ? 1e20 : row.value! })),
  'values below 0': mapped((row) => ({ value: row.value! - 3 })),
  'one weight of 1e6': mapped((_, k) => ({ weight: k === 7 ? 1e6 : 1 })),
  'some weights 0': mapped((_, k) => ({ weight: k % 3 })),
  'weights of 1e-30': mapped(() => ({ weight: 1e-30 })),
  'one row': () => Interactions.from([['u', 'i', 4]]),
  'one user': () => Interactions.from(ordinary.slice(0, 20).map((row) => ({ ...row, userId: 'u' }))),
  'one item': () => Interactions.from(ordinary.slice(0, 20).map((row, k) => ({ ...row, userId: `${k}`, itemId: 'i' }))),
  'every pair': () => Interactions.from(Array.from({ length: 48 }, (_, k) => [k % 8, Math.floor(k / 8), 1 + (k % 5)])),
};

const OPTIMIZERS = [
  'sgd',
  { name: 'sgd', learningRate: 10 },
  { name: 'sgd', learningRate: 1e4 },
  { name: 'sgd', learningRate: 0.3, weightDecay: 0.1 },
  { name: 'momentum', learningRate: 0.3 },
  'adam',
  { name: 'adam', learningRate: 100 },
  { name: 'rmsprop', learningRate: 1e4 },
  { name: 'rmsprop', learningRate: 1 },
  { name: 'adagrad', learningRate: 1e3 },
  { name: 'adadelta', learningRate: 1e6 },
  { name: 'ftrl', learningRate: 100 },
];
const PRODUCTS = [
  false,
  { kind: 'scalar' },
  { kind: 'scalar', depth: 4 },
  { kind: 'scalar', scope: 'shared', depth: 3, init: 50 },
  { kind: 'diagonal', width: 2 },
  { kind: 'diagonal', scope: 'shared', depth: 4 },
  { kind: 'dense' },
  { kind: 'dense', depth: 3 },
];
const SCALES = [undefined, 0, 1, 1e3, 1e10, 1e25];
const LAMBDAS = [undefined, 0, 1e-12, 1, 1e8];
const trained = {
  optimizer: OPTIMIZERS,
  regularization: LAMBDAS,
  initScale: SCALES,
  overparam: PRODUCTS,
  epochs: [1, 2, 5],
  batchSize: [undefined, 1, 16],
};
const factorization = {
  ...trained,
  rank: [1, 3, 8],
  loss: [undefined, undefined, 'squared', 'logistic', 'absolute', 'huber', 'bpr', 'warp', 'softmax'],
  link: [undefined, 'sigmoid'],
  biases: [undefined, false],
  standardize: [undefined, false],
  clip: [undefined, false],
};
const features = {
  ...trained,
  task: ['regression', 'classification', 'ranking'],
  negatives: [undefined, 2],
};
const deep = {
  ...features,
  embeddingDim: [2, 4],
  hidden: [[4], [8, 4], []],
  activation: [undefined, 'tanh', 'sigmoid'],
  batchNorm: [undefined, true],
};

/** The values of each option. */
const SPACES: Readonly<Record<RecommenderName, Readonly<Record<string, readonly unknown[]>>>> = {
  mf: { ...factorization, overparam: [undefined] },
  'overparam-mf': factorization,
  svdpp: { ...factorization, loss: [undefined, 'absolute', 'huber'] },
  nmf: {
    solver: [undefined, 'gradient'],
    optimizer: [undefined, ...OPTIMIZERS],
    regularization: LAMBDAS,
    initRange: [undefined, 0, 1e3, 1e15, 1e25],
    epochs: [1, 5],
    clip: [undefined, false],
  },
  als: {
    feedback: ['implicit', 'explicit'],
    rank: [1, 3, 8],
    regularization: [undefined, 1e-30, 1e-12, 1e8],
    alpha: [undefined, 0, 1, 1e10],
    unobservedWeight: [undefined, 0, 1e-30, 1e10],
    solver: ['cholesky', 'conjugate-gradient'],
    initScale: SCALES,
    epochs: [1, 4],
    clip: [undefined, false],
  },
  popularity: {},
  'item-knn': {
    neighbors: [1, 100],
    similarity: ['cosine', 'jaccard', 'dot'],
    shrinkage: [undefined, 1e-30, 1e30],
    featureWeighting: ['none', 'tf-idf', 'bm25'],
  },
  ease: { regularization: [undefined, 1e-300, 1e-20, 1e-6, 1, 1e300] },
  'neural-cf': {
    ...trained,
    variant: ['gmf', 'mlp', 'neumf'],
    rank: [2, 4],
    embeddingDim: [2, 4],
    hidden: [[2], [4, 2]],
    activation: [undefined, 'tanh', 'sigmoid'],
    loss: [undefined, 'bpr', 'softmax'],
    negatives: [2],
  },
  fm: { ...features, rank: [1, 4] },
  'wide-deep': deep,
  'deep-fm': deep,
};

/** Trials in an order of their own, always the same: of every kind in turn, an option each from its list. */
export function* trials(count: number, seed = 1): Generator<Trial> {
  let state = seed;
  const draw = <T>(list: readonly T[]): T => {
    // Numerical Recipes' generator; the upper bits.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return list[Math.floor((state / 2 ** 32) * list.length)]!;
  };
  const kinds = Object.keys(SPACES) as RecommenderName[];
  const names = Object.keys(DATA);
  for (let k = 0; k < count; k++) {
    const name = kinds[k % kinds.length]!;
    const options: Record<string, unknown> = {};
    for (const [option, values] of Object.entries(SPACES[name])) {
      // Half of them as they are by default, so that not everything is odd at once.
      const value = draw([true, false]) ? draw(values) : values.includes(undefined) ? undefined : values[0];
      if (value !== undefined) options[option] = value;
    }
    yield { name, options, data: draw([true, false]) ? draw(names) : 'ordinary' };
  }
}

/** What became of a trial: 'fitted', the name of the error of the library, or what is wrong. */
export async function outcomeOf({ name, options, data: kind }: Trial): Promise<{ end: string; fault?: string }> {
  let model: Recommender;
  const data = DATA[kind]!();
  try {
    model = createRecommender(name, options as never) as Recommender;
    const { epochs } = await model.fit(data);
    const lossOf = epochs.find(({ trainLoss }) => !Number.isFinite(trainLoss));
    if (lossOf !== undefined)
      return { end: 'fitted', fault: `trainLoss of epoch ${lossOf.epoch} is ${lossOf.trainLoss}` };
  } catch (error) {
    if (error instanceof OpmfError) return { end: error.name };
    return { end: 'other', fault: `fit rejects with ${String(error)}` };
  }
  const fault = faultOf(model, data);
  return fault === undefined ? { end: 'fitted' } : { end: 'fitted', fault };
}

function faultOf(model: Recommender & Partial<Similar & FoldsIn & Explains>, data: Interactions): string | undefined {
  const [users, items] = [
    [...data.users, 'nobody'],
    [...data.items, 'nothing'],
  ];
  const pairs = users.flatMap((user) => items.map((item) => [user, item] as const));
  /** Answers, by what is asked; an error of the library is an answer where `mayRefuse`. */
  const asked: [string, boolean, () => Iterable<number>][] = [
    ['predictMany', false, () => model.predictMany(pairs)],
    ['predict', false, () => pairs.slice(0, 50).map(([user, item]) => model.predict(user, item))],
    ['recommend', false, () => users.slice(-5).flatMap((user) => model.recommend(user).map(({ score }) => score))],
    ...(['cosine', 'dot'] as const).flatMap((measure): [string, boolean, () => Iterable<number>][] => [
      [
        'similarItems',
        true,
        () => (model.similarItems?.(items[0]!, { n: 50, measure }) ?? []).map(({ score }) => score),
      ],
      [
        'similarUsers',
        true,
        () => (model.similarUsers?.(users[0]!, { n: 50, measure }) ?? []).map(({ score }) => score),
      ],
    ]),
    ['explain', true, () => (model.explain?.(users[0]!, items[0]!) ?? []).map(({ contribution }) => contribution)],
    [
      'foldInUser',
      true,
      () => {
        const folded = model.foldInUser?.([[items[0]!, data.values[0]!]]);
        if (folded === undefined) return [];
        return [...items.map((item) => folded.predict(item)), ...folded.recommend().map(({ score }) => score)];
      },
    ],
    [
      'foldInItem',
      true,
      () => {
        const folded = model.foldInItem?.([[users[0]!, data.values[0]!]]);
        return folded === undefined ? [] : users.map((user) => folded.predict(user));
      },
    ],
    ['exportVectors', true, () => ('exportVectors' in model ? vectorsOf(model as never) : [])],
    [
      'load',
      false,
      () => {
        const loaded = loadRecommender(model.save()) as Recommender;
        const [before, after] = [model.predictMany(pairs), loaded.predictMany(pairs)];
        return before.map((value, k) => (Math.abs(value - after[k]!) <= 1e-4 * (1 + Math.abs(value)) ? 0 : Number.NaN));
      },
    ],
  ];
  for (const [call, mayRefuse, ask] of asked) {
    try {
      for (const number of ask()) if (!Number.isFinite(number)) return `${call} gives ${number}`;
    } catch (error) {
      if (!(mayRefuse && error instanceof OpmfError)) return `${call} throws ${String(error).slice(0, 200)}`;
    }
  }
  return undefined;
}

function vectorsOf(model: { exportVectors(): { users: { values: Float32Array }; items: { values: Float32Array } } }) {
  const { users, items } = model.exportVectors();
  return [...users.values, ...items.values];
}
