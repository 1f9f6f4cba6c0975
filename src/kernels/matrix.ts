// Dense matrix products. JavaScript loops along memory; WebAssembly is blocked for registers and caches: a block of the
// result stays in locals while some of its terms are added, few enough that the part of b they read stays in the
// first-level cache for all rows. Storing a partial sum and resuming it later does not change the sum.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, choose, f32, f32x4, i32, loopWhile, sequence, set, v128 } from '../wasm/assembler';
import { createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import { isSingle, type Kernel, type Kernels, round } from './kernels';
import { Program } from './program';
import { advance, bytesOf, type Put, READ_AHEAD, RowWalk, rowAt, shiftOf, times } from './walk';

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

  /** Emits the function. `addPart`: the code that adds a part of the terms to the sums of a block. */
  emit(addPart: (rows: number, vectors: number) => Code<'void'>): void {
    const { f, aBytes, bBytes, q, part, done, row, m, k, n, b, c } = this;
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
      set(aBytes, bytesOf(k)),
      set(bBytes, bytesOf(n)),
      // The last part may be of no terms, as the only one of an empty sum is.
      set(parts, i32.add(i32.shrU(k, i32.const(shiftOf(TERMS))), i32.const(1))),
      times(
        parts,
        set(part, i32.sub(k, done)),
        branch(i32.geU(part, i32.const(TERMS)), set(part, i32.const(TERMS))),
        set(column, c),
        set(from, b),
        walk.blocks([column, from], VECTORS, (vectors, put) =>
          sequence(
            set(to, column),
            set(row, i32.const(0)),
            set(left, i32.shrU(m, i32.const(shiftOf(ROWS)))),
            times(left, block(ROWS, vectors, put)),
            set(left, i32.and(m, i32.const(ROWS - 1))),
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
    product.emit((rows, vectors) => {
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

// Half of what rectifiers leave is 0. A row's terms that are not are listed first, those of a part: the offset of b's row, and the
// number. A block of columns then takes its terms from the list.

/** Vectors that a row has in registers: with eight the compiler stores some, and takes one and a half times as long. */
const MOST_VECTORS = 6;
/** The numbers of a row's list: where it ends, a gap, and the terms. */
export const LIST = 2 + 2 * TERMS;

/** @see Kernels.multiplySparse */
export const multiplySparse: Kernel<'multiplySparse'> = {
  js(a, b, m, k, n, c) {
    const single = isSingle(c);
    c.fill(0, 0, m * n);
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        const x = a[i * k + l]!;
        if (x === 0) continue;
        for (let j = 0, to = i * n, q = l * n; j < n; j++, to++, q++) c[to]! += round(x * b[q]!, single);
      }
    }
  },

  wasm(module) {
    const f = module.function('void', 'multiplySparse');
    const [a, b, m, k] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [n, c, lists] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const local = () => f.local('i32');
    const [aBytes, bBytes, parts, part, done] = [local(), local(), local(), local(), local()];
    const [rows, p, x, at, list, end, column, rounds] = [
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
      local(),
    ];
    const [from, to, q] = [local(), local(), local()];
    const number = f.local('f32');
    const left = f.local('v128');
    const sums = Array.from({ length: MOST_VECTORS }, () => f.local('v128'));
    const listBytes = i32.const(4 * LIST);
    const listTerms = sequence(
      set(p, i32.add(a, bytesOf(done))),
      set(list, lists),
      set(rows, m),
      times(
        rows,
        set(x, p),
        set(at, i32.const(0)),
        set(end, i32.add(list, i32.const(8))),
        set(rounds, part),
        times(
          rounds,
          set(number, f32.load(x)),
          i32.store(end, at),
          f32.store(end, number, 4),
          advance(end, i32.shl(f32.ne(number, f32.const(0)), i32.const(3))),
          advance(x, 4),
          advance(at, bBytes),
        ),
        i32.store(list, end),
        advance(list, listBytes),
        advance(p, aBytes),
      ),
    );
    const block = (vectors: number) => {
      const some = sums.slice(0, vectors);
      return sequence(
        set(list, lists),
        set(from, i32.add(b, column)),
        set(to, i32.add(c, column)),
        set(rows, m),
        times(
          rows,
          branch(
            done,
            sequence(...some.map((sum, v) => set(sum, v128.load(to, 16 * v)))),
            sequence(...some.map((sum) => set(sum, f32x4.zero()))),
          ),
          set(p, i32.add(list, i32.const(8))),
          set(end, i32.load(list)),
          loopWhile(
            i32.sub(end, p),
            set(q, i32.add(from, i32.load(p))),
            set(left, v128.loadSplat(p, 4)),
            ...some.map((sum, v) => set(sum, f32x4.add(sum, f32x4.mul(left, v128.load(q, 16 * v))))),
            advance(p, 8),
          ),
          ...some.map((sum, v) => v128.store(to, sum, 16 * v)),
          advance(to, bBytes),
          advance(list, listBytes),
        ),
        advance(column, 16 * vectors),
      );
    };
    f.emit(
      set(aBytes, bytesOf(k)),
      set(bBytes, bytesOf(n)),
      // One at least: an empty sum is 0.
      set(parts, i32.add(i32.shrU(i32.add(k, i32.const(TERMS - 1)), i32.const(shiftOf(TERMS))), i32.eqz(k))),
      times(
        parts,
        set(part, i32.sub(k, done)),
        branch(i32.geU(part, i32.const(TERMS)), set(part, i32.const(TERMS))),
        listTerms,
        set(column, i32.const(0)),
        ...[MOST_VECTORS, 4, 1].map((vectors) =>
          loopWhile(i32.geU(bBytes, i32.add(column, i32.const(16 * vectors))), block(vectors)),
        ),
        advance(b, i32.mul(bBytes, i32.const(TERMS))),
        advance(done, TERMS),
      ),
    );
  },
};

/** Rows that are transposed together: as many as fill a line of the cache in each row of the result. */
const TRANSPOSED = 16;

/** @see Kernels.transpose */
export const transpose: Kernel<'transpose'> = {
  js(a, ids, m, n, c) {
    for (let i = 0; i < m; i++) {
      const p = (ids === null ? i : ids[i]!) * n;
      for (let j = 0; j < n; j++) c[j * m + i] = a[p + j]!;
    }
  },

  wasm(module) {
    // Of rows `stride` apart the first n columns, so that several calls may share a matrix.
    const f = module.function('void', 'transpose');
    const [a, ids, m, n, c, stride] = [
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
    ];
    const [aBytes, cBytes, row, rounds, left] = [
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
    ];
    const tos = Array.from({ length: 4 }, () => f.local('i32'));
    const from = Array.from({ length: TRANSPOSED }, () => f.local('i32'));
    const loaded = Array.from({ length: 4 }, () => f.local('v128'));
    const halves = Array.from({ length: 4 }, () => f.local('v128'));
    /** Four columns of four rows. */
    const square = (rows: readonly Local<'i32'>[], offset: number) => {
      const [p, q, r, s] = loaded as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
      const [pq, pqHigh, rs, rsHigh] = halves as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
      const { shuffle } = f32x4;
      const columns = [
        shuffle(pq, rs, 0, 1, 4, 5),
        shuffle(pq, rs, 2, 3, 6, 7),
        shuffle(pqHigh, rsHigh, 0, 1, 4, 5),
        shuffle(pqHigh, rsHigh, 2, 3, 6, 7),
      ];
      return sequence(
        ...loaded.map((vector, i) => set(vector, v128.load(rows[i]!))),
        set(pq, shuffle(p, q, 0, 4, 1, 5)),
        set(pqHigh, shuffle(p, q, 2, 6, 3, 7)),
        set(rs, shuffle(r, s, 0, 4, 1, 5)),
        set(rsHigh, shuffle(r, s, 2, 6, 3, 7)),
        ...columns.map((column, j) => v128.store(tos[j]!, column, offset)),
      );
    };
    const [to] = tos as [Local<'i32'>];
    const block = (count: number) => {
      const rows = from.slice(0, count);
      const named = (r: number) => {
        const index = i32.add(row, i32.const(r));
        return choose(ids, i32.load(i32.add(ids, bytesOf(row)), 4 * r), index);
      };
      const move = (bytes: number) => rows.map((p) => advance(p, bytes));
      return sequence(
        ...rows.map((p, r) => set(p, rowAt(a, named(r), aBytes))),
        set(to, c),
        set(left, n),
        ...(count === 1
          ? []
          : [
              set(left, i32.shrU(n, i32.const(2))),
              times(
                left,
                ...tos.slice(1).map((next, j) => set(next, i32.add(tos[j]!, cBytes))),
                ...Array.from({ length: count / 4 }, (_, g) => square(rows.slice(4 * g, 4 * g + 4), 16 * g)),
                set(to, i32.add(tos[3]!, cBytes)),
                ...move(16),
              ),
              set(left, i32.and(n, i32.const(3))),
            ]),
        times(left, ...rows.map((p, r) => f32.store(to, f32.load(p), 4 * r)), advance(to, cBytes), ...move(4)),
        advance(row, count),
        advance(c, 4 * count),
      );
    };
    f.emit(
      set(aBytes, bytesOf(stride)),
      set(cBytes, bytesOf(m)),
      set(rounds, i32.shrU(m, i32.const(shiftOf(TRANSPOSED)))),
      times(rounds, block(TRANSPOSED)),
      set(rounds, i32.and(m, i32.const(TRANSPOSED - 1))),
      times(rounds, block(1)),
    );
  },
};

// What stands around the product of a dense layer: its bias and a rectifier, and the way back through both.

/** @see Kernels.addRow */
export const addRow: Kernel<'addRow'> = {
  js(row, m, n, relu, c) {
    const single = isSingle(c);
    for (let i = 0, at = 0; i < m; i++) {
      for (let j = 0; j < n; j++, at++) {
        const sum = round(c[at]! + row[j]!, single);
        c[at] = relu ? Math.max(sum, 0) : sum;
      }
    }
  },

  wasm(module) {
    const f = module.function('void', 'addRow');
    const [row, m, n, relu, c] = [
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
    ];
    const [p, q] = [f.local('i32'), f.local('i32')];
    const walk = new RowWalk(f, n);
    const eachRow = (made: (sum: Code<'v128'>) => Code<'v128'>) =>
      times(
        m,
        set(p, row),
        set(q, c),
        walk.each([p, q], (offset, put) => put(q, made(f32x4.add(v128.load(q, offset), v128.load(p, offset))), offset)),
        advance(c, bytesOf(n)),
      );
    f.emit(
      branch(
        relu,
        eachRow((sum) => f32x4.max(sum, f32x4.zero())),
        eachRow((sum) => sum),
      ),
    );
  },
};

/** @see Kernels.addRows */
export const addRows: Kernel<'addRows'> = {
  js(g, y, m, n, row) {
    for (let i = 0, at = 0; i < m; i++) {
      for (let j = 0; j < n; j++, at++) {
        if (y !== null && !(y[at]! > 0)) g[at] = 0;
        row[j]! += g[at]!;
      }
    }
  },

  wasm(module) {
    // As in transpose.
    const f = module.function('void', 'addRows');
    const [g, y, m, n, row, stride] = [
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
      f.parameter('i32'),
    ];
    const [p, q, r, kept] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('v128')];
    const walk = new RowWalk(f, n);
    const eachRow = (
      cursors: readonly Local<'i32'>[],
      gradient: (offset: number, put: Put) => readonly Code<'void'>[],
    ) =>
      times(
        m,
        set(p, g),
        set(q, y),
        set(r, row),
        walk.each(cursors, (offset, put) =>
          sequence(...gradient(offset, put), put(r, f32x4.add(v128.load(r, offset), kept), offset)),
        ),
        ...[g, y].map((cursor) => advance(cursor, bytesOf(stride))),
      );
    f.emit(
      branch(
        y,
        eachRow([p, q, r], (offset, put) => [
          set(kept, v128.and(v128.load(p, offset), f32x4.gt(v128.load(q, offset), f32x4.zero()))),
          put(p, kept, offset),
        ]),
        eachRow([p, r], (offset) => [set(kept, v128.load(p, offset))]),
      ),
    );
  },
};

/** The kernels of this file, as WebAssembly. */
export const matrixProgram = /* @__PURE__ */ new Program({ multiply, multiplySparse, transpose, addRow, addRows });

// Products of matrices in ordinary memory: some rows at a time go through a memory that all of them share. Copies are cheap
// beside products of as many rows and columns as layers have.

/** Rows that go through the memory together; fewer than a share of them are multiplied in JavaScript. */
const ROWS_IN_COMMON = 256;
const FEWEST_ROWS = 8;

/** The memory, and the program on it. */
interface CommonMemory {
  readonly numbers: Float32Array<ArrayBuffer>;
  readonly multiply: (...operands: number[]) => void;
}
let common: CommonMemory | undefined;

/** The common memory with room for so many numbers; a larger one takes its place. */
function roomFor(numbers: number): CommonMemory {
  if (common === undefined || numbers > common.numbers.length) {
    const memory = createMemory(4 * numbers + READ_AHEAD);
    const { multiply } = instantiate<Pick<CommonMemory, 'multiply'>>(matrixProgram.compiled(), memory);
    common = { numbers: new Float32Array(memory.buffer), multiply };
  }
  return common;
}

/**
 * The product of matrices that lie anywhere, with the bits of multiplyInJs.
 * @throws UnsupportedError if WebAssembly is required but not available
 */
export function commonMultiply(kernels: KernelChoice): Kernels['multiply'] {
  return (a, ids, b, m, k, n, c) => {
    const most = Math.min(m, ROWS_IN_COMMON);
    const needed = most * (k + n) + k * n;
    const room = isSingle(c) && m >= FEWEST_ROWS ? inWasm(kernels, () => roomFor(needed)) : null;
    if (room === null) return multiplyInJs(a, ids, b, m, k, n, c);
    const { numbers, multiply } = room;
    const [ofB, ofC] = [most * k, most * k + k * n];
    numbers.set(b.subarray(0, k * n), ofB);
    for (let from = 0; from < m; from += most) {
      const count = Math.min(most, m - from);
      if (ids === null) numbers.set(a.subarray(from * k, (from + count) * k));
      else
        for (let i = 0, to = 0; i < count; i++)
          for (let l = 0, at = ids[from + i]! * k; l < k; l++) numbers[to++] = a[at++]!;
      multiply(0, 0, 4 * ofB, count, k, n, 4 * ofC);
      c.set(numbers.subarray(ofC, ofC + count * n), from * n);
    }
  };
}
