// Configurations: the defaults are a contract, JSON is enough to rebuild a rule, and bad input names the option.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OptionError } from '../../src/core/errors';
import { adadelta } from '../../src/optimizers/adadelta';
import { adagrad } from '../../src/optimizers/adagrad';
import { adam } from '../../src/optimizers/adam';
import { ftrl } from '../../src/optimizers/ftrl';
import {
  constant,
  cosine,
  exponential,
  inverse,
  LearningRates,
  linear,
  warmup,
} from '../../src/optimizers/learning-rate';
import { momentum } from '../../src/optimizers/momentum';
import { nesterov } from '../../src/optimizers/nesterov';
import type { Optimizer } from '../../src/optimizers/optimizer';
import { OPTIMIZER_NAMES, resolveOptimizer } from '../../src/optimizers/registry';
import { rmsprop } from '../../src/optimizers/rmsprop';
import { sgd } from '../../src/optimizers/sgd';

const factories = { sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, ftrl };

test.each([
  [sgd(), { name: 'sgd', learningRate: 0.01, weightDecay: 0 }],
  [momentum(), { name: 'momentum', learningRate: 0.01, momentum: 0.9, weightDecay: 0 }],
  [nesterov(), { name: 'nesterov', learningRate: 0.01, momentum: 0.9, weightDecay: 0 }],
  [
    adagrad(),
    { name: 'adagrad', learningRate: 0.05, epsilon: 1e-10, initialAccumulator: 0, per: 'element', weightDecay: 0 },
  ],
  [adadelta(), { name: 'adadelta', learningRate: 1, rho: 0.9, epsilon: 1e-6, weightDecay: 0 }],
  [rmsprop(), { name: 'rmsprop', learningRate: 0.01, alpha: 0.99, epsilon: 1e-8, momentum: 0, weightDecay: 0 }],
  [adam(), { name: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }],
  [ftrl(), { name: 'ftrl', learningRate: 0.1, beta: 1, l1: 0, l2: 0, weightDecay: 0 }],
])('the defaults of %j', (config, expected) => {
  expect(config).toStrictEqual(expected);
  expect(Object.isFrozen(config)).toBe(true);
});

test.each(OPTIMIZER_NAMES)('%s: name, configuration, JSON and factory are one rule', (name) => {
  const rates = { embedding: 0.02, bias: 0.05 };
  const weightDecay = 0.01;
  const config =
    name === 'ftrl'
      ? ftrl({ learningRate: rates, weightDecay })
      : factories[name]({ learningRate: cosine(rates), weightDecay });
  const rule = resolveOptimizer(JSON.parse(JSON.stringify(config)));
  expect(rule.config).toStrictEqual(config);
  expect(resolveOptimizer(name).config).toStrictEqual(factories[name]());
  expect(resolveOptimizer({ name }).config).toStrictEqual(factories[name]());
  expect(resolveOptimizer(rule)).toBe(rule);
});

test.each([
  [sgd(), []],
  [momentum(), ['buffer:element']],
  [nesterov(), ['buffer:element']],
  [adagrad(), ['sum:element']],
  [adagrad({ per: 'row' }), ['sum:row']],
  [adadelta(), ['squareAverage:element', 'stepAverage:element']],
  [rmsprop(), ['squareAverage:element']],
  [rmsprop({ momentum: 0.5 }), ['squareAverage:element', 'buffer:element']],
  [adam(), ['average:element', 'squareAverage:element']],
  [ftrl(), ['lead:element', 'squares:element']],
])('the memory of %j', (config, slots) => {
  expect(resolveOptimizer(config).slots.map(({ name, shape }) => `${name}:${shape}`)).toEqual(slots);
});

test('adagrad starts its sums at initialAccumulator', () => {
  expect(resolveOptimizer(adagrad({ initialAccumulator: 0.1 })).slots[0]!.initial).toBe(0.1);
});

const rule: Optimizer = { config: { name: 'mine' }, slots: [{ name: 'a', shape: 'row' }], update: () => {} };
const loose = (value: unknown) => value as never;

test.each<[option: string, message: RegExp, call: () => unknown]>([
  ['learningRate', /learningRate is 0; want a finite number above 0/, () => sgd({ learningRate: 0 })],
  ['learningRate', /-0\.1/, () => sgd({ learningRate: -0.1 })],
  ['learningRate', /NaN/, () => adam({ learningRate: Number.NaN })],
  ['learningRate', /Infinity/, () => adam({ learningRate: Number.POSITIVE_INFINITY })],
  ['learningRate', /schedule such as/, () => adam({ learningRate: loose('0.1') })],
  ['learningRate', /null/, () => adam({ learningRate: loose(null) })],
  ['learningRate', /an array of 1/, () => adam({ learningRate: loose([0.1]) })],
  [
    'optimizer.config.name',
    /none of this library/,
    () => resolveOptimizer({ ...rule, config: { ...rule.config, name: 'sgd' } }),
  ],
  ['learningRate.bias', /above 0/, () => sgd({ learningRate: { bias: 0 } })],
  ['learningRate.bais', /did you mean 'learningRate.bias'/, () => sgd({ learningRate: loose({ bais: 0.1 }) })],
  [
    'learningRate.schedule',
    /did you mean 'cosine'/,
    () => sgd({ learningRate: loose({ schedule: 'cosin', rate: 1 }) }),
  ],
  ['learningRate.rate', /undefined/, () => sgd({ learningRate: loose({ schedule: 'cosine' }) })],
  ['learningRate.rate.map', /above 0/, () => sgd({ learningRate: loose({ schedule: 'cosine', rate: { map: -1 } }) })],
  ['learningRate.finl', /did you mean/, () => sgd({ learningRate: loose({ schedule: 'linear', rate: 1, finl: 0 }) })],
  [
    'learningRate.rate.final',
    /above 0/,
    () => sgd({ learningRate: loose({ schedule: 'warmup', rate: { schedule: 'exponential', rate: 1, final: 0 } }) }),
  ],
  ['weightDecay', /of at least 0/, () => sgd({ weightDecay: -1 })],
  ['momentum', /below 1/, () => momentum({ momentum: 1 })],
  ['momentum', /of at least 0/, () => nesterov({ momentum: -0.1 })],
  ['epsilon', /of at least 1e-30/, () => adagrad({ epsilon: 0 })],
  ['initialAccumulator', /of at least 0/, () => adagrad({ initialAccumulator: -1 })],
  ['per', /element, row/, () => adagrad({ per: loose('column') })],
  ['rho', /below 1/, () => adadelta({ rho: 1 })],
  ['alpha', /below 1/, () => rmsprop({ alpha: 1.5 })],
  ['momentum', /below 1/, () => rmsprop({ momentum: 2 })],
  ['beta1', /below 1/, () => adam({ beta1: 1 })],
  ['beta2', /of at least 0/, () => adam({ beta2: -1 })],
  ['epsilon', /of at least 1e-30/, () => adam({ epsilon: 1e-46 })],
  ['beta', /did you mean 'beta1'/, () => adam(loose({ beta: 0.9 }))],
  ['options', /want an object/, () => adam(loose(0.001))],
  ['name', /unknown option/, () => sgd(loose({ name: 'sgd' }))],
  ['rate', /above 0/, () => constant(0)],
  ['rate.bias', /above 0/, () => cosine({ bias: -1 })],
  ['rate', /such as/, () => warmup(loose(undefined))],
  ['final', /of at most 1/, () => exponential(1, { final: 2 })],
  ['final', /from 0 to 1/, () => cosine(1, { final: -1 })],
  ['final', /from 0 to 1/, () => linear(1, { final: 1.1 })],
  ['decay', /of at least 0/, () => inverse(1, { decay: -1 })],
  ['fraction', /below 1/, () => warmup(1, { fraction: 1 })],
  ['rate', /schedule such as/, () => constant(loose('0.1'))],
  ['rate.schedule', /unknown option/, () => cosine(loose(cosine(1)))],
  ['optimizer', /did you mean 'adam'/, () => resolveOptimizer(loose('adan'))],
  ['optimizer', /a function; want a name/, () => resolveOptimizer(loose(adam))],
  ['optimizer', /undefined/, () => resolveOptimizer(loose(undefined))],
  ['optimizer', /an array of 0/, () => resolveOptimizer(loose([]))],
  ['optimizer.name', /undefined/, () => resolveOptimizer(loose({}))],
  ['optimizer.name', /one of sgd/, () => resolveOptimizer({ name: 'toString' })],
  ['optimizer.beta3', /did you mean 'optimizer.beta1'/, () => resolveOptimizer({ name: 'adam', beta3: 0.9 })],
  ['optimizer.beta1', /below 1/, () => resolveOptimizer({ name: 'adam', beta1: 2 })],
  ['optimizer.learningRate.bias', /above 0/, () => resolveOptimizer({ name: 'sgd', learningRate: { bias: 0 } })],
  ['optimizer.config', /plain JSON/, () => resolveOptimizer(loose({ ...rule, config: undefined }))],
  ['optimizer.config.name', /a string/, () => resolveOptimizer(loose({ ...rule, config: {} }))],
  [
    'optimizer.config.learningRate',
    /above 0/,
    () => resolveOptimizer({ ...rule, config: { name: 'a', learningRate: -1 } }),
  ],
  ['optimizer.slots', /empty for a rule without memory/, () => resolveOptimizer(loose({ ...rule, slots: undefined }))],
  ['optimizer.slots[0].name', /a string/, () => resolveOptimizer(loose({ ...rule, slots: [null] }))],
  [
    'optimizer.slots[0].shape',
    /one of element/,
    () => resolveOptimizer(loose({ ...rule, slots: [{ name: 'a', shape: 'col' }] })),
  ],
  [
    'optimizer.slots[1].name',
    /no other slot/,
    () => resolveOptimizer({ ...rule, slots: [rule.slots[0]!, rule.slots[0]!] }),
  ],
  [
    'optimizer.slots[0].initial',
    /a finite number/,
    () => resolveOptimizer({ ...rule, slots: [{ name: 'a', shape: 'row', initial: Number.NaN }] }),
  ],
  ['learningRate.bias', /above 0/, () => new LearningRates({ bias: 0 })],
  ['learningRate', /above 0/, () => new LearningRates(-1)],
])('bad %s: %p', (option, message, call) => {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(OptionError);
  expect((caught as OptionError).option).toBe(option);
  expect((caught as OptionError).message).toMatch(message);
});

test("a caller's own rule is used as it is", () => {
  expect(resolveOptimizer(rule)).toBe(rule);
});

test('no function whose last bit an engine may choose stands in this layer', () => {
  const folder = join(__dirname, '../../src/optimizers');
  for (const file of readdirSync(folder)) {
    const code = readFileSync(join(folder, file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
    const found = /Math\.(?!sqrt\b)\w+|\*\*/.exec(code)?.[0];
    // Math.sign stands in the example of the seam only, which is a comment.
    expect([file, found]).toEqual([file, undefined]);
  }
});
