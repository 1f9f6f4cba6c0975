// Chooses how a table is scored: WebAssembly where it can be had, plain JavaScript elsewhere. Which one cannot be told
// from the scores.

import { canCompile } from '../assembler/probe';
import { JsScorer } from './js-scorer';
import type { RowTable, Scorer } from './scorer';
import { WasmScorer } from './wasm-scorer';

/** Numbers of a table: a smaller one is scored in JavaScript before a program for it is written. */
const WORTH_COMPILING = 1 << 16;

/** A scorer of the rows of a table. */
export function createScorer(table: RowTable, kernels: 'auto' | 'wasm' | 'js'): Scorer {
  const isWanted = kernels === 'wasm' || (kernels === 'auto' && table.count * table.dim >= WORTH_COMPILING);
  if (!isWanted || !canCompile()) return new JsScorer(table);
  try {
    return new WasmScorer(table);
  } catch (error) {
    // No room for a copy of the table: it may lie beyond 32-bit addresses, too.
    if (error instanceof RangeError) return new JsScorer(table);
    throw error;
  }
}
