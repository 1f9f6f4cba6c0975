// The blocks of networks against their definitions by hand, and the gradient of every element by finite differences.

import { Stream } from '../../src/core/random';
import { ACTIVATIONS, layerDims } from '../../src/models/forward';
import type { Layer } from '../../src/models/layers';
import { Activation, BatchNorm, DenseLayer, Dropout, Perceptron } from '../../src/models/layers';
import type { Real } from '../../src/optimizers/factor';
import { planOverparam } from '../../src/parameters/overparam';
import { differences, gradientError, pulledBack, worstGradientError } from '../support/gradient-check';
import { nameOf, productSpecs } from '../support/product-specs';

const ROWS = 5;
const stream = Stream.of(7).fork('parameters');
const draw = (length: number, seed: number): Float64Array => {
  const draws = Stream.of(seed);
  return Float64Array.from({ length }, () => draws.normal());
};

/** A layer with parameters away from their start. */
function scattered<L extends Layer>(layer: L): L {
  let seed = 100;
  for (const { factors, name } of layer.parameters)
    if (!name.endsWith('Statistics')) for (const { data } of factors) data.set(draw(data.length, seed++));
  return layer;
}

/** The worst error of any gradient of sum of (weights x outputs), of parameters and of the input. */
function worstError(layer: Layer, inputs: number, step = 1): number {
  const x = draw(ROWS * inputs, 3);
  layer.select();
  const outputs = layer.forward(x.slice(), ROWS, step).length / ROWS;
  const weights = draw(ROWS * outputs, 4);
  const objective = (): number => {
    layer.select();
    const y = layer.forward(x.slice(), ROWS, step);
    return weights.reduce((sum, weight, i) => sum + weight * y[i]!, 0);
  };
  objective();
  for (const parameter of layer.parameters) parameter.clear();
  const gInput = Float64Array.from(layer.backward(weights.slice(), ROWS));
  const { error } = worstGradientError(layer.parameters, pulledBack(layer.parameters), objective);
  return Math.max(error, gradientError(gInput, differences(x, objective)));
}

describe('dense layer', () => {
  const dense = (product?: Parameters<typeof nameOf>[0]) =>
    new DenseLayer({ name: 'd', inputs: 4, outputs: 3, start: 'he', precision: 'float64', product }, stream);

  test('Y = X W + b, by hand', () => {
    const layer = new DenseLayer({ name: 'd', inputs: 2, outputs: 2, start: 'he', precision: 'float64' }, stream);
    layer.weights.assign(Float64Array.of(1, 2, 3, 4));
    layer.bias!.assign(Float64Array.of(10, 20));
    layer.select();
    expect([...layer.forward(Float64Array.of(1, 1, 2, -1), 2)]).toEqual([14, 26, 9, 20]);
  });

  test('starts within its limit, which it uses, with no bias; another name starts elsewhere', () => {
    const make = (start: 'he' | 'xavier', name = 'd') =>
      new DenseLayer({ name, inputs: 40, outputs: 60, start, precision: 'float64' }, stream);
    for (const [start, fans] of [
      ['he', 40],
      ['xavier', 100],
    ] as const) {
      const limit = Math.sqrt(6 / fans);
      const largest = Math.max(...make(start).weights.values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(limit);
      expect(largest).toBeGreaterThan(0.99 * limit);
    }
    expect(Math.max(...make('he').bias!.values)).toBe(0);
    expect(make('he').weights.values).toEqual(make('he').weights.values);
    expect(make('he').weights.values).not.toEqual(make('he', 'e').weights.values);
  });

  test('gradients are added to what is there: a penalty', () => {
    const layer = scattered(dense());
    const gradient = (start: number) => {
      layer.select();
      layer.forward(draw(ROWS * 4, 3), ROWS);
      layer.weights.grads.fill(start, 0, 12);
      layer.bias!.grads.fill(start, 0, 3);
      layer.backward(draw(ROWS * 3, 4), ROWS);
      return Float64Array.from([...layer.weights.grads.subarray(0, 12), ...layer.bias!.grads.subarray(0, 3)]);
    };
    const [plain, penalized] = [gradient(0), gradient(5)];
    for (let i = 0; i < plain.length; i++) expect(penalized[i]! - plain[i]!).toBeCloseTo(5, 12);
  });

  test.each([undefined, ...productSpecs(3, [1.5])].map((spec) => [spec === undefined ? 'plain' : nameOf(spec), spec]))(
    'gradients: %s',
    (_, spec) => {
      expect(worstError(scattered(dense(spec as Parameters<typeof nameOf>[0])), 4)).toBeLessThan(1e-7);
    },
  );
});

describe('activations', () => {
  test('by hand', () => {
    const of = (name: 'relu' | 'sigmoid' | 'tanh') => [
      ...new Activation(name, 3).forward(Float64Array.of(-1, 0, 2), 1),
    ];
    expect(of('relu')).toEqual([0, 0, 2]);
    for (const [i, x] of [-1, 0, 2].entries()) {
      expect(of('sigmoid')[i]).toBeCloseTo(1 / (1 + Math.exp(-x)), 14);
      expect(of('tanh')[i]).toBeCloseTo(Math.tanh(x), 14);
    }
  });
  test.each(ACTIVATIONS)('gradients: %s', (name) => {
    expect(worstError(new Activation(name, 3), 3)).toBeLessThan(1e-7);
  });
  test('what is not a number stays so: a rectifier does not hide that training broke', () => {
    expect(new Activation('relu', 1).forward(Float64Array.of(Number.NaN), 1)[0]).toBeNaN();
  });
});

describe('dropout', () => {
  const make = (rate: number) => new Dropout(rate, 100, 'float64', Stream.of(1));
  test('drops about its share, scales the rest, and keeps predictions as they are', () => {
    const ones = () => new Float64Array(10_000).fill(1);
    const out = [...make(0.3).forward(ones(), 100, 1)];
    expect(new Set(out)).toEqual(new Set([0, 1 / 0.7]));
    // 10,000 draws at 0.3: a standard deviation of 46.
    expect(Math.abs(out.filter((value) => value === 0).length - 3000)).toBeLessThan(200);
    expect(make(0.3).forward(ones(), 100, 0)).toEqual(ones());
  });
  test('what is dropped follows from the step', () => {
    const layer = make(0.5);
    const at = (step: number) => Array.from(layer.forward(draw(1000, 1), 10, step));
    const first = at(1);
    expect(at(2)).not.toEqual(first);
    expect(at(1)).toEqual(first);
  });
  test('gradients', () => {
    expect(worstError(new Dropout(0.4, 3, 'float64', Stream.of(2)), 3)).toBeLessThan(1e-7);
  });
});

describe('batch normalization', () => {
  const make = () => new BatchNorm('n', 2, 'float64', stream);
  const run = (layer: BatchNorm, x: readonly number[], step: number) => {
    layer.select();
    return [...layer.forward(Float64Array.from(x), x.length / 2, step)];
  };
  test('by hand: mean 0 and variance 1 a column, then scale and shift; predictions by the running averages', () => {
    const layer = make();
    layer.scale.assign(Float64Array.of(2, 1));
    layer.shift.assign(Float64Array.of(0, 5));
    // Columns 1, 3 and 10, 14: means 2 and 12, variances 1 and 4 (over the batch), 2 and 8 (without bias).
    const out = run(layer, [1, 10, 3, 14], 1);
    const [a, b] = [2 / Math.sqrt(1 + 1e-5), 2 / Math.sqrt(4 + 1e-5)];
    for (const [i, wanted] of [-a, 5 - b, a, 5 + b].entries()) expect(out[i]).toBeCloseTo(wanted, 12);
    const statistics = [0.1 * 2, 0.1 * 12, 0.9 + 0.1 * 2, 0.9 + 0.1 * 8];
    for (const [i, wanted] of statistics.entries()) expect(layer.statistics.values[i]).toBeCloseTo(wanted, 12);
    expect(run(layer, [1, 10], 0)[0]).toBeCloseTo((2 * (1 - 0.2)) / Math.sqrt(1.1 + 1e-5), 12);
  });
  test('one row changes no average', () => {
    const layer = make();
    expect(run(layer, [7, 8], 1)).toEqual([0, 0]);
    expect([...layer.statistics.values]).toEqual([0, 0, 1, 1]);
  });
  test('gradients, and none for the averages', () => {
    const layer = scattered(make());
    expect(worstError(layer, 2)).toBeLessThan(1e-7);
    const { factors } = layer.statistics;
    expect([...pulledBack(layer.parameters).get(factors[0]!)!]).toEqual([0, 0, 0, 0]);
  });
});

describe('perceptron', () => {
  const make = (more: Partial<ConstructorParameters<typeof Perceptron>[0]> = {}, overparam: unknown = false) => {
    const hidden = [4, 3];
    const options = { name: 'deep', inputs: 3, hidden, activation: 'tanh', dropout: 0, batchNorm: false } as const;
    const plan = planOverparam('test', overparam, new Map(layerDims('deep', hidden)));
    return new Perceptron({ ...options, precision: 'float64', ...more }, plan, stream);
  };
  test('is its layers, one after another', () => {
    const stack = scattered(make());
    const [w1, b1, w2, b2] = stack.parameters.map(({ values }) => values) as [Real, Real, Real, Real];
    const x = draw(3, 3);
    const layer = (input: ArrayLike<number>, w: Real, b: Real) =>
      [...b].map((shift, j) => {
        let sum = shift;
        for (let l = 0; l < input.length; l++) sum += input[l]! * w[l * b.length + j]!;
        return Math.tanh(sum);
      });
    stack.select();
    const out = stack.forward(x.slice(), 1, 1);
    for (const [i, wanted] of layer(layer(x, w1, b1), w2, b2).entries()) expect(out[i]).toBeCloseTo(wanted, 12);
    expect(stack.parameters.map(({ name }) => name)).toEqual(['deep1', 'deep1Bias', 'deep2', 'deep2Bias']);
  });
  test('every layer drops by a stream of its own', () => {
    const dropped: string[] = [];
    const forward = Dropout.prototype.forward;
    const spy = jest.spyOn(Dropout.prototype, 'forward').mockImplementation(function (this: Dropout, _, count, step) {
      const kept = forward.call(this, new Float64Array(count * 20).fill(1), count, step);
      dropped.push(Array.from(kept, (value) => (value === 0 ? '0' : '1')).join(''));
      return kept;
    });
    const stack = make({ hidden: [20, 20, 20], dropout: 0.5 });
    stack.select();
    stack.forward(draw(ROWS * 3, 3), ROWS, 1);
    spy.mockRestore();
    expect(dropped.length).toBe(3);
    expect(new Set(dropped).size).toBe(3);
  });
  test('without layers it is nothing', () => {
    const stack = make({ hidden: [] });
    expect(stack.outputs).toBe(3);
    expect([...stack.forward(Float64Array.of(1, 2, 3), 1, 1)]).toEqual([1, 2, 3]);
  });
  test.each([
    ['tanh', {}, false],
    ['relu', { activation: 'relu' }, false],
    ['dropout', { dropout: 0.3 }, false],
    ['sigmoid and dropout', { activation: 'sigmoid', dropout: 0.3 }, false],
    ['batch normalization', { batchNorm: true }, false],
    ['everything', { batchNorm: true, dropout: 0.3 }, { kind: 'dense', depth: 3 }],
    ['dense products', {}, { kind: 'dense' }],
    ['one product', {}, { deep2: { kind: 'dense', depth: 3, width: 5 } }],
  ] as const)('gradients: %s', (_, more, overparam) => {
    expect(worstError(scattered(make(more, overparam)), 3)).toBeLessThan(1e-6);
  });
});
