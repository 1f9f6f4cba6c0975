// Where gradients meet the update rule: each factor's gradient goes to the optimizer with that factor's own memory.

import type { Heap } from '../kernels/heap';
import type { Move } from '../kernels/move';
import type { Factor, Real, RowGradient } from '../optimizers/factor';
import type { Optimizer, StepInfo } from '../optimizers/optimizer';
import { allocate } from '../parameters/memory';
import type { GradientSink, Parameter } from '../parameters/parameter';
import { HeapUpdates } from './heap-updates';

/** Gives an optimizer the gradients of a model's factors, and keeps its state. */
export class OptimizerSink implements GradientSink {
  private readonly states = new Map<Factor, readonly Real[]>();
  private onHeap: HeapUpdates | null = null;

  constructor(
    private readonly optimizer: Optimizer,
    private readonly step: StepInfo,
    parameters: readonly Parameter[],
  ) {
    for (const parameter of parameters) {
      for (const factor of parameter.factors)
        this.states.set(
          factor,
          optimizer.slots.map((slot) => {
            const length =
              slot.shape === 'element' ? factor.rows * factor.cols : slot.shape === 'row' ? factor.rows : 1;
            const memory = allocate(factor.data instanceof Float64Array ? 'float64' : 'float32', length);
            // Zeros are there already, and writing them would make pages of memory of them at once.
            return slot.initial ? memory.fill(slot.initial) : memory;
          }),
        );
    }
  }

  /** @see Parameter.move */
  move(move: Move): void {
    for (const [factor, state] of this.states)
      this.states.set(
        factor,
        state.map((slot) => move(slot)),
      );
  }

  /** Lets updates run on a heap that everything has been moved to. */
  runOn(heap: Heap): void {
    this.onHeap = HeapUpdates.of(this.optimizer, heap);
  }

  /** The rule's memory of a factor, slot by slot. */
  stateOf(factor: Factor): readonly Real[] {
    return this.states.get(factor)!;
  }

  acceptScaled(base: Factor, scalars: Factor, gradient: RowGradient): boolean {
    const { onHeap, step } = this;
    if (onHeap === null) return false;
    return onHeap.updateScaled(base, scalars, gradient, this.stateOf(base), this.stateOf(scalars), step);
  }

  accept(factor: Factor, gradient: RowGradient): void {
    const { optimizer, onHeap, step } = this;
    const state = this.stateOf(factor);
    if (onHeap === null || !onHeap.update(factor, gradient, state, step))
      optimizer.update(factor, gradient, state, step);
  }
}
