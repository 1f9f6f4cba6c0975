// Dense matrix products. JavaScript loops along memory; WebAssembly is blocked for registers and caches: a block of the
// result stays in locals while some of its terms are added, few enough that the part of b they read stays in the
// first-level cache for all rows. Storing a partial sum and resuming it later does not change the sum.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, choose, f32, f32x4, i32, sequence, set, v128 } from '../wasm/assembler';
import { dot } from './dot';
import { isSingle, type Kernel, type Kernels, round } from './kernels';
import { Program } from './program';
import { advance, bytesOf, LaneDots, type Put, RowWalk, rowAt, shiftOf, times } from './walk';

/** Rows and vectors per block: eight sums, and their operands, in sixteen registers. */
const ROWS = 4;
const VECTORS = 2;
/** The most terms added before moving to the next block. */
const TERMS = 128;

/** A product c = sums of terms: a number of a times a row of b. */
class Product {
  readonly a: Local<'i32'>;
  readonly aBytes: Local<'i32'>;
  /** The number of terms in this part, and in the parts before. */
  readonly part: Local<'i32'>;
  readonly done: Local<'i32'>;
  /** The row of c that a block starts with. */
  readonly row: Local<'i32'>;
  /** The address of the next term's row of b, at the columns of the block. */
  private readonly q: Local<'i32'>;
  private readonly ids: Local<'i32'>;
  private readonly b: Local<'i32'>;
  private readonly m: Local<'i32'>;
  private readonly k: Local<'i32'>;
  private readonly n: Local<'i32'>;
  private readonly c: Local<'i32'>;
  private readonly bBytes: Local<'i32'>;
  private readonly sums: readonly (readonly Local<'v128'>[])[];
  private readonly right: readonly Local<'v128'>[];
  private readonly left: Local<'v128'>;

  constructor(private readonly f: FunctionBuilder) {
    [this.a, this.ids, this.b] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    [this.m, this.k, this.n, this.c] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    [this.aBytes, this.bBytes, this.q] = [f.local('i32'), f.local('i32'), f.local('i32')];
    [this.part, this.done, this.row] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const some = (count: number) => Array.from({ length: count }, () => f.local('v128'));
    this.sums = Array.from({ length: ROWS }, () => some(VECTORS));
    this.right = some(VECTORS);
    this.left = f.local('v128');
  }

  /**
   * Emits the function: c has one row per row of a, or per column of a. `addPart`: the code that adds a
   * part of the terms to the sums of a block.
   */
  emit(by: 'rows of a' | 'columns of a', addPart: (rows: number, vectors: number) => Code<'void'>): void {
    const { f, aBytes, bBytes, q, part, done, row, m, k, n, b, c } = this;
    const [rows, total] = by === 'rows of a' ? [m, k] : [k, m];
    const [parts, left, column, from, to] = [
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
    ];
    const walk = new RowWalk(f, n);
    const block = (count: number, vectors: number, put: Put) =>
      sequence(
        this.start(count, vectors, to),
        set(q, from),
        addPart(count, vectors),
        this.end(count, vectors, to, put),
        advance(row, count),
      );
    f.emit(
      walk.prepare,
      set(aBytes, bytesOf(k)),
      set(bBytes, bytesOf(n)),
      // The last part may be of no terms, as the only one of an empty sum is.
      set(parts, i32.add(i32.shrU(total, i32.const(shiftOf(TERMS))), i32.const(1))),
      times(
        parts,
        set(part, i32.sub(total, done)),
        branch(i32.geU(part, i32.const(TERMS)), set(part, i32.const(TERMS))),
        set(column, c),
        set(from, b),
        walk.blocks([column, from], VECTORS, (vectors, put) =>
          sequence(
            set(to, column),
            set(row, i32.const(0)),
            set(left, i32.shrU(rows, i32.const(shiftOf(ROWS)))),
            times(left, block(ROWS, vectors, put)),
            set(left, i32.and(rows, i32.const(ROWS - 1))),
            times(left, block(1, vectors, put)),
          ),
        ),
        advance(b, i32.mul(bBytes, i32.const(TERMS))),
        advance(done, TERMS),
      ),
    );
  }

  /** sums += left_r times the next row of b, for every row r. */
  add(vectors: number, lefts: readonly Code<'v128'>[]): Code<'void'> {
    const { right, left, q } = this;
    return sequence(
      ...right.slice(0, vectors).map((vector, v) => set(vector, v128.load(q, 16 * v))),
      ...this.of(lefts.length, vectors).flatMap((sums, r) => [
        set(left, lefts[r]!),
        ...sums.map((sum, v) => set(sum, f32x4.add(sum, f32x4.mul(left, right[v]!)))),
      ]),
      advance(q, this.bBytes),
    );
  }

  /** The row number `ids[index]`; the index itself if ids is 0. */
  named(index: Local<'i32'>, ahead = 0): Code<'i32'> {
    const { ids } = this;
    const id = i32.load(i32.add(ids, bytesOf(index)), 4 * ahead);
    return choose(ids, id, i32.add(index, i32.const(ahead)));
  }

  /** The partial sums so far; 0 in the first part. */
  private start(rows: number, vectors: number, to: Local<'i32'>): Code<'void'> {
    const { q, bBytes, done } = this;
    const sums = this.of(rows, vectors);
    const loads = sums.flatMap((some) => [...some.map((sum, v) => set(sum, v128.load(q, 16 * v))), advance(q, bBytes)]);
    return branch(
      done,
      sequence(set(q, to), ...loads),
      sequence(...sums.flatMap((some) => some.map((sum) => set(sum, f32x4.zero())))),
    );
  }

  /** Writes the sums to the rows of c from `to` on, which is moved. */
  private end(rows: number, vectors: number, to: Local<'i32'>, put: Put): Code<'void'> {
    return sequence(
      ...this.of(rows, vectors).flatMap((sums) => [
        ...sums.map((sum, v) => put(to, sum, 16 * v)),
        advance(to, this.bBytes),
      ]),
    );
  }

  private of(rows: number, vectors: number): (readonly Local<'v128'>[])[] {
    return this.sums.slice(0, rows).map((sums) => sums.slice(0, vectors));
  }
}

/** @see Kernels.multiply. Separate from its program: a bundle that serves in JavaScript contains only this. */
export const multiplyInJs: Kernels['multiply'] = (a, ids, b, m, k, n, c) => {
  const single = isSingle(c);
  for (let i = 0; i < m; i++) {
    const p = (ids === null ? i : ids[i]!) * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let l = 0, q = j; l < k; l++, q += n) {
        const x = a[p + l]!;
        sum0 = round(sum0 + round(x * b[q]!, single), single);
        sum1 = round(sum1 + round(x * b[q + 1]!, single), single);
        sum2 = round(sum2 + round(x * b[q + 2]!, single), single);
        sum3 = round(sum3 + round(x * b[q + 3]!, single), single);
      }
      c[i * n + j] = sum0;
      c[i * n + j + 1] = sum1;
      c[i * n + j + 2] = sum2;
      c[i * n + j + 3] = sum3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum = round(sum + round(a[p + l]! * b[l * n + j]!, single), single);
      c[i * n + j] = sum;
    }
  }
};

/** @see Kernels.multiply */
export const multiply: Kernel<'multiply'> = {
  js: multiplyInJs,

  wasm(module) {
    const f = module.function('void', 'multiply');
    const product = new Product(f);
    const { a, aBytes, part, done, row } = product;
    const terms = f.local('i32');
    const lefts = Array.from({ length: ROWS }, () => f.local('i32'));
    product.emit('rows of a', (rows, vectors) => {
      const ps = lefts.slice(0, rows);
      return sequence(
        ...ps.map((p, r) => set(p, i32.add(rowAt(a, product.named(row, r), aBytes), bytesOf(done)))),
        set(terms, part),
        // One term a round: code for several takes a third longer on V8.
        times(
          terms,
          product.add(
            vectors,
            ps.map((p) => v128.loadSplat(p)),
          ),
          ...ps.map((p) => advance(p, 4)),
        ),
      );
    });
  },
};

/** @see Kernels.transposedMultiply */
export const transposedMultiply: Kernel<'transposedMultiply'> = {
  js(a, ids, b, m, k, n, c) {
    const single = isSingle(c);
    c.fill(0, 0, k * n);
    for (let i = 0; i < m; i++) {
      const p = (ids === null ? i : ids[i]!) * k;
      const q = i * n;
      for (let l = 0; l < k; l++) {
        const weight = a[p + l]!;
        for (let j = 0; j < n; j++) c[l * n + j]! += round(weight * b[q + j]!, single);
      }
    }
  },

  wasm(module) {
    const f = module.function('void', 'transposedMultiply');
    const product = new Product(f);
    const { a, aBytes, part, done, row } = product;
    const [terms, index, p] = [f.local('i32'), f.local('i32'), f.local('i32')];
    product.emit('columns of a', (rows, vectors) =>
      sequence(
        set(index, done),
        set(terms, part),
        times(
          terms,
          set(p, i32.add(rowAt(a, product.named(index), aBytes), bytesOf(row))),
          product.add(
            vectors,
            Array.from({ length: rows }, (_, r) => v128.loadSplat(p, 4 * r)),
          ),
          advance(index, 1),
        ),
      ),
    );
  },
};

/** @see Kernels.multiplyTransposed */
export const multiplyTransposed: Kernel<'multiplyTransposed'> = {
  js(a, b, m, n, k, c) {
    for (let i = 0; i < m; i++) for (let j = 0; j < k; j++) c[i * k + j] = dot(a, i * n, b, j * n, n);
  },

  wasm(module) {
    const f = module.function('void', 'multiplyTransposed');
    const [a, b, m] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [n, k, c] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [bytes, row, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const [p, q, first, second] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
    const dots = new LaneDots(f, n, 2);
    const store = (j: number) => f32.store(c, dots.total(j), 4 * j);
    f.emit(
      dots.prepare,
      set(bytes, bytesOf(n)),
      set(row, a),
      times(
        m,
        set(q, b),
        // Two at a time share the loads of a's row.
        set(left, i32.shrU(k, i32.const(1))),
        times(
          left,
          set(p, row),
          set(second, i32.add(q, bytes)),
          set(first, q),
          dots.sum(p, first, second),
          store(0),
          store(1),
          advance(c, 8),
          advance(q, i32.shl(bytes, i32.const(1))),
        ),
        set(left, i32.and(k, i32.const(1))),
        times(left, set(p, row), dots.sum(p, q), store(0), advance(c, 4)),
        advance(row, bytes),
      ),
    );
  },
};

/** The kernels of this file, as WebAssembly. */
export const matrixProgram = /* @__PURE__ */ new Program({ multiply, multiplyTransposed, transposedMultiply });
