// The little linear algebra that a dense product needs to start and to grow, in double: it runs once, not per step.

import { doubles } from '../core/allocate';
import { OpmfError } from '../core/errors';
import type { Stream } from '../core/random';
import * as kernels from '../kernels/dispatch';
import type { Move } from '../kernels/heap';
import type { Factor, Real } from '../optimizers/factor';
import { allocate, type GradientSink, GrowingFactor, type ReusableGradient } from './parameter';
import { Table, type TableShape } from './table';

/** A random rows x cols matrix with orthonormal columns (normal draws, Gram and Schmidt twice: exact to rounding). */
export function orthonormalColumns(rows: number, cols: number, stream: Stream): Float64Array {
  const q = doubles(rows * cols, `an orthonormal map of ${rows} x ${cols} numbers`);
  for (let c = 0; c < cols; c++) {
    for (let r = 0; r < rows; r++) q[r * cols + c] = stream.normal();
    for (let pass = 0; pass < 2; pass++) {
      for (let b = 0; b < c; b++) {
        let along = 0;
        for (let r = 0; r < rows; r++) along += q[r * cols + b]! * q[r * cols + c]!;
        for (let r = 0; r < rows; r++) q[r * cols + c]! -= along * q[r * cols + b]!;
      }
    }
    let square = 0;
    for (let r = 0; r < rows; r++) square += q[r * cols + c]! * q[r * cols + c]!;
    const norm = Math.sqrt(square);
    for (let r = 0; r < rows; r++) q[r * cols + c]! /= norm;
  }
  return q;
}

/** Solves A x = b in place for a positive definite A (n x n), by one Cholesky factorization A = L L^T. */
export function solvePositive(a: Float64Array, n: number): (b: Float64Array) => void {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      if (i !== j) l[i * n + j] = sum / l[j * n + j]!;
      else if (sum > 0) l[i * n + i] = Math.sqrt(sum);
      else
        throw new OpmfError(
          'the maps of a dense product have lost rank: new rows cannot be given a value through them',
        );
    }
  }
  return (b) => {
    for (let i = 0; i < n; i++) {
      let sum = b[i]!;
      for (let k = 0; k < i; k++) sum -= l[i * n + k]! * b[k]!;
      b[i] = sum / l[i * n + i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = b[i]!;
      for (let k = i + 1; k < n; k++) sum -= l[k * n + i]! * b[k]!;
      b[i] = sum / l[i * n + i]!;
    }
  };
}

// A table as a deep linear product: E = X A_1 ... A_(depth-1), X rows x width, the maps shared by all rows.
// (Arora, Cohen, Hazan 2018, equation 5.) The selected rows go through the maps one after another: with few rows a step
// that is far less work than multiplying the maps out, by a factor of width / rows.

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
  readonly rowFactors: readonly Factor[];
  readonly maps: readonly GrowingFactor[];
  /** The selected rows after each map: layers[l] = X A_1 ... A_(l+1). The last is the product. */
  private layers: Real[] = [];
  /** The gradients of `layers` but for the last, whose gradient is `grads`. */
  private gLayers: Real[] = [];
  private gBase!: ReusableGradient;
  /** A map, transposed. */
  private transposed: Real;
  private readonly gMaps: readonly ReusableGradient[];

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
    this.rowFactors = [this.base];
    this.transposed = allocate(precision, width * (depth > 2 ? width : dim));
    this.gMaps = this.maps.map((map) => ({ ids: null, count: width, values: allocate(precision, map.data.length) }));
    this.resize();
    this.startMaps();
  }

  get values(): Real {
    return this.layers[this.layers.length - 1]!;
  }

  protected forward(): void {
    const { slotRow, slotCount } = this.selection;
    const { width } = this.spec;
    for (let l = 0; l < this.maps.length; l++) {
      const { data, cols } = this.maps[l]!;
      const input = l === 0 ? this.base.data : this.layers[l - 1]!;
      kernels.multiply(input, l === 0 ? slotRow : null, data, slotCount, width, cols, this.layers[l]!);
    }
  }

  /** From the last map to the first: gA_l = input^T g, and on to the input with g A_l^T. */
  pullback(sink: GradientSink): void {
    const { slotRow, slotCount } = this.selection;
    const { maps, layers, gLayers, gMaps, gBase, transposed } = this;
    const { width } = this.spec;
    for (let l = maps.length - 1; l >= 0; l--) {
      const { data, cols } = maps[l]!;
      const g = l === maps.length - 1 ? this.grads : gLayers[l]!;
      const input = l === 0 ? this.base.data : layers[l - 1]!;
      // The gradient of the input; the input transposed while it is not written.
      const gInput = l === 0 ? gBase.values : gLayers[l - 1]!;
      kernels.transpose(input, l === 0 ? slotRow : null, slotCount, width, gInput);
      kernels.multiply(gInput, null, g, width, slotCount, cols, gMaps[l]!.values);
      kernels.transpose(data, null, width, cols, transposed);
      kernels.multiply(g, null, transposed, slotCount, cols, width, gInput);
    }
    gBase.ids = slotRow;
    gBase.count = slotCount;
    sink.accept(this.base, gBase);
    for (let l = 0; l < maps.length; l++) sink.accept(maps[l]!, gMaps[l]!);
  }

  collapse(from = 0, to = this.rows): Real {
    let table = this.base.data.subarray(from * this.base.cols, to * this.base.cols);
    for (const { data, cols } of this.maps) {
      const next = allocate(this.precision, (to - from) * cols);
      kernels.multiply(table, null, data, to - from, this.spec.width, cols, next);
      table = next;
    }
    return table;
  }

  assign(value: Real): void {
    this.startMaps();
    this.writeBase(value, 0);
  }

  grow(values: Real): void {
    const before = this.rows;
    this.base.growBy(values.length / this.dim);
    this.growSelection();
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
    const { dim } = this;
    const { width } = this.spec;
    const m = this.mapProduct();
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

  /** M = A_1 ... A_(depth-1), width x dim, in double. */
  private mapProduct(): Real {
    const { width } = this.spec;
    let product: Real = Float64Array.from(this.maps[0]!.data);
    for (const { data, cols } of this.maps.slice(1)) {
      const next = new Float64Array(width * cols);
      kernels.multiply(product, null, Float64Array.from(data), width, width, cols, next);
      product = next;
    }
    return product;
  }

  protected resize(): void {
    const room = (cols: number) => allocate(this.precision, this.capacity * cols);
    this.layers = this.maps.map(({ cols }) => room(cols));
    this.gLayers = this.maps.slice(0, -1).map(({ cols }) => room(cols));
    this.gBase = { ids: null, count: 0, values: room(this.spec.width) };
  }

  protected moveOwn(move: Move): void {
    for (const map of this.maps) map.data = move(map.data);
    this.layers = this.layers.map((layer) => move(layer));
    this.gLayers = this.gLayers.map((layer) => move(layer));
    this.transposed = move(this.transposed);
    for (const gradient of [this.gBase, ...this.gMaps]) {
      gradient.ids = null;
      gradient.values = move(gradient.values);
    }
  }
}
