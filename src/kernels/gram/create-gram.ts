// Sums of outer products in WebAssembly where there is some, else in JavaScript, with the same bits.

import { compile, createMemory, instantiate, inWasm, type KernelChoice, Unavailable } from '../wasm';
import type { Gram } from './gram';
import { encodeGram, gramBytes } from './gram-program';
import { JsGram } from './js-gram';

/** All that a 32-bit offset of an instruction reaches, with room to spare. */
const MOST_BYTES = 2 ** 31;
/** Grams of up to this length share one memory. */
const SHORT = 256;

/** Compiled once a process: the few lengths that are in use serve every fit. */
const modules = new Map<number, WebAssembly.Module>();
/** The memory of the short common ones, and all common ones by length. */
let shortMemory: WebAssembly.Memory | undefined;
const common = new Map<number, Gram>();

/** A Gram of n x n zeros, with a memory of its own. @throws UnsupportedError where WebAssembly is demanded and cannot be had */
export function createGram(n: number, kernels: KernelChoice): Gram {
  return inWasm(kernels, () => new WasmGram(n, memoryOf(n))) ?? new JsGram(n);
}

/**
 * A Gram that others use too, for work that is done before anybody else gets a turn: it holds whatever they left. In
 * WebAssembly there is one of each length, and all short ones lie in one memory.
 * @throws UnsupportedError where WebAssembly is demanded and cannot be had
 */
export function commonGram(n: number, kernels: KernelChoice): Gram {
  const gram = inWasm(kernels, () => common.get(n) ?? new WasmGram(n, n > SHORT ? memoryOf(n) : commonMemory()));
  if (gram === null) return new JsGram(n);
  common.set(n, gram);
  return gram;
}

function memoryOf(n: number): WebAssembly.Memory {
  const bytes = gramBytes(n);
  if (bytes > MOST_BYTES) throw new Unavailable(`a matrix of ${n} x ${n} numbers is more than a program reaches`);
  return createMemory(bytes);
}

function commonMemory(): WebAssembly.Memory {
  shortMemory ??= memoryOf(SHORT);
  return shortMemory;
}

class WasmGram implements Gram {
  readonly matrix: Float64Array;
  readonly rows: Float64Array;
  private readonly routines: Readonly<Record<'add' | 'subtract', (count: number, from: number) => void>>;

  constructor(
    readonly n: number,
    memory: WebAssembly.Memory,
  ) {
    const module = modules.get(n) ?? compile(encodeGram(n));
    modules.set(n, module);
    this.matrix = new Float64Array(memory.buffer, 0, n * n);
    this.rows = new Float64Array(memory.buffer, 8 * n * n, gramBytes(n) / 8 - n * n);
    this.routines = instantiate(module, memory);
  }

  add(count: number): void {
    this.routines.add(count, 0);
  }

  subtract(count: number, from: number): void {
    this.routines.subtract(count, from);
  }
}
