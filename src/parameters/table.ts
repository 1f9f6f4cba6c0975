// What every parameterization of a table shares: a base factor, the rows selected, and the gradient of the product.

import type { Move } from '../kernels/heap';
import type { Factor, FactorGroup, Real } from '../optimizers/factor';
import type { GradientSink, Parameter, Precision, ReusableGradient } from './parameter';
import { allocate, GrowingFactor, RowSelection } from './parameter';

/** What a table is, before its numbers. */
export interface TableShape {
  readonly name: string;
  readonly group: FactorGroup;
  readonly rows: number;
  readonly dim: number;
  readonly precision: Precision;
  /** Kept by every factor of the table. */
  readonly constraint?: 'nonnegative';
}

/** The common part of the parameterizations; `baseCols` numbers a row are stored in the base. */
export abstract class Table implements Parameter {
  readonly name: string;
  readonly dim: number;
  readonly precision: Precision;
  readonly base: GrowingFactor;
  grads: Real;
  selection: RowSelection;
  private readonly ownSelection: RowSelection;
  protected capacity = 1;

  abstract readonly factors: readonly Factor[];
  abstract readonly rowFactors: readonly Factor[];
  abstract readonly values: Real;
  abstract pullback(sink: GradientSink): void;
  abstract collapse(from?: number, to?: number): Real;
  abstract assign(value: Real): void;
  abstract grow(values: Real): void;
  /** Called once the rows are selected: makes `values` hold the product of the selected rows. */
  protected abstract forward(): void;
  /** Makes room for `capacity` rows in what the parameterization itself needs. */
  protected abstract resize(): void;
  /** Moves what the parameterization itself has. */
  protected abstract moveOwn(move: Move): void;

  constructor(shape: TableShape, baseCols: number) {
    this.name = shape.name;
    this.dim = shape.dim;
    this.precision = shape.precision;
    const { name, group, rows, precision, constraint } = shape;
    this.base = new GrowingFactor(name, 'base', group, rows, baseCols, precision, constraint);
    this.ownSelection = new RowSelection(shape.rows);
    this.selection = this.ownSelection;
    this.grads = allocate(shape.precision, shape.dim);
  }

  get rows(): number {
    return this.base.rows;
  }
  get slot(): Int32Array {
    return this.selection.slot;
  }
  /** The rows of a product lie by their slots. */
  get at(): Int32Array {
    return this.selection.slot;
  }
  get slotAt(): Int32Array {
    return this.selection.identity;
  }
  get slotCount(): number {
    return this.selection.slotCount;
  }
  get slotRow(): Int32Array {
    return this.selection.slotRow;
  }
  get occurrences(): Int32Array {
    return this.selection.occurrences;
  }

  reserve(count: number): void {
    if (count <= this.capacity) return;
    this.capacity = count;
    this.ownSelection.reserve(count);
    this.grads = allocate(this.precision, count * this.dim);
    this.resize();
  }

  select(rows: Int32Array | null, count: number): void {
    this.reserve(rows === null ? this.rows : count);
    this.selection = this.ownSelection;
    this.selection.select(rows, count);
    this.forward();
  }

  weigh(weights: Real, count: number, starts: Int32Array | null = null): void {
    this.selection.weigh(weights, count, starts);
  }

  selectAs({ selection }: Parameter): void {
    this.reserve(selection.slotCount);
    this.selection = selection;
    this.forward();
  }

  move(move: Move): void {
    this.base.data = move(this.base.data);
    this.grads = move(this.grads);
    this.ownSelection.move(move);
    this.selection = this.ownSelection;
    this.moveOwn(move);
  }

  /** For tables with more rows than before. */
  protected growSelection(): void {
    this.ownSelection.growTo(this.rows);
  }

  clear(): void {
    const used = this.selection.slotCount * this.dim;
    // fill() is a call into the engine: for the short rows of a step of one rating a loop is several times faster.
    if (used <= 64) for (let i = 0; i < used; i++) this.grads[i] = 0;
    else this.grads.fill(0, 0, used);
  }

  rescale(by: number): void {
    const { data } = this.base;
    for (let i = 0; i < data.length; i++) data[i]! *= by;
  }
}

// A table that is its own and only factor: depth 1 of every product.

/** A plain table: reading it copies nothing, and its gradient is the factor's. */
export class PlainTable extends Table {
  readonly factors: readonly Factor[];
  readonly rowFactors: readonly Factor[];
  readonly rowProduct = { kind: 'plain', maps: 0 } as const;
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
  override get at(): Int32Array {
    return this.selection.rowAt;
  }
  override get slotAt(): Int32Array {
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
