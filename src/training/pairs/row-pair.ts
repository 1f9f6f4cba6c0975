// What a step knows of one pair of rows, in JavaScript: kernels/pairs/pair.ts is its twin.

import { kernels } from '../../kernels/select';
import type { PairRow } from './pair-row';

/** A pair of rows. */
export class RowPair {
  /** <a, b>, of the elements as they meet. */
  dot = 0;
  /** d loss / d score. */
  slope = 0;
  /** The weight of its rating: how often the penalties count. */
  weight = 1;
  /** The product of the scalars of both rows; 1 where there are none. */
  private scale = 1;

  constructor(
    readonly left: PairRow,
    readonly right: PairRow,
  ) {}

  /** Takes the rows as they are. */
  open(): void {
    const { left, right } = this;
    this.scale = Math.fround(left.scale * right.scale);
    this.dot = kernels.dot(left.element, 0, right.element, 0, left.element.length);
  }

  /** A value times the scalars of both rows. */
  scaled(value: number): number {
    return Math.fround(this.scale * value);
  }

  other(row: PairRow): PairRow {
    return row === this.left ? this.right : this.left;
  }

  /** What the other's elements are multiplied by in either gradient. */
  get towards(): number {
    return this.scaled(this.slope);
  }

  /** The same times a rate. */
  pull(rate: number): number {
    return Math.fround(this.scaled(rate) * this.slope);
  }
}
