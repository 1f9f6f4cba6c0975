// Kernels as WebAssembly: those of a file are compiled together, once a process.
// Programs are apart so that a bundle has those alone whose kernels it calls.

import { type MemoryShape, ModuleBuilder } from '../wasm/assembler';
import { compile } from '../wasm/host';
import type { Kernel, Kernels } from './kernels';

/** Memories of any size fit. */
export const ANY_MEMORY: MemoryShape = { pages: 1, isShared: false };

/** Kernels that are compiled together. */
export class Program {
  private readonly modules: (WebAssembly.Module | undefined)[] = [];

  constructor(readonly kernels: { readonly [Name in keyof Kernels]?: Kernel<Name> }) {}

  /** Compiled once for each kind of memory. */
  compiled(isShared = false): WebAssembly.Module {
    const { modules } = this;
    const at = isShared ? 1 : 0;
    modules[at] ??= compile(this.encode(isShared));
    return modules[at];
  }

  /** The binary. */
  encode(isShared = false): Uint8Array<ArrayBuffer> {
    const module = new ModuleBuilder();
    for (const { wasm } of Object.values(this.kernels)) wasm(module);
    return module.encode({ ...ANY_MEMORY, isShared });
  }
}
