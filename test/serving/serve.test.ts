// opmf/serve answers as the recommender that was saved, to the bit, whatever its kind; and refuses what is damaged.

import {
  ALS,
  DeepFM,
  EASE,
  FM,
  FormatError,
  ItemKNN,
  MF,
  NeuralCF,
  NMF,
  OverparamMF,
  Popularity,
  SVDpp,
  syntheticInteractions,
  WideDeep,
} from '../../src';
import { seal } from '../../src/io/files/sealed-file';
import { loadFactorization, loadRecommender } from '../../src/serve';

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
  new FM({ task: 'regression', epochs: 1, rank: 4 }),
  new WideDeep({ task: 'regression', epochs: 1, embeddingDim: 4, hidden: [4] }),
  new DeepFM({ task: 'regression', epochs: 1, embeddingDim: 4, hidden: [4] }),
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
])('options that are none are refused (%#: %p)', async (model, from, to) => {
  await model.fit(data);
  const bytes = model.save();
  const at = Buffer.from(bytes).indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.set(Buffer.from(to), at);
  seal(bytes);
  expect(() => loadRecommender(bytes)).toThrow(FormatError);
});
