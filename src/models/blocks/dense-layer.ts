// A dense layer: Y = X W + b. W is a Parameter, inputs x outputs, and so may be a product of factors as any table may.

import type { Stream } from '../../core/random';
import type { Move } from '../../kernels/move';
import { kernels } from '../../kernels/select';
import type { Real } from '../../optimizers/factor';
import { createParameter, startDraws } from '../../parameters/create-parameter';
import { allocate, type Precision } from '../../parameters/memory';
import type { ProductSpec } from '../../parameters/overparam';
import type { Parameter } from '../../parameters/parameter';
import type { Layer } from './layer';

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
  /** What W is a product of; undefined: plain. */
  readonly product?: ProductSpec | undefined;
}

/** Y = X W + b. */
export class DenseLayer implements Layer {
  readonly weights: Parameter;
  readonly bias: Parameter | null;
  readonly parameters: readonly Parameter[];
  private readonly inputs: number;
  private readonly outputs: number;
  private readonly precision: Precision;
  private x: Real;
  private output: Real;
  private gInput: Real;
  /** The gradient of W by this step's rows, before it is added to what W's gradient started at. */
  private gWeights: Real;

  constructor(options: DenseOptions, stream: Stream) {
    const { name, inputs, outputs, start, precision, bias = true, product } = options;
    this.inputs = inputs;
    this.outputs = outputs;
    this.precision = precision;
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
    this.x = this.output = this.gInput = allocate(precision, 0);
  }

  reserve(rows: number): void {
    if (rows * this.outputs <= this.output.length) return;
    this.output = allocate(this.precision, rows * this.outputs);
    this.gInput = allocate(this.precision, rows * this.inputs);
  }

  select(): void {
    this.weights.select(null, this.inputs);
    this.bias?.select(null, 1);
  }

  forward(x: Real, count: number): Real {
    const { inputs, outputs, weights, bias } = this;
    this.reserve(count);
    this.x = x;
    const { output } = this;
    kernels.multiply(x, null, weights.values, count, inputs, outputs, output);
    if (bias !== null) addRow(bias.values, count, outputs, output);
    return output;
  }

  backward(g: Real, count: number): Real {
    const { inputs, outputs, weights, bias, gWeights, gInput } = this;
    kernels.transposedMultiply(this.x, null, g, count, inputs, outputs, gWeights);
    const gTotal = weights.grads;
    const size = inputs * outputs;
    for (let i = 0; i < size; i++) gTotal[i] = gTotal[i]! + gWeights[i]!;
    if (bias !== null) addRows(g, count, outputs, bias.grads);
    kernels.multiplyTransposed(g, weights.values, count, outputs, inputs, gInput);
    return gInput;
  }

  move(move: Move): void {
    // The parameters are moved by whoever trains them. The input is another's, and its step is over.
    this.x = allocate(this.precision, 0);
    this.output = move(this.output);
    this.gInput = move(this.gInput);
    this.gWeights = move(this.gWeights);
  }
}

/** Adds a row to each of `count` rows. */
function addRow(row: Real, count: number, cols: number, rows: Real): void {
  for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < cols; j++, at++) rows[at] = rows[at]! + row[j]!;
}

/** Adds each of `count` rows to one. */
function addRows(rows: Real, count: number, cols: number, row: Real): void {
  for (let i = 0, at = 0; i < count; i++) for (let j = 0; j < cols; j++, at++) row[j] = row[j]! + rows[at]!;
}
