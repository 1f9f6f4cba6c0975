// An update rule in WebAssembly: the rows of a table that a gradient names, under one rule with its constants.

import { branch, type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { slotsOf, type UpdateRule } from '../update-rules';
import { type Place, RuleWriter } from './rule-writer';
import {
  advance,
  byLength,
  bytesOf,
  isOne,
  LaneDots,
  type Length,
  type Put,
  RowWalk,
  rowAt,
  rowBytes,
  times,
} from './walk';

/** update(data, ids, count, cols, gradient, slot1, slot2, rate, rootScale). */
export function update(module: ModuleBuilder, rule: UpdateRule): void {
  const f = module.function('void', 'update');
  const [data, ids, count, cols] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const values = f.parameter('i32');
  const slots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, rootScale] = [f.parameter('f32'), f.parameter('f32')];
  const [rates, roots] = [f.local('v128'), f.local('v128')];
  const [index, start, x, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const slotRows = slots.map(() => f.local('i32'));
  const vector = RuleWriter.ofVectors(f, rule, { rate: get(rates), rootScale: get(roots) });
  const number = RuleWriter.ofNumbers(f, rule, { rate: get(rate), rootScale: get(rootScale) });
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
      eachRow(1, number.write(numberAt(x, slotRows), f32.load(get(g)))),
      byLength(cols, (length) => {
        const walk = new RowWalk(f, length);
        const eachVector = walk.each([x, g, ...slotRows], (offset, put) =>
          vector.write(vectorAt(x, slotRows, offset, put), v128.load(get(g), offset)),
        );
        return sequence(walk.prepare, eachRow(length, eachVector));
      }),
    ),
  );
}

/**
 * scaledUpdate(base, scalars, ids, count, cols, gradient, two slots of the base, two of the scalars, the rates of both,
 * rootScale): rows that are s x, of one scalar s a row, under the gradient g of s x. The base's is g s, that of s <g, x>.
 */
export function scaledUpdate(module: ModuleBuilder, rule: UpdateRule): void {
  const f = module.function('void', 'scaledUpdate');
  const [base, scalars, ids, count] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [cols, values] = [f.parameter('i32'), f.parameter('i32')];
  const baseSlots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const scalarSlots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, scalarRate, rootScale] = [f.parameter('f32'), f.parameter('f32'), f.parameter('f32')];
  const [rates, roots, scale] = [f.local('v128'), f.local('v128'), f.local('v128')];
  const [bytes, row, x, s, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [baseRows, scalarRows] = [baseSlots.map(() => f.local('i32')), scalarSlots.map(() => f.local('i32'))];
  const vector = RuleWriter.ofVectors(f, rule, { rate: get(rates), rootScale: get(roots) });
  const number = RuleWriter.ofNumbers(f, rule, { rate: get(scalarRate), rootScale: get(rootScale) });
  const dots = new LaneDots(f, cols);
  f.emit(
    dots.prepare,
    set(rates, f32x4.splat(get(rate))),
    set(roots, f32x4.splat(get(rootScale))),
    set(bytes, bytesOf(get(cols))),
    times(
      count,
      set(row, i32.load(get(ids))),
      set(x, rowAt(base, get(row), get(bytes))),
      set(s, i32.add(get(scalars), bytesOf(get(row)))),
      ...baseRows.map((at, k) => set(at, rowAt(baseSlots[k]!, get(row), get(bytes)))),
      ...scalarRows.map((at, k) => set(at, i32.add(get(scalarSlots[k]!), bytesOf(get(row))))),
      set(g, get(values)),
      set(scale, v128.loadSplat(get(s))),
      dots.sumWith(g, [x], baseRows, (slope, offset, put) => [
        vector.write(vectorAt(x, baseRows, offset, put), f32x4.mul(slope, get(scale))),
      ]),
      number.write(numberAt(s, scalarRows), dots.total()),
      advance(values, get(bytes)),
      advance(ids, 4),
    ),
  );
}

function vectorAt(x: Local<'i32'>, slots: readonly Local<'i32'>[], offset: number, put: Put): Place<'v128'> {
  return {
    x,
    slots,
    load: (address) => v128.load(get(address), offset),
    put: (address, value) => put(address, value, offset),
  };
}

function numberAt(x: Local<'i32'>, slots: readonly Local<'i32'>[]): Place<'f32'> {
  return {
    x,
    slots,
    load: (address) => f32.load(get(address)),
    put: (address, value) => f32.store(get(address), value),
  };
}
