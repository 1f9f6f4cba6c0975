// A table as a deep linear product: E = X A_1 ... A_(depth-1), X rows x width, the maps shared by all rows.
// (Arora, Cohen, Hazan 2018, equation 5.) The maps are multiplied out once a step, so the cost of a row does not
// depend on the depth.

import type { Stream } from '../core/random';
import { kernels } from '../kernels/select';
import type { Factor, Real } from '../optimizers/factor';
import { allocate, GrowingFactor, type ReusableGradient } from './memory';
import { orthonormalColumns, solvePositive } from './orthonormal';
import type { GradientSink } from './parameter';
import { Table, type TableShape } from './table';

/** How a table is written as a dense product; depth of at least 2, width of at least dim. */
export interface DenseSpec {
  readonly kind: 'dense';
  readonly depth: number;
  readonly width: number;
  readonly init: number;
}

/** A table given as a product with dense matrices. */
export class DenseProduct extends Table {
  readonly factors: readonly Factor[];
  readonly maps: readonly GrowingFactor[];
  values: Real;
  /** M = A_1 ... A_(depth-1), width x dim, of the step. */
  private readonly product: Real;
  private readonly gProduct: Real;
  /** left[l] = A_1 ... A_(l+1), the running products from the left: the first is a map itself, the last `product`. */
  private readonly left: readonly Real[];
  private readonly gMaps: ReusableGradient[];
  private gBase!: ReusableGradient;
  /** The gradients of the running products, in turn. */
  private readonly scratch: readonly Real[];

  constructor(
    table: TableShape,
    readonly spec: DenseSpec,
    private readonly stream: Stream,
  ) {
    const { depth, width } = spec;
    super(table, width);
    const { name, group, dim, precision } = table;
    const last = depth - 2;
    this.maps = Array.from(
      { length: depth - 1 },
      (_, l) => new GrowingFactor(`${name}.map${l + 1}`, 'map', group, width, l === last ? dim : width, precision),
    );
    this.factors = [this.base, ...this.maps];
    this.left = this.maps.map((map, l) => (l === 0 ? map.data : allocate(precision, map.data.length)));
    this.product = this.left[last]!;
    this.gMaps = this.maps.map((map) => ({ ids: null, count: width, values: allocate(precision, map.data.length) }));
    // With one map the gradient of the product is the gradient of the map.
    this.gProduct = last === 0 ? this.gMaps[0]!.values : allocate(precision, width * dim);
    this.scratch = [allocate(precision, width * width), allocate(precision, width * width)];
    this.values = allocate(precision, dim);
    this.resize();
    this.startMaps();
  }

  get at(): Int32Array {
    return this.selection.slot;
  }
  get slotAt(): Int32Array {
    return this.selection.identity;
  }

  protected forward(): void {
    const { slotRow, slotCount } = this.selection;
    this.multiplyMaps();
    kernels.multiply(this.base.data, slotRow, this.product, slotCount, this.spec.width, this.dim, this.values);
  }

  pullback(sink: GradientSink): void {
    const { slotRow, slotCount } = this.selection;
    const { gBase, grads, dim } = this;
    const { width } = this.spec;
    kernels.multiplyTransposed(grads, this.product, slotCount, dim, width, gBase.values);
    gBase.ids = slotRow;
    gBase.count = slotCount;
    kernels.transposedMultiply(this.base.data, slotRow, grads, slotCount, width, dim, this.gProduct);
    this.pullbackMaps();
    sink.accept(this.base, gBase);
    for (let l = 0; l < this.maps.length; l++) sink.accept(this.maps[l]!, this.gMaps[l]!);
  }

  /** From the gradient G of M: gA_l = (A_1 ... A_(l-1))^T G (A_(l+1) ...)^T, from the last map to the first. */
  private pullbackMaps(): void {
    const { width } = this.spec;
    let g = this.gProduct;
    for (let l = this.maps.length - 1; l > 0; l--) {
      const { cols, data } = this.maps[l]!;
      kernels.transposedMultiply(this.left[l - 1]!, null, g, width, width, cols, this.gMaps[l]!.values);
      const next = l === 1 ? this.gMaps[0]!.values : this.scratch[l % 2]!;
      kernels.multiplyTransposed(g, data, width, cols, width, next);
      g = next;
    }
  }

  private multiplyMaps(): void {
    const { width } = this.spec;
    for (let l = 1; l < this.maps.length; l++) {
      const { data, cols } = this.maps[l]!;
      kernels.multiply(this.left[l - 1]!, null, data, width, width, cols, this.left[l]!);
    }
  }

  collapse(): Real {
    this.multiplyMaps();
    const table = allocate(this.precision, this.rows * this.dim);
    kernels.multiply(this.base.data, null, this.product, this.rows, this.spec.width, this.dim, table);
    return table;
  }

  assign(value: Real): void {
    this.startMaps();
    this.writeBase(value, 0);
  }

  grow(values: Real): void {
    const before = this.rows;
    this.base.growBy(values.length / this.dim);
    this.selection.growTo(this.rows);
    this.writeBase(values, before);
  }

  /**
   * The maps at their start: init x identity, and where width > dim the last one init x a random matrix with
   * orthonormal columns (rows of zeros would get no gradient, and stay zero for ever).
   */
  private startMaps(): void {
    const { width, init } = this.spec;
    for (const { data, cols } of this.maps) {
      if (cols < width) {
        const columns = orthonormalColumns(width, cols, this.stream.fork('orthonormal'));
        for (let i = 0; i < data.length; i++) data[i] = init * columns[i]!;
      } else {
        data.fill(0);
        for (let i = 0; i < width; i++) data[i * cols + i] = init;
      }
    }
  }

  /** The shortest base with X M = value: X = value (M^T M)^-1 M^T, in double. */
  private writeBase(value: Real, firstRow: number): void {
    const { dim, product: m } = this;
    const { width } = this.spec;
    this.multiplyMaps();
    const gram = new Float64Array(dim * dim);
    for (let a = 0; a < dim; a++) {
      for (let b = 0; b < dim; b++) {
        let sum = 0;
        for (let w = 0; w < width; w++) sum += m[w * dim + a]! * m[w * dim + b]!;
        gram[a * dim + b] = sum;
      }
    }
    const solve = solvePositive(gram, dim);
    const row = new Float64Array(dim);
    for (let r = 0; r < value.length / dim; r++) {
      for (let k = 0; k < dim; k++) row[k] = value[r * dim + k]!;
      solve(row);
      for (let w = 0; w < width; w++) {
        let sum = 0;
        for (let k = 0; k < dim; k++) sum += row[k]! * m[w * dim + k]!;
        this.base.data[(firstRow + r) * width + w] = sum;
      }
    }
  }

  protected resize(): void {
    this.values = allocate(this.precision, this.capacity * this.dim);
    this.gBase = { ids: null, count: 0, values: allocate(this.precision, this.capacity * this.spec.width) };
  }
}
