// An update rule in WebAssembly: the rows of a table that a gradient names, under one rule with its constants. The
// arithmetic is that of pairs/rules.ts, four numbers at a time.

import { type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { type Arithmetic, applyRule, type PairRule, slotsOf } from '../pairs/rules';
import { advance, bytesOf, type Put, RowWalk, times } from './walk';

/** update(data, ids, count, cols, gradient, slot1, slot2, rate, rootScale). */
export function update(module: ModuleBuilder, rule: PairRule): void {
  const f = module.function('void', 'update');
  const [data, ids, count, cols] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const values = f.parameter('i32');
  const slots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, rootScale] = [f.parameter('f32'), f.parameter('f32')];
  const [rates, roots] = [f.local('v128'), f.local('v128')];
  const [bytes, index, start, x, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const slotRows = slots.map(() => f.local('i32'));
  const walk = new RowWalk(f, cols);
  // The same locals serve every copy of the body.
  const pool: Local<'v128'>[] = [];
  const body = (offset: number, put: Put) => {
    const kept: Code<'void'>[] = [];
    let used = 0;
    const keep = (value: Code<'v128'>): Code<'v128'> => {
      if (used === pool.length) pool.push(f.local('v128'));
      const local = pool[used++]!;
      kept.push(set(local, value));
      return get(local);
    };
    const arithmetic: Arithmetic<Code<'v128'>> = { ...f32x4, constant: (value) => f32x4.splat(f32.const(value)), keep };
    const old = slotRows.map((slot) => keep(v128.load(get(slot), offset)));
    const number = keep(v128.load(get(x), offset));
    const gradient = keep(v128.load(get(g), offset));
    const scales = { rate: get(rates), rootScale: get(roots) };
    const updated = applyRule(rule, arithmetic, number, gradient, old, scales);
    return sequence(
      ...kept,
      ...updated.slots.map((slot, k) => put(slotRows[k]!, slot, offset)),
      put(x, updated.x, offset),
    );
  };
  const named = i32.load(i32.add(get(ids), bytesOf(get(index))));
  f.emit(
    walk.prepare,
    set(rates, f32x4.splat(get(rate))),
    set(roots, f32x4.splat(get(rootScale))),
    set(bytes, bytesOf(get(cols))),
    times(
      count,
      set(start, i32.mul(choose(get(ids), named, get(index)), get(bytes))),
      set(x, i32.add(get(data), get(start))),
      ...slotRows.map((row, k) => set(row, i32.add(get(slots[k]!), get(start)))),
      set(g, get(values)),
      walk.each([x, g, ...slotRows], body),
      advance(values, get(bytes)),
      advance(index, 1),
    ),
  );
}
