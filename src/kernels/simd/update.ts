// An update rule in WebAssembly: the rows of a table that a gradient names, under one rule with its constants. The
// arithmetic is that of pairs/rules.ts, four numbers at a time.

import { branch, type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';
import { type Arithmetic, applyRule, type PairRule, type StepScales, slotsOf } from '../pairs/rules';
import { advance, byLength, bytesOf, isOne, type Length, RowWalk, rowBytes, times } from './walk';

/** The code of one rule in one kind of number, its values kept in locals that every copy of the code shares. */
class RuleWriter<T extends 'f32' | 'v128'> {
  private readonly pool: Local<T>[] = [];

  constructor(
    private readonly f: FunctionBuilder,
    private readonly rule: PairRule,
    private readonly type: T,
    private readonly operations: Omit<Arithmetic<Code<T>>, 'keep'>,
    private readonly scales: StepScales<Code<T>>,
  ) {}

  /** Updates the numbers at `x`, under the gradient at `g`, with the slots at `slots`. */
  write(
    load: (address: Local<'i32'>) => Code<T>,
    put: (address: Local<'i32'>, value: Code<T>) => Code<'void'>,
    x: Local<'i32'>,
    g: Local<'i32'>,
    slots: readonly Local<'i32'>[],
  ): Code<'void'> {
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
    const gradient = keep(load(g));
    const updated = applyRule(rule, { ...operations, keep }, number, gradient, old, scales);
    return sequence(...kept, ...updated.slots.map((slot, k) => put(slots[k]!, slot)), put(x, updated.x));
  }
}

/** update(data, ids, count, cols, gradient, slot1, slot2, rate, rootScale). */
export function update(module: ModuleBuilder, rule: PairRule): void {
  const f = module.function('void', 'update');
  const [data, ids, count, cols] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const values = f.parameter('i32');
  const slots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, rootScale] = [f.parameter('f32'), f.parameter('f32')];
  const [rates, roots] = [f.local('v128'), f.local('v128')];
  const [index, start, x, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const slotRows = slots.map(() => f.local('i32'));
  const vector = new RuleWriter(
    f,
    rule,
    'v128',
    { ...f32x4, constant: (value) => f32x4.splat(f32.const(value)) },
    { rate: get(rates), rootScale: get(roots) },
  );
  const number = new RuleWriter(
    f,
    rule,
    'f32',
    { ...f32, constant: f32.const },
    { rate: get(rate), rootScale: get(rootScale) },
  );
  const named = i32.load(i32.add(get(ids), bytesOf(get(index))));
  const eachRow = (length: Length, body: Code<'void'>) =>
    times(
      count,
      set(start, i32.mul(choose(get(ids), named, get(index)), rowBytes(length))),
      set(x, i32.add(get(data), get(start))),
      ...slotRows.map((row, k) => set(row, i32.add(get(slots[k]!), get(start)))),
      set(g, get(values)),
      body,
      advance(values, rowBytes(length)),
      advance(index, 1),
    );
  f.emit(
    set(rates, f32x4.splat(get(rate))),
    set(roots, f32x4.splat(get(rootScale))),
    branch(
      isOne(cols),
      eachRow(
        1,
        number.write(
          (address) => f32.load(get(address)),
          (address, value) => f32.store(get(address), value),
          x,
          g,
          slotRows,
        ),
      ),
      byLength(cols, (length) => {
        const walk = new RowWalk(f, length);
        const eachVector = walk.each([x, g, ...slotRows], (offset, put) =>
          vector.write(
            (address) => v128.load(get(address), offset),
            (address, value) => put(address, value, offset),
            x,
            g,
            slotRows,
          ),
        );
        return sequence(walk.prepare, eachRow(length, eachVector));
      }),
    ),
  );
}
