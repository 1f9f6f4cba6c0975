// The built-in rules on a heap: the optimizers' updates in WebAssembly, with the same bits. Whatever is not built in, or
// not in the heap, is the optimizer's own work.

import type { Heap, HeapUpdates as Routines } from '../kernels/heap';
import { isPerRow } from '../kernels/update-rules';
import { Adam } from '../optimizers/adam';
import type { Factor, Real, RowGradient } from '../optimizers/factor';
import type { Optimizer, StepInfo } from '../optimizers/optimizer';
import { ruleOf } from './per-rating/plan';

/** The updates of one optimizer on one heap. */
export class HeapUpdates {
  private constructor(
    private readonly optimizer: Optimizer,
    private readonly run: Routines,
  ) {}

  /** Null for a rule that has no arithmetic there. */
  static of(optimizer: Optimizer, heap: Heap): HeapUpdates | null {
    const rule = ruleOf(optimizer);
    const run = rule === null || isPerRow(rule) ? null : heap.updates(rule);
    return run === null ? null : new HeapUpdates(optimizer, run);
  }

  /** Makes the update; false where it is the optimizer's to make. */
  update(factor: Factor, gradient: RowGradient, state: readonly Real[], step: StepInfo): boolean {
    const { ids, count, values } = gradient;
    const { optimizer } = this;
    if (optimizer instanceof Adam) optimizer.correctFor(step.step);
    const rate = this.rateOf(factor, step);
    return this.run.update(factor.data, ids, count, factor.cols, values, state, rate, this.rootScale);
  }

  /** @see GradientSink.acceptScaled */
  updateScaled(
    base: Factor,
    scalars: Factor,
    { ids, count, values }: RowGradient,
    state: readonly Real[],
    scalarState: readonly Real[],
    step: StepInfo,
  ): boolean {
    const { optimizer } = this;
    if (ids === null) return false;
    if (optimizer instanceof Adam) optimizer.correctFor(step.step);
    return this.run.scaledUpdate(
      base.data,
      scalars.data,
      ids,
      count,
      base.cols,
      values,
      state,
      scalarState,
      this.rateOf(base, step),
      this.rateOf(scalars, step),
      this.rootScale,
    );
  }

  private rateOf(factor: Factor, step: StepInfo): number {
    const { optimizer } = this;
    const rate = Math.fround(step.learningRateOf(factor));
    return optimizer instanceof Adam ? rate * Math.fround(optimizer.averageScale) : rate;
  }

  private get rootScale(): number {
    const { optimizer } = this;
    return optimizer instanceof Adam ? optimizer.rootScale : 1;
  }
}
