// What following a pooled set in closed form is worth: SVD++ by plain SGD, rating by rating, one epoch, against the same
// steps made one by one, as any other rule has them. Run: node benchmarks/run.mjs benchmarks/models/svdpp.ts

import { type Optimizer, SVDpp, sgd } from 'opmf';
import { loadDataset } from 'opmf/node';
import { resolveOptimizer } from '../../src/optimizers/registry';

const rule = resolveOptimizer(sgd({ learningRate: 0.007 }));
/** The same rule, which nobody knows to be plain SGD. */
const unknown: Optimizer = {
  config: { ...rule.config, name: 'sgd-of-my-own' },
  slots: rule.slots,
  update: (factor, gradient, state, step) => rule.update(factor, gradient, state, step),
};

const data = await loadDataset('ml-100k');
const times: number[] = [];
const predictions: Float32Array[] = [];
for (const optimizer of [rule, unknown]) {
  const model = new SVDpp({ rank: 20, epochs: 1, optimizer, regularization: 0.02, initScale: 0.1, standardize: false });
  const { epochs } = await model.fit(data);
  times.push(epochs[0]!.seconds);
  predictions.push(model.predictMany(data));
}
const furthest = predictions[0]!.reduce((most, p, k) => Math.max(most, Math.abs(p - predictions[1]![k]!)), 0);
const [closed, steps] = times as [number, number];
console.log(
  `closed form ${closed.toFixed(2)} s, step by step ${steps.toFixed(2)} s: ${(steps / closed).toFixed(0)} times; predictions differ by ${furthest.toExponential(1)} at most`,
);
