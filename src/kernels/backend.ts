// Who does the arithmetic of answers. Results never depend on it: JavaScript is the definition, WebAssembly is faster. It
// is handed to what answers, so that a program that serves in JavaScript is not bundled with the writer of programs.

import type { KernelChoice } from '../wasm/host';
import { commonGram, type Gram, JsGram } from './gram';
import { JsScorer, type RowTable, type Scorer } from './scorer';
import { createScorer } from './scorer-wasm';

/** What answers need. */
export interface Backend {
  scorer(table: RowTable): Scorer;
  /** A Gram of n x n that holds whatever others left, for work that is done before anybody else gets a turn. */
  gram(n: number): Gram;
}

/** Plain JavaScript. */
export const javaScript: Backend = {
  scorer: (table) => new JsScorer(table),
  gram: (n) => new JsGram(n),
};

/** As the option `kernels` says. Both throw an UnsupportedError where WebAssembly is demanded and cannot be had. */
export function backendOf(kernels: KernelChoice): Backend {
  return { scorer: (table) => createScorer(table, kernels), gram: (n) => commonGram(n, kernels) };
}
