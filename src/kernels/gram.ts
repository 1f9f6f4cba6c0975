// THE SEAM of sums of outer products, in double precision: they make up normal equations, and most of the time to solve
// them.

import { doubles } from '../core/allocate';
import { type Code, f64x2, i32, type Local, loopWhile, ModuleBuilder, sequence, set, v128 } from '../wasm/assembler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice, Unavailable } from '../wasm/host';

/** Lengths are rounded up to a multiple of this. */
export const GRAM_BLOCK = 4;
/** The most rows added at a time: they stay in the first-level cache. */
export const ROWS_A_TIME = 32;

/** The padded length of a Gram. */
export function paddedLength(length: number): number {
  return Math.ceil(length / GRAM_BLOCK) * GRAM_BLOCK;
}

/** A symmetric matrix A (n x n, row-major), and a buffer for a few rows x of n numbers to add to it. */
export interface Gram {
  /** A multiple of GRAM_BLOCK. */
  readonly n: number;
  /** A. Only its lower triangle is defined; upper entries near the diagonal may change. */
  readonly matrix: Float64Array;
  /** ROWS_A_TIME rows, one after another. */
  readonly rows: Float64Array;
  /** A += the sum of x x^T over the first `count` rows, first to last. Cost: count n^2 / 2 multiplications. */
  add(count: number): void;
  /** A -= the same sum, for rows and columns of A from `from` on, a multiple of GRAM_BLOCK. */
  subtract(count: number, from: number): void;
}

// Sums of outer products in JavaScript: the definition. Eight entries of A stay in registers during the loop over all
// rows, so that an addition costs less than one load.

/** A Gram on plain arrays. */
export class JsGram implements Gram {
  readonly matrix: Float64Array;
  readonly rows: Float64Array;

  constructor(readonly n: number) {
    this.matrix = doubles(n * n, `a matrix of ${n} x ${n} numbers`);
    this.rows = new Float64Array(ROWS_A_TIME * n);
  }

  add(count: number): void {
    addRows(this.matrix, this.n, this.rows, count, 0, 1);
  }

  subtract(count: number, from: number): void {
    addRows(this.matrix, this.n, this.rows, count, from, -1);
  }
}

/** A += sign (sum of x x^T); the sign is 1 or -1, so multiplying by it is exact. */
function addRows(a: Float64Array, n: number, rows: Float64Array, count: number, from: number, sign: number): void {
  const end = count * n;
  for (let i = from; i < n; i += 4) {
    const [r0, r1, r2, r3] = [i * n, (i + 1) * n, (i + 2) * n, (i + 3) * n];
    for (let j = from; j < i + 4; j += 2) {
      let a00 = a[r0 + j]!;
      let a01 = a[r0 + j + 1]!;
      let a10 = a[r1 + j]!;
      let a11 = a[r1 + j + 1]!;
      let a20 = a[r2 + j]!;
      let a21 = a[r2 + j + 1]!;
      let a30 = a[r3 + j]!;
      let a31 = a[r3 + j + 1]!;
      for (let at = 0; at < end; at += n) {
        const y0 = sign * rows[at + j]!;
        const y1 = sign * rows[at + j + 1]!;
        const x0 = rows[at + i]!;
        a00 += x0 * y0;
        a01 += x0 * y1;
        const x1 = rows[at + i + 1]!;
        a10 += x1 * y0;
        a11 += x1 * y1;
        const x2 = rows[at + i + 2]!;
        a20 += x2 * y0;
        a21 += x2 * y1;
        const x3 = rows[at + i + 3]!;
        a30 += x3 * y0;
        a31 += x3 * y1;
      }
      a[r0 + j] = a00;
      a[r0 + j + 1] = a01;
      a[r1 + j] = a10;
      a[r1 + j + 1] = a11;
      a[r2 + j] = a20;
      a[r2 + j + 1] = a21;
      a[r3 + j] = a30;
      a[r3 + j + 1] = a31;
    }
  }
}

// Generates the WebAssembly of sums of outer products for one exact length: blocks of four rows and four columns of A
// in eight vector registers, two doubles each, during the loop over all rows. The order of each sum is that of JsGram.

/** The size of the memory: A, then the rows. */
export function gramBytes(n: number): number {
  return 8 * (n * n + ROWS_A_TIME * n);
}

/** The program. It exports `add(count, from)` and `subtract(count, from)`. */
export function encodeGram(n: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  accumulate(module, n, 'add');
  accumulate(module, n, 'subtract');
  return module.encode({ pages: 1, isShared: false });
}

function accumulate(module: ModuleBuilder, n: number, name: 'add' | 'subtract'): void {
  const row = 8 * n;
  const rows = row * n;
  const f = module.function('void', name);
  const [count, from] = [f.parameter('i32'), f.parameter('i32')];
  // Bytes from the start of a row to the block's rows (as columns of x) and columns; the block's first row in A; x.
  const [i, j, start, at, end] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [x, left, right] = [f.local('v128'), f.local('v128'), f.local('v128')];
  const sums = Array.from({ length: 8 }, () => f.local('v128'));
  const block = i32.add(start, j);
  const each = (make: (sum: Local<'v128'>, r: number, half: number) => Code<'void'>) =>
    sequence(...sums.map((sum, k) => make(sum, k >> 1, k & 1)));
  const combine = name === 'add' ? f64x2.add : f64x2.sub;
  const step = (local: Local<'i32'>, by: number) => set(local, i32.add(local, i32.const(by)));
  f.emit(
    set(end, i32.mul(count, i32.const(row))),
    set(i, i32.shl(from, i32.const(3))),
    set(start, i32.mul(from, i32.const(row))),
    loopWhile(
      i32.ltU(i, i32.const(row)),
      set(j, i32.shl(from, i32.const(3))),
      loopWhile(
        i32.geU(i, j),
        each((sum, r, half) => set(sum, v128.load(block, r * row + 16 * half))),
        set(at, i32.const(0)),
        loopWhile(
          i32.ltU(at, end),
          set(left, v128.load(i32.add(at, j), rows)),
          set(right, v128.load(i32.add(at, j), rows + 16)),
          each((sum, r, half) => {
            const product = set(sum, combine(sum, f64x2.mul(x, half === 0 ? left : right)));
            return half === 1 ? product : sequence(set(x, v128.loadSplat64(i32.add(at, i), rows + 8 * r)), product);
          }),
          step(at, row),
        ),
        each((sum, r, half) => v128.store(block, sum, r * row + 16 * half)),
        step(j, 32),
      ),
      step(i, 32),
      step(start, 4 * row),
    ),
  );
}

// Sums of outer products in WebAssembly if available, else in JavaScript, with the same bits.

/** The reach of a 32-bit offset, with a margin. */
const MOST_BYTES = 2 ** 31;
/** Grams of up to this length share one memory. */
const SHORT = 256;

/** Compiled once per process: few lengths occur. */
const modules = new Map<number, WebAssembly.Module>();
/** The memory of the short shared Grams, and all shared Grams by length. */
let shortMemory: WebAssembly.Memory | undefined;
const common = new Map<number, Gram>();

/**
 * A shared Gram with arbitrary contents, for work that finishes before it yields. In
 * WebAssembly there is one of each length, and all short ones lie in one memory.
 * @throws UnsupportedError if WebAssembly is required but not available
 */
export function commonGram(n: number, kernels: KernelChoice): Gram {
  const gram = inWasm(kernels, () => common.get(n) ?? new WasmGram(n, n > SHORT ? memoryOf(n) : commonMemory()));
  if (gram === null) return new JsGram(n);
  common.set(n, gram);
  return gram;
}

function memoryOf(n: number): WebAssembly.Memory {
  const bytes = gramBytes(n);
  if (bytes > MOST_BYTES) throw new Unavailable(`a matrix of ${n} x ${n} numbers is more than a program reaches`);
  return createMemory(bytes);
}

function commonMemory(): WebAssembly.Memory {
  shortMemory ??= memoryOf(SHORT);
  return shortMemory;
}

class WasmGram implements Gram {
  readonly matrix: Float64Array;
  readonly rows: Float64Array;
  private readonly routines: Readonly<Record<'add' | 'subtract', (count: number, from: number) => void>>;

  constructor(
    readonly n: number,
    memory: WebAssembly.Memory,
  ) {
    const module = modules.get(n) ?? compile(encodeGram(n));
    modules.set(n, module);
    this.matrix = new Float64Array(memory.buffer, 0, n * n);
    this.rows = new Float64Array(memory.buffer, 8 * n * n, gramBytes(n) / 8 - n * n);
    this.routines = instantiate(module, memory);
  }

  add(count: number): void {
    this.routines.add(count, 0);
  }

  subtract(count: number, from: number): void {
    this.routines.subtract(count, from);
  }
}
