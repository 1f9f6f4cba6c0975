// How good plain MF can be made on a split when it is tuned against the test set itself: 60 random trials over every
// optimizer whose rate takes a schedule, rank 32, up to 60 epochs, the best epoch counted. A bar for the untuned default, as unfair as can be.
// Run: npm run bench:plain-search -- ml-100k,filmtrust 1,2,3

import { writeFileSync } from 'node:fs';
import { constant, cosine, DivergenceError, MF, type MFOptions, type OptimizerName, splitRandom } from 'opmf';
import { loadDataset } from 'opmf/node';
import { Stream } from '../src/core/random';
import { machine } from './machine';

const TRIALS = 60;
/** Log-uniform ranges of the learning rate, on standardized ratings. FTRL's takes no schedule. */
const RATES: Record<Exclude<OptimizerName, 'ftrl'>, readonly [number, number]> = {
  sgd: [0.003, 0.2],
  momentum: [0.0005, 0.03],
  nesterov: [0.0005, 0.03],
  adagrad: [0.01, 0.5],
  adadelta: [0.1, 5],
  rmsprop: [0.0002, 0.01],
  adam: [0.0002, 0.01],
};

const sets = process.argv[2]?.split(',') ?? ['filmtrust', 'movietweetings-8k', 'ciaodvd', 'ml-latest-small', 'ml-100k'];
const seeds = (process.argv[3] ?? '1,2,3').split(',').map(Number);
for (const name of sets) {
  const data = await loadDataset(name);
  for (const seed of seeds) {
    const split = splitRandom(data, { testFraction: 0.1, seed });
    const stream = Stream.of(`plain search ${seed}`);
    const trials = [];
    let best = Infinity;
    for (let trial = 1; trial <= TRIALS; trial++) {
      const options = draw(stream.fork(trial));
      const result = await run(options, split, best);
      trials.push({ trial, options, ...result });
      best = Math.min(best, result.rmse);
    }
    const winner = trials.reduce((least, one) => (one.rmse < least.rmse ? one : least));
    console.log(name, seed, winner.rmse.toFixed(4), JSON.stringify(winner.options), `epoch ${winner.epoch}`);
    const document = { machine: machine(), dataset: name, seed, best: winner, trials: trials.map(({ rmse }) => rmse) };
    writeFileSync(`benchmarks/results/plain-search-${name}-${seed}.json`, `${JSON.stringify(document, null, 1)}\n`);
  }
}

/** Trains a trial; one that is 3 % behind the best of the others after 10 epochs will not win, and is given up. */
async function run(options: MFOptions, { train, test }: ReturnType<typeof splitRandom>, best: number) {
  const giveUp = new AbortController();
  let rmse = Infinity;
  let epoch = 0;
  try {
    await new MF(options).fit(train, {
      validation: test,
      metrics: ['rmse'],
      earlyStopping: { patience: 5 },
      signal: giveUp.signal,
      onEpoch: (record) => {
        const value = record.metrics.rmse!;
        if (value < rmse) {
          rmse = value;
          epoch = record.epoch;
        }
        if (record.epoch >= 10 && value > 1.03 * best) giveUp.abort();
      },
    });
  } catch (error) {
    if (!(error instanceof DivergenceError) && !giveUp.signal.aborted) throw error;
  }
  return { rmse, epoch };
}

function draw(stream: Stream): MFOptions {
  const between = (low: number, high: number) => low * Math.exp(stream.uniform() * Math.log(high / low));
  const pick = <T>(choices: readonly T[]) => choices[stream.below(choices.length)]!;
  const name = pick(Object.keys(RATES) as (keyof typeof RATES)[]);
  const rate = between(...RATES[name]);
  // Biases have fewer numbers than embeddings and often want another rate.
  const rates = pick([rate, { embedding: rate, bias: rate * between(0.2, 2) }]);
  return {
    rank: 32,
    epochs: pick([10, 20, 40, 60]),
    optimizer: { name, learningRate: pick([constant(rates), cosine(rates), cosine(rates)]) },
    initScale: between(0.005, 0.3),
    regularization: {
      embedding: between(0.02, 0.4),
      bias: between(0.02, 0.4),
      scaling: pick(['constant', 'frequency', 'frequency'] as const),
    },
  };
}
