// What goes wrong most often, in one table: the class of the error, and what its message must name.

import { rmSync } from 'node:fs';
import {
  adam,
  compare,
  createRecommender,
  crossValidate,
  evaluateRatings,
  Interactions,
  MF,
  MFModel,
  OpmfError,
  OverparamMF,
  OverparamMFModel,
  sgd,
  warmup,
} from '../../src';
import { DATA_ERRORS, folder } from './data-errors';
import { data, fitted, type Row, wrong } from './wrong-input';

afterAll(() => rmSync(folder, { recursive: true }));

const table: readonly Row[] = [
  ...DATA_ERRORS,
  // Options
  ['rank 0', () => new OverparamMF({ rank: 0 }), 'OptionError', ['rank', '0', 'from 1']],
  ['a rank in words', () => new MF({ rank: wrong('32') }), 'OptionError', ['rank', '"32"']],
  ['rank 1.5', () => new MF({ rank: 1.5 }), 'OptionError', ['rank', '1.5', 'whole number']],
  ['an unknown option', () => new MF(wrong({ rnak: 3 })), 'OptionError', ["'rnak'", "did you mean 'rank'"]],
  ['options that are no object', () => new MF(wrong(32)), 'OptionError', ['options', '32', 'rank']],
  [
    'a dense width below the rank',
    () => new OverparamMF({ rank: 8, overparam: { kind: 'dense', width: 4 } }),
    'OptionError',
    ['overparam.width', '4', '8', 'rank'],
  ],
  [
    'the same of a bare model',
    () => new OverparamMFModel({ users: 2, items: 2, rank: 8, overparam: { kind: 'dense', width: 4 } }),
    'OptionError',
    ['overparam.width', '4', '8'],
  ],
  [
    'an unknown kind',
    () => new OverparamMF({ overparam: { kind: wrong('diag') } }),
    'OptionError',
    ['overparam.kind', '"diag"', 'diagonal'],
  ],
  [
    'an unknown field of a product',
    () => new OverparamMF({ overparam: wrong({ kind: 'scalar', deph: 3 }) }),
    'OptionError',
    ["'overparam.deph'", "'overparam.depth'"],
  ],
  [
    'a product that starts at 0',
    () => new OverparamMF({ overparam: { kind: 'scalar', init: 0 } }),
    'OptionError',
    ['overparam.init', '0'],
  ],
  [
    'an unknown table',
    () => new OverparamMF(wrong({ overparam: { users: { kind: 'scalar' } } })),
    'OptionError',
    ["'users'", 'userEmbedding'],
  ],
  [
    'a product in MF',
    () => new MF(wrong({ overparam: { kind: 'scalar' } })),
    'OptionError',
    ['overparam', 'OverparamMF'],
  ],
  ['an unknown optimizer', () => new MF({ optimizer: wrong('adm') }), 'OptionError', ['optimizer', '"adm"', "'adam'"]],
  ['a learning rate of 0', () => sgd({ learningRate: 0 }), 'OptionError', ['learningRate', '0', 'above 0']],
  ['a constant out of range', () => adam({ beta1: 1 }), 'OptionError', ['beta1', '1']],
  [
    'the same inside a recommender',
    () => new MF({ optimizer: { name: 'adam', beta1: 1 } }),
    'OptionError',
    ['optimizer.beta1', '1'],
  ],
  ['a schedule out of range', () => warmup(0.1, { fraction: 1 }), 'OptionError', ['fraction', '1']],
  ['an unknown loss', () => new MF({ loss: wrong('square') }), 'OptionError', ['loss', '"square"', "'squared'"]],
  ['a negative penalty', () => new MF({ regularization: -1 }), 'OptionError', ['regularization', '-1', 'at least 0']],
  [
    'an unknown scaling',
    () => new MF({ regularization: { scaling: wrong('sqrt') } }),
    'OptionError',
    ['regularization.scaling', '"sqrt"'],
  ],
  [
    'an unknown recommender',
    () => createRecommender(wrong('svd')),
    'OptionError',
    ['recommender', '"svd"', 'overparam-mf'],
  ],
  ['a model without users', () => new MFModel(wrong({ items: 3 })), 'OptionError', ['users', 'at least 1']],
  [
    'early stopping without validation',
    () => new MF().fit(data, { earlyStopping: { patience: 2 } }),
    'OptionError',
    ['validation', 'earlyStopping'],
  ],
  [
    'an unknown metric',
    () => new MF().fit(data, { validation: data, metrics: [wrong('rsme')] }),
    'OptionError',
    ['metrics[0]', '"rsme"', "'rmse'"],
  ],
  [
    'values that a logistic loss cannot take',
    () => new MF({ loss: 'logistic' }).fit(data),
    'DataError',
    ['logistic', '1 to 5'],
  ],
  // Asking
  [
    'a question before fit',
    () => new OverparamMF().predict('ann', 'tea'),
    'NotFittedError',
    ['OverparamMF.predict()', 'fit'],
  ],
  [
    'similar items of an unknown one',
    async () => (await fitted()).similarItems('coffee'),
    'UnknownIdError',
    ['"coffee"', 'similarItems', 'string'],
  ],
  [
    'similar users of an unknown one',
    async () => (await fitted()).similarUsers(7),
    'UnknownIdError',
    ['7', 'similarUsers', 'number'],
  ],
  ['n below 0', async () => (await fitted()).recommend('1', { n: -1 }), 'OptionError', ['n is -1', 'at least 0']],
  [
    'an effective update that has no closed form',
    () =>
      new OverparamMFModel({ users: 1, items: 1, rank: 2, overparam: { kind: 'diagonal' } }).effectiveUpdate(
        'user',
        0,
        new Float32Array(2),
        0.1,
      ),
    'UnsupportedError',
    ['effectiveUpdate', 'scalar', 'dense'],
  ],
  [
    'a score of a row that is not there',
    () => new MFModel({ users: 2, items: 2, rank: 2 }).score(2, 0),
    'OptionError',
    ['user', '2', '0 to 1'],
  ],
  // Training and evaluating
  [
    'a diverging learning rate',
    () => new OverparamMF({ optimizer: sgd({ learningRate: 1e4 }) }).fit(data),
    'DivergenceError',
    ['epoch 1', "parameter '", '10000', 'lower learningRate'],
  ],
  [
    'an empty test set',
    async () => await evaluateRatings(await fitted(), Interactions.from([])),
    'DataError',
    ['test has no ratings'],
  ],
  ['one fold', () => crossValidate(new MF(), data, { folds: 1 }), 'OptionError', ['folds', '1', 'at least 2']],
  [
    'unfair terms',
    () => compare(data, { terms: wrong('fair') }),
    'OptionError',
    ['terms', '"fair"', 'paper, matched, tuned'],
  ],
];

test.each(table)('%s', async (_, act, name, parts) => {
  const error = await Promise.resolve()
    .then(act)
    .then(
      () => new Error('nothing was thrown'),
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(OpmfError);
  expect(error).toMatchObject({ name });
  const { message } = error as Error;
  for (const part of parts) expect(message).toContain(part);
  // One line, that says more than a word, and does not leak what was not asked for.
  expect(message).toMatch(/^[^\n]{15,400}$/);
  expect(message).not.toMatch(/undefined is not|\[object Object\]/);
});
