// Dropout (Srivastava et al. 2014), inverted: in training each number is 0 with probability p and else divided by 1 - p,
// so that predictions need nothing. What is dropped is a function of the stream and the step alone.

import type { Stream } from '../../core/random';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate, type Precision } from '../../parameters/memory';
import type { Layer } from './layer';

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
