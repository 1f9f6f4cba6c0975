// The WebAssembly of the kernels: one module for every heap of a process, and one a fit for its update rule.

import { compile } from '../../wasm/host';
import { type MemoryShape, ModuleBuilder } from '../../wasm/module';
import type { UpdateRule } from '../update-rules';
import { multiply, multiplyTransposed, transposedMultiply } from './matrix';
import { diagonalBackward, scalarBackward, scaleForward, sumForward } from './products';
import { divide, dot, gatherAdd, rowDots, scatterAdd, scatterRows, selectRows, startPenalty } from './rows';
import { scaledUpdate, update } from './update';

/** The routines of a heap: those of Kernels, with addresses for arrays. */
export type Routines = Readonly<Record<RoutineName, (...operands: number[]) => number>>;

/** The updates of a rule (see update.ts). */
export type RuleRoutines = Readonly<Record<'update' | 'scaledUpdate', (...operands: number[]) => void>>;

export type RoutineName =
  | 'dot'
  | 'gatherAdd'
  | 'scatterAdd'
  | 'selectRows'
  | 'divide'
  | 'rowDots'
  | 'scatterRows'
  | 'startPenalty'
  | 'scaleForward'
  | 'scalarForward'
  | 'diagonalForward'
  | 'scalarBackward'
  | 'diagonalBackward'
  | 'multiply'
  | 'multiplyTransposed'
  | 'transposedMultiply';

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
  const routines = [gatherAdd, scatterAdd, selectRows, dot, divide, rowDots, scatterRows, startPenalty, scaleForward];
  for (const add of [...routines, scalarBackward, diagonalBackward, multiply, multiplyTransposed, transposedMultiply])
    add(module);
  sumForward(module, true);
  sumForward(module, false);
  return module.encode(ANY);
}
