// The update of one cell of a row by a rule: its numbers and slots are read, and what the rule makes of them is written.

import { type Code, f32, f32x4, get, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { Cell } from './row-layout';
import { type Arithmetic, applyRule, type PairRule } from './rules';

/** Writes the updates of a row's cells. */
export class CellUpdates {
  constructor(
    private readonly f: FunctionBuilder<'void'>,
    private readonly row: Local<'i32'>,
    private readonly rule: PairRule,
    /** Adam's correction of the root. */
    private readonly root: { readonly number: Local<'f32'>; readonly vector: Local<'v128'> },
  ) {}

  /** Of the vector at an offset in a cell. */
  onVector(cell: Cell, x: Code<'v128'>, gradient: Code<'v128'>, rate: Local<'v128'>, offset: number): Code<'void'> {
    const { row, root } = this;
    const load = (at: number) => v128.load(get(row), at + offset);
    const store = (value: Code<'v128'>, at: number) => v128.store(get(row), value, at + offset);
    const constant = (value: number) => f32x4.splat(f32.const(value));
    return this.update('v128', { ...f32x4, constant }, cell, x, gradient, rate, root.vector, load, store);
  }

  /** Of a cell of one number. */
  onNumber(cell: Cell, x: Code<'f32'>, gradient: Code<'f32'>, rate: Local<'f32'>): Code<'void'> {
    const { row, root } = this;
    const load = (at: number) => f32.load(get(row), at);
    const store = (value: Code<'f32'>, at: number) => f32.store(get(row), value, at);
    return this.update('f32', { ...f32, constant: f32.const }, cell, x, gradient, rate, root.number, load, store);
  }

  private update<T extends 'f32' | 'v128'>(
    type: T,
    operations: Omit<Arithmetic<Code<T>>, 'keep'>,
    cell: Cell,
    x: Code<T>,
    gradient: Code<T>,
    rate: Local<T>,
    root: Local<T>,
    load: (at: number) => Code<T>,
    store: (value: Code<T>, at: number) => Code<'void'>,
  ): Code<'void'> {
    const kept: Code<'void'>[] = [];
    const keep = (value: Code<T>): Code<T> => {
      const local = this.f.local(type);
      kept.push(set(local, value));
      return get(local);
    };
    const slots = cell.slots.map((at) => keep(load(at)));
    const scales = { rate: get(rate), rootScale: get(root) };
    const updated = applyRule(this.rule, { ...operations, keep }, x, keep(gradient), slots, scales);
    return sequence(...kept, ...updated.slots.map((slot, k) => store(slot, cell.slots[k]!)), store(updated.x, cell.at));
  }
}
