// The main job in code: plain against overparameterized matrix factorization under each of the paper's optimizers.
// A small made-up set keeps it to a second or two; `opmf compare ml-100k` does the same on real ratings.
// Run, in a clone: node benchmarks/run.mjs examples/compare-optimizers.ts; copied into a project that has opmf, with Node 22.18 or later:
// node compare-optimizers.ts

import { compare, comparisonTable, syntheticInteractions } from 'opmf';

const data = syntheticInteractions({ users: 200, items: 150, ratings: 6000, seed: 1 });

const comparison = await compare(data, {
  overparams: [
    { kind: 'scalar', scope: 'row', depth: 2 },
    { kind: 'diagonal', scope: 'row', depth: 2 },
  ],
  terms: 'paper',
  rank: 8,
  epochs: 10,
  seeds: [1, 2],
});

console.log(comparisonTable(comparison));

// The same as data: who reached plain's best test error, and when.
for (const { optimizer, overparam, target, epochsToTarget } of comparison.summary) {
  if (overparam === false || target.on !== 'testRmse') continue;
  const when = epochsToTarget === null ? 'never' : `in epoch ${epochsToTarget}`;
  console.log(`${optimizer}, ${overparam.kind}: plain's best test RMSE, ${target.value?.toFixed(3)}, reached ${when}`);
}
