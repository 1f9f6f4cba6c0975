// The memories of scorers. Small tables share them: engines reserve 10 GB of address space for every memory, whatever
// its size.

import { compile, createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import type { Keeper, Measure, Query, RowScores, RowTable, Scorer } from './scorer';
import { fillTiles, JsScorer, leavesOf, TILE } from './scorer';
import {
  BLOCK,
  ENDS,
  encodeScan,
  FOUND,
  FOUND_BYTES,
  headBytes,
  MOST_QUERIES,
  QUERIES,
  type ScanShape,
  STATE_BYTES,
  scanLayout,
  TERM,
  THRESHOLD,
} from './scorer-scan';

/** Tables with longer vectors, or with more bytes, have a memory of their own. */
const SHARED_DIM = 1024;
const SHARED_BYTES = 2 ** 25;
/** The maximum size of a shared memory. */
const MOST_BYTES = 2 ** 30;

/** A memory whose head serves one scan at a time, and whose rest is allocated to tables. */
export class Arena {
  private readonly programs = new Map<WebAssembly.Module, unknown>();
  /** Freed parts, by address; no two touch. */
  private free: { start: number; end: number }[] = [];
  /** The end of the allocated part. */
  private end: number;
  private singles: Float32Array<ArrayBuffer>;
  private integers: Int32Array<ArrayBuffer>;

  private constructor(
    private readonly memory: WebAssembly.Memory,
    dim: number,
  ) {
    this.end = headBytes(dim);
    this.singles = new Float32Array(memory.buffer);
    this.integers = new Int32Array(memory.buffer);
  }

  /**
   * Allocates zeroed space for a table for the lifetime of `owner`: the memory and the address.
   * @throws Unavailable if there is no space
   */
  static roomFor(owner: object, dim: number, bytes: number): { arena: Arena; start: number } {
    const isShared = dim <= SHARED_DIM && bytes <= SHARED_BYTES;
    for (const reference of isShared ? shared : []) {
      const arena = reference.deref();
      const start = arena?.take(bytes);
      if (arena === undefined || start === undefined) continue;
      gone.register(owner, { reference, start, bytes });
      return { arena, start };
    }
    const head = isShared ? SHARED_DIM : dim;
    // One spare byte: the end address of a table must be in the memory too.
    const size = headBytes(head) + bytes + 1;
    const arena = new Arena(createMemory(size, false, isShared ? MOST_BYTES : size), head);
    const start = arena.take(bytes)!;
    if (isShared) {
      const reference = new WeakRef(arena);
      shared = [...shared.filter((one) => one.deref() !== undefined), reference];
      gone.register(owner, { reference, start, bytes });
    }
    return { arena, start };
  }

  /** A view of the whole memory. Growing it for another table detaches earlier views: get it anew in every scan. */
  get floats(): Float32Array<ArrayBuffer> {
    if (this.singles.length === 0) this.singles = new Float32Array(this.memory.buffer);
    return this.singles;
  }

  get ints(): Int32Array<ArrayBuffer> {
    if (this.integers.length === 0) this.integers = new Int32Array(this.memory.buffer);
    return this.integers;
  }

  /** The exports of a program on this memory. */
  program<Exports>(module: WebAssembly.Module): Exports {
    const exports = this.programs.get(module) ?? instantiate<Exports>(module, this.memory);
    this.programs.set(module, exports);
    return exports as Exports;
  }

  /** Allocates bytes; the address, or undefined if there is no space. */
  private take(wanted: number): number | undefined {
    const bytes = wholeLines(wanted);
    const part = this.free.find(({ start, end }) => end - start >= bytes);
    if (part !== undefined) {
      const { start } = part;
      part.start += bytes;
      this.free = this.free.filter((one) => one.end > one.start);
      this.floats.fill(0, start / 4, (start + bytes) / 4);
      return start;
    }
    if (!this.reaches(this.end + wanted + 1)) return undefined;
    const start = this.end;
    this.end += bytes;
    this.floats.fill(0, start / 4, (start + bytes) / 4);
    return start;
  }

  /** Grows the memory to at least this size: to twice its present size, or to what is wanted. */
  private reaches(bytes: number): boolean {
    const size = this.memory.buffer.byteLength;
    if (bytes <= size) return true;
    for (const target of [Math.max(bytes, Math.min(2 * size, MOST_BYTES)), bytes]) {
      try {
        this.memory.grow(Math.ceil((target - size) / 65536));
        return true;
      } catch {
        // Beyond the maximum, or out of memory.
      }
    }
    return false;
  }

  /** Frees a part. */
  release(start: number, bytes: number): void {
    const parts = [...this.free, { start, end: start + wholeLines(bytes) }].sort((a, b) => a.start - b.start);
    this.free = [];
    for (const part of parts) {
      const last = this.free.at(-1);
      if (last?.end === part.start) last.end = part.end;
      else this.free.push(part);
    }
    if (this.free.at(-1)?.end === this.end) this.end = this.free.pop()!.start;
  }
}

/** Kept alive by their scorers, and collected after the last one. */
let shared: readonly WeakRef<Arena>[] = [];

const gone = new FinalizationRegistry<{ reference: WeakRef<Arena>; start: number; bytes: number }>(
  ({ reference, start, bytes }) => reference.deref()?.release(start, bytes),
);

/** Rounds up to whole cache lines. */
function wholeLines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

// A scorer in WebAssembly: a copy of the rows in tiles, and a program per measure.

type Scan = (tiles: number, end: number, row: number, column: number) => void;

/** Fills an unused query slot: no score reaches NaN. */
const NOBODY: Keeper = { threshold: Number.NaN, offer() {} };

/** Scores rows tile by tile. Memory: a copy of the table. */
export class WasmScorer implements Scorer {
  private readonly byRow: JsScorer;
  private readonly rows: RowScores;
  private readonly arena: Arena;
  private readonly layout: ReturnType<typeof scanLayout>;
  /** The position of each number of a query in the order of the tiles. */
  private readonly order: Int32Array;
  private hasLengths = false;

  constructor(table: RowTable) {
    const { dim, count, shifts, isUsed } = table;
    this.byRow = new JsScorer(table);
    this.rows = this.byRow.rows;
    const { shifts: column, lengths, tiles, bytes } = scanLayout(dim, count);
    const { arena, start } = Arena.roomFor(this, dim, bytes);
    this.arena = arena;
    this.layout = { shifts: start + column, lengths: start + lengths, tiles: start + tiles, bytes };
    this.order = Int32Array.from(leavesOf(dim).flat());
    const { floats } = arena;
    const added = floats.subarray(this.layout.shifts / 4);
    for (let row = 0; row < shifts.length; row++) if (isUsed(row)) added[row] = shifts[row]!;
    fillTiles(table, floats.subarray(this.layout.tiles / 4));
  }

  scan(measure: Measure, queries: readonly Query[]): void {
    if (measure === 'cosine') this.fillLengths();
    const { dim } = this.rows.table;
    // A row that is not in use must score as for a zero row; 0 times NaN or infinity would be NaN.
    const isOdd = ({ values, start }: Query) => !values.subarray(start, start + dim).every(Number.isFinite);
    const odd = queries.filter(isOdd);
    const usual = odd.length > 0 ? queries.filter((query) => !odd.includes(query)) : queries;
    this.byRow.scan(measure, odd);
    for (let from = 0; from < usual.length; from += MOST_QUERIES) {
      this.scanTogether(measure, usual.slice(from, from + MOST_QUERIES));
    }
  }

  /** One pass over the rows for a few queries. */
  private scanTogether(measure: Measure, queries: readonly Query[]): void {
    const width = queries.length === 1 ? 1 : MOST_QUERIES;
    const keepers = Array.from({ length: width }, (_, j) => queries[j]?.keeper ?? NOBODY);
    for (const [j, query] of queries.entries()) this.place(measure, query, j, width);
    const { table } = this.rows;
    const { tiles, shifts, lengths } = this.layout;
    const scan = this.program(measure, width);
    const column = measure === 'cosine' ? lengths : shifts;
    for (let row = 0; row < table.count; row += BLOCK) {
      const end = Math.min(row + BLOCK, Math.ceil(table.count / TILE) * TILE);
      for (let j = 0; j < width; j++) this.splat(j * STATE_BYTES + THRESHOLD, keepers[j]!.threshold);
      scan(tiles + 4 * table.dim * row, tiles + 4 * table.dim * end, row, column + 4 * row);
      for (let j = 0; j < width; j++) this.take(keepers[j]!, j);
    }
  }

  /** Offers the results for query j. */
  private take(keeper: Keeper, j: number): void {
    const { ints, floats } = this.arena;
    const start = (FOUND + j * FOUND_BYTES) / 4;
    const end = (ints[ENDS / 4 + j]! >>> 0) / 4;
    for (let at = start; at < end; at += 2) keeper.offer(ints[at]!, floats[at + 1]!);
  }

  private place(measure: Measure, query: Query, j: number, width: number): void {
    const { values, start, base } = query;
    this.splat(j * STATE_BYTES + TERM, measure === 'cosine' ? this.rows.factor(measure, query) : base);
    for (const [p, k] of this.order.entries()) this.splat(QUERIES + 16 * (p * width + j), values[start + k]!);
  }

  private splat(address: number, value: number): void {
    this.arena.floats.fill(value, address / 4, address / 4 + 4);
  }

  private fillLengths(): void {
    if (this.hasLengths) return;
    this.arena.floats.set(this.rows.inverseLengths, this.layout.lengths / 4);
    this.hasLengths = true;
  }

  private program(measure: Measure, width: number): Scan {
    return this.arena.program<{ scan: Scan }>(scanModule({ dim: this.rows.table.dim, measure, width })).scan;
  }
}

/** Compiled once per process: few shapes occur. */
const modules = new Map<string, WebAssembly.Module>();

function scanModule(shape: ScanShape): WebAssembly.Module {
  const name = JSON.stringify(shape);
  const module = modules.get(name) ?? compile(encodeScan(shape));
  modules.set(name, module);
  return module;
}

// Chooses how a table is scored: WebAssembly if available, else JavaScript. The scores are the same.

/** Tables with fewer numbers are scored in JavaScript, without compiling a program. */
const WORTH_COMPILING = 1 << 16;

/** A scorer of the rows of a table. @throws UnsupportedError if WebAssembly is required but not available */
export function createScorer(table: RowTable, kernels: KernelChoice): Scorer {
  const isSmall = kernels === 'auto' && table.count * table.dim < WORTH_COMPILING;
  return (isSmall ? null : inWasm(kernels, () => new WasmScorer(table))) ?? new JsScorer(table);
}
