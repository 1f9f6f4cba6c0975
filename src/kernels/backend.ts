// Who does the arithmetic of serving. Results never depend on it: JavaScript is the definition, WebAssembly is faster.
// The backend is passed in, so that a program that serves in JavaScript does not bundle the WebAssembly generator.

import type { KernelChoice } from '../wasm/host';
import { commonGram, type Gram, JsGram } from './gram';
import { JsScorer, type RowTable, type Scorer } from './scorer';
import { createScorer } from './scorer-wasm';

/** The kernels that serving needs. */
export interface Backend {
  scorer(table: RowTable): Scorer;
  /** An n x n Gram with arbitrary contents, shared with other users: for work that finishes before it yields. */
  gram(n: number): Gram;
}

/** Plain JavaScript. */
export const javaScript: Backend = {
  scorer: (table) => new JsScorer(table),
  gram: (n) => new JsGram(n),
};

/** The backend for the option `kernels`. Its methods throw an UnsupportedError if WebAssembly is required but not available. */
export function backendOf(kernels: KernelChoice): Backend {
  return { scorer: (table) => createScorer(table, kernels), gram: (n) => commonGram(n, kernels) };
}
