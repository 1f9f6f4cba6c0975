// Batch normalization (Ioffe and Szegedy 2015): each column less its mean over the batch, divided by its deviation, then
// scaled and shifted by learned numbers. Predictions take running averages, which are a table that no step selects: it is
// saved, restored and moved as all tables are, and never trained.

import type { Stream } from '../../core/random';
import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { createParameter } from '../../parameters/create-parameter';
import { allocate, type Precision } from '../../parameters/memory';
import type { Parameter } from '../../parameters/parameter';
import type { Layer } from './layer';

/** Added to variances. */
const EPSILON = 1e-5;
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
    const { cols, mean, inverse, normalized } = this;
    if (step > 0) this.measure(x, count);
    else this.recall();
    const scale = this.scale.values;
    const shift = this.shift.values;
    for (let i = 0, at = 0; i < count; i++) {
      for (let j = 0; j < cols; j++, at++) {
        const z = (x[at]! - mean[j]!) * inverse[j]!;
        normalized[at] = z;
        x[at] = scale[j]! * z + shift[j]!;
      }
    }
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

  private recall(): void {
    const { cols, mean, inverse } = this;
    const { data } = this.statistics.factors[0]!;
    for (let j = 0; j < cols; j++) {
      mean[j] = data[j]!;
      inverse[j] = 1 / Math.sqrt(data[cols + j]! + EPSILON);
    }
  }
}
