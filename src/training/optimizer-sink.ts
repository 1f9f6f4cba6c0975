// Where gradients meet the update rule: each factor's gradient goes to the optimizer with that factor's own memory.

import type { Heap } from '../kernels/heap';
import type { Move } from '../kernels/move';
import type { Factor, Real, RowGradient } from '../optimizers/factor';
import type { Optimizer, SlotSpec, StepInfo } from '../optimizers/optimizer';
import type { GradientSink, Parameter } from '../parameters/parameter';
import { HeapUpdates } from './heap-updates';
import { emptySlot, type RuleState } from './rule-state';

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
          optimizer.slots.map((slot) => emptySlot(slot, factor)),
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

  /** What the rule keeps of each factor. */
  get slots(): readonly SlotSpec[] {
    return this.optimizer.slots;
  }

  /** A copy of the rule's memory. */
  readState(): RuleState {
    return new Map([...this.states].map(([{ name }, slots]) => [name, slots.map((slot) => slot.slice())]));
  }

  /** Goes on with a memory that was read. */
  writeState(state: RuleState): void {
    for (const [{ name }, slots] of this.states) {
      const saved = state.get(name)!;
      for (let s = 0; s < slots.length; s++) slots[s]!.set(saved[s]!);
    }
  }

  /** The rule's memory of a factor, slot by slot. */
  stateOf(factor: Factor): readonly Real[] {
    return this.states.get(factor)!;
  }

  /** The parts of that memory that have something for each row of the factor: `cols` numbers. */
  rowStates(factor: Factor): { array: Real; cols: number }[] {
    const { slots } = this.optimizer;
    return this.stateOf(factor).flatMap((array, s) => {
      const { shape } = slots[s]!;
      return shape === 'factor' ? [] : [{ array, cols: shape === 'row' ? 1 : factor.cols }];
    });
  }

  acceptScaled(base: Factor, scalars: Factor, gradient: RowGradient): boolean {
    const { onHeap, step } = this;
    if (onHeap === null) return false;
    const isDone = onHeap.updateScaled(base, scalars, gradient, this.stateOf(base), this.stateOf(scalars), step);
    if (isDone) {
      project(base, gradient);
      project(scalars, gradient);
    }
    return isDone;
  }

  accept(factor: Factor, gradient: RowGradient): void {
    const { optimizer, onHeap, step } = this;
    const state = this.stateOf(factor);
    if (onHeap === null || !onHeap.update(factor, gradient, state, step))
      optimizer.update(factor, gradient, state, step);
    project(factor, gradient);
  }
}

/** Puts the rows that an update may have moved back to where the factor's constraint has them: to the nearest such values. */
function project({ constraint, data, cols }: Factor, { ids, count }: RowGradient): void {
  if (constraint === undefined) return;
  for (let i = 0; i < count; i++) {
    const from = (ids === null ? i : ids[i]!) * cols;
    for (let k = from; k < from + cols; k++) if (data[k]! < 0) data[k] = 0;
  }
}
