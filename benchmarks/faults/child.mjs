// What the campaigns do bad things to: a process that uses the built package. The first word says what it does; it prints
// one JSON document.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as opmf from 'opmf';
import { checkpointFile, saveModel } from 'opmf/node';

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
const [what, ...words] = process.argv.slice(2);
const { ALS, MF, NeuralCF, OverparamMF, adam, syntheticInteractions } = opmf;

const programs = {
  /** Trains with a checkpoint of every epoch, goes on from the one that is there, and writes the hash of the model. */
  async train(path, result, threads) {
    const { read, write } = checkpointFile(path);
    const data = syntheticInteractions({ users: 2000, items: 1500, ratings: 60_000 });
    const options = { epochs: 25, rank: 32, optimizer: adam({ learningRate: 0.003 }), threads: Number(threads) };
    const model = new OverparamMF(options);
    await model.fit(data, { checkpoint: { every: 1, write }, resume: await read() });
    // Of what a model is; its options say how many threads it had.
    writeFileSync(result, hash(model.predictMany(data)));
  },
  /** Trains on two threads, one of which is ended after so many milliseconds; 0: none. */
  async threads(milliseconds) {
    const workers = createRequire(import.meta.url)('node:worker_threads');
    const { Worker } = workers;
    workers.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        if (Number(milliseconds) > 0) setTimeout(() => this.terminate(), Number(milliseconds)).unref();
      }
    };
    const data = syntheticInteractions({ users: 2000, items: 1500, ratings: 60_000 });
    const model = new MF({ epochs: 40, threads: 2 });
    const error = await model.fit(data).then(
      () => null,
      (thrown) => thrown.name,
    );
    return { error, bits: error === null ? hash(model.predictMany(data)) : null };
  },
  /** The bits of some models, or the errors that they end in. */
  async memory(kernels) {
    const data = syntheticInteractions({ users: 500, items: 2500, ratings: 20_000 });
    const models = [
      new MF({ epochs: 2, kernels }),
      new MF({ epochs: 2, threads: 2, kernels }),
      new MF({ epochs: 2, batchSize: 64, kernels }),
      new ALS({ epochs: 1, kernels }),
      new NeuralCF({ epochs: 1, rank: 4, embeddingDim: 4, hidden: [4], kernels }),
    ];
    const found = [];
    for (const model of models) {
      try {
        await model.fit(data);
        const own = model.name === 'neural-cf' ? [] : model.foldInUser([{ itemId: '1', value: 4 }]).recommend({ n: 5 });
        found.push(hash(JSON.stringify([...model.predictMany(data), model.recommend('1'), own])));
      } catch (error) {
        found.push(error.name);
      }
    }
    return found;
  },
  /** Saves a model over what is at a path. */
  async save(path) {
    const model = new MF({ epochs: 1 });
    await model.fit(syntheticInteractions({ users: 2000, items: 1500, ratings: 20_000 }));
    return saveModel(path, model).then(
      () => 'saved',
      (error) => ({ isTyped: error instanceof opmf.OpmfError, message: error.message }),
    );
  },
  /** A training whose checkpoints go to a path. */
  async checkpoint(path) {
    const { write } = checkpointFile(path);
    const data = syntheticInteractions({ users: 2000, items: 1500, ratings: 20_000 });
    return new MF({ epochs: 2 }).fit(data, { checkpoint: { every: 1, write } }).then(
      () => 'saved',
      (error) => ({ isTyped: error instanceof opmf.OpmfError, message: error.message }),
    );
  },
};
console.log(JSON.stringify((await programs[what](...words)) ?? null));
