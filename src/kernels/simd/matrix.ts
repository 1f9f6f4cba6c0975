// Dense matrix products in WebAssembly, blocked by registers: a block of the result stays in locals while its sums run.

import { type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';
import { advance, bytesOf, LaneDots, type Put, RowWalk, rowAt, shiftOf, times } from './walk';

/** Rows and vectors of a block: eight sums, and room for what they are made of in sixteen registers. */
const ROWS = 4;
const VECTORS = 2;
const SUMS_AHEAD = 4;

/** A block of the result. */
class Block {
  private readonly sums: readonly (readonly Local<'v128'>[])[];
  private readonly right: readonly Local<'v128'>[];
  private readonly left: Local<'v128'>;

  constructor(f: FunctionBuilder) {
    const some = (count: number) => Array.from({ length: count }, () => f.local('v128'));
    this.sums = Array.from({ length: ROWS }, () => some(VECTORS));
    this.right = some(VECTORS);
    this.left = f.local('v128');
  }

  start(rows: number, vectors: number): Code<'void'> {
    return sequence(...this.of(rows, vectors).flatMap((sums) => sums.map((sum) => set(sum, f32x4.zero()))));
  }

  /** sums += left_r times the vectors at `b`, for every row r. */
  add(vectors: number, lefts: readonly Code<'v128'>[], b: Local<'i32'>): Code<'void'> {
    const { right, left } = this;
    return sequence(
      ...right.slice(0, vectors).map((vector, v) => set(vector, v128.load(get(b), 16 * v))),
      ...this.of(lefts.length, vectors).flatMap((sums, r) => [
        set(left, lefts[r]!),
        ...sums.map((sum, v) => set(sum, f32x4.add(get(sum), f32x4.mul(get(left), get(right[v]!))))),
      ]),
    );
  }

  /** Writes the sums to rows `bytes` apart, from `to` on, which is moved. */
  end(rows: number, vectors: number, to: Local<'i32'>, bytes: Local<'i32'>, put: Put): Code<'void'> {
    return sequence(
      ...this.of(rows, vectors).flatMap((sums) => [
        ...sums.map((sum, v) => put(to, get(sum), 16 * v)),
        advance(to, get(bytes)),
      ]),
    );
  }

  private of(rows: number, vectors: number): (readonly Local<'v128'>[])[] {
    return this.sums.slice(0, rows).map((sums) => sums.slice(0, vectors));
  }
}

/** The body for blocks of rows, and for the rows that are left one by one. */
function inRows(left: Local<'i32'>, count: Local<'i32'>, body: (rows: number) => Code<'void'>): Code<'void'> {
  return sequence(
    set(left, i32.shrU(get(count), i32.const(shiftOf(ROWS)))),
    times(left, body(ROWS)),
    set(left, i32.and(get(count), i32.const(ROWS - 1))),
    times(left, body(1)),
  );
}

/** The row that `ids` names at `index`; the index itself where ids is 0. */
function named(ids: Local<'i32'>, index: Local<'i32'>, ahead = 0): Code<'i32'> {
  const id = i32.load(i32.add(get(ids), bytesOf(get(index))), 4 * ahead);
  return choose(get(ids), id, i32.add(get(index), i32.const(ahead)));
}

/** @see Kernels.multiply */
export function multiply(module: ModuleBuilder): void {
  const f = module.function('void', 'multiply');
  const [a, ids, b, m] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [k, n, c] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [kBytes, nBytes, rows, index] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [column, to, from, q, terms] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const lefts = Array.from({ length: ROWS }, () => f.local('i32'));
  const walk = new RowWalk(f, n);
  const block = new Block(f);
  const rowsOf = (count: number) => {
    const ps = lefts.slice(0, count);
    const term = (vectors: number, l: number) => [
      block.add(
        vectors,
        ps.map((p) => v128.loadSplat(get(p), 4 * l)),
        q,
      ),
      advance(q, get(nBytes)),
    ];
    const move = (bytes: number) => ps.map((p) => advance(p, bytes));
    return sequence(
      ...ps.map((p, r) => set(p, rowAt(a, named(ids, index, r), get(kBytes)))),
      set(column, get(c)),
      set(from, get(b)),
      walk.blocks([column, from], VECTORS, (vectors, put) =>
        sequence(
          block.start(count, vectors),
          set(q, get(from)),
          set(terms, i32.shrU(get(k), i32.const(shiftOf(SUMS_AHEAD)))),
          times(
            terms,
            ...Array.from({ length: SUMS_AHEAD }, (_, l) => term(vectors, l)).flat(),
            ...move(4 * SUMS_AHEAD),
          ),
          set(terms, i32.and(get(k), i32.const(SUMS_AHEAD - 1))),
          times(terms, ...term(vectors, 0), ...move(4)),
          ...ps.map((p) => set(p, i32.sub(get(p), get(kBytes)))),
          set(to, get(column)),
          block.end(count, vectors, to, nBytes, put),
        ),
      ),
      advance(index, count),
      advance(c, i32.mul(get(nBytes), i32.const(count))),
    );
  };
  f.emit(walk.prepare, set(kBytes, bytesOf(get(k))), set(nBytes, bytesOf(get(n))), inRows(rows, m, rowsOf));
}

/** @see Kernels.transposedMultiply */
export function transposedMultiply(module: ModuleBuilder): void {
  const f = module.function('void', 'transposedMultiply');
  const [a, ids, b, m] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [k, n, c] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [kBytes, nBytes, rows, index] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [column, to, from, p, q] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const terms = f.local('i32');
  const walk = new RowWalk(f, n);
  const block = new Block(f);
  // Rows of the result are columns of a.
  const rowsOf = (count: number) =>
    sequence(
      set(column, get(c)),
      set(from, get(b)),
      walk.blocks([column, from], VECTORS, (vectors, put) =>
        sequence(
          block.start(count, vectors),
          set(q, get(from)),
          set(index, i32.const(0)),
          set(terms, get(m)),
          times(
            terms,
            set(p, rowAt(a, named(ids, index), get(kBytes))),
            block.add(
              vectors,
              Array.from({ length: count }, (_, r) => v128.loadSplat(get(p), 4 * r)),
              q,
            ),
            advance(q, get(nBytes)),
            advance(index, 1),
          ),
          set(to, get(column)),
          block.end(count, vectors, to, nBytes, put),
        ),
      ),
      advance(a, 4 * count),
      advance(c, i32.mul(get(nBytes), i32.const(count))),
    );
  f.emit(walk.prepare, set(kBytes, bytesOf(get(k))), set(nBytes, bytesOf(get(n))), inRows(rows, k, rowsOf));
}

/** @see Kernels.multiplyTransposed */
export function multiplyTransposed(module: ModuleBuilder): void {
  const f = module.function('void', 'multiplyTransposed');
  const [a, b, m] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [n, k, c] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [bytes, row, left] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [p, q, first, second] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const dots = new LaneDots(f, n, 2);
  const store = (j: number) => f32.store(get(c), dots.total(j), 4 * j);
  f.emit(
    dots.prepare,
    set(bytes, bytesOf(get(n))),
    set(row, get(a)),
    times(
      m,
      set(q, get(b)),
      // Two at a time share the loads of a's row.
      set(left, i32.shrU(get(k), i32.const(1))),
      times(
        left,
        set(p, get(row)),
        set(second, i32.add(get(q), get(bytes))),
        set(first, get(q)),
        dots.sum(p, first, second),
        store(0),
        store(1),
        advance(c, 8),
        advance(q, i32.shl(get(bytes), i32.const(1))),
      ),
      set(left, i32.and(get(k), i32.const(1))),
      times(left, set(p, get(row)), dots.sum(p, q), store(0), advance(c, 4)),
      advance(row, get(bytes)),
    ),
  );
}
