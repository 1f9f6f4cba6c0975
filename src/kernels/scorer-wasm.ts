// The memories of scorers. Small tables share them: engines reserve 10 GB of address space for every memory, whatever
// its size.

import type { Pausable } from '../core/scheduler';
import { compile, createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import type { Keeper, Measure, Query, RowScores, RowTable, Scorer } from './scorer';
import { JsScorer, TILE } from './scorer';
import {
  BLOCK,
  blocksOf,
  encodeScan,
  FOUND,
  FOUND_BYTES,
  GROUPS,
  groupLayout,
  HEAD,
  headBytes,
  isBounded,
  MOST_QUERIES,
  pairsOf,
  roundVector,
  type ScanProgram,
  type ScanShape,
  STATE,
  STATE_BYTES,
  scanLayout,
} from './scorer-scan';

/** Tables with longer vectors, or with more bytes, have a memory of their own. */
const SHARED_DIM = 512;
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
  private ownViews: Views;

  private constructor(
    private readonly memory: WebAssembly.Memory,
    dim: number,
  ) {
    this.end = headBytes(dim, 1);
    this.ownViews = viewsOf(memory);
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
    const size = headBytes(head, 1) + bytes + 1;
    const arena = new Arena(createMemory(size, false, isShared ? MOST_BYTES : size), head);
    const start = arena.take(bytes)!;
    if (isShared) {
      const reference = new WeakRef(arena);
      shared = [...shared.filter((one) => one.deref() !== undefined), reference];
      gone.register(owner, { reference, start, bytes });
    }
    return { arena, start };
  }

  /** Views of the whole memory. Growing it for another table detaches earlier views: get them anew in every scan. */
  get views(): Views {
    if (this.ownViews.floats.length === 0) this.ownViews = viewsOf(this.memory);
    return this.ownViews;
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

/** A memory as arrays. */
export interface Views {
  readonly floats: Float32Array<ArrayBuffer>;
  readonly ints: Int32Array<ArrayBuffer>;
  readonly shorts: Int16Array<ArrayBuffer>;
}

function viewsOf({ buffer }: WebAssembly.Memory): Views {
  return { floats: new Float32Array(buffer), ints: new Int32Array(buffer), shorts: new Int16Array(buffer) };
}

// A scorer in WebAssembly: a copy of the rows, one of them rounded, and a program per measure.

/** Fills an unused query slot: no score is larger. */
const NOBODY: Keeper = { threshold: Infinity, offer() {} };

/** A few queries as a program takes them. */
interface Group {
  readonly program: ScanProgram;
  readonly keepers: readonly Keeper[];
  /** What its head holds. */
  readonly numbers: Float32Array;
}

/** Scores rows tile by tile. Memory: the table one and a half times. */
export class WasmScorer implements Scorer {
  private readonly byRow: JsScorer;
  private readonly rows: RowScores;
  private readonly arena: Arena;
  /** The addresses of the parts of the table. */
  private readonly layout: ReturnType<typeof scanLayout>;
  /** The rows that have been laid out. */
  private laidOut = 0;
  private hasLengths = false;

  constructor(table: RowTable) {
    const { dim, count } = table;
    this.byRow = new JsScorer(table);
    this.rows = this.byRow.rows;
    const { bytes, ...parts } = scanLayout(dim, count);
    const { arena, start } = Arena.roomFor(this, dim, bytes);
    this.arena = arena;
    const places = Object.entries(parts).map(([part, at]) => [part, start + at]);
    this.layout = { bytes, ...(Object.fromEntries(places) as typeof parts) };
  }

  *layOut(): Pausable<void> {
    const { table } = this.rows;
    const { count, dim } = table;
    if (this.laidOut === count) return;
    const some = BLOCK * Math.ceil(NUMBERS_A_STEP / (BLOCK * dim));
    // What is laid out is scanned for nobody: engines make a program fast in its first calls.
    const nobody = this.group('sum', [{ values: new Float32Array(dim), start: 0, base: 0, keeper: NOBODY }]);
    while (this.laidOut < count) {
      const from = this.laidOut;
      const to = Math.min(from + some, count);
      this.fill(from, to);
      for (let row = from; row < to; row += BLOCK) this.scanBlock('sum', nobody, row, Math.min(row + BLOCK, to));
      this.laidOut = to;
      yield;
    }
  }

  private fill(from: number, to: number): void {
    const { values, shifts, isUsed, dim } = this.rows.table;
    const { layout } = this;
    const { floats, shorts } = this.arena.views;
    const tile = 2 * TILE * pairsOf(dim);
    floats.set(values.subarray(from * dim, to * dim), layout.rows / 4 + from * dim);
    for (let row = from; row < to; row++) {
      const own = layout.rows / 4 + row * dim;
      const used = isUsed(row);
      if (!used) floats.fill(0, own, own + dim);
      floats[layout.shifts / 4 + row] = used ? (shifts[row] ?? 0) : 0;
      const place = row % TILE;
      const at = layout.pairs / 2 + ((row - place) / TILE) * tile + 2 * place;
      floats[layout.factors / 4 + row] = roundVector(floats, own, dim, shorts, at, 2 * TILE);
    }
  }

  *scan(measure: Measure, queries: readonly Query[]): Pausable<void> {
    yield* this.layOut();
    if (measure === 'cosine') this.fillLengths();
    const { dim, count } = this.rows.table;
    const odd = queries.filter(({ values, start }) => !isBounded(values, start, dim));
    const usual = odd.length > 0 ? queries.filter((query) => !odd.includes(query)) : queries;
    yield* this.byRow.scan(measure, odd);
    const groups: Group[] = [];
    for (let from = 0; from < usual.length; from += MOST_QUERIES) {
      groups.push(this.group(measure, usual.slice(from, from + MOST_QUERIES)));
    }
    // A block stays in the cache for all queries.
    for (const { from, to } of blocksOf(count)) {
      for (const group of groups) this.scanBlock(measure, group, from, to);
      yield;
    }
  }

  /** The results of some rows, for a few queries. */
  private scanBlock(measure: Measure, { program, keepers, numbers }: Group, from: number, to: number): void {
    const { floats, ints } = this.arena.views;
    for (let j = 0; j < keepers.length; j++) {
      const at = (j * STATE_BYTES + STATE.threshold) / 4;
      numbers[at] = numbers[at + 1] = numbers[at + 2] = numbers[at + 3] = keepers[j]!.threshold;
    }
    this.writeHead(ints, 0, measure);
    floats.set(numbers, GROUPS / 4);
    program.scan(0, GROUPS, from, to);
    for (let j = 0; j < keepers.length; j++) {
      const last = (ints[(GROUPS + j * STATE_BYTES + STATE.end) / 4]! >>> 0) / 4;
      for (let at = (FOUND + j * FOUND_BYTES) / 4; at < last; at += 2) keepers[j]!.offer(ints[at]!, floats[at + 1]!);
    }
  }

  private writeHead(ints: Int32Array, head: number, measure: Measure): void {
    const { pairs, rows, factors, lengths, shifts } = this.layout;
    const at = head / 4;
    ints[at + HEAD.pairs / 4] = pairs;
    ints[at + HEAD.rows / 4] = rows;
    ints[at + HEAD.factors / 4] = factors;
    ints[at + HEAD.columns / 4] = measure === 'cosine' ? lengths : shifts;
    ints[at + HEAD.count / 4] = this.rows.table.count;
  }

  /** Queries as they are scanned together. */
  private group(measure: Measure, queries: readonly Query[]): Group {
    const { dim } = this.rows.table;
    const width = queries.length === 1 ? 1 : MOST_QUERIES;
    const keepers = Array.from({ length: width }, (_, j) => queries[j]?.keeper ?? NOBODY);
    const numbers = new Float32Array(groupLayout(dim, width).bytes / 4);
    for (const [j, query] of queries.entries()) {
      const term = measure === 'cosine' ? this.rows.factor(measure, query) : query.base;
      putQuery({ floats: numbers, shorts: new Int16Array(numbers.buffer) }, 0, width, j, dim, query, term);
    }
    return { program: this.program(measure, width), keepers, numbers };
  }

  private fillLengths(): void {
    if (this.hasLengths) return;
    this.arena.views.floats.set(this.rows.inverseLengths, this.layout.lengths / 4);
    this.hasLengths = true;
  }

  private program(measure: Measure, width: number): ScanProgram {
    return this.arena.program<ScanProgram>(scanModule({ dim: this.rows.table.dim, measure, width, isShared: false }));
  }
}

/** Writes a query to its place in a group, but for its threshold. */
function putQuery(
  { floats, shorts }: Pick<Views, 'floats' | 'shorts'>,
  group: number,
  width: number,
  j: number,
  dim: number,
  { values, start }: Pick<Query, 'values' | 'start'>,
  term: number,
): void {
  const { rounded, numbers } = groupLayout(dim, width);
  const state = (group + j * STATE_BYTES) / 4;
  const factor = roundVector(values, start, dim, shorts, (group + rounded) / 2 + 2 * j, 2 * width);
  floats.fill(term, state + STATE.term / 4, state + STATE.term / 4 + 4);
  floats.fill(factor, state + STATE.factor / 4, state + STATE.factor / 4 + 4);
  floats.set(values.subarray(start, start + dim), (group + numbers) / 4 + j * dim);
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
