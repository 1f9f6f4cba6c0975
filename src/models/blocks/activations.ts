// What stands between dense layers, element by element and in place. Each slope is a function of the result, so that
// nothing of the input is kept.

import { sigmoid } from '../../core/elementary';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate } from '../../parameters/memory';
import type { Layer } from './layer';

/** The names of the activations. */
export type ActivationName = 'relu' | 'sigmoid' | 'tanh';

/** Every name. */
export const ACTIVATIONS: readonly ActivationName[] = ['relu', 'sigmoid', 'tanh'];

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
    const size = count * this.cols;
    // max(x, 0), also of what is not a number, without a branch that half of the time goes the other way.
    if (this.name === 'relu') for (let i = 0; i < size; i++) x[i] = 0.5 * (x[i]! + Math.abs(x[i]!));
    else if (this.name === 'sigmoid') for (let i = 0; i < size; i++) x[i] = sigmoid(x[i]!);
    else for (let i = 0; i < size; i++) x[i] = 2 * sigmoid(2 * x[i]!) - 1;
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
