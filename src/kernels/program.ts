// Kernels as WebAssembly: those of a file are compiled together, once a process, and the update rule of a fit by itself.
// Programs are apart so that a bundle has those alone whose kernels it calls.

import { type MemoryShape, ModuleBuilder } from '../wasm/assembler';
import { compile } from '../wasm/host';
import type { Kernel, Kernels } from './kernels';
import type { UpdateRule } from './update-rules';
import { scaledUpdate, update } from './update-rules';

/** The updates of a rule (see update-wasm.ts). */
export type RuleRoutines = Readonly<Record<'update' | 'scaledUpdate', (...operands: number[]) => void>>;

/** Memories of any size fit. */
const ANY: MemoryShape = { pages: 1, isShared: false };

/** Kernels that are compiled together. */
export class Program {
  private module: WebAssembly.Module | undefined;

  constructor(readonly kernels: { readonly [Name in keyof Kernels]?: Kernel<Name> }) {}

  /** Compiled once. */
  get compiled(): WebAssembly.Module {
    this.module ??= compile(this.encode());
    return this.module;
  }

  /** The binary. */
  encode(): Uint8Array<ArrayBuffer> {
    const module = new ModuleBuilder();
    for (const { wasm } of Object.values(this.kernels)) wasm(module);
    return module.encode(ANY);
  }
}

/** The updates of a rule, compiled. */
export function updateProgram(rule: UpdateRule): WebAssembly.Module {
  const module = new ModuleBuilder();
  update(module, rule);
  scaledUpdate(module, rule);
  return compile(module.encode(ANY));
}
