// Part of an option keeps the rest of the default, however it is given; and what is no plain object is refused.

import { OptionError } from '../../src/core/errors';
import { syntheticInteractions } from '../../src/data/synthetic';
import { tune } from '../../src/evaluation/tune';
import { parseSettings } from '../../src/node/cli/settings';
import { adam } from '../../src/optimizers/adam';
import { cosine } from '../../src/optimizers/learning-rate';
import type { Optimizer } from '../../src/optimizers/optimizer';
import { sgd } from '../../src/optimizers/sgd';
import type { OverparamMFOptions } from '../../src/recommenders/factorization-options';
import { FM } from '../../src/recommenders/features/fm';
import { WideDeep } from '../../src/recommenders/features/wide-deep';
import { MF } from '../../src/recommenders/mf';
import { NeuralCF } from '../../src/recommenders/neural/neural-cf';
import { NMF } from '../../src/recommenders/nmf';
import { OverparamMF } from '../../src/recommenders/overparam-mf';
import { createRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';
import { SVDpp } from '../../src/recommenders/svdpp';
import { faultOf } from '../support/fault-of';

const preset = new OverparamMF().options;
const optionsOf = (options: OverparamMFOptions) => new OverparamMF(options).options;
const rates = { embedding: 0.024, bias: 0.0108, map: 0.02 };

describe('the parts that are left out are those of the default', () => {
  test.each([
    ['nothing', {}],
    ['an empty penalty', { regularization: {} }],
    ["the penalty's own number", { regularization: { embedding: 0.235 } }],
    ["the bias's own number", { regularization: { bias: 0.15, scaling: undefined } }],
    ['the depth', { overparam: { depth: 2 } }],
    ['the kind', { overparam: { kind: 'scalar' } }],
    ['an empty product', { overparam: {} }],
    ['a weight decay', { optimizer: { weightDecay: 0 } }],
    ['the name of the rule, as a configuration', { optimizer: { name: 'sgd' } }],
    ['a rate of a group', { optimizer: { learningRate: { bias: 0.0108 } } }],
    ['a rate within the schedule', { optimizer: { name: 'sgd', learningRate: { rate: { map: 0.02 } } } }],
    ['the schedule', { optimizer: { learningRate: { schedule: 'cosine' } } }],
    ['the end of the schedule', { optimizer: { learningRate: { final: 0 } } }],
  ] as [string, OverparamMFOptions][])('%s: the default itself', (_, options) => {
    expect(optionsOf(options)).toEqual(preset);
  });

  test.each([
    [{ regularization: { embedding: 0.1 } }, { regularization: { embedding: 0.1, bias: 0.15, scaling: 'frequency' } }],
    [
      { regularization: { scaling: 'constant' } },
      { regularization: { embedding: 0.235, bias: 0.15, scaling: 'constant' } },
    ],
    [{ regularization: 0.1 }, { regularization: { embedding: 0.1, bias: 0.1, scaling: 'constant' } }],
    [{ overparam: { depth: 3 } }, { overparam: { kind: 'scalar', scope: 'row', depth: 3, init: 2.6 } }],
    [{ overparam: { kind: 'dense' } }, { overparam: { kind: 'dense' } }],
    [{ overparam: { userEmbedding: { kind: 'scalar' } } }, { overparam: { userEmbedding: { kind: 'scalar' } } }],
    [
      { optimizer: { learningRate: { bias: 0.1 } } },
      { optimizer: { name: 'sgd', learningRate: cosine({ ...rates, bias: 0.1 }), weightDecay: 0 } },
    ],
    [
      { optimizer: { learningRate: { schedule: 'linear' } } },
      { optimizer: { name: 'sgd', learningRate: { schedule: 'linear', rate: rates, final: 0 }, weightDecay: 0 } },
    ],
    [
      { optimizer: { learningRate: { schedule: 'warmup' } } },
      { optimizer: { learningRate: { schedule: 'warmup', rate: cosine(rates), fraction: 0.1 } } },
    ],
    [{ optimizer: { learningRate: 0.02 } }, { optimizer: { name: 'sgd', learningRate: 0.02, weightDecay: 0 } }],
    // What a factory gives, or a name says, is all of a rule.
    [{ optimizer: 'sgd' }, { optimizer: sgd() }],
    [{ optimizer: sgd({ learningRate: { bias: 0.1 } }) }, { optimizer: sgd({ learningRate: { bias: 0.1 } }) }],
    [{ optimizer: { name: 'adam' } }, { optimizer: adam() }],
  ] as unknown as [OverparamMFOptions, object][])('%j', (options, wanted) => {
    expect(optionsOf(options)).toMatchObject(wanted);
  });

  test('in every kind', () => {
    expect(new MF({ optimizer: { learningRate: { bias: 0.1 } } }).options.optimizer.learningRate).toEqual(
      cosine({ embedding: 0.16, bias: 0.1 }),
    );
    const orders = new MF({ loss: 'bpr' }).options;
    expect(new MF({ loss: 'bpr', regularization: { bias: 0.5 } }).options.regularization).toEqual({
      ...orders.regularization,
      bias: 0.5,
    });
    expect(new MF({ loss: 'bpr', optimizer: { beta1: 0.8 } }).options.optimizer).toEqual(
      adam({ learningRate: cosine(0.01), beta1: 0.8 }),
    );
    expect(orders.optimizer).toEqual(adam({ learningRate: cosine(0.01) }));
    expect(new SVDpp({ regularization: { bias: 0.1 } }).options.regularization.scaling).toBe('frequency');
    const parts = { solver: 'gradient', biases: false } as const;
    expect(new NMF({ ...parts, optimizer: { weightDecay: 0.1 } }).options.optimizer?.learningRate).toBe(0.01);
    expect(new NeuralCF({ regularization: { dense: 0.1 } }).options.regularization.embedding).toBe(0);
    expect(new FM({ regularization: { embedding: 0.1 } }).options.regularization).toEqual({
      embedding: 0.1,
      linear: 0,
      dense: 0,
      scaling: 'constant',
    });
    expect(new WideDeep({ wideOptimizer: { l1: 0.1 } }).options.wideOptimizer).toMatchObject({ name: 'ftrl', l1: 0.1 });
    expect(new MF({ loss: 'warp', negatives: { sampler: 'popularity' } }).options.negatives).toMatchObject({
      count: 16,
    });
  });

  test('by dotted names, on the command line and in tune', async () => {
    const settings = parseSettings([
      'regularization.embedding=.1',
      'overparam.depth=3',
      'optimizer.learningRate.bias=.1',
    ]);
    expect(optionsOf(settings)).toMatchObject({
      regularization: { embedding: 0.1, bias: 0.15, scaling: 'frequency' },
      overparam: { depth: 3, init: 2.6 },
      // The rate of embeddings is that of such a product.
      optimizer: { learningRate: { schedule: 'cosine', rate: { bias: 0.1, map: 0.02 } } },
    });
    const data = syntheticInteractions({ users: 30, items: 20, ratings: 300 });
    const space = { 'regularization.embedding': [0.235], 'optimizer.learningRate.bias': [0.0108] };
    const made: object[] = [];
    const make = (options: object) => {
      const model = new OverparamMF(options);
      made.push(model.options);
      return model;
    };
    await tune(make, space, data, { trials: 1 });
    expect(made.length).toBeGreaterThan(0);
    for (const one of made) expect(one).toEqual(preset);
  });

  test('a part of what has none is refused by tune, and not put in its place', async () => {
    const data = syntheticInteractions({ users: 30, items: 20, ratings: 300 });
    const run = (base: object, name: string) =>
      tune('mf', { [name]: [0.1] }, data, { trials: 1, base: { epochs: 1, ...base } });
    await expect(run({ regularization: 0.1 }, 'regularization.bias')).rejects.toThrow(OptionError);
    const { best } = await run({ optimizer: 'adam' }, 'optimizer.learningRate');
    expect(best.options).toMatchObject({ optimizer: { name: 'adam', learningRate: 0.1 } });
  });
});

describe('objects that are not plain are refused, and named', () => {
  class Options {
    rank = 8;
  }
  const cases: [string, unknown][] = [
    ['a Promise', Promise.resolve({ rank: 8 })],
    ['a Map', new Map([['rank', 8]])],
    ['a Set', new Set(['rank'])],
    ['a Date', new Date()],
    ['an Options', new Options()],
    ['inherits', Object.create({ rank: 8 })],
    ['inherits', Object.create(Object.create(null, { rank: { value: 8 } }))],
    ['an array', [['rank', 8]]],
    ['enumerable', Object.defineProperty({}, 'rank', { value: 8 })],
    ['Symbol(rank)', { [Symbol('rank')]: 8 }],
    ['a function', () => ({ rank: 8 })],
    ['a Number', Object(8)],
    ['"rank"', 'rank'],
    ['null', null],
  ];
  const data = syntheticInteractions({ users: 10, items: 8, ratings: 40 });
  test.each(cases)('%s', async (word, value) => {
    const given = value as never;
    const calls: (() => unknown)[] = [
      ...RECOMMENDER_NAMES.map((name) => () => createRecommender(name, given)),
      () => sgd(given),
      () => cosine(0.1, given),
      () => tune('mf', given, data),
      () => tune('mf', { rank: [2] }, data, given),
      () => new MF().fit(data, given),
      ...(['string', 'function'].includes(typeof value) || value === null
        ? []
        : [
            () => new OverparamMF({ overparam: given }),
            () => new MF({ regularization: given }),
            () => new MF({ optimizer: given }),
            () => new MF({ loss: 'bpr', negatives: given }),
            () => sgd({ learningRate: given }),
          ]),
    ];
    for (const call of calls) {
      const error = await (async () => call())().catch((thrown) => thrown);
      expect(error).toBeInstanceOf(OptionError);
      expect((error as Error).message).toContain(word);
      expect((error as Error).message.length).toBeLessThan(1000);
    }
  });

  test('options without a prototype, or of another realm, are plain', () => {
    expect(new MF(Object.assign(Object.create(null), { rank: 8 })).options.rank).toBe(8);
    expect(new MF(structuredClone({ rank: 8 })).options.rank).toBe(8);
  });
});

test.each([
  ['a function', { name: 'mine', schedule: () => 1 }],
  ['no finite number', { name: 'mine', constant: Number.NaN }],
  ['an infinite number', { name: 'mine', constant: { of: [Infinity] } }],
  ['a big integer', { name: 'mine', constant: 1n }],
  ['a symbol', { name: 'mine', constant: Symbol('x') }],
  ['a Map', { name: 'mine', constant: new Map() }],
  ['a typed array', { name: 'mine', constant: new Float32Array(2) }],
  ['itself', Object.assign({ name: 'mine' }, { constant: {} as Record<string, unknown> })],
])('a config of an optimizer of one’s own with %s is refused before training', (kind, config) => {
  if (kind === 'itself') (config as { constant: Record<string, unknown> }).constant.it = config;
  const optimizer = { config, slots: [], update: () => undefined } as unknown as Optimizer;
  for (const make of [
    () => new MF({ optimizer }),
    () => new FM({ optimizer }),
    () => new WideDeep({ wideOptimizer: optimizer }),
  ]) {
    const fault = faultOf(make);
    expect(fault).toBeInstanceOf(OptionError);
    expect(fault.option).toMatch(/^(optimizer|wideOptimizer)\.config/);
  }
});
