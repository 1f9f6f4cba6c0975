// The memories of scorers. Small tables share them: engines reserve 10 GB of addresses for every memory, whatever its size.

import { createMemory, instantiate } from '../wasm';
import { headBytes } from './scan-layout';

/** Tables of longer vectors, or of more bytes, have a memory of their own. */
const SHARED_DIM = 1024;
const SHARED_BYTES = 2 ** 25;
/** What a shared memory grows to. */
const MOST_BYTES = 2 ** 30;

/** A memory whose head is that of one scan at a time, and whose rest is dealt out. */
export class Arena {
  private readonly programs = new Map<WebAssembly.Module, unknown>();
  /** Parts that were given back, by address; no two touch. */
  private free: { start: number; end: number }[] = [];
  /** Up to where the memory is dealt out. */
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
   * Room for a table as long as `owner` lives, filled with zeros: the memory and the address.
   * @throws Unavailable where there is none
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
    // A byte more than there need be: the end of a table is an address too.
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

  /** All of the memory. Growing it for another table detaches earlier views: ask for it in every scan. */
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

  /** The address of so many bytes, undefined where there is no room. */
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

  /** Grows the memory to so many bytes where it is smaller: to twice its size, or to what is wanted. */
  private reaches(bytes: number): boolean {
    const size = this.memory.buffer.byteLength;
    if (bytes <= size) return true;
    for (const target of [Math.max(bytes, Math.min(2 * size, MOST_BYTES)), bytes]) {
      try {
        this.memory.grow(Math.ceil((target - size) / 65536));
        return true;
      } catch {
        // Beyond what it may have, or what there is.
      }
    }
    return false;
  }

  /** Takes a part back. */
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

/** Kept by their scorers: what no scorer uses is collected. */
let shared: readonly WeakRef<Arena>[] = [];

const gone = new FinalizationRegistry<{ reference: WeakRef<Arena>; start: number; bytes: number }>(
  ({ reference, start, bytes }) => reference.deref()?.release(start, bytes),
);

/** Cache lines. */
function wholeLines(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
