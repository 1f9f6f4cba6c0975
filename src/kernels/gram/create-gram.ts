// Sums of outer products in WebAssembly where there is some, else in JavaScript, with the same bits.

import type { Gram } from './gram';
import { encodeGram, gramBytes } from './gram-program';
import { JsGram } from './js-gram';

const PAGE = 65536;
/** All that a 32-bit offset of an instruction reaches, with room to spare. */
const MOST_BYTES = 2 ** 31;

/** Compiled once a process: the few lengths that are in use serve every fit. */
const modules = new Map<number, WebAssembly.Module>();

/** A Gram of n x n zeros. */
export function createGram(n: number, wasm: boolean): Gram {
  const bytes = gramBytes(n);
  return wasm && bytes <= MOST_BYTES ? new WasmGram(n, bytes) : new JsGram(n);
}

class WasmGram implements Gram {
  readonly matrix: Float64Array;
  readonly rows: Float64Array;
  private readonly routines: Readonly<Record<'add' | 'subtract', (count: number, from: number) => void>>;

  constructor(
    readonly n: number,
    bytes: number,
  ) {
    const module = modules.get(n) ?? new WebAssembly.Module(encodeGram(n));
    modules.set(n, module);
    const pages = Math.ceil(bytes / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.matrix = new Float64Array(memory.buffer, 0, n * n);
    this.rows = new Float64Array(memory.buffer, 8 * n * n, bytes / 8 - n * n);
    this.routines = new WebAssembly.Instance(module, { host: { memory } }).exports as typeof this.routines;
  }

  add(count: number): void {
    this.routines.add(count, 0);
  }

  subtract(count: number, from: number): void {
    this.routines.subtract(count, from);
  }
}
