// The arms of opmf: what is timed, as its users would write it. Rates and penalties are the library's defaults.

import { adagrad, adam, type History, type Interactions, MF, type MFOptions, OverparamMF } from 'opmf';
import type { PlainRule } from './plain-loop';

export interface Arm {
  readonly name: string;
  /** The rule of its hand-written twin. A product has no hand-written twin of its own: it is held against plain SGD. */
  readonly twin: PlainRule;
  readonly recommender: new (options: MFOptions) => { fit(data: Interactions): Promise<History> };
  readonly options: MFOptions;
  /** Batches go the general way, step by step. */
  readonly batched: boolean;
}

const arm = (name: string, twin: PlainRule, recommender: Arm['recommender'], options: MFOptions = {}): Arm => {
  return { name, twin, recommender, options, batched: options.batchSize !== undefined };
};

/** One rating a step, with biases and a penalty. */
export const ARMS: readonly Arm[] = [
  arm('MF sgd', 'sgd', MF),
  arm('OverparamMF sgd', 'sgd', OverparamMF),
  arm('MF adagrad', 'adagrad', MF, { optimizer: adagrad() }),
  // The rule of LIBMF itself: one sum a row. Its hand-written twin here keeps one an element, which costs more.
  arm('MF adagrad per row', 'adagrad', MF, { optimizer: adagrad({ per: 'row' }) }),
  arm('MF adam', 'adam', MF, { optimizer: adam() }),
];

/** The general path: a step for 256 ratings. */
export const BATCHED: readonly Arm[] = [
  arm('MF sgd, batch 256', 'sgd', MF, { batchSize: 256 }),
  arm('OverparamMF sgd, batch 256', 'sgd', OverparamMF, { batchSize: 256 }),
];
export const BATCHED_RANKS: readonly number[] = [32, 64];

/** What varies from fit to fit. `kernels` is left out where it is not asked for. */
export interface FitTerms {
  readonly rank: number;
  readonly epochs: number;
  readonly threads: number;
  readonly kernels: MFOptions['kernels'];
}

/** One whole fit. */
export function fit({ recommender, options }: Arm, data: Interactions, { kernels, ...terms }: FitTerms) {
  const all = { ...options, ...terms, ...(kernels !== undefined && { kernels }) };
  return new recommender(all as MFOptions).fit(data);
}
