// Where gradients go when parameters have update rules of their own: each rule with its rates, its memory and its steps.
// Wide & Deep trains its linear weights by FTRL and the rest by another rule.

import type { Heap } from '../kernels/heap';
import type { Move } from '../kernels/move';
import type { Factor, RowGradient } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer, SlotSpec } from '../optimizers/optimizer';
import type { Parameter } from '../parameters/parameter';
import { OptimizerSink } from './optimizer-sink';
import type { RuleState } from './rule-state';
import type { StepSink } from './stepper';

/** Some parameters and the rule that trains them. */
export interface RuleOf {
  readonly optimizer: Optimizer;
  readonly parameters: readonly Parameter[];
}

/** Sends each factor's gradient to its own rule. */
export class SplitSink implements StepSink {
  /** The rates of the first rule: those that are reported. */
  readonly rates: LearningRates;
  private readonly sinks: readonly OptimizerSink[];
  private readonly allRates: readonly LearningRates[];
  private readonly sinkOf = new Map<Factor, OptimizerSink>();

  constructor(rules: readonly [RuleOf, ...RuleOf[]]) {
    this.allRates = rules.map(({ optimizer }) => new LearningRates(optimizer.config.learningRate));
    this.rates = this.allRates[0]!;
    this.sinks = rules.map(({ optimizer, parameters }, r) => {
      const sink = new OptimizerSink(optimizer, this.allRates[r]!, parameters);
      for (const { factors } of parameters) for (const factor of factors) this.sinkOf.set(factor, sink);
      return sink;
    });
  }

  begin(step: number, progress: number, ratings?: number): void {
    for (const rates of this.allRates) rates.begin(step, progress, ratings);
  }

  accept(factor: Factor, gradient: RowGradient): void {
    this.sinkOf.get(factor)!.accept(factor, gradient);
  }

  acceptScaled(base: Factor, scalars: Factor, gradient: RowGradient): boolean {
    return this.sinkOf.get(base)!.acceptScaled(base, scalars, gradient);
  }

  move(move: Move): void {
    for (const sink of this.sinks) sink.move(move);
  }

  runOn(heap: Heap): void {
    for (const sink of this.sinks) sink.runOn(heap);
  }

  /** What the rule of a factor keeps of it. */
  slotsOf(factor: Factor): readonly SlotSpec[] {
    return this.sinkOf.get(factor)!.slots;
  }

  readState(): RuleState {
    return new Map(this.sinks.flatMap((sink) => [...sink.readState()]));
  }

  writeState(state: RuleState): void {
    for (const sink of this.sinks) sink.writeState(state);
  }
}
