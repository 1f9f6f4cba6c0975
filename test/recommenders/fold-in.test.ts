// New users and new items without training, and explanations: a trained user's own history gives its own row, known
// answers on a checkerboard, what is odd in a history, and what a file keeps.

import { DataError, NotFittedError, OptionError, UnknownIdError, UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/data/interactions';
import { syntheticInteractions } from '../../src/data/synthetic';
import { adam } from '../../src/optimizers/adam';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';

const SIZE = 16;
const rated = (u: number, i: number) => i !== u && i !== (u + 1) % SIZE;
/** Who likes what depends on whether both are even or odd. */
const board = Interactions.from(
  Array.from({ length: SIZE * SIZE }, (_, k) => [Math.floor(k / SIZE), k % SIZE] as const)
    .filter(([u, i]) => rated(u, i))
    .map(([u, i]) => [`u${u}`, `i${i}`, (u + i) % 2 === 0 ? 5 : 1]),
);
/** The likes alone. */
const likes = Interactions.from([...board].filter(({ value }) => value === 5).map((row) => ({ ...row, value: 1 })));
const evenHistory = Array.from({ length: SIZE - 4 }, (_, i) => [`i${i}`, i % 2 === 0 ? 5 : 1] as const);

const options = { rank: 4, epochs: 60, initScale: 0.3, regularization: 0.01 };
const synthetic = syntheticInteractions({ users: 60, items: 40, ratings: 1500, seed: 3 });
const historyOf = (data: Interactions, id: unknown) => [...data].filter(({ userId }) => userId === id);

describe.each([
  ['constant, biases', { regularization: 0.1 }],
  ['by frequency, no biases', { biases: false, regularization: { embedding: 0.2, bias: 0.1, scaling: 'frequency' } }],
  ['not standardized', { standardize: false, regularization: { embedding: 0.15, bias: 0.02 } }],
  ['huber', { loss: 'huber', regularization: 0.1 }],
  ['sigmoid', { link: 'sigmoid', standardize: false, regularization: 0.01 }],
] as const)('a trained user, folded in by its own history: %s', (_, more) => {
  test('has nearly the row that long training gave it, and what explains its scores adds up to them', async () => {
    // The default rates of so many epochs would stop it early.
    const optimizer = { learningRate: { embedding: 0.16, bias: 0.0433 } };
    const model = new MF({ rank: 3, epochs: 'link' in more ? 3000 : 300, clip: false, optimizer, ...more });
    await model.fit(synthetic);
    for (const user of [0, 7, 30]) {
      const id = synthetic.users.idOf(user);
      const folded = model.foldInUser(historyOf(synthetic, id));
      expect(folded.ignored).toBe(0);
      for (let item = 0; item < 40; item++) {
        const itemId = synthetic.items.idOf(item);
        expect(Math.abs(folded.predict(itemId) - model.predict(id, itemId))).toBeLessThan(0.03);
      }
      if ('link' in more) continue;
      const itemId = synthetic.items.idOf(11);
      const parts = model.explain(id, itemId, { n: 100 });
      expect(parts.length).toBe(historyOf(synthetic, id).length);
      const sum = parts.reduce((total, { contribution }) => total + contribution, 0);
      expect(sum).toBeCloseTo(folded.predict(itemId) - model.predict('nobody', itemId), 3);
    }
    const itemId = synthetic.items.idOf(5);
    const item = model.foldInItem([...synthetic].filter((row) => row.itemId === itemId));
    for (const userId of synthetic.users) {
      expect(Math.abs(item.predict(userId) - model.predict(userId, itemId))).toBeLessThan(0.03);
    }
  });
});

describe.each([
  ['MF', MF],
  ['OverparamMF', OverparamMF],
])('%s', (_, Recommender) => {
  let model: MF | OverparamMF;
  beforeAll(async () => {
    model = new Recommender(options);
    await model.fit(board);
  });

  test('knows the square of a new user and of a new item', () => {
    const user = model.foldInUser(evenHistory);
    expect(user.vector!.length).toBe(4);
    expect(user.predict('i14')).toBeGreaterThan(4);
    expect(user.predict('i15')).toBeLessThan(2);
    const list = user.recommend();
    expect(list.basis).toBe('model');
    expect(list.map(({ itemId }) => itemId).sort()).toEqual(['i12', 'i13', 'i14', 'i15']);
    expect(
      list
        .slice(0, 2)
        .map(({ itemId }) => itemId)
        .sort(),
    ).toEqual(['i12', 'i14']);
    const item = model.foldInItem([
      { userId: 'u0', value: 1 },
      { userId: 'u1', value: 5 },
      { userId: 'u2', value: 1 },
      ['u3', 5],
      ['u5', 5],
    ]);
    expect(item.predict('u8')).toBeLessThan(2.2);
    expect(item.predict('u9')).toBeGreaterThan(3.8);
    expect(item.vector!.length).toBe(4);
  });

  test('recommend takes the options that it takes of a trained user, and its scores are the predictions', () => {
    const user = model.foldInUser(evenHistory);
    const all = user.recommend({ n: 100, filterSeen: false });
    expect(all.length).toBe(SIZE);
    for (const { itemId, score } of all) {
      expect(Math.min(Math.max(score, 1), 5)).toBe(user.predict(itemId));
    }
    expect([...user.recommend({ n: 2, filterSeen: false })]).toEqual(all.slice(0, 2));
    expect(user.recommend({ candidates: ['i13', 'i2', 'none'] }).map(({ itemId }) => itemId)).toEqual(['i13']);
    expect(
      user
        .recommend({ exclude: ['i12', 'i14'], n: 9 })
        .map(({ itemId }) => itemId)
        .sort(),
    ).toEqual(['i13', 'i15']);
    expect(() => user.recommend({ n: -1 })).toThrow(OptionError);
  });

  test('of repeats the last counts; unknown items are passed over; weights count', () => {
    const once = model.foldInUser([
      ['i0', 5],
      ['i1', 1],
    ]);
    const odd = model.foldInUser([
      ['i0', 1],
      ['none', 3],
      ['i1', 1],
      ['more', 3],
      ['none', 1],
      ['i0', 5],
    ]);
    expect(odd.ignored).toBe(2);
    expect(odd.predict('i3')).toBeCloseTo(once.predict('i3'), 5);
    const heavy = model.foldInUser([{ itemId: 'i0', value: 5, weight: 50 }, ['i1', 1]]);
    expect(heavy.predict('i0')).toBeGreaterThan(once.predict('i0'));
    expect(
      model.foldInUser(
        new Map([
          ['i0', 5],
          ['i1', 1],
        ]),
      ).vector,
    ).toEqual(once.vector);
  });

  test('of nothing known: the baseline and the popular items, and says so', () => {
    for (const history of [[], [['none', 5] as const]]) {
      const user = model.foldInUser(history);
      expect([user.ignored, user.vector]).toEqual([history.length, null]);
      expect(user.predict('i3')).toBe(model.predict('nobody', 'i3'));
      expect(user.recommend()).toEqual(model.recommend('nobody'));
      expect(user.recommend().basis).toBe('popularity');
    }
    const item = model.foldInItem([['nobody', 5]]);
    expect([item.ignored, item.vector]).toEqual([1, null]);
    expect(item.predict('u1')).toBe(model.predict('u1', 'none'));
  });

  test('predictions of items and users that training never saw are baselines', () => {
    const user = model.foldInUser(evenHistory);
    expect(Math.abs(user.predict('none') - 3)).toBeLessThan(0.5);
    expect(Number.isFinite(model.foldInItem([['u0', 5]]).predict('nobody'))).toBe(true);
  });

  test('explains a like by what the user rated, which lifts it from the mean of 3 to a 5', () => {
    const parts = model.explain('u0', 'i0', { n: 100 });
    expect(parts.length).toBe(SIZE - 2);
    expect(parts.map(({ contribution }) => contribution)).toEqual(
      parts.map(({ contribution }) => contribution).sort((a, b) => b - a),
    );
    const sum = parts.reduce((total, { contribution }) => total + contribution, 0);
    expect(sum).toBeGreaterThan(1.5);
    expect(parts[0]!.contribution).toBeGreaterThan(0);
    expect(model.explain('u0', 'i0')).toEqual(parts.slice(0, 10));
    expect(model.explain('u0', 'i0', { n: 0 })).toEqual([]);
  });

  test('the same from a file; without history nothing is explained', () => {
    const loaded = Recommender.load(model.save());
    expect(loaded.foldInUser(evenHistory).vector).toEqual(model.foldInUser(evenHistory).vector);
    expect(loaded.explain('u3', 'i3')).toEqual(model.explain('u3', 'i3'));
    const bare = Recommender.load(model.save({ history: false }));
    expect(bare.foldInUser(evenHistory).recommend()).toEqual(model.foldInUser(evenHistory).recommend());
    expect(() => bare.explain('u3', 'i3')).toThrow(UnsupportedError);
  });

  test('misuse is told', () => {
    expect(() => new Recommender().foldInUser([])).toThrow(NotFittedError);
    expect(() => new Recommender().explain('a', 'b')).toThrow(NotFittedError);
    expect(() => model.foldInUser('i0' as never)).toThrow(OptionError);
    expect(() => model.foldInUser(['i0'] as never)).toThrow(DataError);
    expect(() => model.foldInUser([['i0', Number.NaN]])).toThrow(DataError);
    expect(() => model.foldInUser([{ itemId: 'i0', rating: 4 } as never])).toThrow(DataError);
    expect(() => model.explain('nobody', 'i0')).toThrow(UnknownIdError);
    expect(() => model.explain('u0', 'none')).toThrow(UnknownIdError);
    expect(() => model.explain('u0', 'i0', { top: 3 } as never)).toThrow(OptionError);
  });
});

describe.each(['bpr', 'warp', 'softmax', 'logistic'] as const)('the loss %s, with negatives', (loss) => {
  test.each(['uniform', 'popularity'] as const)('ranks the square of a new user first: %s', async (sampler) => {
    const negatives = { count: loss === 'bpr' ? 1 : 4, sampler };
    const model = new MF({
      loss,
      negatives,
      rank: 4,
      epochs: 60,
      batchSize: 16,
      optimizer: adam({ learningRate: 0.02 }),
    });
    await model.fit(likes);
    const even = (count: number) => Array.from({ length: count }, (_, i) => [`i${2 * i}`] as const);
    expect(model.foldInUser(even(7)).recommend({ n: 1 })[0]!.itemId).toBe('i14');
    expect(model.explain('u0', 'i0', { n: 1 })[0]!.contribution).toBeGreaterThan(0);
    const item = () => model.foldInItem([['u0'], ['u2'], ['u4']]);
    if (loss !== 'logistic') expect(item).toThrow(UnsupportedError);
    else expect(item().predict('u8')).toBeGreaterThan(item().predict('u9'));
  });
});

test.each(['uniform', 'popularity'] as const)(
  'a folded item of logistic with negatives is where the gradient of what training expects is 0: %s',
  async (sampler) => {
    const [count, exponent] = [2, 0.5];
    const [embedding, bias] = [0.02, 0.01];
    const regularization = { embedding, bias, scaling: 'constant' } as const;
    const negatives = { count, sampler, exponent };
    const model = new MF({
      loss: 'logistic',
      negatives,
      rank: 3,
      epochs: 5,
      batchSize: 16,
      clip: false,
      regularization,
    });
    // An item that nobody has does not take part in draws.
    const items = Interactions.from([['nobody', 'no item', 1]]).items;
    const data = Interactions.from(
      [...synthetic].filter(({ value }) => value! > 3.5),
      { items },
    );
    await model.fit(data);
    const has = data.users.idOf(1);
    const item = model.foldInItem([[has]]);
    const [itemCounts, userCounts] = [new Map<unknown, number>(), new Map<unknown, number>()];
    for (const { userId, itemId } of data) {
      itemCounts.set(itemId, (itemCounts.get(itemId) ?? 0) + 1);
      userCounts.set(userId, (userCounts.get(userId) ?? 0) + 1);
    }
    const chanceOf = (n: number) => (sampler === 'uniform' ? 1 : n ** exponent);
    const all = [...itemCounts.values()].reduce((sum, n) => sum + chanceOf(n), 0);
    const chance = chanceOf(1);
    let [slope, drawn] = [0, 0];
    const slopes = [0, 0, 0];
    for (const [userId, n] of userCounts) {
      const probability = item.predict(userId as string);
      // Who has it, against its probability; who has not, as often as the item would be drawn for the user.
      const times = userId === has ? 1 : (count * n * chance) / (chance + all * (1 - n / itemCounts.size));
      if (userId !== has) drawn += times;
      const pull = userId === has ? 1 - probability : -times * probability;
      slope += pull;
      const user = data.users.indexOf(userId as string);
      for (let f = 0; f < 3; f++) slopes[f]! += pull * model.userFactors.get(user, f);
    }
    const lambda = (1 + drawn) * embedding;
    for (let f = 0; f < 3; f++) expect(slopes[f]).toBeCloseTo(lambda * item.vector![f]!, 4);
    const logit = (p: number) => Math.log(p / (1 - p));
    const own = logit(item.predict('no such user')) - logit(model.predict('no such user', 'no such item'));
    expect(slope).toBeCloseTo((1 + drawn) * bias * own, 3);
  },
);

test('logistic without negatives refuses other values than those from 0 to 1', async () => {
  const model = new MF({ ...options, loss: 'logistic' });
  await model.fit(Interactions.from([...board].map((row) => ({ ...row, value: row.value === 5 ? 1 : 0 }))));
  expect(() => model.foldInUser([['i0', 5]])).toThrow(DataError);
  const user = model.foldInUser(evenHistory.map(([id, value]) => [id, value === 5 ? 1 : 0]));
  expect(user.predict('i14')).toBeGreaterThan(0.8);
  expect(user.predict('i15')).toBeLessThan(0.2);
});

test.each([1, 10])(
  'a folded row is where the gradient of the documented objective is 0, ratings times %p',
  async (times) => {
    const data = Interactions.from([...synthetic].map((row) => ({ ...row, value: times * row.value! })));
    const regularization = { embedding: 0.3, bias: 0.07, scaling: 'constant' } as const;
    const model = new MF({ rank: 3, epochs: 20, clip: false, regularization });
    await model.fit(data);
    const deviation = data.stats().standardDeviation;
    const history = historyOf(data, data.users.idOf(3));
    const folded = model.foldInUser(history);
    const row = folded.vector!;
    const bias = folded.predict('no such item') - model.predict('no such user', 'no such item');
    // On the rating scale: sum of errors = n lambda_b b; sum of errors times item rows = n lambda sigma e.
    const errors = history.map(({ itemId, value }) => value! - folded.predict(itemId));
    expect(errors.reduce((sum, error) => sum + error, 0)).toBeCloseTo(history.length * regularization.bias * bias, 3);
    expect(Math.abs(bias)).toBeGreaterThan(0.05 * times);
    for (let f = 0; f < 3; f++) {
      const pull = history.reduce(
        (sum, { itemId }, k) => sum + errors[k]! * model.itemFactors.get(data.items.indexOf(itemId), f),
        0,
      );
      expect(pull).toBeCloseTo(history.length * regularization.embedding * deviation * row[f]!, 2);
    }
  },
);
