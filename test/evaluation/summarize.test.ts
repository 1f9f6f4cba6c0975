// The summary of made-up runs, worked out by hand: curves that rise again, ties with the target, runs that diverge.

import { type ComparisonRun, summarize } from '../../src/evaluation/comparison';

const row = { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 } as const;

function run(overparam: ComparisonRun['overparam'], rmse: number[], loss: number[], diverged = false): ComparisonRun {
  const epochs = rmse.map((testRmse, at) => {
    return { epoch: at + 1, trainLoss: loss[at]!, testRmse, testMae: testRmse, seconds: 0.5 };
  });
  return {
    optimizer: 'sgd',
    overparam,
    learningRate: 0.01,
    initScale: 1,
    regularization: 0.02,
    seed: 1,
    diverged,
    epochs,
  };
}

const plain = [run(false, [1.5, 1, 1.25], [4, 2, 1]), run(false, [1.5, 1, 1.75], [4, 2, 1])];

test('the targets are the best mean test RMSE and the last mean training loss of plain', () => {
  const product = [run(row, [1.25, 0.75, 0.5], [3, 2, 1.5]), run(row, [1.25, 1.25, 0.5], [3, 2, 1.5])];
  const entries = summarize([
    { runs: plain, plain },
    { runs: product, plain },
  ]);
  expect(
    entries.map(({ overparam, target, epochsToTarget, secondsToTarget }) => [
      overparam,
      target,
      epochsToTarget,
      secondsToTarget,
    ]),
  ).toEqual([
    [false, { on: 'testRmse', value: 1 }, 2, 1],
    [false, { on: 'trainLoss', value: 1 }, 3, 1.5],
    // The mean of the second epoch is 1: at the target counts.
    [row, { on: 'testRmse', value: 1 }, 2, 1],
    [row, { on: 'trainLoss', value: 1 }, null, null],
  ]);
  expect(entries[0]!.testRmse).toEqual({ mean: 1.5, std: Math.sqrt(0.125) });
  expect(entries[3]!.trainLoss).toEqual({ mean: 1.5, std: 0 });
});

test('a product is followed as far as all of its runs went', () => {
  const product = [run(row, [1.25, 0.75], [3, 2], true), run(row, [1.25, 0.5, 0.25], [3, 2, 1])];
  const [test, train] = summarize([{ runs: product, plain }]);
  expect(test).toMatchObject({ epochsToTarget: 2, testRmse: { mean: null, std: null } });
  expect(train).toMatchObject({ epochsToTarget: null, trainLoss: { mean: null, std: null } });
});

test('a plain run that diverges has its best epoch as a target, but no last loss', () => {
  const broken = [run(false, [1.5], [4], true), plain[1]!];
  const product = [run(row, [1.25, 0.75, 0.5], [3, 2, 1.5])];
  const [test, train] = summarize([{ runs: product, plain: broken }]);
  expect(test).toMatchObject({ target: { on: 'testRmse', value: 1.5 }, epochsToTarget: 1 });
  expect(train).toMatchObject({ target: { on: 'trainLoss', value: null }, epochsToTarget: null });
});
