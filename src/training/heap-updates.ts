// The built-in rules on a heap: the optimizers' updates in WebAssembly, with the same bits. Whatever is not built in, or
// not in the heap, is the optimizer's own work.

import type { Heap, HeapUpdate } from '../kernels/heap';
import { isPerRow } from '../kernels/pairs/rules';
import { Adam } from '../optimizers/adam';
import type { Factor, Real, RowGradient } from '../optimizers/factor';
import type { Optimizer, StepInfo } from '../optimizers/optimizer';
import { ruleOf } from './pairs/plan-pairs';

/** The updates of one optimizer on one heap. */
export class HeapUpdates {
  private constructor(
    private readonly optimizer: Optimizer,
    private readonly run: HeapUpdate,
  ) {}

  /** Null for a rule that has no arithmetic there. */
  static of(optimizer: Optimizer, heap: Heap): HeapUpdates | null {
    const rule = ruleOf(optimizer);
    const run = rule === null || isPerRow(rule) ? null : heap.update(rule);
    return run === null ? null : new HeapUpdates(optimizer, run);
  }

  /** Makes the update; false where it is the optimizer's to make. */
  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): boolean {
    const { ids, count, values } = gradient;
    const { optimizer } = this;
    let rate = Math.fround(step.learningRateOf(factor));
    let rootScale = 1;
    if (optimizer instanceof Adam) {
      optimizer.correctFor(step.step);
      rate *= Math.fround(optimizer.averageScale);
      ({ rootScale } = optimizer);
    }
    return this.run(factor.data, ids, count, factor.cols, values, state, rate, rootScale);
  }
}
