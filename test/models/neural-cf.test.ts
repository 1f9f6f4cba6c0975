// GMF, MLP and NeuMF: scores by their formulas, and the gradient of every element of every parameter, whatever products
// these are.

import { Stream } from '../../src/core/random';
import { NeuralCFModel, type NeuralCFModelOptions, neuralTables } from '../../src/models/neural-cf';
import { logistic, squared } from '../../src/training/losses';
import { BATCH } from '../contract/models';
import { pulledBack, worstGradientError } from '../support/gradient-check';
import { nameOf, productSpecs } from '../support/product-specs';

const SHAPE: NeuralCFModelOptions = {
  users: 4,
  items: 5,
  variant: 'neumf',
  rank: 3,
  embeddingDim: 2,
  hidden: [3, 2],
  activation: 'tanh',
  dropout: 0,
  initScale: 0.5,
  overparam: false,
  seed: 1,
  precision: 'float64',
};
type More = Partial<NeuralCFModelOptions>;

/** A model away from its start, as training leaves it. */
function scattered(more: More = {}, seed = 3): NeuralCFModel {
  const model = new NeuralCFModel({ ...SHAPE, ...more });
  const stream = Stream.of(seed);
  for (const { factors } of model.parameters)
    for (const { data } of factors) for (let i = 0; i < data.length; i++) data[i] = 0.5 * stream.normal();
  return model;
}

function scoresOf(model: NeuralCFModel, step = 1): Float64Array {
  const scores = new Float64Array(BATCH.users.length).fill(Number.NaN);
  model.select(BATCH);
  model.forward(BATCH, scores, step);
  return scores;
}

/** The worst error of any gradient of the loss of the batch. */
function worst(model: NeuralCFModel, loss = logistic): { error: number; factor: string } {
  const { count, targets, weights } = BATCH;
  const gScores = new Float64Array(count);
  const objective = () => loss.evaluate({ scores: scoresOf(model), targets, weights, count }, gScores);
  objective();
  for (const parameter of model.parameters) parameter.clear();
  model.backward(BATCH, gScores);
  return worstGradientError(model.parameters, pulledBack(model.parameters), objective);
}

/** The score of a pair by the formulas of the paper. */
function scoreByHand(model: NeuralCFModel, user: number, item: number): number {
  const table = (name: string) => {
    const found = model.parameters.find((one) => one.name === name);
    return found === undefined ? null : { dim: found.dim, values: found.collapse() };
  };
  const row = (name: string, index: number): number[] => {
    const { dim, values } = table(name)!;
    return Array.from(values.subarray(index * dim, (index + 1) * dim));
  };
  let made: number[] = [];
  if (table('gmfUser') !== null) {
    const q = row('gmfItem', item);
    made = row('gmfUser', user).map((p, k) => p * q[k]!);
  }
  if (table('mlpUser') !== null) {
    let layer = [...row('mlpUser', user), ...row('mlpItem', item)];
    for (const name of ['mlp1', 'mlp2']) {
      const { dim, values } = table(name)!;
      const shift = row(`${name}Bias`, 0);
      layer = shift.map((b, j) => Math.tanh(layer.reduce((sum, x, l) => sum + x * values[l * dim + j]!, b)));
    }
    made = [...made, ...layer];
  }
  const output = table('output')!.values;
  return made.reduce((sum, x, k) => sum + x * output[k]!, table('outputBias')!.values[0]!);
}

describe.each(['neumf', 'gmf', 'mlp'] as const)('%s', (variant) => {
  test('scores are those of the formula, of these pairs and no others', () => {
    const model = scattered({ variant });
    const scores = scoresOf(model);
    for (let s = 0; s < BATCH.count; s++)
      expect(scores[s]!).toBeCloseTo(scoreByHand(model, BATCH.users[s]!, BATCH.items[s]!), 12);
    expect(scores[BATCH.count]).toBeNaN();
  });

  test('its tables are as it says', () => {
    const { parameters } = new NeuralCFModel({ ...SHAPE, variant });
    const said = neuralTables({ ...SHAPE, variant }, SHAPE.users, SHAPE.items);
    expect(parameters.map(({ name, rows, dim }) => [name, rows, dim])).toEqual(said);
  });

  test('starts at the same plain model whatever the product', () => {
    const start = (more: More) => scoresOf(new NeuralCFModel({ ...SHAPE, variant, ...more }));
    const plain = start({});
    const product = start({ overparam: { kind: 'dense', depth: 3, init: 0.8 } });
    for (let s = 0; s < BATCH.count; s++) expect(product[s]!).toBeCloseTo(plain[s]!, 10);
  });

  test.each([logistic, squared])('every gradient, $name loss', (loss) => {
    expect(worst(scattered({ variant }), loss).error).toBeLessThanOrEqual(1e-6);
  });

  test.each(productSpecs(3, [1.5]).map((spec) => [nameOf(spec), spec] as const))('every gradient: %s', (_, spec) => {
    const { kind, scope, depth, width, init } = spec;
    const product = { kind, scope, depth, width, init };
    expect(worst(scattered({ variant, overparam: product })).error).toBeLessThanOrEqual(1e-5);
  });
});

test.each<[More]>([
  [{ dropout: 0.4 }],
  [{ activation: 'relu' }],
  [{ activation: 'sigmoid' }],
  [{ embeddingDim: 2, hidden: [] }],
  [
    {
      overparam: {
        mlp1: { kind: 'dense', depth: 3, width: 7 },
        gmfItem: { kind: 'scalar' },
        output: { kind: 'diagonal' },
      },
    },
  ],
])('every gradient: %j', (more) => {
  // A start at which differences pass no kink of a rectifier.
  expect(worst(scattered(more, 4)).error).toBeLessThanOrEqual(1e-5);
});

test('predictions drop nothing', () => {
  const model = scattered({ dropout: 0.5 });
  expect(scoresOf(model, 0)).toEqual(scoresOf(scattered(), 1));
  expect(scoresOf(model, 1)).not.toEqual(scoresOf(model, 2));
});

test('one product for all: embeddings, dense layers where it is dense', () => {
  const written = (overparam: unknown) =>
    new NeuralCFModel({ ...SHAPE, overparam }).parameters
      .filter(({ factors }) => factors.length > 1)
      .map(({ name }) => name);
  const tables = ['gmfUser', 'gmfItem', 'mlpUser', 'mlpItem'];
  expect(written({ kind: 'scalar', biases: true })).toEqual(tables);
  expect(written({ kind: 'dense' })).toEqual([...tables, 'mlp1', 'mlp2', 'output']);
  expect(written({ mlp2: { kind: 'diagonal' } })).toEqual(['mlp2']);
  expect(() => written({ mlp3: { kind: 'dense' } })).toThrow("overparam names no parameter 'mlp3'");
});
