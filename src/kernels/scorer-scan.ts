// The memory layout of the scan program, in bytes: a head with the queries and the results, then tables.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, f32, f32x4, i32, i32x4, loopWhile, ModuleBuilder, sequence, set, v128 } from '../wasm/assembler';
import { LANES, leavesOf, type Measure, TILE } from './scorer';

/** The most queries that one program scores at once. */
export const MOST_QUERIES = 4;
/** Tiles that are summed side by side for several queries: what is loaded of a query serves both. */
const TILES = 2;
const ROWS = TILES * TILE;
/** Rows per block: the results of a block are taken before the next one. A multiple of ROWS. */
export const BLOCK = 1024;

/** For each query its threshold and its term (base or factor), each repeated four times to fill a vector register. */
export const THRESHOLD = 0;
export const TERM = 16;
export const STATE_BYTES = 32;
/** For each query, the end address of its list. */
export const ENDS = MOST_QUERIES * STATE_BYTES;
/** Sums of lanes that wait for their sibling in the tree. */
export const PENDING = ENDS + 4 * MOST_QUERIES;
const MOST_PENDING = 4;
/** For each query its list of [row, score]. */
export const FOUND = PENDING + MOST_PENDING * MOST_QUERIES * TILES * 16;
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
  const rows = paddedRows(count);
  const lengths = aligned(4 * rows);
  const tiles = aligned(lengths + 4 * rows);
  return { shifts: 0, lengths, tiles, bytes: tiles + 4 * rows * dim };
}

/** Rows of the tiles of a table, which come in pairs. */
export function paddedRows(count: number): number {
  return Math.ceil(count / ROWS) * ROWS;
}

/** The next start of a cache line. */
function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

// Emits the dot products of the rows of a tile, or of two, with some queries, in the order that kernels.ts defines. One lane of all
// of them is summed at a time, so that the sums stay in registers; it waits in memory until its sibling in the tree is known.

/**
 * Loads in a straight line at most. Some engines (V8 of Node 20) move arithmetic down to where it is used, so that all loads
 * come first and registers overflow; a loop, or a store, keeps them together.
 */
const MOST_LOADS = 12;

/** Emits the sums of a tile, or of two. */
class TileSums {
  /** The locals that hold the sums of each query afterwards, tile by tile. */
  readonly totals: readonly (readonly Local<'v128'>[])[];
  readonly code: Code<'void'>;
  private readonly tiles: readonly Local<'v128'>[];
  private readonly query: Local<'v128'>;
  private readonly rows: Local<'i32'>;
  private readonly queries: Local<'i32'>;
  private readonly rounds: Local<'i32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    private readonly dim: number,
    private readonly width: number,
    tile: Local<'i32'>,
  ) {
    const some = (count: number) => Array.from({ length: count }, () => f.local('v128'));
    const count = width === 1 ? 1 : TILES;
    this.totals = Array.from({ length: width }, () => some(count));
    this.tiles = some(count);
    this.query = f.local('v128');
    [this.rows, this.queries, this.rounds] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const code = [set(this.rows, tile), set(this.queries, i32.const(0))];
    // Whether there is anything in the sums that wait.
    const waiting: boolean[] = [];
    for (const [leaf, { length }] of leavesOf(dim).entries()) {
      let isSum = length > 0;
      if (isSum) code.push(this.lane(length));
      // A lane beyond the row's length is 0 and a right child: there is nothing to add.
      for (let rest = leaf; rest % 2 === 1; rest = (rest - 1) / 2) {
        if (!waiting.pop()) continue;
        const left = (at: number) => v128.load(i32.const(0), PENDING + 16 * (waiting.length * width * count + at));
        code.push(this.each((sum, at) => set(sum, isSum ? f32x4.add(left(at), sum) : left(at))));
        isSum = true;
      }
      if (leaf === LANES - 1) continue;
      const place = PENDING + 16 * waiting.length * width * count;
      if (isSum) code.push(this.each((sum, at) => v128.store(i32.const(0), sum, place + 16 * at)));
      waiting.push(isSum);
    }
    this.code = sequence(...code);
  }

  /** The sum of one lane. */
  private lane(length: number): Code<'void'> {
    const { rounds, width, tiles } = this;
    const first = this.element((sum, product) => set(sum, product));
    const next = this.element((sum, product) => set(sum, f32x4.add(sum, product)));
    if (length * (width + tiles.length) <= MOST_LOADS) return sequence(first, ...Array(length - 1).fill(next));
    const loop = loopWhile(rounds, next, set(rounds, i32.sub(rounds, i32.const(1))));
    return sequence(first, set(rounds, i32.const(length - 1)), loop);
  }

  /** Takes the products of the next element. */
  private element(take: (sum: Local<'v128'>, product: Code<'v128'>) => Code<'void'>): Code<'void'> {
    const { dim, width, tiles, query, rows, queries, totals } = this;
    return sequence(
      ...tiles.map((tile, t) => set(tile, v128.load(rows, 4 * TILE * dim * t))),
      ...totals.flatMap((sums, j) => [
        set(query, v128.load(queries, QUERIES + 16 * j)),
        ...sums.map((sum, t) => take(sum, f32x4.mul(tiles[t]!, query))),
      ]),
      set(rows, i32.add(rows, i32.const(16))),
      set(queries, i32.add(queries, i32.const(16 * width))),
    );
  }

  private each(make: (sum: Local<'v128'>, at: number) => Code<'void'>): Code<'void'> {
    return sequence(...this.totals.flat().map(make));
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
  const found = Array.from({ length: width }, () => f.local('i32'));
  const { code: sums, totals } = new TileSums(f, dim, width, tile);
  const rows = TILE * totals[0]!.length;
  const list = (j: number) => {
    const to = found[j]!;
    const state = i32.const(j * STATE_BYTES);
    const scores = totals[j]!;
    const passes = (t: number) => i32x4.bitmask(f32x4.ge(scores[t]!, v128.load(state, THRESHOLD)));
    const append = (at: number) => [
      i32.store(to, i32.add(row, i32.const(at))),
      f32.store(to, f32.lane(at % TILE)(scores[Math.floor(at / TILE)]!), 4),
      // Written in any case, and kept where the row passes.
      set(to, i32.add(to, i32.and(i32.shrU(i32.shl(bits, i32.const(3)), i32.const(at)), i32.const(8)))),
    ];
    return sequence(
      ...scores.map((score, t) =>
        set(score, finish(measure, score, v128.load(state, TERM), v128.load(column, 16 * t))),
      ),
      set(bits, scores.length === 1 ? passes(0) : i32.add(passes(0), i32.shl(passes(1), i32.const(TILE)))),
      branch(bits, sequence(...Array.from({ length: rows }, (_, at) => append(at)).flat())),
    );
  };
  const step = (local: Local<'i32'>, by: number) => set(local, i32.add(local, i32.const(by)));
  f.emit(
    ...found.map((to, j) => set(to, i32.const(FOUND + j * FOUND_BYTES))),
    loopWhile(
      i32.ltU(tile, end),
      sums,
      ...found.map((_, j) => list(j)),
      step(tile, 4 * rows * dim),
      step(row, rows),
      step(column, 4 * rows),
    ),
    ...found.map((to, j) => i32.store(i32.const(ENDS + 4 * j), to)),
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
