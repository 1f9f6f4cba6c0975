// The memory layout of the scan program, in bytes: a head with the queries and the results, then tables.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, f32, f32x4, i32, i32x4, loopWhile, ModuleBuilder, sequence, set, v128 } from '../wasm/assembler';
import { leavesOf, type Measure, TILE } from './scorer';

/** The most queries that one program scores at once. */
export const MOST_QUERIES = 4;
/** Rows per block: the results of a block are taken before the next one. A multiple of TILE. */
export const BLOCK = 1024;

/** For each query its threshold and its term (base or factor), each repeated four times to fill a vector register. */
export const THRESHOLD = 0;
export const TERM = 16;
export const STATE_BYTES = 32;
/** For each query, the end address of its list. */
export const ENDS = MOST_QUERIES * STATE_BYTES;
/** Scratch memory for the barrier stores of sums; nobody reads it. */
export const SETTLED = ENDS + 4 * MOST_QUERIES;
/** For each query its list of [row, score]. */
export const FOUND = SETTLED + 16;
export const FOUND_BYTES = 8 * BLOCK;
/** The elements of the queries, each repeated four times: element p of query j at (p width + j) 16. */
export const QUERIES = FOUND + MOST_QUERIES * FOUND_BYTES;

/** The bytes before the first table, for queries of up to `dim` numbers. */
export function headBytes(dim: number): number {
  return aligned(QUERIES + MOST_QUERIES * dim * 16);
}

/** The offsets of the parts of a table, and its size. */
export function scanLayout(
  dim: number,
  count: number,
): Readonly<Record<'shifts' | 'lengths' | 'tiles' | 'bytes', number>> {
  const rows = Math.ceil(count / TILE) * TILE;
  const lengths = aligned(4 * rows);
  const tiles = aligned(lengths + 4 * rows);
  return { shifts: 0, lengths, tiles, bytes: tiles + 4 * rows * dim };
}

/** The next start of a cache line. */
function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

// Emits the dot products of the four rows of a tile with some queries, in the order that kernels.ts defines. Lanes are
// summed one after another and merged as soon as their sibling in the tree is known, which needs few registers; a lane
// does not wait for the one before it.

/** Elements of a lane that are unrolled; longer lanes loop over chunks of this length. */
const UNROLLED = 16;
/** The most pending sums of the tree, plus the current one. */
const DEPTH = 5;
/**
 * Loads between two barrier stores of the sums: the maximum, and enough for one at the end of a lane. Some engines
 * (V8 of Node 20) move arithmetic down to where it is used, so that all loads come first, registers overflow, and a scan
 * takes four times as long. Storing a sum uses it.
 */
const MOST_LOADS = 12;
const ENOUGH_LOADS = 8;

/** Emits the sums of a tile. */
export class TileSums {
  /** The locals that hold the sums of each query afterwards. */
  readonly totals: readonly Local<'v128'>[];
  readonly code: Code<'void'>;
  private readonly row: Local<'v128'>;
  private readonly stack: readonly (readonly Local<'v128'>[])[];
  private readonly rows: Local<'i32'>;
  private readonly queries: Local<'i32'>;
  private readonly rounds: Local<'i32'>;
  private readonly isLong: boolean;
  private loads = 0;

  constructor(
    f: FunctionBuilder<'void'>,
    dim: number,
    private readonly width: number,
    tile: Local<'i32'>,
  ) {
    const leaves = leavesOf(dim).map(({ length }) => length);
    this.isLong = leaves[0]! > UNROLLED;
    this.row = f.local('v128');
    this.stack = Array.from({ length: DEPTH }, () => Array.from({ length: width }, () => f.local('v128')));
    this.totals = this.stack[0]!;
    [this.rows, this.queries, this.rounds] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const code = [set(this.rows, tile), set(this.queries, i32.const(0))];
    let at = 0;
    let depth = 0;
    leaves.forEach((length, leaf) => {
      if (length > 0) code.push(this.lane(this.stack[depth]!, at, length));
      at += length;
      depth++;
      // A lane beyond the row's length is 0 and a right child: there is nothing to add.
      for (let rest = leaf, reach = 1; rest % 2 === 1; rest = (rest - 1) / 2, reach *= 2) {
        depth--;
        if (leaves[leaf - reach + 1]! > 0) code.push(this.addUp(this.stack[depth - 1]!, this.stack[depth]!));
      }
      code.push(this.settle(this.stack[depth - 1]!, ENOUGH_LOADS - length * (1 + width)));
    });
    this.code = sequence(...code);
  }

  /** The sum of one lane, whose elements start at number `at`. */
  private lane(sums: readonly Local<'v128'>[], at: number, length: number): Code<'void'> {
    if (!this.isLong) return this.terms(sums, at, length, this.rows, i32.const(0), true);
    const { rows, queries, rounds, width } = this;
    const some = (count: number) =>
      sequence(
        this.terms(sums, 0, count, rows, queries, false),
        set(rows, i32.add(rows, i32.const(16 * count))),
        set(queries, i32.add(queries, i32.const(16 * count * width))),
      );
    return sequence(
      this.each((j) => set(sums[j]!, f32x4.zero())),
      set(rounds, i32.const(Math.floor(length / UNROLLED))),
      loopWhile(rounds, some(UNROLLED), set(rounds, i32.sub(rounds, i32.const(1)))),
      some(length % UNROLLED),
    );
  }

  /** The products of some elements, added up one by one. */
  private terms(
    sums: readonly Local<'v128'>[],
    at: number,
    count: number,
    rows: Code<'i32'>,
    queries: Code<'i32'>,
    isStart: boolean,
  ): Code<'void'> {
    const term = (t: number) => {
      const settled = t > 0 ? this.settle(sums, MOST_LOADS - 1 - this.width) : sequence();
      this.loads += 1 + this.width;
      const added = this.each((j) => {
        const product = f32x4.mul(this.row, v128.load(queries, QUERIES + 16 * ((at + t) * this.width + j)));
        return set(sums[j]!, isStart && t === 0 ? product : f32x4.add(sums[j]!, product));
      });
      return sequence(settled, set(this.row, v128.load(rows, 16 * (at + t))), added);
    };
    return sequence(...Array.from({ length: count }, (_, t) => term(t)));
  }

  private addUp(left: readonly Local<'v128'>[], right: readonly Local<'v128'>[]): Code<'void'> {
    return this.each((j) => set(left[j]!, f32x4.add(left[j]!, right[j]!)));
  }

  /** Emits a barrier store if there were too many loads since the last. */
  private settle(sums: readonly Local<'v128'>[], loads: number): Code<'void'> {
    if (this.loads <= loads) return sequence();
    this.loads = 0;
    return this.each((j) => v128.store(i32.const(SETTLED), sums[j]!));
  }

  private each(make: (j: number) => Code<'void'>): Code<'void'> {
    return sequence(...Array.from({ length: this.width }, (_, j) => make(j)));
  }
}

// Generates the WebAssembly that scores a run of tiles against some queries, for one exact row length, and lists the
// rows that reach the thresholds. A vector register holds one element, or one sum, of the four rows of a tile.

/** The parameters of a program: the row length, how rows are scored, how many queries at once. */
export interface ScanShape {
  readonly dim: number;
  readonly measure: Measure;
  readonly width: number;
}

/** The program. It exports `scan(tiles, end, row, column)`: tiles from one address to another, the number of the first row. */
export function encodeScan({ dim, measure, width }: ScanShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const f = module.function('void', 'scan');
  const tile = f.parameter('i32');
  const end = f.parameter('i32');
  const row = f.parameter('i32');
  const column = f.parameter('i32');
  const bits = f.local('i32');
  const queries = Array.from({ length: width }, (_, j) => ({
    threshold: f.local('v128'),
    term: f.local('v128'),
    found: f.local('i32'),
    state: i32.const(j * STATE_BYTES),
    end: i32.const(ENDS + 4 * j),
    list: i32.const(FOUND + j * FOUND_BYTES),
  }));
  const { code: sums, totals } = new TileSums(f, dim, width, tile);
  const list = (j: number) => {
    const { threshold, term, found } = queries[j]!;
    const score = totals[j]!;
    const passes = f32x4.ge(score, threshold);
    const append = (lane: number) => [
      i32.store(found, i32.add(row, i32.const(lane))),
      f32.store(found, f32.lane(lane)(score), 4),
      // Written in any case, and kept where the row passes.
      set(found, i32.add(found, i32.and(i32.shrU(i32.shl(bits, i32.const(3)), i32.const(lane)), i32.const(8)))),
    ];
    return sequence(
      set(score, finish(measure, score, term, v128.load(column))),
      branch(
        f32x4.anyTrue(passes),
        sequence(set(bits, i32x4.bitmask(passes)), ...[0, 1, 2, 3].flatMap((lane) => append(lane))),
      ),
    );
  };
  const step = (local: Local<'i32'>, by: number) => set(local, i32.add(local, i32.const(by)));
  for (const { threshold, term, found, state, list: start } of queries) {
    f.emit(set(threshold, v128.load(state, THRESHOLD)), set(term, v128.load(state, TERM)), set(found, start));
  }
  f.emit(
    loopWhile(
      i32.ltU(tile, end),
      sums,
      ...queries.map((_, j) => list(j)),
      step(tile, 4 * TILE * dim),
      step(row, TILE),
      step(column, 4 * TILE),
    ),
    ...queries.map(({ found, end: at }) => i32.store(at, found)),
  );
  return module.encode({ pages: 1, isShared: false });
}

/** From dot products to scores. Adding 0 turns -0 into 0, the result of lanes that start at 0. */
function finish(measure: Measure, sum: Code<'v128'>, term: Code<'v128'>, column: Code<'v128'>): Code<'v128'> {
  const product = f32x4.add(sum, f32x4.zero());
  if (measure === 'dot') return product;
  return measure === 'cosine'
    ? f32x4.mul(product, f32x4.mul(term, column))
    : f32x4.add(f32x4.add(term, column), product);
}
