// The code of an update rule, four numbers at a time or one. The arithmetic is that of kernels/update-rules.ts.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import { type Arithmetic, applyRule, type StepScales, type UpdateRule } from '../update-rules';

/** What is updated: a number and what the rule keeps for it, and how to read and write them. */
export interface Place<T extends 'f32' | 'v128'> {
  readonly x: Local<'i32'>;
  readonly slots: readonly Local<'i32'>[];
  load(address: Local<'i32'>): Code<T>;
  put(address: Local<'i32'>, value: Code<T>): Code<'void'>;
}

/** The code of one rule in one kind of number, its values kept in locals that every copy of the code shares. */
export class RuleWriter<T extends 'f32' | 'v128'> {
  private readonly pool: Local<T>[] = [];

  private constructor(
    private readonly f: FunctionBuilder,
    private readonly rule: UpdateRule,
    private readonly type: T,
    private readonly operations: Omit<Arithmetic<Code<T>>, 'keep'>,
    private readonly scales: StepScales<Code<T>>,
  ) {}

  static ofVectors(f: FunctionBuilder, rule: UpdateRule, scales: StepScales<Code<'v128'>>): RuleWriter<'v128'> {
    const constant = (value: number) => f32x4.splat(f32.const(value));
    return new RuleWriter(f, rule, 'v128', { ...f32x4, constant }, scales);
  }

  static ofNumbers(f: FunctionBuilder, rule: UpdateRule, scales: StepScales<Code<'f32'>>): RuleWriter<'f32'> {
    return new RuleWriter(f, rule, 'f32', { ...f32, constant: f32.const }, scales);
  }

  /** Updates the numbers at a place under a gradient. */
  write({ x, slots, load, put }: Place<T>, slope: Code<T>): Code<'void'> {
    const { f, pool, rule, type, operations, scales } = this;
    const kept: Code<'void'>[] = [];
    const keep = (value: Code<T>): Code<T> => {
      if (kept.length === pool.length) pool.push(f.local(type));
      const local = pool[kept.length]!;
      kept.push(set(local, value));
      return get(local);
    };
    const old = slots.map((slot) => keep(load(slot)));
    const number = keep(load(x));
    const gradient = keep(slope);
    const updated = applyRule(rule, { ...operations, keep }, number, gradient, old, scales);
    return sequence(...kept, ...updated.slots.map((slot, k) => put(slots[k]!, slot)), put(x, updated.x));
  }
}
