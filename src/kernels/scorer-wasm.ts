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
      releaseAfter(owner, { reference, start, bytes });
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
      releaseAfter(owner, { reference, start, bytes });
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

interface Taken {
  readonly reference: WeakRef<Arena>;
  readonly start: number;
  readonly bytes: number;
}

/** Made when it is first needed: Cloudflare Workers of before May 2025 have none, nor a WebAssembly that may be compiled. */
let gone: FinalizationRegistry<Taken> | undefined;

/** Frees a part once its owner has been collected. */
function releaseAfter(owner: object, taken: Taken): void {
  gone ??= new FinalizationRegistry(({ reference, start, bytes }) => reference.deref()?.release(start, bytes));
  gone.register(owner, taken);
}

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
  /** The address of the table, and where its parts are from there. */
  private readonly start: number;
  private readonly layout: ReturnType<typeof scanLayout>;
  /** The rows that have been laid out. */
  private laidOut = 0;
  private hasLengths = false;

  constructor(table: RowTable) {
    const { dim, count } = table;
    this.byRow = new JsScorer(table);
    this.rows = this.byRow.rows;
    this.layout = scanLayout(dim, count);
    const { arena, start } = Arena.roomFor(this, dim, this.layout.bytes);
    this.arena = arena;
    this.start = start;
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
    const { layout, start } = this;
    const { floats, shorts } = this.arena.views;
    const tile = 2 * TILE * pairsOf(dim);
    const [rows, added, factors] = [layout.rows, layout.shifts, layout.factors].map((part) => (start + part) / 4);
    floats.set(values.subarray(from * dim, to * dim), rows! + from * dim);
    for (let row = from; row < to; row++) {
      const own = rows! + row * dim;
      const used = isUsed(row);
      if (!used) floats.fill(0, own, own + dim);
      floats[added! + row] = used ? (shifts[row] ?? 0) : 0;
      const place = row % TILE;
      const at = (start + layout.pairs) / 2 + ((row - place) / TILE) * tile + 2 * place;
      floats[factors! + row] = roundVector(floats, own, dim, shorts, at, 2 * TILE);
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
    this.writeHead(ints, 0, this.start, measure);
    floats.set(numbers, GROUPS / 4);
    program.scan(0, GROUPS, from, to);
    for (let j = 0; j < keepers.length; j++) {
      const last = (ints[(GROUPS + j * STATE_BYTES + STATE.end) / 4]! >>> 0) / 4;
      for (let at = (FOUND + j * FOUND_BYTES) / 4; at < last; at += 2) keepers[j]!.offer(ints[at]!, floats[at + 1]!);
    }
  }

  /** Writes where the parts of the table are, or of its copy. */
  writeHead(ints: Int32Array, head: number, table: number, measure: Measure): void {
    const { pairs, rows, factors, lengths, shifts } = this.layout;
    const at = head / 4;
    ints[at + HEAD.pairs / 4] = table + pairs;
    ints[at + HEAD.rows / 4] = table + rows;
    ints[at + HEAD.factors / 4] = table + factors;
    ints[at + HEAD.columns / 4] = table + (measure === 'cosine' ? lengths : shifts);
    ints[at + HEAD.count / 4] = this.count;
  }

  /** Copies what was laid out, in steps. */
  *copyTo(floats: Float32Array, to: number): Pausable<void> {
    const from = this.start / 4;
    const size = Math.floor(this.bytes / 4);
    for (let done = 0; done < size; done += NUMBERS_A_STEP) {
      const end = Math.min(done + NUMBERS_A_STEP, size);
      floats.set(this.arena.views.floats.subarray(from + done, from + end), to + done);
      yield;
    }
  }

  get dim(): number {
    return this.rows.table.dim;
  }
  get count(): number {
    return this.rows.table.count;
  }
  /** Of the table as it is laid out. */
  get bytes(): number {
    return this.layout.bytes;
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
    this.arena.views.floats.set(this.rows.inverseLengths, (this.start + this.layout.lengths) / 4);
    this.hasLengths = true;
  }

  private program(measure: Measure, width: number): ScanProgram {
    return this.arena.program<ScanProgram>(scanModule({ dim: this.rows.table.dim, measure, width, isShared: false }));
  }
}

/** A query whose best rows are wanted, but for some: `hidden`. */
export interface ListQuery extends Omit<Query, 'keeper'> {
  readonly hidden: ArrayLike<number>;
}

/** Queries of a thread at a time, in groups. */
export const MOST_LISTED = 256;
/** Entries of what is hidden from them, together. */
const MOST_HIDDEN = 1 << 16;
/** The longest lists: a row is put in its place by moving those behind it. */
export const LONGEST_LIST = 256;

/** The best rows of many queries by the measure `sum`, as several threads find them: a copy of a table in a memory that they share. */
export class SharedLists {
  /** What threads call, by number. */
  static readonly CALLED = ['best'] as const;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  private readonly views: Views;
  private readonly headBytes: number;
  private readonly allowed: number;
  private readonly table: number;

  /** `n`: of every list, up to LONGEST_LIST; `allowed`: 1 for a row that may be in one. @throws Unavailable */
  constructor(
    private readonly scorer: WasmScorer,
    private readonly n: number,
    allowed: Uint8Array,
    threads: number,
  ) {
    const { dim, bytes } = scorer;
    this.headBytes = wholeLines(headBytes(dim, MOST_LISTED / MOST_QUERIES) + 8 * MOST_LISTED * n + 4 * MOST_HIDDEN);
    this.allowed = CONTROL_BYTES + threads * this.headBytes;
    this.table = this.allowed + wholeLines(allowed.length);
    this.memory = createMemory(this.table + bytes, true);
    this.module = scanModule({ dim, measure: 'sum', width: MOST_QUERIES, isShared: true });
    this.views = viewsOf(this.memory);
    new Uint8Array(this.memory.buffer).set(allowed, this.allowed);
  }

  /** Copies the table, in steps; it has been laid out. */
  copy(): Pausable<void> {
    return this.scorer.copyTo(this.views.floats, this.table / 4);
  }

  /** Whether its list can be made here. */
  takes({ values, start, hidden }: ListQuery): boolean {
    return hidden.length < MOST_HIDDEN && isBounded(values, start, this.scorer.dim);
  }

  /** Hands queries to a thread, those after `from`, up to `most`, as far as there is room; returns how many. */
  write(thread: number, queries: readonly ListQuery[], from: number, most: number): number {
    const { views, n } = this;
    const { dim } = this.scorer;
    const { floats, ints } = views;
    const head = CONTROL_BYTES + thread * this.headBytes;
    const lists = wholeLines(head + headBytes(dim, MOST_LISTED / MOST_QUERIES));
    const hidden = lists + 8 * MOST_LISTED * n;
    this.scorer.writeHead(ints, head, this.table, 'sum');
    ints[(head + HEAD.allowed) / 4] = this.allowed;
    ints[(head + HEAD.limit) / 4] = n;
    // In front is what is hidden from nobody: nothing.
    ints[hidden / 4] = -1;
    let [count, end] = [0, hidden / 4 + 1];
    const put = (query: ListQuery | undefined) => {
      const j = count % MOST_QUERIES;
      const group = head + GROUPS + ((count - j) / MOST_QUERIES) * groupLayout(dim, MOST_QUERIES).bytes;
      const state = (group + j * STATE_BYTES) / 4;
      floats.fill(
        query === undefined ? Infinity : -Infinity,
        state + STATE.threshold / 4,
        state + STATE.threshold / 4 + 4,
      );
      ints[state + STATE.seen / 4] = query === undefined ? hidden : 4 * end;
      ints[state + STATE.list / 4] = lists + 8 * count * n;
      ints[state + STATE.length / 4] = 0;
      if (query === undefined) return;
      putQuery(views, group, MOST_QUERIES, j, dim, query, query.base);
      ints.set(query.hidden, end);
      ints.subarray(end, end + query.hidden.length).sort();
      end += query.hidden.length;
      ints[end++] = -1;
    };
    while (count < most && from + count < queries.length) {
      const query = queries[from + count]!;
      if (end + query.hidden.length + 1 > hidden / 4 + MOST_HIDDEN) break;
      put(query);
      count++;
    }
    const own = count;
    for (; count % MOST_QUERIES !== 0; count++) put(undefined);
    return own;
  }

  /** The calls of a thread that has been handed so many. */
  calls(thread: number, count: number): number[] {
    const head = CONTROL_BYTES + thread * this.headBytes;
    const groups = Math.ceil(count / MOST_QUERIES);
    if (groups === 0) return [];
    return Array.from(blocksOf(this.scorer.count), ({ from, to }) => [0, head, groups, from, to]).flat();
  }

  /** Tells of each row of the list of a thread's query, best first. */
  read(thread: number, at: number, tell: (row: number, score: number) => void): void {
    const { floats, ints } = this.views;
    const { dim } = this.scorer;
    const j = at % MOST_QUERIES;
    const head = CONTROL_BYTES + thread * this.headBytes;
    const group = head + GROUPS + ((at - j) / MOST_QUERIES) * groupLayout(dim, MOST_QUERIES).bytes;
    const state = (group + j * STATE_BYTES) / 4;
    const list = (ints[state + STATE.list / 4]! >>> 0) / 4;
    const length = ints[state + STATE.length / 4]!;
    for (let place = list; place < list + 2 * length; place += 2) tell(ints[place]!, floats[place + 1]!);
  }
}

/** In front of a memory that threads share: what they wait by. */
const CONTROL_BYTES = 64;

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
