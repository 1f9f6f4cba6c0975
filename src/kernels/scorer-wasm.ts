// The memories of scorers. Small tables share them: engines reserve 10 GB of address space for every memory, whatever
// its size.

import type { Pausable } from '../core/scheduler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import type { Keeper, Measure, Query, RowScores, RowTable, Scorer } from './scorer';
import { fillTiles, JsScorer, leavesOf } from './scorer';
import {
  BLOCK,
  ENDS,
  encodeScan,
  FOUND,
  FOUND_BYTES,
  headBytes,
  MOST_QUERIES,
  paddedRows,
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
/** Numbers that are laid out in a step: about a millisecond. */
const NUMBERS_A_STEP = 1 << 17;
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
   * Allocates space for a table, with anything in it, for the lifetime of `owner`: the memory and the address.
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
      return start;
    }
    if (!this.reaches(this.end + wanted + 1)) return undefined;
    const start = this.end;
    this.end += bytes;
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

/** A few queries as a program takes them. */
interface Group {
  readonly scan: Scan;
  readonly keepers: readonly Keeper[];
  /** Their terms, each in the place of its state, and their numbers in the order of the tiles, each repeated four times. */
  readonly states: Float32Array;
  readonly numbers: Float32Array;
}

/** Scores rows tile by tile. Memory: a copy of the table. */
export class WasmScorer implements Scorer {
  private readonly byRow: JsScorer;
  private readonly rows: RowScores;
  private readonly arena: Arena;
  private readonly layout: ReturnType<typeof scanLayout>;
  /** The position of each number of a query in the order of the tiles. */
  private readonly order: Int32Array;
  /** The rows that have been laid out. */
  private laidOut = 0;
  private hasLengths = false;

  constructor(table: RowTable) {
    const { dim, count } = table;
    this.byRow = new JsScorer(table);
    this.rows = this.byRow.rows;
    const { shifts, lengths, tiles, bytes } = scanLayout(dim, count);
    const { arena, start } = Arena.roomFor(this, dim, bytes);
    this.arena = arena;
    this.layout = { shifts: start + shifts, lengths: start + lengths, tiles: start + tiles, bytes };
    this.order = Int32Array.from(leavesOf(dim).flat());
  }

  *layOut(): Pausable<void> {
    if (this.laidOut === paddedRows(this.rows.table.count)) return;
    const { table } = this.rows;
    const { shifts, count, isUsed, dim } = table;
    const all = paddedRows(count);
    const some = BLOCK * Math.ceil(NUMBERS_A_STEP / (BLOCK * dim));
    // What is laid out is scanned for nobody: engines make a program fast in its first calls.
    const nobody = this.group('sum', [{ values: new Float32Array(dim), start: 0, base: 0, keeper: NOBODY }]);
    while (this.laidOut < all) {
      const from = this.laidOut;
      const to = Math.min(from + some, all);
      const { floats } = this.arena;
      const added = this.layout.shifts / 4;
      for (let row = from; row < to; row++) floats[added + row] = row < count && isUsed(row) ? (shifts[row] ?? 0) : 0;
      fillTiles(table, floats.subarray(this.layout.tiles / 4), this.order, from, to);
      for (let row = from; row < to; row += BLOCK) this.scanBlock('sum', nobody, row, Math.min(row + BLOCK, to));
      this.laidOut = to;
      yield;
    }
  }

  *scan(measure: Measure, queries: readonly Query[]): Pausable<void> {
    yield* this.layOut();
    if (measure === 'cosine') this.fillLengths();
    const { dim, count } = this.rows.table;
    // A row that is not in use must score as for a zero row; 0 times NaN or infinity would be NaN.
    const isOdd = ({ values, start }: Query) => !values.subarray(start, start + dim).every(Number.isFinite);
    const odd = queries.filter(isOdd);
    const usual = odd.length > 0 ? queries.filter((query) => !odd.includes(query)) : queries;
    yield* this.byRow.scan(measure, odd);
    const groups: Group[] = [];
    for (let from = 0; from < usual.length; from += MOST_QUERIES) {
      groups.push(this.group(measure, usual.slice(from, from + MOST_QUERIES)));
    }
    // A block stays in the cache for all queries.
    for (let row = 0; row < count; row += BLOCK) {
      for (const group of groups) this.scanBlock(measure, group, row, Math.min(row + BLOCK, paddedRows(count)));
      yield;
    }
  }

  /** The results of some rows, for a few queries. */
  private scanBlock(measure: Measure, { scan, keepers, states, numbers }: Group, row: number, end: number): void {
    const { dim } = this.rows.table;
    const { tiles, shifts, lengths } = this.layout;
    const { floats, ints } = this.arena;
    for (const [j, { threshold }] of keepers.entries()) {
      const at = (j * STATE_BYTES + THRESHOLD) / 4;
      states[at] = states[at + 1] = states[at + 2] = states[at + 3] = threshold;
    }
    floats.set(states);
    floats.set(numbers, QUERIES / 4);
    const column = measure === 'cosine' ? lengths : shifts;
    scan(tiles + 4 * dim * row, tiles + 4 * dim * end, row, column + 4 * row);
    for (const [j, keeper] of keepers.entries()) {
      const last = (ints[ENDS / 4 + j]! >>> 0) / 4;
      for (let at = (FOUND + j * FOUND_BYTES) / 4; at < last; at += 2) keeper.offer(ints[at]!, floats[at + 1]!);
    }
  }

  /** Queries as they are scanned together. */
  private group(measure: Measure, queries: readonly Query[]): Group {
    const { order } = this;
    const { dim } = this.rows.table;
    const width = queries.length === 1 ? 1 : MOST_QUERIES;
    const keepers = Array.from({ length: width }, (_, j) => queries[j]?.keeper ?? NOBODY);
    const states = new Float32Array((width * STATE_BYTES) / 4);
    const numbers = new Float32Array(4 * width * dim);
    for (const [j, query] of queries.entries()) {
      const { values, start, base } = query;
      const term = (j * STATE_BYTES + TERM) / 4;
      states.fill(measure === 'cosine' ? this.rows.factor(measure, query) : base, term, term + 4);
      for (let p = 0; p < dim; p++) {
        const at = 4 * (p * width + j);
        numbers[at] = numbers[at + 1] = numbers[at + 2] = numbers[at + 3] = values[start + order[p]!]!;
      }
    }
    return { scan: this.program(measure, width), keepers, states, numbers };
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
