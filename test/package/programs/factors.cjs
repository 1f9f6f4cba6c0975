// Trains under every optimizer, some losses, products and groupings, and hashes the factors: equal hashes are equal
// bits. Plain CommonJS, so that the sources, the build and every runtime run the very same program. Run by itself it
// prints the hash of the build: `node test/package/programs/factors.cjs wasm 2`, with any other runtime for node.

const { createHash } = require('node:crypto');

module.exports = async function factors(opmf, engine) {
  const { Interactions, MF, OverparamMF, syntheticInteractions } = opmf;
  // Enough rows that their memory is cut into tiles, and enough ratings that there are some in each.
  const data = syntheticInteractions({ users: 2500, items: 600, ratings: 20_000 });
  const rows = [...data].map(({ userId, itemId, value }) => [userId, itemId, value > 3 ? 1 : 0]);
  const liked = Interactions.from(rows);
  const names = ['sgd', 'momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam'];
  const runs = [
    ...names.map((optimizer) => [MF, { optimizer, rank: 32 }, data]),
    [OverparamMF, { rank: 17 }, data],
    [OverparamMF, { rank: 16, overparam: { kind: 'diagonal', depth: 3 }, optimizer: 'adam' }, data],
    [MF, { loss: 'logistic', optimizer: 'adagrad', rank: 32 }, liked],
    [OverparamMF, { loss: 'huber', rank: 8, grouping: 4 }, data],
    [OverparamMF, { rank: 8, batchSize: 64, overparam: { kind: 'dense' }, optimizer: 'rmsprop' }, data],
    [OverparamMF, { rank: 8, batchSize: 256, link: 'sigmoid', optimizer: 'adam' }, data],
  ];
  const hash = createHash('sha256');
  for (const [Recommender, options, on] of runs) {
    const model = new Recommender({ epochs: 2, ...options, ...engine });
    const { epochs } = await model.fit(on);
    hash.update(JSON.stringify(epochs.map(({ trainLoss }) => trainLoss)));
    for (const parameter of model.model.parameters)
      for (const { data: numbers } of parameter.factors)
        hash.update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  return hash.digest('hex');
};

if (require.main === module) {
  const [kernels = 'auto', threads = '1'] = process.argv.slice(2);
  const runtime = process.versions.bun ? `bun ${process.versions.bun}` : `node ${process.versions.node}`;
  module.exports(require('../../../dist/index.cjs'), { kernels, threads: Number(threads) }).then((hash) => {
    console.log(`${runtime}, kernels ${kernels}, threads ${threads}: ${hash}`);
  });
}
