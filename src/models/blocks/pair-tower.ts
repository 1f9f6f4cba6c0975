// A user and an item side by side through hidden layers (He et al. 2017, equation 10).

import type { Move } from '../../kernels/move';
import type { Real } from '../../optimizers/factor';
import { allocate, type Precision } from '../../parameters/memory';
import type { Parameter } from '../../parameters/parameter';
import type { PairPart, PartColumns } from './pair-part';
import type { Perceptron } from './perceptron';

/** layers([p_u, q_i]). */
export class PairTower implements PairPart {
  readonly parameters: readonly Parameter[];
  readonly outputs: number;
  private input: Real;
  private gOutput: Real;

  constructor(
    readonly user: Parameter,
    readonly item: Parameter,
    private readonly layers: Perceptron,
    private readonly precision: Precision,
  ) {
    this.parameters = [user, item, ...layers.parameters];
    this.outputs = layers.outputs;
    this.input = this.gOutput = allocate(precision, 0);
  }

  reserve(count: number): void {
    this.user.reserve(count);
    this.item.reserve(count);
    this.layers.reserve(count);
    this.room(count);
  }

  /** Makes room in its own arrays: those of the tables hold the rows of the step by the time of `forward`. */
  private room(count: number): void {
    const { user, outputs, precision } = this;
    if (count * 2 * user.dim <= this.input.length) return;
    this.input = allocate(precision, count * 2 * user.dim);
    this.gOutput = allocate(precision, count * outputs);
  }

  select(): void {
    this.layers.select();
  }

  forward(count: number, { rows, width, start }: PartColumns, step: number): void {
    this.room(count);
    const { input, outputs } = this;
    const { values: p, at: pAt, dim } = this.user;
    const { values: q, at: qAt } = this.item;
    for (let s = 0, to = 0; s < count; s++, to += 2 * dim) {
      const [user, item] = [pAt[s]! * dim, qAt[s]! * dim];
      for (let k = 0; k < dim; k++) {
        input[to + k] = p[user + k]!;
        input[to + dim + k] = q[item + k]!;
      }
    }
    const output = this.layers.forward(input, count, step);
    for (let s = 0, to = start; s < count; s++, to += width)
      for (let k = 0; k < outputs; k++) rows[to + k] = output[s * outputs + k]!;
  }

  backward(count: number, { rows: g, width, start }: PartColumns): void {
    const { gOutput, outputs } = this;
    for (let s = 0, from = start; s < count; s++, from += width)
      for (let k = 0; k < outputs; k++) gOutput[s * outputs + k] = g[from + k]!;
    const gInput = this.layers.backward(gOutput, count);
    const { slot: pSlot, grads: gP, dim } = this.user;
    const { slot: qSlot, grads: gQ } = this.item;
    for (let s = 0, from = 0; s < count; s++, from += 2 * dim) {
      const [toUser, toItem] = [pSlot[s]! * dim, qSlot[s]! * dim];
      for (let k = 0; k < dim; k++) {
        gP[toUser + k] = gP[toUser + k]! + gInput[from + k]!;
        gQ[toItem + k] = gQ[toItem + k]! + gInput[from + dim + k]!;
      }
    }
  }

  move(move: Move): void {
    this.layers.move(move);
    this.input = move(this.input);
    this.gOutput = move(this.gOutput);
  }
}
