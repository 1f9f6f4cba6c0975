// The option `overparam`: what it means for each table, and what a caller is told of a slip.

import { planOverparam, readProduct } from '../../src/parameters/overparam';
import { faultOf } from '../support/fault-of';

const DIMS = new Map([
  ['userEmbedding', 4],
  ['itemEmbedding', 4],
  ['userBias', 1],
  ['itemBias', 1],
]);
const plan = (given: unknown, dims = DIMS) => planOverparam('Model', given, dims);
const planned = (given: unknown, dims = DIMS): string[] =>
  [...plan(given, dims)].filter(([, spec]) => spec !== undefined).map(([table]) => table);

const SCALAR = { kind: 'scalar', scope: 'row', depth: 2, width: 1, init: 1, biases: false };

describe('what it means', () => {
  test.each([
    ['no kind', { depth: 2 }, SCALAR],
    ['scalar', { kind: 'scalar' }, SCALAR],
    ['diagonal', { kind: 'diagonal', init: -2 }, { ...SCALAR, kind: 'diagonal', init: -2 }],
    [
      'dense is shared, its width the dimension',
      { kind: 'dense' },
      { ...SCALAR, kind: 'dense', scope: 'shared', width: 0 },
    ],
    [
      'all fields',
      { ...SCALAR, scope: 'shared', depth: 16, width: 9 },
      { ...SCALAR, scope: 'shared', depth: 16, width: 9 },
    ],
    ['fields of undefined', { kind: 'scalar', depth: undefined }, SCALAR],
  ])('%s', (_, given, wanted) => {
    expect(readProduct('Model', given)).toEqual(wanted);
    expect(plan(given).get('userEmbedding')).toEqual(wanted);
  });
  test('false, undefined and nothing named: every table is plain', () => {
    expect(planned(false)).toEqual([]);
    expect(planned({})).toEqual([]);
    expect(planned(undefined)).toEqual([]);
  });
  test('one product is for the embeddings, and for the biases where it says so', () => {
    expect(planned({ kind: 'scalar' })).toEqual(['userEmbedding', 'itemEmbedding']);
    expect(planned({ kind: 'scalar', biases: true })).toEqual([...DIMS.keys()]);
    expect(planned({ kind: 'dense', biases: true })).toEqual([...DIMS.keys()]);
  });
  test('biases is not a field of a product of one table: its name says it', () => {
    expect(() => plan({ userEmbedding: { kind: 'scalar', biases: true } })).toThrow('overparam.userEmbedding.biases');
  });
  test('embeddings of rank 1 are embeddings', () => {
    const dims = new Map([...DIMS.keys()].map((table) => [table, 1] as const));
    expect(planned({ kind: 'scalar' }, dims)).toEqual(['userEmbedding', 'itemEmbedding']);
  });
  test('products by name: a table that is not named, or false, or undefined, is plain', () => {
    expect(planned({ itemEmbedding: { kind: 'scalar' }, userBias: { kind: 'scalar' } })).toEqual([
      'itemEmbedding',
      'userBias',
    ]);
    expect(planned({ itemEmbedding: false, userEmbedding: undefined })).toEqual([]);
    expect(plan({ userEmbedding: { kind: 'dense', width: 5 } }).get('userEmbedding')).toMatchObject({ width: 5 });
  });
  test('a depth of 1 is plain', () => {
    expect(planned({ kind: 'dense', depth: 1 })).toEqual([]);
    expect(planned({ userEmbedding: { kind: 'scalar', depth: 1 }, itemEmbedding: {} })).toEqual(['itemEmbedding']);
  });
  test('a dense width of the dimension or more is taken', () => {
    for (const width of [4, 5, 400]) expect(planned({ kind: 'dense', width })).toHaveLength(2);
  });
});

describe('what a caller is told', () => {
  const faults: readonly [given: unknown, option: string, message: RegExp][] = [
    [true, 'overparam', /^overparam is true; want false, an object such as \{ kind: 'scalar', depth: 2 \}, or one/],
    [null, 'overparam', /^overparam is null; want false/],
    ['scalar', 'overparam', /^overparam is "scalar"; want false/],
    [2, 'overparam', /^overparam is 2; want/],
    [[], 'overparam', /^overparam is an array of 0; want false, an object/],
    [
      { kind: 'scaler' },
      'overparam.kind',
      /is "scaler"; want one of scalar, diagonal, dense \(did you mean 'scalar'\?\)/,
    ],
    [{ kind: 'scalar', scope: 'user' }, 'overparam.scope', /is "user"; want one of row, shared/],
    [{ kind: 'dense', scope: 'row' }, 'overparam.scope', /is "row"; want 'shared' for kind 'dense'.*kind 'diagonal'/],
    [{ kind: 'scalar', depth: 0 }, 'overparam.depth', /is 0; want a whole number from 1 to 16/],
    [{ kind: 'scalar', depth: 17 }, 'overparam.depth', /is 17; want/],
    [{ kind: 'scalar', depth: 2.5 }, 'overparam.depth', /is 2.5; want a whole number/],
    [{ kind: 'scalar', depth: '2' }, 'overparam.depth', /is "2"; want a whole number/],
    [{ kind: 'scalar', width: 0 }, 'overparam.width', /is 0; want a whole number from 1 to 4096/],
    [{ kind: 'dense', width: 0 }, 'overparam.width', /is 0; want a whole number from 1 to 4096/],
    [
      { kind: 'dense', width: 3 },
      'overparam.width',
      /is 3; want at least 4, the dimension of userEmbedding: less would/,
    ],
    [{ kind: 'scalar', init: 0 }, 'overparam.init', /is 0; want a finite number other than 0/],
    [{ kind: 'scalar', init: Number.NaN }, 'overparam.init', /is NaN; want a finite number/],
    [{ kind: 'scalar', init: Infinity }, 'overparam.init', /is Infinity; want a finite number/],
    [{ kind: 'scalar', init: 1e-300 }, 'overparam.init', /is 1e-300; want a value whose power 1 .* from 1e-12 to 1/],
    [{ kind: 'scalar', init: -1e6, depth: 4 }, 'overparam.init', /is -1000000; want a value whose power 3/],
    [{ kind: 'dense', init: 1e200, depth: 16 }, 'overparam.init', /is 1e\+200; want a value whose power 15/],
    [{ kind: 'scalar', biases: 'yes' }, 'overparam.biases', /is "yes"; want true or false/],
    [
      { kind: 'scalar', dept: 3 },
      'overparam.dept',
      /unknown option 'overparam.dept'; did you mean 'overparam.depth'\?/,
    ],
    [
      { userEmbeding: {} },
      'overparam.userEmbeding',
      /names no parameter 'userEmbeding'.*products for userEmbedding, item/,
    ],
    [{ itemEmbedding: true }, 'overparam.itemEmbedding', /overparam.itemEmbedding is true; want an object/],
    [{ itemEmbedding: null }, 'overparam.itemEmbedding', /overparam.itemEmbedding is null; want an object/],
    [{ itemEmbedding: { depth: 0 } }, 'overparam.itemEmbedding.depth', /^overparam.itemEmbedding.depth is 0; want/],
    [{ itemEmbedding: { kind: 'dense', width: 2 } }, 'overparam.itemEmbedding.width', /is 2; want at least 4/],
    [JSON.parse('{ "__proto__": {} }'), 'overparam.__proto__', /names no parameter '__proto__'/],
  ];
  test.each(faults)('%p: %s', (given, option, message) => {
    const fault = faultOf(() => plan(given));
    expect(fault.option).toBe(option);
    expect(fault.message).toMatch(message);
  });
  test('a product without maps may have any init', () => {
    expect(planned({ kind: 'scalar', depth: 1, init: 1e-300 })).toEqual([]);
  });
});

test.each([
  [{ kind: 'dense', depth: 6, width: 4096 }, 'overparam.depth', 'maps have 83886080 numbers, and 67108864 is the most'],
  [
    { kind: 'scalar', width: 4096 },
    'overparam.width',
    'a row of userEmbedding has 524288 numbers, and 131072 is the most',
  ],
  [{ kind: 'diagonal', depth: 3, width: 2000 }, 'overparam.width', 'has 384000 numbers, and 196608 is the most'],
])('%j is larger than any memory is for', (given, name, most) => {
  const dims = new Map([...DIMS, ['userEmbedding', 64]]);
  expect(() => plan(given, dims)).toThrow(name);
  expect(() => plan(given, dims)).toThrow(most);
});
