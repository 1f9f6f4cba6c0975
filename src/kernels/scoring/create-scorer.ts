// Chooses how a table is scored: WebAssembly where it can be had, plain JavaScript elsewhere. Which one cannot be told
// from the scores.

import { inWasm, type KernelChoice } from '../wasm';
import { JsScorer } from './js-scorer';
import type { RowTable, Scorer } from './scorer';
import { WasmScorer } from './wasm-scorer';

/** Numbers of a table: a smaller one is scored in JavaScript before a program for it is written. */
const WORTH_COMPILING = 1 << 16;

/** A scorer of the rows of a table. @throws UnsupportedError where WebAssembly is demanded and cannot be had */
export function createScorer(table: RowTable, kernels: KernelChoice): Scorer {
  const isSmall = kernels === 'auto' && table.count * table.dim < WORTH_COMPILING;
  return (isSmall ? null : inWasm(kernels, () => new WasmScorer(table))) ?? new JsScorer(table);
}
