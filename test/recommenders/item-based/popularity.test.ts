// Popularity by hand: counts of interactions, whatever their values.

import { OptionError, UnsupportedError } from '../../../src/core/errors';
import { TaskScheduler } from '../../../src/core/scheduler';
import { Interactions } from '../../../src/data/interactions';
import { Popularity } from '../../../src/recommenders/item-based/popularity';
import { countRows, InteractionHistory } from '../../../src/serving/interaction-history';
import { PopularityState } from '../../../src/serving/popularity-state';

const data = Interactions.from([
  ['ann', 'tea', 1],
  ['ann', 'milk', 5],
  ['bob', 'tea', 1],
  ['cy', 'soup', 5],
  ['cy', 'tea', 0],
  ['di', 'milk', 5],
]);

test('scores are counts, for everybody, less what a user has seen', async () => {
  const model = new Popularity();
  const history = await model.fit(data);
  expect(history).toMatchObject({ epochs: [], bestEpoch: 0, stopped: 'epochs' });
  expect(['tea', 'milk', 'soup', 'none'].map((item) => model.predict('bob', item))).toEqual([3, 2, 1, 0]);
  expect([...model.recommend('bob')]).toEqual([
    { itemId: 'milk', score: 2 },
    { itemId: 'soup', score: 1 },
  ]);
  expect(model.recommend('bob').basis).toBe('popularity');
  expect(model.recommend('stranger').map(({ itemId }) => itemId)).toEqual(['tea', 'milk', 'soup']);
});

test('a folded user has the lists of its history', async () => {
  const scheduler = new TaskScheduler(undefined);
  const answers = new PopularityState(
    data.users,
    data.items,
    await InteractionHistory.of(data, await countRows(data, scheduler), scheduler),
  );
  const tea = data.items.indexOf('tea');
  const folded = answers.foldInUser([
    { index: tea, value: 1, weight: 1 },
    { index: -1, value: 1, weight: 1 },
  ]);
  const request = { n: 2, filterSeen: true, exclude: [], candidates: null };
  expect(folded.vector).toBeNull();
  expect(folded.predict(tea)).toBe(3);
  expect(folded.best(request).map(({ index }) => data.items.idOf(index))).toEqual(['milk', 'soup']);
  expect(folded.best({ ...request, filterSeen: false })[0]).toEqual({ index: tea, score: 3 });
  expect(answers.best([-1], request)[0]![0]).toEqual({ index: tea, score: 3 });
});

test('what makes no sense is refused: options, validation, an aborted signal', async () => {
  expect(() => new Popularity({ rank: 3 } as never)).toThrow(OptionError);
  await expect(new Popularity().fit(data, { validation: data })).rejects.toThrow(UnsupportedError);
  const model = new Popularity();
  await expect(model.fit(data, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
  expect(model.isFitted).toBe(false);
});

test('partialFit counts as a fit to everything would; without history it is refused', async () => {
  const first = Interactions.from([
    ['ann', 'tea'],
    ['bob', 'milk'],
  ]);
  const news = Interactions.from([
    ['ann', 'tea'],
    ['ann', 'milk'],
    ['cy', 'soup'],
    ['bob', 'soup'],
  ]);
  const model = new Popularity();
  await model.fit(first);
  await Promise.all([model.partialFit(news), model.partialFit(Interactions.from([['di', 'soup']]))]);
  expect([...model.recommend('nobody')]).toEqual([
    { itemId: 'soup', score: 3 },
    { itemId: 'milk', score: 2 },
    { itemId: 'tea', score: 1 },
  ]);
  expect(model.recommend('ann').map(({ itemId }) => itemId)).toEqual(['soup']);
  const loaded = Popularity.load(model.save());
  await loaded.partialFit(Interactions.from([['di', 'tea']]));
  expect(loaded.predict('di', 'tea')).toBe(2);
  const bare = Popularity.load(model.save({ history: false }));
  await expect(bare.partialFit(news)).rejects.toThrow(UnsupportedError);
});
