// Whether this process can run what the assembler writes: WebAssembly with SIMD, and leave to compile it. Edge workers
// and pages with a strict content security policy give no such leave.

import { UnsupportedError } from '../core/errors';
import { f32x4, MOST_PAGES, ModuleBuilder } from './assembler';

let answer: boolean | undefined;

/** Looked up once. */
export function canCompile(): boolean {
  answer ??= tryToCompile();
  return answer;
}

function tryToCompile(): boolean {
  try {
    const module = new ModuleBuilder();
    module.function('v128', 'probe').emit(f32x4.zero());
    return new WebAssembly.Module(module.encode({ pages: 1, isShared: false })) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}

// Where WebAssembly comes from, and what happens where it is not to be had: every memory, module and instance is made here.
// Under 'auto' JavaScript takes over, with the same bits; under 'wasm' the caller is told.

/** `auto`: WebAssembly where it can be had, else JavaScript. */
export type KernelChoice = 'auto' | 'wasm' | 'js';

/** The bytes of a page of memory. */
export const PAGE = 65536;

/** A call of a program by a thread: the number of the function's name, and four operands, of which it takes as many as it has. */
export type Call = readonly [number, number, number, number, number];

/** A part of some work: its call on a thread, and what it costs, in the scheduler's units. */
export interface Part {
  call(thread: number): Call;
  readonly cost: number;
}

/** Why there is no WebAssembly for a piece of work. */
export class Unavailable extends Error {}

/**
 * What `make` makes of WebAssembly, or null: JavaScript is wanted, or WebAssembly cannot be had.
 * @throws UnsupportedError where it is demanded and cannot be had
 */
export function inWasm<T>(kernels: KernelChoice, make: () => T): T | null {
  try {
    return isWanted(kernels) ? make() : null;
  } catch (error) {
    return withoutWasm(kernels, error);
  }
}

/** Whether to try. @throws UnsupportedError where WebAssembly is demanded and there is none */
export function isWanted(kernels: KernelChoice): boolean {
  if (kernels === 'js' || canCompile()) return kernels !== 'js';
  withoutWasm(kernels, new Unavailable('here is no WebAssembly with SIMD, or no leave to compile it'));
  return false;
}

/** Null after a failure to get WebAssembly, unless it is demanded. Other errors are thrown on. */
export function withoutWasm(kernels: KernelChoice, error: unknown): null {
  if (!(error instanceof Unavailable)) throw error;
  if (kernels !== 'wasm') return null;
  throw new UnsupportedError(
    `kernels is 'wasm', and ${error.message}; use kernels: 'auto' or 'js', with the same results`,
  );
}

/**
 * A memory of so many bytes, which grows up to `most`, by default not at all: that detaches every view of it. Engines also
 * reserve some 10 GB of addresses for each, whatever its size, to do without checks of bounds: who needs little shares one.
 */
export function createMemory(bytes: number, isShared = false, most = bytes): WebAssembly.Memory {
  const pages = Math.max(1, Math.ceil(bytes / PAGE));
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  if (pages > MOST_PAGES) throw new Unavailable(`${size} is more than the 4 GiB that 32-bit addresses reach`);
  try {
    return new WebAssembly.Memory({
      initial: pages,
      maximum: Math.max(pages, Math.floor(most / PAGE)),
      ...(isShared && { shared: true }),
    });
  } catch {
    throw new Unavailable(
      `${size} of WebAssembly memory cannot be had (engines reserve 10 GB of addresses for each: see ulimit -v)`,
    );
  }
}

/** Compiles what the assembler wrote. A program that is invalid is a bug of ours and no lack of WebAssembly. */
export function compile(binary: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(binary);
  } catch (error) {
    // It needs no leave to compile.
    if (!WebAssembly.validate(binary)) throw new Error('the assembler wrote an invalid program', { cause: error });
    throw new Unavailable('a program cannot be compiled: there is no leave to, or no memory for its code');
  }
}

/** The exports of a program on a memory. */
export function instantiate<Exports>(module: WebAssembly.Module, memory: WebAssembly.Memory): Exports {
  try {
    return new WebAssembly.Instance(module, { host: { memory } }).exports as Exports;
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) throw error;
    throw new Unavailable('a compiled program cannot be set up: there is no memory for it');
  }
}

const KINDS = { i32: Int32Array, f32: Float32Array, f64: Float64Array };

/** Arrays by name: the kind of their numbers, and how many. */
export type Lengths = Readonly<Record<string, readonly [kind: keyof typeof KINDS, length: number]>>;

/** Where arrays are in a memory, and views of them. */
export interface Layout<L extends Lengths> {
  readonly at: Readonly<Record<keyof L, number>>;
  readonly bytes: number;
  views(buffer: ArrayBufferLike): { readonly [Name in keyof L]: InstanceType<(typeof KINDS)[L[Name][0]]> };
}

/** Arrays begin with a cache line, of which threads then share none. */
const LINE = 64;

/** Lays arrays out one after another, after what threads wait by. */
export function layOut<L extends Lengths>(lengths: L): Layout<L> {
  let bytes = LINE;
  const entries = Object.entries(lengths).map(([name, [kind, length]]) => {
    const at = bytes;
    bytes += Math.ceil((length * KINDS[kind].BYTES_PER_ELEMENT) / LINE) * LINE;
    return [name, at, KINDS[kind], length] as const;
  });
  return {
    at: Object.fromEntries(entries) as never,
    bytes,
    views: (buffer) =>
      Object.fromEntries(
        entries.map(([name, at, Numbers, length]) => [name, new Numbers(buffer as ArrayBuffer, at, length)]),
      ) as never,
  };
}
