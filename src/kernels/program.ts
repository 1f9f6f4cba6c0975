// The table of the kernels, and their WebAssembly: one module for every heap of a process, and one a fit for its update rule.

import { type MemoryShape, ModuleBuilder } from '../wasm/assembler';
import { compile } from '../wasm/host';
import type { Kernel, Kernels } from './kernels';
import { multiply, multiplyTransposed, transposedMultiply } from './matrix';
import { type ProductRoutine, productBackward, productForward } from './products';
import { divide, dot, gatherAdd, rowDots, scatterAdd, scatterRows, selectRows, startPenalty } from './rows';
import type { UpdateRule } from './update-rules';
import { scaledUpdate, update } from './update-rules';

/** All kernels, each in JavaScript and in WebAssembly. */
export const table: { readonly [Name in keyof Kernels]: Kernel<Name> } = {
  dot,
  gatherAdd,
  scatterAdd,
  divide,
  rowDots,
  scatterRows,
  startPenalty,
  selectRows,
  productForward,
  productBackward,
  multiply,
  multiplyTransposed,
  transposedMultiply,
};

/** The routines of a heap: the kernels, with addresses for arrays. */
export type Routines = Readonly<
  Record<
    Exclude<keyof Kernels, 'productForward' | 'productBackward'> | ProductRoutine,
    (...operands: number[]) => number
  >
>;

/** The updates of a rule (see update-wasm.ts). */
export type RuleRoutines = Readonly<Record<'update' | 'scaledUpdate', (...operands: number[]) => void>>;

/** Memories of any size fit. */
const ANY: MemoryShape = { pages: 1, isShared: false };

let program: WebAssembly.Module | undefined;

/** The routines, compiled once. */
export function kernelProgram(): WebAssembly.Module {
  program ??= compile(encodeKernels());
  return program;
}

/** The updates of a rule, compiled. */
export function updateProgram(rule: UpdateRule): WebAssembly.Module {
  const module = new ModuleBuilder();
  update(module, rule);
  scaledUpdate(module, rule);
  return compile(module.encode(ANY));
}

/** The binary of the routines. */
export function encodeKernels(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  for (const { wasm } of Object.values(table)) wasm(module);
  return module.encode(ANY);
}
