// Where gradients meet the update rule: each factor's gradient goes to the optimizer with that factor's own memory.

import type { Factor, Real, RowGradient } from '../optimizers/factor';
import type { Optimizer, StepInfo } from '../optimizers/optimizer';
import { allocate } from '../parameters/memory';
import type { GradientSink, Parameter } from '../parameters/parameter';

/** Gives an optimizer the gradients of a model's factors, and keeps its state. */
export class OptimizerSink implements GradientSink {
  private readonly states = new Map<Factor, readonly Real[]>();

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
            return allocate(factor.data instanceof Float64Array ? 'float64' : 'float32', length).fill(
              slot.initial ?? 0,
            );
          }),
        );
    }
  }

  accept(factor: Factor, gradient: RowGradient): void {
    this.optimizer.update(factor, gradient, this.states.get(factor)!, this.step);
  }
}
