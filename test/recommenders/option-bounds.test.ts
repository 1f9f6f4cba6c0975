// Options that no training stands are refused before one starts, by what is wrong with them: sizes, symbols, and keys that
// a copy would lose.

import { OptionError } from '../../src/core/errors';
import { createRecommender, RECOMMENDER_NAMES } from '../../src/recommenders/registry';

const hidden = Object.defineProperty({ kind: 'scalar' }, 'depth', { value: 2 });
const symbol = Symbol('key');
const circle: Record<string, unknown> = { kind: 'scalar' };
circle.itself = circle;

/** Wrong wherever there is such an option. */
const WRONG: readonly (readonly [option: string, values: readonly unknown[]])[] = [
  ['rank', [2 ** 31, 2 ** 53, 0, -1, 1.5, Number.NaN, '8', 1n, symbol, [8], null]],
  ['embeddingDim', [2 ** 31, 0, symbol]],
  ['hidden', [[2 ** 31], [65_536, 2 ** 31], [65_536, 65_536], [symbol], symbol, { 0: 4 }, 'auto']],
  ['epochs', [2 ** 31, 100_001, 0, Infinity, symbol]],
  ['batchSize', [2 ** 53, 1e300, 0, -8, 0.5, symbol]],
  ['threads', [257, 2 ** 31, 0, symbol]],
  ['negatives', [2 ** 31, 1e9, -1, 0.5, symbol, { count: symbol }, { count: 2, [symbol]: 1 }, new Map()]],
  [
    'optimizer',
    [
      null,
      symbol,
      { name: 'sgd', learningRate: null },
      { name: symbol },
      { name: 'sgd', learningRate: symbol },
      { name: 'sgd', [symbol]: 1 },
    ],
  ],
  ['regularization', [symbol, { [symbol]: 1 }, -1, Number.NaN]],
  ['seed', [symbol, Number.NaN, {}]],
  [
    'overparam',
    [
      ...[2 ** 31, 2 ** 53, 4097, 0, symbol].map((width) => ({ kind: 'dense', width })),
      ...[2 ** 31, 0, 1.5, symbol].map((depth) => ({ kind: 'scalar', depth })),
      ...[symbol, { kind: symbol }, { kind: 'scalar', [symbol]: 1 }, { [symbol]: { kind: 'scalar' } }],
      ...[hidden, circle, new Map(), Promise.resolve({ kind: 'scalar' }), Object.create({ kind: 'scalar' })],
    ],
  ],
];

describe.each(RECOMMENDER_NAMES)('%s', (name) => {
  const known = createRecommender(name).options;
  const own = WRONG.filter(([option]) => Object.hasOwn(known, option));

  test('refuses them all, in few words', () => {
    for (const [option, values] of own) {
      for (const value of values) {
        const make = () => createRecommender(name, { [option]: value } as never);
        expect(make).toThrow(OptionError);
        expect(make).toThrow(/^.{1,400}$/);
      }
    }
    expect(() => createRecommender(name, { [symbol]: 1 } as never)).toThrow(OptionError);
  });
});
