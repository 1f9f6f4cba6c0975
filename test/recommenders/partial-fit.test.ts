// Training that goes on: new users and items get rows, what is not touched keeps its bytes, and answers follow.

import { UnsupportedError } from '../../src/core/errors';
import { Interactions } from '../../src/interactions/interactions';
import { syntheticInteractions } from '../../src/interactions/synthetic';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';

const old = syntheticInteractions({ users: 40, items: 30, ratings: 600, seed: 5 });
const [firstUser, firstItem] = [old.users.idOf(0), old.items.idOf(0)];
const secondItem = old.items.idOf(1);
const fresh = Interactions.from([
  ['newcomer', firstItem, 5],
  ['newcomer', secondItem, 1],
  ['newcomer', 'novelty', 4],
  ['other', 'novelty', 5],
  ['other', firstItem, 3],
]);

describe.each([
  ['MF', MF],
  ['OverparamMF', OverparamMF],
])('%s', (_, Recommender) => {
  let model: MF | OverparamMF;
  beforeEach(async () => {
    model = new Recommender({ rank: 3, epochs: 20 });
    await model.fit(old);
  });

  test('before a fit it is one', async () => {
    const again = new Recommender({ rank: 3, epochs: 20 });
    await again.partialFit(old);
    expect(again.save()).toEqual(model.save());
  });

  test('new users and items are known; rows that nothing new is about keep their bytes', async () => {
    const users = rowsOf(model);
    const history = await model.partialFit(fresh);
    expect(history.epochs.length).toBe(1);
    expect(history.epochs[0]!.trainLoss).toBeGreaterThan(0);
    expect(rowsOf(model, old.users.size)).toEqual(users);
    expect(model.knows('newcomer', 'novelty')).toBe(true);
    expect(model.recommend('newcomer').basis).toBe('model');
    expect(model.recommend('newcomer', { n: 100 }).map(({ itemId }) => itemId)).not.toContain(secondItem);
    expect(model.predict('newcomer', firstItem)).toBeGreaterThan(model.predict('newcomer', secondItem));
    // The data's own vocabulary has not grown.
    expect(old.users.has('newcomer')).toBe(false);
  });

  test('the new user is who folding in says', async () => {
    const known = Interactions.from([
      ['newcomer', firstItem, 5],
      ['newcomer', secondItem, 1],
    ]);
    const folded = model.foldInUser([
      [firstItem, 5],
      [secondItem, 1],
    ]);
    const [minimum, maximum] = [old.stats().minimum, old.stats().maximum];
    expect([minimum <= 1, maximum >= 5]).toEqual([true, true]);
    await model.partialFit(known);
    for (const item of old.items) expect(model.predict('newcomer', item)).toBeCloseTo(folded.predict(item), 5);
  });

  test('a rating again replaces the old one; a file goes on the same; one without history does not', async () => {
    const rows = [...old].filter(({ userId }) => userId === firstUser).map((row) => ({ ...row, value: 5 }));
    const loaded = Recommender.load(model.save());
    const bare = Recommender.load(model.save({ history: false }));
    const count = model.explain(firstUser, firstItem, { n: 1000 }).length;
    await model.partialFit(Interactions.from(rows));
    await loaded.partialFit(Interactions.from(rows));
    expect([...loaded.predictMany(old)]).toEqual([...model.predictMany(old)]);
    expect(model.explain(firstUser, firstItem, { n: 1000 }).length).toBe(count);
    expect(model.predict(firstUser, firstItem)).toBeGreaterThan(4);
    await expect(bare.partialFit(fresh)).rejects.toThrow(UnsupportedError);
  });

  test('an abort leaves it as it was; metrics and onEpoch are those of fit', async () => {
    const bytes = model.save();
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(model.partialFit(fresh, { signal: aborted })).rejects.toThrow('enough');
    expect(model.save()).toEqual(bytes);
    const epochs: number[] = [];
    const { epochs: records } = await model.partialFit(fresh, {
      validation: fresh,
      onEpoch: ({ epoch }) => epochs.push(epoch),
    });
    expect(epochs).toEqual([1]);
    expect(records[0]!.metrics.rmse).toBeGreaterThan(0);
  });
});

/** The user vectors of the users that were there first. */
function rowsOf(model: MF | OverparamMF, users = old.users.size): number[] {
  return Array.from({ length: users * 3 }, (_, k) => model.userFactors.get(Math.floor(k / 3), k % 3));
}
