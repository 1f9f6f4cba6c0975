// A user whose row ALS has solved for last is, folded in by its own history, the same row; an item against the final
// users has no gradient left.

import { ALS, type ALSOptions, syntheticInteractions } from 'opmf';

const data = syntheticInteractions({ users: 60, items: 40, ratings: 900, seed: 5 });

describe.each<[string, ALSOptions]>([
  ['implicit', {}],
  ['implicit, values as confidence', { alpha: 0.5, regularizationExponent: 0.5 }],
  ['explicit', { feedback: 'explicit' }],
  ['explicit, no biases', { feedback: 'explicit', biases: false }],
])('%s', (_name, options) => {
  test('the fixed point of training is what fold-in gives, and explanations add up to scores', async () => {
    const model = new ALS({ rank: 3, epochs: 300, clip: false, ...options });
    await model.fit(data);
    for (const user of [0, 7, 30]) {
      const userId = data.users.idOf(user);
      const history = [...data].filter((row) => row.userId === userId);
      const folded = model.foldInUser(history);
      for (const itemId of data.items) {
        if (!model.knows(userId, itemId)) continue;
        expect(Math.abs(folded.predict(itemId) - model.predict(userId, itemId))).toBeLessThan(0.01);
      }
      const itemId = data.items.idOf(11);
      const sum = model.explain(userId, itemId, { n: 100 }).reduce((total, part) => total + part.contribution, 0);
      expect(sum).toBeCloseTo(folded.predict(itemId) - model.predict('nobody', itemId), 4);
    }
    const itemId = data.items.idOf(5);
    const item = model.foldInItem([...data].filter((row) => row.itemId === itemId));
    for (const userId of data.users)
      expect(Math.abs(item.predict(userId) - model.predict(userId, itemId))).toBeLessThan(0.01);
  });
});
