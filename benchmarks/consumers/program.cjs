// What every consumer does: trains a small set, recommends, saves and loads. Plain CommonJS, which all of them can import.
// Gives the bytes of the models, to be compared, and whether there were threads and WebAssembly.

module.exports = async function program(opmf) {
  const { ALS, Interactions, MF, OverparamMF, UnsupportedError, loadRecommender, syntheticInteractions } = opmf;
  const started = countThreads();
  const ratings = syntheticInteractions({ users: 300, items: 200, ratings: 5000 });
  const clicks = Interactions.from([...ratings].map(({ userId, itemId }) => [userId, itemId]));

  let bytes = '';
  for (const [model, data] of [
    [new OverparamMF({ epochs: 2, threads: 2 }), ratings],
    [new ALS({ epochs: 2, threads: 2 }), clicks],
    [new MF({ epochs: 2 }), clicks],
  ]) {
    await model.fit(data);
    const saved = model.save();
    bytes += hex(saved);
    const [list, again] = [model, loadRecommender(saved)].map((one) => JSON.stringify(one.recommend('17', { n: 5 })));
    if (again !== list || model.recommend('17', { n: 5 }).length !== 5)
      throw new Error(`${list}, once loaded ${again}`);
  }

  const wasm = await new MF({ epochs: 1, rank: 4, kernels: 'wasm' }).fit(ratings).then(
    () => true,
    (error) => {
      if (error instanceof UnsupportedError) return false;
      throw error;
    },
  );
  return { bytes, threads: started() > 0, wasm };
};

/** Counts the threads that start from now on, of Node or of the web; a function that gives the number. */
function countThreads() {
  let count = 0;
  const places = [globalThis];
  try {
    places.push(process.getBuiltinModule('worker_threads'));
  } catch {
    // Not like Node: the edge runtime of Next has a function that throws.
  }
  for (const place of places) {
    const { Worker } = place ?? {};
    if (typeof Worker !== 'function') continue;
    place.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        // What a policy forbids fails after it was made: only one that answers has started.
        const answered = () => count++;
        if (typeof this.once === 'function') this.once('message', answered);
        else this.addEventListener('message', answered, { once: true });
      }
    };
  }
  return () => count;
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
