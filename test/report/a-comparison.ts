// A small comparison with known numbers: two optimizers, two arms, two seeds; under adam one seed of plain diverges.

import type { Comparison, ComparisonArm, ComparisonRun } from '../../src/evaluation/comparison';

const ROW: ComparisonArm = { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 };

function run(optimizer: string, overparam: ComparisonArm, seed: number, rmse: number[], loss: number[]): ComparisonRun {
  return {
    optimizer,
    overparam,
    learningRate: optimizer === 'sgd' ? 0.005 : { embedding: 0.001, bias: 0.004 },
    initScale: 1,
    regularization: 0.02,
    seed,
    diverged: rmse.length < 3,
    epochs: rmse.map((testRmse, i) => ({
      epoch: i + 1,
      trainLoss: loss[i]!,
      testRmse,
      testMae: testRmse,
      seconds: 0.12,
    })),
  };
}

/** The document, for a data set of the given name. */
export function aComparison(name = 'ml-100k'): Comparison {
  return {
    opmf: '0.1.0',
    terms: 'paper',
    dataset: { name, users: 943, items: 1682, train: 90_000, test: 10_000 },
    rank: 15,
    epochs: 3,
    seeds: [1, 2],
    machine: { cpu: 'a <fast> one', cores: 2, node: '20.20.2' },
    constants: { sgd: { name: 'sgd', learningRate: 0.005 }, adam: { name: 'adam', learningRate: 0.001 } },
    runs: [
      // The product comes first here: the reports put plain on top.
      run('sgd', ROW, 1, [1.0, 0.9, 0.8], [0.9, 0.8, 0.7]),
      run('sgd', ROW, 2, [1.1, 1.0, 1.0], [0.9, 0.8, 0.7]),
      run('sgd', false, 1, [1.4, 1.2, 1.3], [0.6, 0.5, 0.4]),
      run('sgd', false, 2, [1.4, 1.1, 1.2], [0.6, 0.5, 0.3]),
      run('adam', false, 1, [2.0], [3.0]),
      run('adam', false, 2, [2.0, 1.9, 1.8], [3.0, 2.0, 1.0]),
      run('adam', ROW, 1, [1.5, 1.4, 1.3], [2.0, 1.5, 1.0]),
      run('adam', ROW, 2, [1.5, 1.4, 1.3], [2.0, 1.5, 1.0]),
    ],
    summary: [
      entry('sgd', false, 'testRmse', 1.15, 2, 0.24, 1.25, 0.35),
      entry('sgd', false, 'trainLoss', 0.35, 3, 0.36, 1.25, 0.35),
      entry('sgd', ROW, 'testRmse', 1.15, 1, 0.12, 0.9, 0.7),
      entry('sgd', ROW, 'trainLoss', 0.35, null, null, 0.9, 0.7),
      entry('adam', false, 'testRmse', null, null, null, null, null),
      entry('adam', false, 'trainLoss', null, null, null, null, null),
      entry('adam', ROW, 'testRmse', null, null, null, 1.3, 1),
      entry('adam', ROW, 'trainLoss', null, null, null, 1.3, 1),
    ],
  };
}

function entry(
  optimizer: string,
  overparam: ComparisonArm,
  on: 'testRmse' | 'trainLoss',
  value: number | null,
  epochsToTarget: number | null,
  secondsToTarget: number | null,
  rmse: number | null,
  loss: number | null,
): Comparison['summary'][number] {
  return {
    optimizer,
    overparam,
    target: { on, value },
    epochsToTarget,
    secondsToTarget,
    testRmse: { mean: rmse, std: rmse === null ? null : 0.01 },
    trainLoss: { mean: loss, std: loss === null ? null : 0.02 },
  };
}
