// How the rows of a user and of an item enter a network: multiplied number by number, or one after the other. Both write
// columns of wider rows, so that what comes of several parts lies side by side.

import type { Real } from '../../optimizers/factor';
import type { Parameter } from '../../parameters/parameter';

/** Rows of two tables as columns of a matrix: row s of it starts at s * width + first. */
export interface RowPairs {
  readonly outputs: number;
  /** Writes `outputs` columns. The tables have been selected. */
  forward(count: number, to: Real, width: number, first: number): void;
  /** Adds to the gradients of both tables; g lies as `to` did. */
  backward(count: number, g: Real, width: number, first: number): void;
}

/** p_u q_i, number by number (He et al. 2017, equation 8). */
export class RowProduct implements RowPairs {
  readonly outputs: number;

  constructor(
    private readonly users: Parameter,
    private readonly items: Parameter,
  ) {
    this.outputs = users.dim;
  }

  forward(count: number, to: Real, width: number, first: number): void {
    const { outputs } = this;
    const { values: p, at: userAt } = this.users;
    const { values: q, at: itemAt } = this.items;
    for (let s = 0; s < count; s++) {
      const user = userAt[s]! * outputs;
      const item = itemAt[s]! * outputs;
      const start = s * width + first;
      for (let k = 0; k < outputs; k++) to[start + k] = p[user + k]! * q[item + k]!;
    }
  }

  backward(count: number, g: Real, width: number, first: number): void {
    const { outputs } = this;
    const { values: p, at: userAt, slot: userSlot, grads: gUsers } = this.users;
    const { values: q, at: itemAt, slot: itemSlot, grads: gItems } = this.items;
    for (let s = 0; s < count; s++) {
      const user = userAt[s]! * outputs;
      const item = itemAt[s]! * outputs;
      const toUser = userSlot[s]! * outputs;
      const toItem = itemSlot[s]! * outputs;
      const start = s * width + first;
      for (let k = 0; k < outputs; k++) {
        const slope = g[start + k]!;
        gUsers[toUser + k] = gUsers[toUser + k]! + slope * q[item + k]!;
        gItems[toItem + k] = gItems[toItem + k]! + slope * p[user + k]!;
      }
    }
  }
}

/** p_u, then q_i (the same, equation 10). */
export class RowConcat implements RowPairs {
  readonly outputs: number;

  constructor(
    private readonly users: Parameter,
    private readonly items: Parameter,
  ) {
    this.outputs = users.dim + items.dim;
  }

  forward(count: number, to: Real, width: number, first: number): void {
    copyRows(this.users, count, to, width, first);
    copyRows(this.items, count, to, width, first + this.users.dim);
  }

  backward(count: number, g: Real, width: number, first: number): void {
    addRows(this.users, count, g, width, first);
    addRows(this.items, count, g, width, first + this.users.dim);
  }
}

function copyRows({ values, at, dim }: Parameter, count: number, to: Real, width: number, first: number): void {
  for (let s = 0; s < count; s++) {
    const from = at[s]! * dim;
    const start = s * width + first;
    for (let k = 0; k < dim; k++) to[start + k] = values[from + k]!;
  }
}

function addRows({ grads, slot, dim }: Parameter, count: number, g: Real, width: number, first: number): void {
  for (let s = 0; s < count; s++) {
    const to = slot[s]! * dim;
    const start = s * width + first;
    for (let k = 0; k < dim; k++) grads[to + k] = grads[to + k]! + g[start + k]!;
  }
}
