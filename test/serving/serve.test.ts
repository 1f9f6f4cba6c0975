// opmf/serve answers as the recommender that was saved, to the bit, whatever its kind; and refuses what is damaged.

import {
  ALS,
  categorical,
  crossed,
  DeepFM,
  EASE,
  FeatureTable,
  FM,
  FormatError,
  ItemKNN,
  MF,
  multiValued,
  NeuralCF,
  NMF,
  numeric,
  OverparamMF,
  Popularity,
  SVDpp,
  syntheticInteractions,
  WideDeep,
} from '../../src';
import { seal } from '../../src/io/files/safetensors';
import { loadFactorization, loadRecommender, type ServedFeatureModel } from '../../src/serve';

const data = syntheticInteractions({ users: 60, items: 50, ratings: 900, seed: 3 });
const small = { rank: 4, epochs: 2 };
const factorizations = [
  new MF(small),
  new MF({ ...small, loss: 'bpr' }),
  new MF({ ...small, link: 'sigmoid', regularization: { scaling: 'frequency' } }),
  new OverparamMF(small),
  new ALS(small),
  new ALS({ ...small, feedback: 'explicit' }),
  new SVDpp(small),
  new NMF(small),
];
const others = [
  new Popularity(),
  new ItemKNN(),
  new EASE(),
  new NeuralCF({ epochs: 1, rank: 4, embeddingDim: 4, hidden: [4] }),
  new NeuralCF({ epochs: 1, variant: 'gmf', rank: 5, loss: 'bpr', overparam: { kind: 'dense' } }),
  new NeuralCF({ epochs: 1, variant: 'mlp', embeddingDim: 3, hidden: [6, 5, 3], activation: 'tanh', dropout: 0.2 }),
  new FM({ task: 'regression', epochs: 1, rank: 4 }),
  new WideDeep({ task: 'regression', epochs: 1, embeddingDim: 4, hidden: [4] }),
  new DeepFM({ task: 'regression', epochs: 1, embeddingDim: 4, hidden: [4] }),
  new FM({ task: 'ranking', epochs: 1, rank: 4, overparam: { kind: 'scalar', depth: 2 } }),
  new WideDeep({ task: 'ranking', loss: 'softmax', epochs: 1, embeddingDim: 3, hidden: [5, 2], wide: ['item'] }),
  new DeepFM({ task: 'ranking', epochs: 1, embeddingDim: 3, hidden: [], batchNorm: true, activation: 'sigmoid' }),
];
const [user, item] = [data.users.idOf(0), data.items.idOf(0)];
const history = [
  { itemId: data.items.idOf(1), value: 4 },
  { itemId: data.items.idOf(2), value: 2 },
];

/** What a question is answered with, or refused with. */
const answer = async (ask: () => unknown) => {
  try {
    return await ask();
  } catch (error) {
    return String(error);
  }
};

describe.each([...factorizations, ...others].map((model) => [model.name, model] as const))('%s', (name, model) => {
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    await model.fit(data);
    bytes = model.save();
  });

  test('answers are those of the recommender', async () => {
    const served = loadRecommender(bytes);
    expect(served).toMatchObject({ name, scores: model.scores, options: model.options });
    expect([...served.predictMany(data)]).toEqual([...model.predictMany(data)]);
    for (const options of [{}, { n: 3, filterSeen: false }, { candidates: [item, data.items.idOf(4)] }]) {
      expect(await answer(() => served.recommend(user, options))).toEqual(
        await answer(() => model.recommend(user, options)),
      );
      expect(served.recommend('nobody', options)).toEqual(model.recommend('nobody', options));
    }
    const either = [model, served] as unknown as readonly MF[];
    for (const ask of [
      (one: MF) => one.similarItems(item, { n: 5 }),
      (one: MF) => one.similarUsers(user, { n: 5 }),
      (one: MF) => one.explain(user, item, { n: 5 }),
      (one: MF) => one.foldInUser(history).recommend({ n: 5 }),
      (one: MF) => one.foldInItem([{ userId: user, value: 4 }]).predict(data.users.idOf(1)),
      (one: MF) => [one.knows(user, item), one.knows('nobody'), ...one.familiarity(data)],
    ]) {
      const [trained, loaded] = await Promise.all(either.map((one) => answer(() => ask(one))));
      if (!/is not a function/.test(String(trained))) expect(loaded).toEqual(trained);
    }
  });

  test('a changed bit is refused', () => {
    const damaged = bytes.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(() => loadRecommender(damaged)).toThrow(FormatError);
  });

  test('loadFactorization takes factorizations', () => {
    if (factorizations.some((one) => one === model))
      expect(loadFactorization(bytes).predict(user, item)).toBe(model.predict(user, item));
    else expect(() => loadFactorization(bytes)).toThrow(FormatError);
  });
});

describe('rows of features', () => {
  const rows = Array.from({ length: 700 }, (_, k) => ({
    age: k % 7 === 0 ? null : (k * 13) % 80,
    city: `city ${k % 5}`,
    tags: ['red', 'green', 'blue'].filter((_, t) => ((k >> t) & 1) === 1),
    hour: (k * 7) % 24,
    clicked: (k * k) % 3 === 0 ? 1 : 0,
  }));
  const fields = {
    age: numeric(),
    city: categorical(),
    tags: multiValued(),
    when: crossed('city', 'hour', { buckets: 20 }),
  };
  const table = FeatureTable.from(rows, { fields, label: 'clicked' });
  const deep = { epochs: 2, embeddingDim: 3 };
  test.each([
    new FM({ epochs: 2, rank: 5 }),
    new FM({ epochs: 2, rank: 3, task: 'regression', overparam: { kind: 'diagonal', biases: true } }),
    new WideDeep({ ...deep, hidden: [7, 4], wide: ['when', 'age'], activation: 'tanh' }),
    new WideDeep({ ...deep, hidden: [], task: 'regression', pooling: 'sum' }),
    new DeepFM({ ...deep, hidden: [6, 5], batchNorm: true, dropout: 0.3, overparam: { kind: 'dense' } }),
    new DeepFM({ ...deep, hidden: [9], pooling: 'sum', activation: 'sigmoid' }),
  ])('%# are predicted as by the recommender, encoded or not', async (model) => {
    await model.fit(table);
    for (const kernels of ['auto', 'js'] as const) {
      const trained = new (model.constructor as typeof DeepFM)({ ...(model.options as DeepFM['options']), kernels });
      await trained.fit(table);
      const served = loadRecommender(trained.save()) as ServedFeatureModel;
      expect([...served.predictRows(table)]).toEqual([...trained.predictRows(table)]);
      const few = [{ age: 31, city: 'elsewhere', tags: 'blue|red', hour: 3 }, {}];
      expect([...served.predictRows(few)]).toEqual([...trained.predictRows(few)]);
      for (const ask of [
        (one: Pick<DeepFM, 'predictRows'>) => one.predictRows(FeatureTable.from(few, { fields: { age: numeric() } })),
        (one: Pick<DeepFM, 'predictRows'>) => one.predictRows([{ age: 'old' }]),
        (one: Pick<DeepFM, 'predict'>) => one.predict('a', 'b'),
      ])
        expect(await answer(() => ask(served))).toEqual(await answer(() => ask(trained)));
    }
  });

  test('of users and items with tables of their own', async () => {
    const known = data.items.size - 5;
    const userFeatures = FeatureTable.from(
      [...data.users].map((id, k) => ({ id, age: k % 9, city: `city ${k % 4}` })),
      { id: 'id', fields: { age: numeric(), city: categorical() } },
    );
    const itemFeatures = FeatureTable.from(
      [...[...data.items].slice(0, known), 'new'].map((id, k) => ({ id, tags: k % 2 ? 'odd' : 'even|all' })),
      { id: 'id', fields: { tags: multiValued() } },
    );
    for (const model of [
      new FM({ ...small, task: 'regression' }),
      new DeepFM({ ...deep, hidden: [5], task: 'ranking' }),
    ]) {
      await model.fit(data, { userFeatures, itemFeatures });
      const served = loadRecommender(model.save()) as ServedFeatureModel;
      expect([...served.predictMany(data)]).toEqual([...model.predictMany(data)]);
      for (const options of [{ n: 60 }, { candidates: ['new', item] }])
        expect(served.recommend(user, options)).toEqual(model.recommend(user, options));
      expect(served.similarItems('new')).toEqual(model.similarItems('new'));
      expect([served.knows(user, 'new'), served.predict('nobody', 'new')]).toEqual([
        model.knows(user, 'new'),
        model.predict('nobody', 'new'),
      ]);
    }
  });
});

test.each([
  [new MF(small), 'clip\\":true', 'clip\\":null'],
  [new MF(small), 'squared', 'sqwared'],
  [new ALS(small), 'implicit', 'simplict'],
  [new MF({ ...small, loss: 'logistic', negatives: 4 }), 'uniform', 'unifrom'],
  [
    new NeuralCF({ epochs: 1, rank: 4, embeddingDim: 4, hidden: [4] }),
    'activation\\":\\"relu',
    'activation\\":\\"rule',
  ],
  [new FM({ task: 'regression', epochs: 1, rank: 4 }), 'regression', 'regressing'],
  [
    new WideDeep({ epochs: 1, hidden: [4], task: 'regression', wide: ['user'] }),
    'wide\\":[\\"user',
    'wide\\":[\\"suer',
  ],
  [new DeepFM({ epochs: 1, hidden: [4], task: 'regression' }), 'pooling\\":\\"mean', 'pooling\\":\\"team'],
])('options that are none are refused (%#: %p)', async (model, from, to) => {
  await model.fit(data);
  const bytes = model.save();
  const at = Buffer.from(bytes).indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.set(Buffer.from(to), at);
  seal(bytes);
  expect(() => loadRecommender(bytes)).toThrow(FormatError);
});
