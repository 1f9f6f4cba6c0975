// A table that is its own and only factor: depth 1 of every product.

import type { Factor, Real } from '../optimizers/factor';
import type { ReusableGradient } from './memory';
import type { GradientSink } from './parameter';
import { Table, type TableShape } from './table';

/** A plain table: reading it copies nothing, and its gradient is the factor's. */
export class PlainTable extends Table {
  readonly factors: readonly Factor[];
  readonly rowFactors: readonly Factor[];
  private readonly gradient: ReusableGradient;

  constructor(shape: TableShape) {
    super(shape, shape.dim);
    this.factors = [this.base];
    this.rowFactors = this.factors;
    this.gradient = { ids: this.slotRow, count: 0, values: this.grads };
  }

  get values(): Real {
    return this.base.data;
  }
  /** Row s is found through its slot's row; a step of rows without duplicates reads them in their own order. */
  get at(): Int32Array {
    return this.selection.rowAt;
  }
  get slotAt(): Int32Array {
    return this.slotRow;
  }

  pullback(sink: GradientSink): void {
    const { gradient } = this;
    gradient.ids = this.slotRow;
    gradient.count = this.slotCount;
    gradient.values = this.grads;
    sink.accept(this.base, gradient);
  }

  collapse(from = 0, to = this.rows): Real {
    return this.base.data.slice(from * this.dim, to * this.dim);
  }

  assign(value: Real): void {
    this.base.data.set(value);
  }

  grow(values: Real): void {
    const used = this.base.data.length;
    this.base.growBy(values.length / this.dim);
    this.base.data.set(values, used);
    this.growSelection();
  }

  protected forward(): void {}
  protected resize(): void {}
  protected moveOwn(): void {
    this.gradient.ids = this.slotRow;
    this.gradient.values = this.grads;
  }
}
