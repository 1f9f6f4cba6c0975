// The memory that WebAssembly and JavaScript share during a fit. A training moves its arrays there before the first
// epoch and back after the last; the size is computed first, because growing the memory would detach every view.

import { createMemory, instantiate, inWasm, type KernelChoice } from '../wasm/host';
import type { Numbers, Routines } from './kernels';
import type { Program } from './program';
import { type RuleRoutines, type UpdateRule, updateProgram } from './update-rules';
import { READ_AHEAD } from './walk';

/** The most maps of a product, for both directions: their addresses are listed at the start of the memory. */
const LISTED = 64;
/** Nothing lies at address 0, which represents null. */
const START = 4 * LISTED;
const ALIGNMENT = 64;
/** The gap between arrays: without it, arrays whose length is a power of two would compete for the same cache sets. */
const GAP = 5 * ALIGNMENT;
/** Numbers at least that threads go through together: as many take a thread some ten microseconds. */
export const WORTH_SHARING = 1 << 15;
/** Whether rows are of whole vectors: else the last of a row is written with the first numbers of the next, as they were. */
export const isWhole = (cols: number) => cols % 4 === 0;

// THE SEAM of threads that share calls of kernels: training/team.ts has them.

/** The functions that may be shared, by number; then the `update` of each rule. */
export const SHARED = ['multiply', 'multiplySparse', 'transpose', 'addRow', 'addRows', 'add', 'startPenalty'] as const;

/** A call in units, such as rows, each of which writes to places of its own. */
export interface SharedCall {
  /** The number of the function. */
  readonly routine: number;
  readonly units: number;
  /** A block has a multiple of so many units, but the last; and at most `most`. */
  readonly multiple: number;
  readonly most: number;
  /** Which operand is the number of units of a block. */
  readonly count: number;
  /** The operands of the first unit, and what each grows by from a unit to the next: 0 where there are no more steps. */
  readonly operands: readonly number[];
  readonly steps: readonly number[];
}

/** Threads that make calls together. */
export interface Team {
  /** Makes a call, and returns when all of it is made. */
  run(call: SharedCall): void;
}

/** A heap as seen from its arrays. */
export interface HeapCode {
  /** The list of addresses that some routines read. */
  readonly list: Int32Array;
  /** The threads that share its large calls; null: there is this one. */
  team: Team | null;
  /** The instantiated programs; null: instantiation failed for lack of memory, and JavaScript is used. */
  rows: Routines | null | undefined;
  products: Routines | null | undefined;
  matrices: Routines | null | undefined;
  sparse: Routines | null | undefined;
  setUp(name: 'rows' | 'products' | 'matrices' | 'sparse', program: Program): Routines | null;
}

class HeapSingles extends Float32Array {
  // Derived arrays, such as those of slice, are ordinary ones.
  static get [Symbol.species](): Float32ArrayConstructor {
    return Float32Array;
  }
  constructor(
    readonly heap: HeapCode,
    buffer: ArrayBuffer,
    at: number,
    length: number,
  ) {
    super(buffer, at, length);
  }
}

class HeapDoubles extends Float64Array {
  static get [Symbol.species](): Float64ArrayConstructor {
    return Float64Array;
  }
  constructor(
    readonly doubleHeap: HeapCode,
    buffer: ArrayBuffer,
    at: number,
    length: number,
  ) {
    super(buffer, at, length);
  }
}

class HeapIntegers extends Int32Array {
  static get [Symbol.species](): Int32ArrayConstructor {
    return Int32Array;
  }
  constructor(
    readonly heap: HeapCode,
    buffer: ArrayBuffer,
    at: number,
    length: number,
  ) {
    super(buffer, at, length);
  }
}

/** The heap that contains float32 numbers; undefined if none does. One function per type keeps the look-up fast. */
export function heapOf(array: Numbers): HeapCode | undefined {
  return (array as Partial<HeapSingles>).heap;
}

/** The same for float64 numbers. */
export function heapOfDoubles(array: Float64Array): HeapCode | undefined {
  return (array as Partial<HeapDoubles>).doubleHeap;
}

/** The same for integers. */
export function heapOfIntegers(array: Int32Array): HeapCode | undefined {
  return (array as Partial<HeapIntegers>).heap;
}

/**
 * Updates the rows that `ids` names (null: all, in order) of a table with `cols` columns by a rule, whose slots these
 * are; false, doing nothing, unless all arrays lie in the heap.
 */
export type HeapUpdate = (
  data: Numbers,
  ids: Int32Array | null,
  count: number,
  cols: number,
  gradient: Numbers,
  slots: readonly Numbers[],
  rate: number,
  rootScale: number,
) => boolean;

/**
 * The same for rows s x of a base and one scalar per row, under the gradient of s x: updates both, with a rate and
 * slots for each.
 */
export type HeapScaledUpdate = (
  base: Numbers,
  scalars: Numbers,
  ids: Int32Array,
  count: number,
  cols: number,
  gradient: Numbers,
  slots: readonly Numbers[],
  scalarSlots: readonly Numbers[],
  rate: number,
  scalarRate: number,
  rootScale: number,
) => boolean;

/** A rule's updates on a heap. */
export interface HeapUpdates {
  readonly update: HeapUpdate;
  readonly scaledUpdate: HeapScaledUpdate;
}

/** A memory that holds the arrays of a fit. */
export class Heap {
  private end = START;
  private readonly code: HeapCode;

  /** The programs of the update rules. */
  readonly rules: WebAssembly.Module[] = [];

  private constructor(
    readonly memory: WebAssembly.Memory,
    private readonly kernels: KernelChoice,
    readonly isShared: boolean,
  ) {
    const code: HeapCode = {
      list: new Int32Array(memory.buffer, 0, LISTED),
      team: null,
      // Declared from the start: objects of the same shape have the fastest property access.
      rows: undefined,
      products: undefined,
      matrices: undefined,
      sparse: undefined,
      setUp(name, program) {
        const routines = inWasm(kernels, () => instantiate<Routines>(program.compiled(isShared), memory));
        code[name] = routines;
        return routines;
      },
    };
    this.code = code;
  }

  /**
   * Moves arrays into a heap of their size; null, moving nothing, without WebAssembly or enough memory. `isShared`: in a memory
   * for several threads, if there is one.
   * @throws UnsupportedError if WebAssembly is required
   */
  static holding(movers: Movers, kernels: KernelChoice, isShared = false): Heap | null {
    const size = sizeOf(movers);
    const shared = isShared ? inWasm('auto', () => new Heap(createMemory(size, true), kernels, true)) : null;
    const heap = shared ?? inWasm(kernels, () => new Heap(createMemory(size), kernels, false));
    if (heap !== null) movers(once((array) => heap.place(array)));
    return heap;
  }

  /** The exports of a program on this heap; null if it cannot be compiled. */
  instantiate<Exports>(compile: () => WebAssembly.Module): Exports | null {
    return inWasm(this.kernels, () => instantiate<Exports>(compile(), this.memory));
  }

  /** Lets a team share the large calls from now on; null: nobody. */
  shareWith(team: Team | null): void {
    this.code.team = team;
  }

  /** The updates of a rule on arrays of this heap; null if they cannot be compiled. */
  updates(rule: UpdateRule): HeapUpdates | null {
    const routines = this.instantiate<RuleRoutines>(() => {
      const program = updateProgram(rule, this.isShared);
      this.rules.push(program);
      return program;
    });
    if (routines === null) return null;
    const { code } = this;
    const routine = SHARED.length + this.rules.length - 1;
    const holds = (arrays: readonly Numbers[]): boolean => {
      for (let k = 0; k < arrays.length; k++) if (heapOf(arrays[k]!) !== code) return false;
      return true;
    };
    const update: HeapUpdate = (data, ids, count, cols, gradient, slots, rate, rootScale) => {
      if (heapOf(data) !== code || heapOf(gradient) !== code) return false;
      if (ids !== null && heapOfIntegers(ids) !== code) return false;
      if (!holds(slots)) return false;
      const [first, second] = [slots[0] ?? data, slots[1] ?? data];
      // Every row in order is one long row.
      const at = ids === null ? 0 : ids.byteOffset;
      const rows = ids === null ? 1 : count;
      const length = ids === null ? count * cols : cols;
      if (code.team !== null && (ids === null || isWhole(cols)) && count * cols >= WORTH_SHARING) {
        const slotsAt = [first.byteOffset, second.byteOffset];
        const operands = [data.byteOffset, at, rows, length, gradient.byteOffset, ...slotsAt, rate, rootScale];
        const byNumber = { units: length, multiple: 16, count: 3, steps: [4, 0, 0, 0, 4, 4, 4] };
        const byRow = { units: rows, multiple: 1, count: 2, steps: [0, 4, 0, 0, 4 * cols] };
        code.team.run({ routine, most: 1 << 20, operands, ...(ids === null ? byNumber : byRow) });
        return true;
      }
      routines.update(
        data.byteOffset,
        at,
        rows,
        length,
        gradient.byteOffset,
        first.byteOffset,
        second.byteOffset,
        rate,
        rootScale,
      );
      return true;
    };
    const scaledUpdate: HeapScaledUpdate = (
      base,
      scalars,
      ids,
      count,
      cols,
      gradient,
      slots,
      scalarSlots,
      rate,
      scalarRate,
      rootScale,
    ) => {
      if (heapOf(base) !== code || heapOf(scalars) !== code || heapOf(gradient) !== code) return false;
      if (heapOfIntegers(ids) !== code || !holds(slots) || !holds(scalarSlots)) return false;
      routines.scaledUpdate(
        base.byteOffset,
        scalars.byteOffset,
        ids.byteOffset,
        count,
        cols,
        gradient.byteOffset,
        (slots[0] ?? base).byteOffset,
        (slots[1] ?? base).byteOffset,
        (scalarSlots[0] ?? base).byteOffset,
        (scalarSlots[1] ?? base).byteOffset,
        rate,
        scalarRate,
        rootScale,
      );
      return true;
    };
    return { update, scaledUpdate };
  }

  private place<T extends Movable>(array: T): T {
    const { code } = this;
    const { buffer } = this.memory;
    const at = this.end;
    this.end += room(array);
    const { length } = array;
    const placed =
      array instanceof Float32Array
        ? new HeapSingles(code, buffer, at, length)
        : array instanceof Float64Array
          ? new HeapDoubles(code, buffer, at, length)
          : new HeapIntegers(code, buffer, at, length);
    placed.set(array);
    return placed as Movable as T;
  }
}

function sizeOf(movers: Movers): number {
  let size = START + READ_AHEAD;
  movers(
    once((array) => {
      size += room(array);
      return array;
    }),
  );
  return size;
}

function room({ byteLength }: Movable): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT + GAP;
}

// How arrays change places while their holders keep them: a holder hands each of its arrays to a `Move` and keeps what it
// is given. Whether that lies in WebAssembly memory or anywhere else is no business of the holder.

/** What can be moved. */
export type Movable = Float32Array | Float64Array | Int32Array;

/** Gives the array that takes another's place, with the same numbers; the same one for the same array. */
export type Move = <T extends Movable>(array: T) => T;

/** Moves all arrays of some holders. May be called more than once, also by a Move that leaves them where they are. */
export type Movers = (move: Move) => void;

/** An array that several hold is moved once. */
export function once(move: Move): Move {
  const moved = new WeakMap<Movable, Movable>();
  return <T extends Movable>(array: T): T => {
    const before = moved.get(array);
    if (before !== undefined) return before as T;
    const now = move(array);
    moved.set(array, now);
    return now;
  };
}

/** Moves arrays to ordinary memory, each of its own. */
export function moveOut(movers: Movers): void {
  movers(once((array) => array.slice() as typeof array));
}
