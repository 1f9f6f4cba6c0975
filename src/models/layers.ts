// THE SEAM of the layers of a network: from rows of numbers to rows of numbers, with the gradients by hand. A stack of
// layers is called from first to last and back; there is no tape.

import type { Stream } from '../core/random';
import { type Pausable, runToEnd } from '../core/scheduler';
import * as kernels from '../kernels/dispatch';
import { isWhole, type Move } from '../kernels/heap';
import { LIST } from '../kernels/matrix';
import type { Real } from '../optimizers/factor';
import { createParameter, type OverparamPlan, type ProductSpec, startDraws } from '../parameters/overparam';
import { allocate, type Parameter, type Precision } from '../parameters/parameter';
import { type ActivationName, activate, EPSILON, layerDims, normalize, recallStatistics } from './forward';

/** One layer. What it is given it may change in place, and what it returns is its own until its next call. */
export interface Layer {
  /** Those that are trained, and tables of statistics: no step selects those, so that nothing trains them. */
  readonly parameters: readonly Parameter[];
  /** Makes room for steps of up to `rows` rows, so that no step allocates. */
  reserve(rows: number): void;
  /** Names the rows of its parameters for a step, before their gradients are started. */
  select(): void;
  /** The rows after this layer. `step`: the number of the update, from 1; 0 for predictions. */
  forward(x: Real, count: number, step: number): Real;
  /** Adds to the gradients of its parameters; returns the gradient of what `forward` was given. */
  backward(g: Real, count: number): Real;
  /** Moves all of its arrays, between two steps. */
  move(move: Move): void;
}

// What stands between dense layers, element by element and in place. Each slope is a function of the result, so that
// nothing of the input is kept.

/** relu: max(x, 0), slope 1 above 0; sigmoid: slope y (1 - y); tanh: slope 1 - y^2. */
export class Activation implements Layer {
  readonly parameters = [];
  private y: Real = allocate('float32', 0);

  constructor(
    private readonly name: ActivationName,
    private readonly cols: number,
  ) {}

  reserve(): void {}
  select(): void {}

  forward(x: Real, count: number): Real {
    activate(this.name, x, count * this.cols);
    this.y = x;
    return x;
  }

  backward(g: Real, count: number): Real {
    const { name, y } = this;
    const size = count * this.cols;
    if (name === 'relu') for (let i = 0; i < size; i++) g[i] = y[i]! > 0 ? g[i]! : 0;
    else if (name === 'sigmoid') for (let i = 0; i < size; i++) g[i]! *= y[i]! * (1 - y[i]!);
    else for (let i = 0; i < size; i++) g[i]! *= 1 - y[i]! * y[i]!;
    return g;
  }

  move(_move: Move): void {
    // The array is another layer's, and its step is over.
    this.y = allocate('float32', 0);
  }
}

// A dense layer: Y = X W + b, or max(X W + b, 0). W is a Parameter, inputs x outputs, and so may be a product of factors as any table may.

/** What a dense layer is made of. */
export interface DenseOptions {
  /** The name of W; the bias is `${name}Bias`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /**
   * W starts uniform in +-limit. he: sqrt(6 / inputs), before a rectifier (He et al. 2015); xavier: sqrt(6 / (inputs +
   * outputs)) (Glorot and Bengio 2010). The bias starts at 0.
   */
  readonly start: 'he' | 'xavier';
  readonly precision: Precision;
  /** false: Y = X W, where what follows shifts it anyway. @defaultValue true */
  readonly bias?: boolean;
  /** true: Y = max(X W + b, 0); where there is a bias alone. @defaultValue false */
  readonly relu?: boolean;
  /** What W is a product of; undefined: plain. */
  readonly product?: ProductSpec | undefined;
}

/** Numbers that are looked at to tell how many of all are 0, and the part from which leaving them out is faster. */
const LOOKS = 512;
const MANY_ZEROS = 0.3;

/** Whether many of the first `size` numbers are 0, as after a rectifier. */
function hasZeros(numbers: Real, size: number): boolean {
  const step = Math.floor(size / LOOKS) | 1;
  let zeros = 0;
  for (let at = 0; at < size; at += step) if (numbers[at] === 0) zeros += step;
  return zeros > MANY_ZEROS * size;
}

/** Y = X W + b, or max(X W + b, 0). */
export class DenseLayer implements Layer {
  readonly weights: Parameter;
  readonly bias: Parameter | null;
  readonly parameters: readonly Parameter[];
  private readonly inputs: number;
  private readonly outputs: number;
  private readonly precision: Precision;
  private readonly relu: boolean;
  private x: Real;
  private output: Real;
  /** The gradient of x; X^T while it is not written. */
  private gInput: Real;
  /** W^T. */
  private transposed: Real;
  /** Room of multiplySparse. */
  private lists = new Int32Array(0);
  /** The gradient of W by this step's rows, before it is added to what W's gradient started at. */
  private gWeights: Real;

  constructor(options: DenseOptions, stream: Stream) {
    const { name, inputs, outputs, start, precision, bias = true, relu = false, product } = options;
    this.inputs = inputs;
    this.outputs = outputs;
    this.precision = precision;
    this.relu = relu;
    this.weights = createParameter({ name, group: 'dense', rows: inputs, dim: outputs, precision }, product, 0, stream);
    const biasShape = { name: `${name}Bias`, group: 'bias', rows: 1, dim: outputs, precision } as const;
    this.bias = bias ? createParameter(biasShape, undefined, 0, stream) : null;
    this.parameters = [this.weights, this.bias].filter((table) => table !== null);
    // Every step names every row.
    this.weights.reserve(inputs);
    const draws = startDraws(name, stream);
    const limit = Math.sqrt(6 / (start === 'he' ? inputs : inputs + outputs));
    const values = allocate(precision, inputs * outputs);
    for (let i = 0; i < values.length; i++) values[i] = limit * (2 * draws.uniform() - 1);
    this.weights.assign(values);
    this.gWeights = allocate(precision, inputs * outputs);
    this.transposed = allocate(precision, inputs * outputs);
    this.x = this.output = this.gInput = allocate(precision, 0);
  }

  reserve(rows: number): void {
    if (rows * this.outputs <= this.output.length) return;
    this.output = allocate(this.precision, rows * this.outputs);
    this.gInput = allocate(this.precision, rows * this.inputs);
    this.lists = new Int32Array(Math.max(rows, this.inputs) * LIST);
  }

  select(): void {
    this.weights.select(null, this.inputs);
    this.bias?.select(null, 1);
  }

  forward(x: Real, count: number): Real {
    const { inputs, outputs, weights, bias, relu } = this;
    this.reserve(count);
    this.x = x;
    const { output } = this;
    this.multiply(x, weights.values, count, inputs, outputs, output);
    if (bias !== null) kernels.addRow(bias.values, count, outputs, relu, output);
    return output;
  }

  backward(g: Real, count: number): Real {
    const { inputs, outputs, weights, bias, relu, x, output, transposed, gWeights, gInput } = this;
    if (bias !== null) kernels.addRows(g, relu ? output : null, count, outputs, bias.grads);
    // With one output g and W are rows as they lie: X^T g is g^T X.
    if (outputs === 1) kernels.multiply(g, null, x, 1, count, inputs, gWeights);
    else {
      kernels.transpose(x, null, count, inputs, gInput);
      this.multiply(gInput, g, inputs, count, outputs, gWeights);
      kernels.transpose(weights.values, null, inputs, outputs, transposed);
    }
    kernels.add(gWeights, inputs * outputs, weights.grads);
    this.multiply(g, outputs === 1 ? weights.values : transposed, count, outputs, inputs, gInput);
    return gInput;
  }

  move(move: Move): void {
    // The parameters are moved by whoever trains them. The input is another's, and its step is over.
    this.x = allocate(this.precision, 0);
    this.output = move(this.output);
    this.gInput = move(this.gInput);
    this.gWeights = move(this.gWeights);
    this.transposed = move(this.transposed);
    this.lists = move(this.lists);
  }

  /** c = a b. */
  private multiply(a: Real, b: Real, m: number, k: number, n: number, c: Real): void {
    if (isWhole(n) && hasZeros(a, m * k)) kernels.multiplySparse(a, b, m, k, n, c, this.lists);
    else kernels.multiply(a, null, b, m, k, n, c);
  }
}

// Batch normalization (Ioffe and Szegedy 2015): each column less its mean over the batch, divided by its deviation, then
// scaled and shifted by learned numbers. Predictions take running averages, which are a table that no step selects: it is
// saved, restored and moved as all tables are, and never trained.

/** The weight of a batch in the running averages. */
const SHARE = 0.1;

/** y = scale (x - mean) / sqrt(variance + 1e-5) + shift, column by column, in place. */
export class BatchNorm implements Layer {
  readonly scale: Parameter;
  readonly shift: Parameter;
  /** Row 0: the running mean of each column; row 1: its running variance. */
  readonly statistics: Parameter;
  readonly parameters: readonly Parameter[];
  private normalized: Real;
  /** Of a step, by column: the mean and 1 / deviation; on the way back the means of g and of g z. */
  private readonly mean: Float64Array;
  private readonly inverse: Float64Array;
  private readonly meanGz: Float64Array;

  constructor(
    name: string,
    private readonly cols: number,
    private readonly precision: Precision,
    stream: Stream,
  ) {
    const table = (suffix: string, rows: number) => {
      const shape = { name: name + suffix, group: 'bias', rows, dim: cols, precision } as const;
      return createParameter(shape, undefined, 0, stream);
    };
    this.scale = table('Scale', 1);
    this.shift = table('Shift', 1);
    this.statistics = table('Statistics', 2);
    this.parameters = [this.scale, this.shift, this.statistics];
    this.scale.assign(allocate(precision, cols).fill(1));
    this.statistics.assign(allocate(precision, 2 * cols).fill(1, cols));
    this.normalized = allocate(precision, 0);
    this.mean = new Float64Array(cols);
    this.inverse = new Float64Array(cols);
    this.meanGz = new Float64Array(cols);
  }

  reserve(rows: number): void {
    if (rows * this.cols > this.normalized.length) this.normalized = allocate(this.precision, rows * this.cols);
  }

  select(): void {
    this.scale.select(null, 1);
    this.shift.select(null, 1);
  }

  forward(x: Real, count: number, step: number): Real {
    this.reserve(count);
    const { mean, inverse, normalized } = this;
    if (step > 0) this.measure(x, count);
    else recallStatistics(this.statistics.factors[0]!.data, mean, inverse);
    normalize(this.scale.values, this.shift.values, mean, inverse, x, count, normalized);
    return x;
  }

  /** gx = scale / deviation (g - mean of g - z mean of (g z)), z the normalized number, means over the batch. */
  backward(g: Real, count: number): Real {
    const { cols, mean: meanG, meanGz, inverse, normalized } = this;
    const scale = this.scale.values;
    const gScale = this.scale.grads;
    const gShift = this.shift.grads;
    meanG.fill(0);
    meanGz.fill(0);
    for (let i = 0, at = 0; i < count; i++) {
      for (let j = 0; j < cols; j++, at++) {
        meanG[j] = meanG[j]! + g[at]!;
        meanGz[j] = meanGz[j]! + g[at]! * normalized[at]!;
      }
    }
    for (let j = 0; j < cols; j++) {
      gShift[j] = gShift[j]! + meanG[j]!;
      gScale[j] = gScale[j]! + meanGz[j]!;
      meanG[j] = meanG[j]! / count;
      meanGz[j] = meanGz[j]! / count;
    }
    for (let i = 0, at = 0; i < count; i++)
      for (let j = 0; j < cols; j++, at++)
        g[at] = scale[j]! * inverse[j]! * (g[at]! - meanG[j]! - normalized[at]! * meanGz[j]!);
    return g;
  }

  move(move: Move): void {
    this.normalized = move(this.normalized);
  }

  /** Mean and deviation of this batch; the running averages move towards them. */
  private measure(x: Real, count: number): void {
    const { cols, mean, inverse: squares } = this;
    mean.fill(0);
    squares.fill(0);
    for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < cols; j++, at++) mean[j] = mean[j]! + x[at]!;
    for (let j = 0; j < cols; j++) mean[j] = mean[j]! / count;
    for (let i = 0, at = 0; i < count; i++) {
      for (let j = 0; j < cols; j++, at++) {
        const away = x[at]! - mean[j]!;
        squares[j] = squares[j]! + away * away;
      }
    }
    const { data } = this.statistics.factors[0]!;
    for (let j = 0; j < cols; j++) {
      // One row has no variance: it would only make the averages forget.
      if (count > 1) {
        data[j] = (1 - SHARE) * data[j]! + SHARE * mean[j]!;
        data[cols + j] = (1 - SHARE) * data[cols + j]! + (SHARE * squares[j]!) / (count - 1);
      }
      squares[j] = 1 / Math.sqrt(squares[j]! / count + EPSILON);
    }
  }
}

// Dropout (Srivastava et al. 2014), inverted: in training each number is 0 with probability p and else divided by 1 - p,
// so that predictions need nothing. What is dropped is a function of the stream and the step alone.

/** Drops numbers of rows of `cols`, each with probability `rate` in [0, 1). */
export class Dropout implements Layer {
  readonly parameters = [];
  /** What each number was multiplied by: 0 or 1 / (1 - p). */
  private mask: Real;
  private output: Real;

  constructor(
    private readonly rate: number,
    private readonly cols: number,
    private readonly precision: Precision,
    private readonly stream: Stream,
  ) {
    this.mask = this.output = allocate(precision, 0);
  }

  reserve(rows: number): void {
    if (rows * this.cols <= this.mask.length) return;
    this.mask = allocate(this.precision, rows * this.cols);
    this.output = allocate(this.precision, rows * this.cols);
  }

  select(): void {}

  forward(x: Real, count: number, step: number): Real {
    if (step === 0) return x;
    this.reserve(count);
    const { mask, output, rate } = this;
    const draws = this.stream.fork(step);
    const kept = 1 / (1 - rate);
    const size = count * this.cols;
    for (let i = 0; i < size; i++) {
      mask[i] = draws.uniform() < rate ? 0 : kept;
      output[i] = x[i]! * mask[i]!;
    }
    return output;
  }

  backward(g: Real, count: number): Real {
    const { mask } = this;
    const size = count * this.cols;
    for (let i = 0; i < size; i++) g[i] = g[i]! * mask[i]!;
    return g;
  }

  move(move: Move): void {
    this.mask = move(this.mask);
    this.output = move(this.output);
  }
}

// A stack of hidden layers: each dense, then perhaps normalized over the batch, then an activation, then perhaps dropout.

/** The shape of a stack. */
export interface PerceptronOptions {
  /** The layers are `${name}1`, `${name}2`, ... */
  readonly name: string;
  readonly inputs: number;
  /** The number of outputs of each layer; of none: rows go through as they are. */
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  /** The probability that an output is dropped in training; 0: no dropout. */
  readonly dropout: number;
  readonly batchNorm: boolean;
  readonly precision: Precision;
}

/** The layers of a stack, one after another. */
export class Perceptron implements Layer {
  readonly parameters: readonly Parameter[];
  /** The length of a row of what `forward` returns. */
  readonly outputs: number;
  private readonly layers: readonly Layer[];

  constructor(options: PerceptronOptions, plan: OverparamPlan, stream: Stream) {
    const { name, inputs, hidden, activation, dropout, batchNorm, precision } = options;
    const start = activation === 'relu' ? 'he' : 'xavier';
    const isRectified = activation === 'relu' && !batchNorm;
    this.layers = layerDims(name, hidden).flatMap(([layer, outputs], l): Layer[] => [
      // A shift before the normalization would be taken out by it.
      new DenseLayer(
        {
          name: layer,
          inputs: hidden[l - 1] ?? inputs,
          outputs,
          start,
          precision,
          bias: !batchNorm,
          relu: isRectified,
          product: plan.get(layer),
        },
        stream,
      ),
      ...(batchNorm ? [new BatchNorm(layer, outputs, precision, stream)] : []),
      ...(isRectified ? [] : [new Activation(activation, outputs)]),
      ...(dropout > 0 ? [new Dropout(dropout, outputs, precision, stream.fork(layer).fork('dropout'))] : []),
    ]);
    this.parameters = this.layers.flatMap(({ parameters }) => parameters);
    this.outputs = hidden[hidden.length - 1] ?? inputs;
  }

  reserve(rows: number): void {
    for (const layer of this.layers) layer.reserve(rows);
  }

  select(): void {
    for (const layer of this.layers) layer.select();
  }

  forward(x: Real, count: number, step: number): Real {
    return runToEnd(this.forwardInTurns(x, count, step));
  }

  backward(g: Real, count: number): Real {
    return runToEnd(this.backwardInTurns(g, count));
  }

  /** The same with a pause after every layer. */
  *forwardInTurns(x: Real, count: number, step: number): Pausable<Real> {
    let rows = x;
    for (const layer of this.layers) {
      rows = layer.forward(rows, count, step);
      yield;
    }
    return rows;
  }

  *backwardInTurns(g: Real, count: number): Pausable<Real> {
    let gRows = g;
    for (let l = this.layers.length - 1; l >= 0; l--) {
      gRows = this.layers[l]!.backward(gRows, count);
      yield;
    }
    return gRows;
  }

  move(move: Move): void {
    for (const layer of this.layers) layer.move(move);
  }
}
