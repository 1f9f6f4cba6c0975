// The base of an element-wise product: what it must be for the product to have a given value.

import type { Stream } from '../core/random';
import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/heap';
import type { Factor, Real } from '../optimizers/factor';
import { allocate, type GradientSink, GrowingFactor, type ReusableGradient } from './parameter';
import { Table, type TableShape } from './table';

/** The base and the maps to fill it under; a map has `width` numbers for each element (or for a row, when scalar). */
export interface BaseOfProduct {
  readonly base: Real;
  readonly maps: readonly Real[];
  readonly dim: number;
  readonly width: number;
  readonly scalar: boolean;
}

/**
 * Writes the base of rows whose maps are all at their start. The value of an element is shared out over the `width`
 * terms in random positive parts: terms that start alike would stay alike for ever, and parts of one sign cannot cancel.
 */
export function writeBase(
  { base, maps, dim, width, scalar }: BaseOfProduct,
  value: Real,
  firstRow: number,
  stream: Stream,
): void {
  // The product of the maps as they are stored, so that rounding `init` to float32 does not shift the start. It is read
  // at the first of these rows: when a table grows, the maps of the rows before have been trained.
  const from = firstRow * width * (scalar ? 1 : dim);
  let scale = 1;
  for (const map of maps) scale *= map[from]!;
  if (width === 1) {
    for (let i = 0, at = firstRow * dim; i < value.length; i++, at++) base[at] = value[i]! / scale;
    return;
  }
  const parts = new Float64Array(width);
  for (let i = 0; i < value.length; i++) {
    let total = 0;
    for (let j = 0; j < width; j++) {
      parts[j] = 0.5 + stream.uniform();
      total += parts[j]!;
    }
    const row = firstRow + Math.floor(i / dim);
    for (let j = 0; j < width; j++) {
      base[(row * width + j) * dim + (i % dim)] = (value[i]! * parts[j]!) / (total * scale);
    }
  }
}

/** The base of new rows under shared maps that have been trained: the shortest x with sum_j x_j P_j = value. */
export function solveBase({ base, maps, dim, width, scalar }: BaseOfProduct, value: Real, firstRow: number): void {
  const products = new Float64Array(width);
  for (let i = 0; i < value.length; i++) {
    const k = i % dim;
    let square = 0;
    for (let j = 0; j < width; j++) {
      let product = 1;
      for (const map of maps) product *= map[scalar ? j : j * dim + k]!;
      products[j] = product;
      square += product * product;
    }
    const row = firstRow + Math.floor(i / dim);
    for (let j = 0; j < width; j++) {
      base[(row * width + j) * dim + k] = square > 0 ? (value[i]! * products[j]!) / square : 0;
    }
  }
}

// A table as a sum of element-wise products: row e = sum_j x_j (.) m_1j (.) ... (.) m_(depth-1)j.
// `scalar` maps scale a whole row, `diagonal` maps an element; `row` maps belong to one row, `shared` ones to all.
// Scalar per row of depth 2 is e = s x (Arora, Cohen, Hazan 2018, section 4, with p = 2 layers per row); diagonal shared
// of depth 2 is Weighted-SVD (Chen 2017, arXiv 1710.00482).

/** How a table is written as an element-wise product; depth of at least 2. */
export interface ElementwiseSpec {
  readonly kind: 'scalar' | 'diagonal';
  readonly scope: 'row' | 'shared';
  readonly depth: number;
  readonly width: number;
  readonly init: number;
}

/** A table given as scalar or diagonal products. */
export class ElementwiseProduct extends Table {
  readonly factors: readonly Factor[];
  readonly rowFactors: readonly Factor[];
  readonly maps: readonly GrowingFactor[];
  values!: Real;
  private readonly shape: { dim: number; width: number; scalar: boolean; perRow: boolean };
  /** Rows are s x, with one scalar s a row: the gradient of the product lies where that of x will. */
  private readonly isScaled: boolean;
  /** The arrays of the maps, in a list of their own: what the kernels take. */
  private mapData: Real[] = [];
  private gBase!: ReusableGradient;
  private gMaps!: ReusableGradient[];
  private gMapValues!: Real[];

  constructor(
    table: TableShape,
    readonly spec: ElementwiseSpec,
    private readonly stream: Stream,
  ) {
    const { kind, scope, depth, width } = spec;
    super(table, table.dim * width);
    const { name, group, rows, dim, precision, constraint } = table;
    this.shape = { dim, width, scalar: kind === 'scalar', perRow: scope === 'row' };
    this.isScaled = kind === 'scalar' && scope === 'row' && width === 1 && depth === 2;
    const mapRows = scope === 'row' ? rows : 1;
    const mapCols = kind === 'scalar' ? width : width * dim;
    this.maps = Array.from(
      { length: depth - 1 },
      (_, l) => new GrowingFactor(`${name}.map${l + 1}`, 'map', group, mapRows, mapCols, precision, constraint),
    );
    for (const map of this.maps) map.data.fill(spec.init);
    this.factors = [this.base, ...this.maps];
    this.rowFactors = this.shape.perRow ? this.factors : [this.base];
    this.refresh();
    this.resize();
  }

  get rowProduct() {
    const { kind, scope, depth, width } = this.spec;
    return width === 1 ? { kind, maps: depth - 1, isShared: scope === 'shared' } : undefined;
  }
  protected forward(): void {
    const { slotRow, slotCount } = this.selection;
    kernels.productForward(this.base.data, this.mapData, slotRow, slotCount, this.shape, this.values);
  }

  pullback(sink: GradientSink): void {
    const { slotRow, slotCount } = this.selection;
    const { gBase, gMaps, maps, base } = this;
    gBase.ids = slotRow;
    gBase.count = slotCount;
    if (this.isScaled && sink.acceptScaled?.(base, maps[0]!, gBase)) return;
    kernels.productBackward(
      this.grads,
      base.data,
      this.mapData,
      slotRow,
      slotCount,
      this.shape,
      gBase.values,
      this.gMapValues,
    );
    sink.accept(base, gBase);
    for (let l = 0; l < maps.length; l++) {
      const gradient = gMaps[l]!;
      gradient.ids = this.shape.perRow ? slotRow : null;
      gradient.count = this.shape.perRow ? slotCount : 1;
      sink.accept(maps[l]!, gradient);
    }
  }

  collapse(from = 0, to = this.rows): Real {
    const part = ({ data, cols }: GrowingFactor) => data.subarray(from * cols, to * cols);
    const maps = this.shape.perRow ? this.maps.map(part) : this.mapData;
    const product = allocate(this.precision, (to - from) * this.dim);
    kernels.productForward(part(this.base), maps, null, to - from, this.shape, product);
    return product;
  }

  assign(value: Real): void {
    for (const map of this.maps) map.data.fill(this.spec.init);
    writeBase(this.start, value, 0, this.stream.fork('split'));
  }

  grow(values: Real): void {
    const before = this.rows;
    const added = values.length / this.dim;
    this.base.growBy(added);
    if (this.shape.perRow) {
      for (const map of this.maps) {
        map.growBy(added);
        map.data.fill(this.spec.init, before * map.cols);
      }
    }
    this.growSelection();
    this.refresh();
    if (this.shape.perRow) writeBase(this.start, values, before, this.stream.fork('split').fork(before));
    else solveBase(this.start, values, before);
  }

  private get start(): BaseOfProduct {
    return { base: this.base.data, maps: this.mapData, ...this.shape };
  }

  private refresh(): void {
    this.mapData = this.maps.map((map) => map.data);
  }

  protected resize(): void {
    const { dim, width, perRow } = this.shape;
    this.values = allocate(this.precision, this.capacity * dim);
    // The gradient of one product takes the place of that of the table, which nobody needs any more.
    const values = width === 1 ? this.grads : allocate(this.precision, this.capacity * width * dim);
    this.gBase = { ids: null, count: 0, values };
    this.gMaps = this.maps.map((map) => {
      const rows = perRow ? this.capacity : 1;
      return { ids: null, count: 0, values: allocate(this.precision, rows * map.cols) };
    });
    this.gMapValues = this.gMaps.map((gradient) => gradient.values);
  }

  protected moveOwn(move: Move): void {
    for (const map of this.maps) map.data = move(map.data);
    this.refresh();
    this.values = move(this.values);
    for (const gradient of [this.gBase, ...this.gMaps]) {
      gradient.ids = null;
      gradient.values = move(gradient.values);
    }
    this.gMapValues = this.gMaps.map((gradient) => gradient.values);
  }
}
