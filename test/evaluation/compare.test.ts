// compare: the document, its summary worked out again by hand from its runs, and what each of the three terms promises.

import { version } from '../../package.json';
import { UnsupportedError } from '../../src/core/errors';
import { splitRandom } from '../../src/data/splits';
import { syntheticInteractions } from '../../src/data/synthetic';
import { firstStepLength } from '../../src/evaluation/arms';
import { compare } from '../../src/evaluation/compare';
import type { Comparison, ComparisonRun, ComparisonSummary } from '../../src/evaluation/comparison';
import { evaluateRanking } from '../../src/evaluation/evaluate-ranking';
import { evaluateRatings } from '../../src/evaluation/evaluate-ratings';
import { cosine, warmup } from '../../src/optimizers/learning-rate';
import { OPTIMIZER_NAMES, resolveOptimizer } from '../../src/optimizers/registry';
import { type ProductOptions, readProduct } from '../../src/parameters/overparam';
import { MF } from '../../src/recommenders/mf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { comparisonReport } from '../../src/report/comparison-report';
import { comparisonTable } from '../../src/report/comparison-table';

const data = syntheticInteractions({ users: 60, items: 50, ratings: 900 });
const scalar: ProductOptions = { kind: 'scalar', scope: 'row', depth: 2 };
const dense: ProductOptions = { kind: 'dense', depth: 2 };
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the document', () => {
  let comparison: Comparison;
  const progress: unknown[] = [];
  beforeAll(async () => {
    comparison = await compare(data, {
      optimizers: ['sgd', 'adam'],
      overparams: [scalar, dense],
      seeds: [1, 2],
      epochs: 4,
      rank: 5,
      onProgress: (at) => progress.push(at),
    });
  });

  test('has the documented shape, as JSON', () => {
    expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
    expect(Object.keys(comparison).sort()).toEqual(
      ['constants', 'dataset', 'epochs', 'machine', 'opmf', 'rank', 'runs', 'seeds', 'summary', 'terms'].sort(),
    );
    expect(comparison).toMatchObject({
      opmf: version,
      terms: 'paper',
      dataset: { name: expect.any(String), users: 60, items: 50, train: 810, test: 90 },
      rank: 5,
      epochs: 4,
      seeds: [1, 2],
      machine: { cpu: expect.any(String), cores: expect.any(Number), node: process.versions.node },
    });
    for (const run of comparison.runs) {
      expect(run).toMatchObject({ learningRate: expect.anything(), seed: expect.any(Number), diverged: false });
      for (const [at, epoch] of run.epochs.entries()) {
        expect(Object.keys(epoch).sort()).toEqual(['epoch', 'seconds', 'testMae', 'testRmse', 'trainLoss']);
        expect(epoch.epoch).toBe(at + 1);
      }
    }
    for (const entry of comparison.summary) {
      expect(entry).toMatchObject({ target: { on: expect.stringMatching(/^(testRmse|trainLoss)$/) } });
      expect(Object.keys(entry.testRmse).sort()).toEqual(['mean', 'std']);
    }
  });

  test('has a run for each optimizer, arm and seed, and every constant', () => {
    const row = { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1 };
    const matrix = { kind: 'dense', depth: 2, width: 5, init: 1 };
    expect(comparison.runs.map(({ optimizer, overparam, seed }) => [optimizer, overparam, seed])).toEqual(
      ['sgd', 'adam'].flatMap((optimizer) =>
        [false, row, matrix].flatMap((overparam) => [1, 2].map((seed) => [optimizer, overparam, seed])),
      ),
    );
    expect(comparison.constants.sgd).toEqual({ name: 'sgd', learningRate: 0.005, weightDecay: 0 });
    expect(comparison.constants.adam).toMatchObject({ learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    expect(comparison.runs.every(({ epochs, initScale }) => epochs.length === 4 && initScale === 1)).toBe(true);
  });

  test('tells of its progress before each run', () => {
    expect(progress.length).toBe(12);
    expect(progress[0]).toEqual({ done: 0, total: 12, optimizer: 'sgd', overparam: false, seed: 1 });
    expect(progress[11]).toMatchObject({ done: 11, total: 12, optimizer: 'adam', seed: 2 });
  });

  test('a run is the fit that it says', async () => {
    const { train, test: held } = splitRandom(data, { testFraction: 0.1, seed: 2 });
    const model = new OverparamMF({
      ...{ rank: 5, epochs: 4, seed: 2, overparam: { ...scalar, init: 1 }, optimizer: comparison.constants.adam! },
      ...{ initScale: 1, regularization: 0.02, standardize: false, clip: false },
    });
    const { epochs } = await model.fit(train, { validation: held });
    const run = comparison.runs.find(({ optimizer, overparam, seed }) => {
      return optimizer === 'adam' && overparam !== false && overparam.kind === 'scalar' && seed === 2;
    })!;
    expect(run.epochs.map(({ trainLoss }) => trainLoss)).toEqual(epochs.map(({ trainLoss }) => trainLoss));
    expect(run.epochs.map(({ testRmse }) => testRmse)).toEqual(epochs.map(({ metrics }) => metrics.rmse));
  });

  test('the summary is what follows from the runs', () => {
    expect(comparison.summary.length).toBe(12);
    for (const entry of comparison.summary) expect(entry).toEqual(byHand(comparison.runs, entry));
    // Plain reaches its own best, at the epoch where its mean is least.
    for (const { target, epochsToTarget } of comparison.summary.filter(({ overparam }) => overparam === false)) {
      expect(epochsToTarget).toBeGreaterThanOrEqual(1);
      if (target.on === 'trainLoss') expect(epochsToTarget).toBeLessThanOrEqual(4);
    }
  });
});

/** An entry of the summary again, from the runs alone. */
function byHand(runs: readonly ComparisonRun[], { optimizer, overparam, target: { on } }: ComparisonSummary) {
  const of = (arm: ComparisonRun['overparam']) =>
    runs.filter((run) => run.optimizer === optimizer && JSON.stringify(run.overparam) === JSON.stringify(arm));
  const curve = (arm: ComparisonRun['overparam'], key: 'testRmse' | 'trainLoss' | 'seconds') =>
    [0, 1, 2, 3].map((at) => mean(of(arm).map(({ epochs }) => epochs[at]![key])));
  const value = on === 'testRmse' ? Math.min(...curve(false, on)) : curve(false, on)[3]!;
  const reached = curve(overparam, on).findIndex((x) => x <= value) + 1;
  const last = (key: 'testRmse' | 'trainLoss') => {
    const [a, b] = of(overparam).map(({ epochs }) => epochs[3]![key]) as [number, number];
    return { mean: expect.closeTo((a + b) / 2, 12), std: expect.closeTo(Math.abs(a - b) / Math.SQRT2, 12) };
  };
  const seconds = curve(overparam, 'seconds').slice(0, reached);
  return {
    optimizer,
    overparam,
    target: { on, value: expect.closeTo(value, 12) },
    epochsToTarget: reached === 0 ? null : reached,
    secondsToTarget:
      reached === 0
        ? null
        : expect.closeTo(
            seconds.reduce((sum, s) => sum + s, 0),
            12,
          ),
    testRmse: last('testRmse'),
    trainLoss: last('trainLoss'),
  };
}

describe('matched terms', () => {
  const overparams = [{ ...scalar, init: 2 }, dense] as const;

  test.each(OPTIMIZER_NAMES)("%s: plain's first step is as long as that of the product behind it", async (name) => {
    const { runs, summary, constants } = await compare(data, {
      ...{ optimizers: [name], overparams },
      terms: 'matched',
      epochs: 1,
      rank: 5,
    });
    expect(runs.map(({ overparam }) => overparam !== false)).toEqual([false, true, false, true]);
    for (const [at, overparam] of overparams.entries()) {
      const [plain, product] = [runs[2 * at]!, runs[2 * at + 1]!];
      expect(plain.matches).toEqual(product.overparam);
      expect(product.learningRate).toBe(constants[name]!.learningRate);
      // The biases are plain in both arms: their rate stays.
      expect(plain.learningRate).toMatchObject({ bias: constants[name]!.learningRate });
      const rule = resolveOptimizer({ ...constants[name]!, learningRate: plain.learningRate });
      const length = firstStepLength(undefined, rule, 5, 1);
      const wanted = firstStepLength(readProduct('test', overparam), resolveOptimizer(constants[name]!), 5, 1);
      expect(Math.abs(length / wanted - 1)).toBeLessThan(1e-9);
    }
    expect(summary.length).toBe(8);
  });

  test('plain SGD moves by its rate times the gradient; s x with s = 2 by about four times that and more', () => {
    const rule = resolveOptimizer({ name: 'sgd', learningRate: 0.001 });
    const plain = firstStepLength(undefined, rule, 400, 0.01);
    expect(plain).toBeCloseTo(0.001 * 20, 3);
    const product = firstStepLength(readProduct('test', { ...scalar, init: 2 }), rule, 400, 0.01);
    expect(product / plain).toBeCloseTo(4, 1);
  });

  test.each([
    cosine(0.005),
    warmup(cosine({ embedding: 0.005, bias: 0.002 }), { fraction: 0 }),
    { embedding: 0.01, bias: 0.002 },
  ])('takes the rate %j of the caller, and the report names it', async (learningRate) => {
    const optimizers = [{ name: 'sgd', learningRate }];
    const comparison = await compare(data, { optimizers, overparams: [scalar], terms: 'matched', epochs: 1, rank: 4 });
    expect(comparison.runs.every(({ diverged }) => !diverged)).toBe(true);
    expect(comparisonTable(comparison)).toContain('embedding');
  });
});

describe('tuned terms', () => {
  test('every arm runs at a setting of the grid, the same for all seeds, and not worse than at the given one', async () => {
    const options = { optimizers: ['sgd' as const], overparams: [scalar], seeds: [1, 2], epochs: 2, rank: 4 };
    const { runs, terms } = await compare(data, { ...options, terms: 'tuned' });
    expect(terms).toBe('tuned');
    expect(runs.length).toBe(4);
    for (const { learningRate, initScale, regularization } of runs) {
      const multiple = (learningRate as number) / 0.005;
      expect([0.1, 0.3, 1, 3, 10, 30].some((of) => Math.abs(of / multiple - 1) < 1e-12)).toBe(true);
      expect([1, 0.1]).toContain(initScale);
      expect([0.02, 0.1]).toContain(regularization);
    }
    expect([runs[0]!.learningRate, runs[2]!.learningRate]).toEqual([runs[1]!.learningRate, runs[3]!.learningRate]);
    const paper = await compare(data, options);
    const last = (list: readonly ComparisonRun[], from: number) =>
      mean(list.slice(from, from + 2).map(({ epochs }) => epochs.at(-1)!.testRmse));
    for (const from of [0, 2]) expect(last(runs, from)).toBeLessThan(last(paper.runs, from));
  });

  test('takes rates by group and schedules', async () => {
    const optimizers = [{ name: 'sgd', learningRate: cosine({ embedding: 0.005, bias: 0.002 }) }];
    const { runs } = await compare(data, { optimizers, overparams: [scalar], terms: 'tuned', epochs: 1, rank: 2 });
    expect(runs[0]!.learningRate).toMatchObject({ schedule: 'cosine', rate: { embedding: expect.any(Number) } });
  });
});

describe('fair terms beside others', () => {
  test('every arm at the best of six rates, and what it comes to; the runs are those of without', async () => {
    const options = { optimizers: ['sgd', 'adam'] as const, overparams: [scalar], seeds: [1, 2], epochs: 2, rank: 4 };
    const { fair, ...rest } = await compare(data, { ...options, fair: true });
    const { runs, summary } = await compare(data, options);
    const without = (list: typeof runs) => list.map(({ epochs }) => epochs.map(({ testRmse }) => testRmse));
    expect(without(rest.runs)).toEqual(without(runs));
    expect(fair!.trials).toBe(6);
    expect(fair!.seconds).toBeGreaterThan(0);
    expect(fair!.arms.map(({ optimizer, overparam }) => [optimizer, overparam === false])).toEqual(
      ['sgd', 'adam'].flatMap((name) => [
        [name, true],
        [name, false],
      ]),
    );
    for (const [at, { optimizer, learningRate, testRmse, validationRmse }] of fair!.arms.entries()) {
      const multiple = (learningRate as number) / (optimizer === 'sgd' ? 0.005 : 0.001);
      expect([0.3, 1, 3, 10, 30, 100].some((of) => Math.abs(of / multiple - 1) < 1e-12)).toBe(true);
      expect(validationRmse).toBeGreaterThan(0);
      expect(testRmse.mean).toBeLessThan(summary[2 * at]!.testRmse.mean!);
    }
    // The first arm again, by hand.
    const { learningRate, testRmse } = fair!.arms[0]!;
    const own = [1, 2].map(async (seed) => {
      const { train, test: held } = splitRandom(data, { testFraction: 0.1, seed });
      const model = new MF({
        ...{ rank: 4, epochs: 2, seed, optimizer: { name: 'sgd', learningRate: learningRate as number } },
        ...{ initScale: 0.1, regularization: 0.1, standardize: false, clip: false },
      });
      const { epochs } = await model.fit(train, { validation: held });
      return epochs.at(-1)!.metrics.rmse!;
    });
    expect(testRmse.mean).toBeCloseTo(mean(await Promise.all(own)), 12);
  });

  test('models alone have no arms to be fair to', async () => {
    const asked = compare(data, { models: ['mf'], fair: true });
    await expect(asked).rejects.toMatchObject({ name: 'OptionError', option: 'fair' });
  });
});

describe('a run that diverges', () => {
  test('is marked, with its good epochs; targets and means that need it are null', async () => {
    const optimizers = [{ name: 'sgd', learningRate: 1e5 }];
    const { runs, summary } = await compare(data, { optimizers, overparams: [scalar], epochs: 2, rank: 3 });
    expect(runs.map(({ diverged, epochs }) => [diverged, epochs.length])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    for (const entry of summary) {
      expect(entry).toMatchObject({ target: { value: null }, epochsToTarget: null, secondsToTarget: null });
      expect(entry.testRmse).toEqual({ mean: null, std: null });
    }
  });
});

test('an abort rejects with the reason, before or in a run', async () => {
  await expect(compare(data, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }) => done === 1 && controller.abort('later');
  await expect(compare(data, { epochs: 1, onProgress, signal: controller.signal })).rejects.toBe('later');
});

test.each([
  [{ optimizers: [] }, 'optimizers'],
  [{ optimizers: ['sdg'] }, 'optimizer'],
  [{ overparams: [] }, 'overparams'],
  [{ overparams: [{ kind: 'dense', width: 3 }], rank: 5 }, 'overparam.width'],
  [{ seeds: [Number.NaN] }, 'seeds[0]'],
  [{ seeds: [1, 2, 1] }, 'seeds[2]'],
  [{ optimizers: ['adam', { name: 'adam', learningRate: 0.1 }] }, 'optimizers[1]'],
  [{ overparams: [{ kind: 'scalar' }, { kind: 'scalar', scope: 'row', depth: 2 }] }, 'overparams[1]'],
  [{ optimizers: [null] }, 'optimizer'],
  [{ epochs: 0 }, 'epochs'],
  [{ rank: 0 }, 'rank'],
  [{ terms: 'fair' }, 'terms'],
  [{ testFraction: 1 }, 'testFraction'],
  [{ signal: 'stop' }, 'signal'],
  [{ epoch: 3 }, 'epoch'],
])('%p is refused by name', async (options, option) => {
  await expect(compare(data, options as never)).rejects.toMatchObject({ name: 'OptionError', option });
});

describe('models side by side', () => {
  const ratings = () => new MF({ rank: 2, epochs: 2 });

  test('are fits and evaluations on the splits of the arms, one a seed', async () => {
    const progress: unknown[] = [];
    const comparison = await compare(data, {
      models: ['svdpp', ratings(), () => new MF({ rank: 3, epochs: 1 })],
      seeds: [1, 2],
      metrics: ['mae', 'ndcg@5'],
      onProgress: (at) => progress.push(at),
    });
    expect(comparison.runs).toEqual([]);
    expect(comparison.models!.map(({ model, runs }) => [model, runs.map(({ seed }) => seed)])).toEqual([
      ['svdpp', [1, 2]],
      ['mf', [1, 2]],
      ['mf', [1, 2]],
    ]);
    expect(progress[5]).toEqual({ done: 5, total: 6, model: 'mf', seed: 2 });
    const { options, runs, metrics } = comparison.models![1]!;
    expect(options).toMatchObject({ rank: 2, epochs: 2 });
    const expected: number[] = [];
    for (const seed of [1, 2]) {
      const { train, test: held } = splitRandom(data, { testFraction: 0.1, seed });
      const model = new MF({ rank: 2, epochs: 2, seed });
      await model.fit(train);
      expected.push((await evaluateRatings(model, held)).mae);
      expect(runs[seed - 1]!.metrics['ndcg@5']).toBe(
        (await evaluateRanking(model, held, { train, k: 5, metrics: ['ndcg'] })).metrics['ndcg@5'],
      );
    }
    expect(runs.map((run) => run.metrics.mae)).toEqual(expected);
    expect(metrics.mae).toEqual({
      mean: mean(expected),
      std: expect.closeTo(Math.abs(expected[0]! - expected[1]!) / Math.SQRT2, 12),
    });
    expect(comparisonTable(comparison)).toMatch(/svdpp .*\n.*mf /);
    expect(comparisonReport(comparison)).toContain('<td>svdpp</td>');
  });

  test('beside arms, and metrics that suit all', async () => {
    const both = await compare(data, { models: ['popularity', 'mf'], optimizers: ['sgd'], epochs: 1, rank: 2 });
    expect(both.runs.length).toBe(2);
    expect(both.models!.map(({ metrics }) => Object.keys(metrics))).toEqual([['ndcg@10'], ['ndcg@10']]);
    const { models } = await compare(data, { models: [ratings()] });
    expect(Object.keys(models![0]!.metrics)).toEqual(['rmse', 'mae']);
    await expect(compare(data, { models: ['ease'], metrics: ['rmse'] })).rejects.toThrow(UnsupportedError);
    const wild = new MF({ optimizer: { name: 'sgd', learningRate: 1e8 } });
    const { models: broken } = await compare(data, { models: [wild] });
    expect(broken![0]).toMatchObject({ runs: [{ diverged: true }], metrics: { rmse: { mean: null, std: null } } });
  });

  test.each([
    [{ models: [] }, 'models'],
    [{ models: ['fm2'] }, 'models[0]'],
    [{ models: ['mf', 3] }, 'models[1]'],
    [{ models: [() => 3] }, 'models[0]()'],
    [{ models: ['mf'], metrics: ['rsme'] }, 'metrics[0]'],
  ])('%p is refused by name', async (options, option) => {
    await expect(compare(data, options as never)).rejects.toMatchObject({ name: 'OptionError', option });
  });
});
