// A file whose numbers were damaged is refused: a NaN in a table would go unnoticed into every answer.

import { FormatError } from '../../src/core/errors';
import { syntheticInteractions } from '../../src/interactions/synthetic';
import { decodeSafetensors, encodeSafetensors } from '../../src/persistence/safetensors';
import { MF } from '../../src/recommenders/mf';
import { loadRecommender } from '../../src/recommenders/registry';

test.each(['userEmbedding', 'itemEmbedding', 'userBias', 'itemBias'])('a NaN in %s', async (name) => {
  const model = new MF({ rank: 2, epochs: 1 });
  await model.fit(syntheticInteractions({ users: 20, items: 15, ratings: 100 }));
  const { tensors, metadata } = decodeSafetensors(model.save());
  tensors.get(name)!.data[3] = Number.NaN;
  const damaged = encodeSafetensors(tensors, metadata);
  expect(() => loadRecommender(damaged)).toThrow(FormatError);
  expect(() => loadRecommender(damaged)).toThrow(`tensor '${name}' has NaN at 3`);
});
