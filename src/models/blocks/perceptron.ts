// A stack of hidden layers: each dense, then perhaps normalized over the batch, then an activation, then perhaps dropout.

import type { Stream } from '../../core/random';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import type { Precision } from '../../parameters/memory';
import type { OverparamPlan } from '../../parameters/overparam';
import type { Parameter } from '../../parameters/parameter';
import { Activation, type ActivationName } from './activations';
import { BatchNorm } from './batch-norm';
import { DenseLayer } from './dense-layer';
import { Dropout } from './dropout';
import type { Layer } from './layer';

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

/** The names and the outputs of the weights of a stack, as planOverparam takes them. */
export function layerDims(name: string, hidden: readonly number[]): [name: string, outputs: number][] {
  return hidden.map((outputs, l) => [`${name}${l + 1}`, outputs]);
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
          product: plan.get(layer),
        },
        stream,
      ),
      ...(batchNorm ? [new BatchNorm(layer, outputs, precision, stream)] : []),
      new Activation(activation, outputs),
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
    let rows = x;
    for (const layer of this.layers) rows = layer.forward(rows, count, step);
    return rows;
  }

  backward(g: Real, count: number): Real {
    let gRows = g;
    for (let l = this.layers.length - 1; l >= 0; l--) gRows = this.layers[l]!.backward(gRows, count);
    return gRows;
  }

  move(move: Move): void {
    for (const layer of this.layers) layer.move(move);
  }
}
