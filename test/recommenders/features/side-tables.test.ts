// The tables of users and items against the definition: all pairs of the features of a row, in double.

import { DataError } from '../../../src/core/errors';
import { Stream } from '../../../src/core/random';
import { multiValued, numeric } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { Interactions } from '../../../src/data/interactions';
import { interactionFeatures } from '../../../src/data/pair-features';
import { decodeSafetensors, seal } from '../../../src/io/files/safetensors';
import { FM } from '../../../src/recommenders/features/fm';

const stream = Stream.of('teas');
const TAGS = ['black', 'green', 'rare', 'strong'];
const itemFeatures = FeatureTable.from(
  Array.from({ length: 14 }, (_, k) => ({
    tea: `t${k}`,
    price: 5 + 10 * stream.uniform(),
    tags: TAGS.filter(() => stream.below(2) === 1),
  })),
  { id: 'tea', fields: { price: numeric(), tags: multiValued() } },
);
const userFeatures = FeatureTable.from(
  Array.from({ length: 8 }, (_, user) => ({ user, age: 20 + 5 * user })),
  { id: 'user', fields: { age: numeric() } },
);
// Users 0 to 9 and teas 0 to 11 occur; users 8 and 9 have no row of their own, teas 12 and 13 nothing but one.
const data = Interactions.from(
  Array.from({ length: 60 }, (_, k) => [k % 10, `t${(k * 7) % 12}`, 1 + (k % 5)] as const),
);

async function fitted(overparam: object | false) {
  const model = new FM({
    task: 'regression',
    rank: 5,
    epochs: 5,
    batchSize: 8,
    initScale: 0.3,
    overparam: overparam as false,
  });
  await model.fit(data, { userFeatures, itemFeatures });
  return model;
}

test.each([false, { kind: 'scalar' }, { kind: 'dense' }] as const)('every pair, products %p', async (overparam) => {
  const model = await fitted(overparam);
  const users = [...Array(10).keys(), 'nobody'];
  const items = [...Array.from({ length: 14 }, (_, k) => `t${k}`), 'nothing'];
  const pairs = Interactions.from(users.flatMap((user) => items.map((item) => [user, item] as const)));
  const rows = interactionFeatures(pairs, { userFeatures, itemFeatures, users: data.users, items: data.items });
  const { embedding, linear, bias } = model.model;
  const [v, w, rank] = [embedding.collapse(), linear.collapse(), embedding.dim];
  for (const [r, prediction] of model.predictMany(pairs).entries()) {
    let score = bias.collapse()[0]!;
    for (let p = rows.starts[r]!; p < rows.starts[r + 1]!; p++) {
      score += w[rows.indices[p]!]! * rows.values[p]!;
      for (let q = p + 1; q < rows.starts[r + 1]!; q++) {
        let inner = 0;
        for (let k = 0; k < rank; k++) inner += v[rows.indices[p]! * rank + k]! * v[rows.indices[q]! * rank + k]!;
        score += rows.values[p]! * rows.values[q]! * inner;
      }
    }
    expect(Math.abs(prediction - score)).toBeLessThan(1e-6 * Math.max(1, Math.abs(score)));
  }
});

test('numbers of a table beyond arithmetic are an error that names whose they are, never NaN', async () => {
  const model = await fitted(false);
  const bytes = model.save();
  // The age of user 3 in the file, which is the one number of its row.
  const { tensors } = decodeSafetensors(bytes);
  const ages = tensors.get('userFeatures.values')!.data as Float32Array;
  const at = Buffer.from(bytes).indexOf(Buffer.from(ages.slice(3, 4).buffer));
  const damaged = bytes.slice();
  damaged.set(new Uint8Array(Float32Array.of(3e38).buffer), at);
  seal(damaged);
  const loaded = FM.load(damaged);
  expect(() => loaded.predict(0, 't0')).toThrow(DataError);
  expect(() => loaded.recommend(0)).toThrow('scores of user 3 are beyond what arithmetic holds');
});
