// Whether this process can run what the assembler writes: WebAssembly with SIMD, and leave to compile it. Edge workers
// and pages with a strict content security policy give no such leave.

import { f32x4 } from './code';
import { ModuleBuilder } from './module';

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
