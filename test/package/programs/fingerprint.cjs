// Trains and asks a few recommenders of the module it is given, and boils the answers down to a hash: equal hashes are
// equal bits. Plain CommonJS, so that the sources and both builds run the very same program.

const { createHash } = require('node:crypto');

module.exports = async function fingerprint(opmf) {
  const { MF, OverparamMF, Interactions, adam, rmsprop, kFold, splitRandom, syntheticInteractions } = opmf;
  const hash = createHash('sha256');
  const data = syntheticInteractions({ users: 80, items: 60, ratings: 1500 });
  const { train, test } = splitRandom(data, { seed: 'a split' });
  const liked = Interactions.from([...train].map(({ userId, itemId, value }) => [userId, itemId, value > 3 ? 1 : 0]));
  const runs = [
    [new OverparamMF(), train],
    [new MF({ rank: 7, seed: 'another' }), train],
    [new OverparamMF({ rank: 4, overparam: { kind: 'dense', width: 6 }, optimizer: adam(), batchSize: 16 }), train],
    [
      new OverparamMF({ rank: 4, overparam: { kind: 'diagonal', width: 2 }, optimizer: rmsprop(), link: 'sigmoid' }),
      train,
    ],
    [new MF({ rank: 4, loss: 'logistic', epochs: 3 }), liked],
    [new opmf.SVDpp({ rank: 3, epochs: 2 }), train],
    [new opmf.NMF({ rank: 3, epochs: 3 }), train],
    [new opmf.NeuralCF({ rank: 3, embeddingDim: 2, hidden: [3], epochs: 2 }), liked],
  ];
  for (const [model, on] of runs) {
    const { epochs } = await model.fit(on, { validation: test });
    for (const { trainLoss, metrics } of epochs) hash.update(JSON.stringify([trainLoss, metrics]));
    hash.update(model.save());
    hash.update(model.predictMany(test));
    hash.update(JSON.stringify([...(await model.recommendMany(['1', '2', 'nobody'], { n: 5 }))]));
    hash.update(JSON.stringify([model.similarItems('1'), model.similarUsers('2', { measure: 'dot' })]));
    hash.update(opmf.loadRecommender(model.save()).predictMany(test));
  }
  const rows = opmf.interactionFeatures(train);
  const layers = { task: 'regression', epochs: 1, batchSize: 128, hidden: [5, 3], dropout: 0.2, batchNorm: true };
  for (const model of [
    new opmf.FM({ task: 'regression', epochs: 2 }),
    new opmf.WideDeep(layers),
    new opmf.DeepFM(layers),
  ]) {
    await model.fit(rows);
    hash.update(model.save());
    hash.update(model.predictRows(rows));
  }
  for (const fold of kFold(data, { folds: 3 })) hash.update(fold.test.userIndex);
  return hash.digest('hex');
};
