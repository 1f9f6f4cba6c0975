// Generalized matrix factorization: a user and an item multiplied element by element (He et al. 2017, equation 8). The
// output layer, which weighs each product, is the model's.

import type { Parameter } from '../../parameters/parameter';
import type { PairPart, PartColumns } from './pair-part';

/** p_u (.) q_i. */
export class PairProduct implements PairPart {
  readonly parameters: readonly Parameter[];
  readonly outputs: number;

  constructor(
    readonly user: Parameter,
    readonly item: Parameter,
  ) {
    this.parameters = [user, item];
    this.outputs = user.dim;
  }

  reserve(count: number): void {
    this.user.reserve(count);
    this.item.reserve(count);
  }

  select(): void {}

  forward(count: number, { rows, width, start }: PartColumns): void {
    const { values: p, at: pAt, dim } = this.user;
    const { values: q, at: qAt } = this.item;
    for (let s = 0, to = start; s < count; s++, to += width) {
      const [user, item] = [pAt[s]! * dim, qAt[s]! * dim];
      for (let k = 0; k < dim; k++) rows[to + k] = p[user + k]! * q[item + k]!;
    }
  }

  backward(count: number, { rows: g, width, start }: PartColumns): void {
    const { values: p, at: pAt, slot: pSlot, grads: gP, dim } = this.user;
    const { values: q, at: qAt, slot: qSlot, grads: gQ } = this.item;
    for (let s = 0, from = start; s < count; s++, from += width) {
      const [user, item] = [pAt[s]! * dim, qAt[s]! * dim];
      const [toUser, toItem] = [pSlot[s]! * dim, qSlot[s]! * dim];
      for (let k = 0; k < dim; k++) {
        const slope = g[from + k]!;
        gP[toUser + k] = gP[toUser + k]! + slope * q[item + k]!;
        gQ[toItem + k] = gQ[toItem + k]! + slope * p[user + k]!;
      }
    }
  }

  move(): void {}
}
