// Passes each factor's gradient to the optimizer of its parameter, with the state of that factor, in WebAssembly if the
// arrays of a built-in rule lie there, with the same bits. Wide & Deep has two optimizers: FTRL for its linear weights
// and another for the rest.

import type { Heap, HeapUpdates, Move } from '../kernels/heap';
import { isPerRow } from '../kernels/update-rules';
import { Adam } from '../optimizers/adam';
import type { Factor, Real, RowGradient } from '../optimizers/factor';
import { LearningRates } from '../optimizers/learning-rate';
import type { Optimizer, SlotSpec } from '../optimizers/optimizer';
import { updateRuleOf } from '../optimizers/registry';
import { allocate, type GradientSink, type Parameter } from '../parameters/parameter';
import type { TrainingState } from './fit';

/** Some parameters and the rule that trains them. */
export interface RuleOf {
  readonly optimizer: Optimizer;
  readonly parameters: readonly Parameter[];
}

/** An active optimizer, with its learning rates. */
interface ActiveRule {
  readonly optimizer: Optimizer;
  readonly rates: LearningRates;
  /** Its arithmetic in WebAssembly; null if the optimizer updates by itself. */
  onHeap: HeapUpdates | null;
}

/** Passes the gradients of a model's factors to the optimizers, and holds their state. */
export class OptimizerSink implements GradientSink {
  /** The rates of the first rule: those that are reported. */
  readonly rates: LearningRates;
  private readonly rules: readonly ActiveRule[];
  private readonly factors = new Map<Factor, { readonly rule: ActiveRule; state: readonly Real[] }>();

  constructor(rules: readonly [RuleOf, ...RuleOf[]]) {
    this.rules = rules.map(({ optimizer, parameters }) => {
      const rule = { optimizer, rates: new LearningRates(optimizer.config.learningRate), onHeap: null };
      for (const { factors } of parameters)
        for (const factor of factors)
          this.factors.set(factor, { rule, state: optimizer.slots.map((slot) => emptySlot(slot, factor)) });
      return rule;
    });
    this.rates = this.rules[0]!.rates;
  }

  /** @see LearningRates.begin */
  begin(step: number, progress: number, ratings?: number): void {
    for (let r = 0; r < this.rules.length; r++) this.rules[r]!.rates.begin(step, progress, ratings);
  }

  /** @see Parameter.move */
  move(move: Move): void {
    for (const entry of this.factors.values()) entry.state = entry.state.map((slot) => move(slot));
  }

  /** Lets updates run on the heap to which everything was moved. */
  runOn(heap: Heap): void {
    for (const rule of this.rules) {
      const known = updateRuleOf(rule.optimizer);
      rule.onHeap = known === null || isPerRow(known) ? null : heap.updates(known);
    }
  }

  /** A copy of the optimizer state. */
  readState(): TrainingState['slots'] {
    return new Map([...this.factors].map(([{ name }, { state }]) => [name, state.map((slot) => slot.slice())]));
  }

  /** Restores an optimizer state. */
  writeState(slots: TrainingState['slots']): void {
    for (const [{ name }, { state }] of this.factors) {
      const saved = slots.get(name)!;
      for (let s = 0; s < state.length; s++) state[s]!.set(saved[s]!);
    }
  }

  /** The optimizer state of a factor, slot by slot. */
  stateOf(factor: Factor): readonly Real[] {
    return this.factors.get(factor)!.state;
  }

  /** The parts of that state with entries for each row of the factor: `cols` numbers. */
  rowStates(factor: Factor): { array: Real; cols: number }[] {
    const { rule, state } = this.factors.get(factor)!;
    return state.flatMap((array, s) => {
      const { shape } = rule.optimizer.slots[s]!;
      return shape === 'factor' ? [] : [{ array, cols: shape === 'row' ? 1 : factor.cols }];
    });
  }

  accept(factor: Factor, gradient: RowGradient): void {
    const { rule, state } = this.factors.get(factor)!;
    const { optimizer, rates, onHeap } = rule;
    if (onHeap === null) optimizer.update(factor, gradient, state, rates);
    else {
      const { ids, count, values } = gradient;
      if (optimizer instanceof Adam) optimizer.correctFor(rates.step);
      const { data, cols } = factor;
      if (!onHeap.update(data, ids, count, cols, values, state, rateOf(rule, factor), rootScaleOf(rule)))
        optimizer.update(factor, gradient, state, rates);
    }
    project(factor, gradient);
  }

  acceptScaled(base: Factor, scalars: Factor, gradient: RowGradient): boolean {
    const { rule, state } = this.factors.get(base)!;
    const { optimizer, rates, onHeap } = rule;
    const { ids, count, values } = gradient;
    if (onHeap === null || ids === null) return false;
    if (optimizer instanceof Adam) optimizer.correctFor(rates.step);
    const isDone = onHeap.scaledUpdate(
      base.data,
      scalars.data,
      ids,
      count,
      base.cols,
      values,
      state,
      this.stateOf(scalars),
      rateOf(rule, base),
      rateOf(rule, scalars),
      rootScaleOf(rule),
    );
    if (isDone) {
      project(base, gradient);
      project(scalars, gradient);
    }
    return isDone;
  }
}

/** The rate as the program takes it: including Adam's correction of the averages. */
function rateOf({ optimizer, rates }: ActiveRule, factor: Factor): number {
  const rate = Math.fround(rates.learningRateOf(factor));
  return optimizer instanceof Adam ? rate * Math.fround(optimizer.averageScale) : rate;
}

function rootScaleOf({ optimizer }: ActiveRule): number {
  return optimizer instanceof Adam ? optimizer.rootScale : 1;
}

/** Projects updated rows onto the factor's constraint: the nearest admissible values. */
function project({ constraint, data, cols }: Factor, { ids, count }: RowGradient): void {
  if (constraint === undefined) return;
  for (let i = 0; i < count; i++) {
    const from = (ids === null ? i : ids[i]!) * cols;
    for (let k = from; k < from + cols; k++) if (data[k]! < 0) data[k] = 0;
  }
}

/** The numbers of a slot of a factor. */
export function slotLength({ shape }: SlotSpec, { rows, cols }: Factor): number {
  return shape === 'element' ? rows * cols : shape === 'row' ? rows : 1;
}

/** A slot with its initial values. */
export function emptySlot(slot: SlotSpec, factor: Factor): Real {
  const memory = allocate(factor.data instanceof Float64Array ? 'float64' : 'float32', slotLength(slot, factor));
  // Memory is zeroed already; writing zeros would commit all of its pages.
  return slot.initial ? memory.fill(slot.initial) : memory;
}
