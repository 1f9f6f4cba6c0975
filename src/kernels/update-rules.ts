// The update rules as arithmetic: the new value of one number x, or of a vector of them, under its gradient g. The same
// operations in the same order as the optimizers' own loops, each rounded to float32, so that both give the same bits.

import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, choose, f32, f32x4, i32, ModuleBuilder, select, sequence, set, v128 } from '../wasm/assembler';
import { compile } from '../wasm/host';
import { ANY_MEMORY } from './program';
import type { Length, Put } from './walk';
import { advance, byLength, bytesOf, isOne, LaneDots, RowWalk, rowAt, rowBytes, times } from './walk';

/** The arithmetic that a rule is written in: four lanes at once, or one number. */
export interface Arithmetic<T> {
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  sqrt(a: T): T;
  constant(value: number): T;
  /** `then` where a > b, else `otherwise`. */
  above(a: T, b: T, then: T, otherwise: T): T;
  /** Computes a value once, for repeated use. */
  keep(a: T): T;
}

/** All of it but `keep`, for four numbers at once. */
export function vectorArithmetic(): Omit<Arithmetic<Code<'v128'>>, 'keep'> {
  return {
    ...f32x4,
    constant: (value) => f32x4.splat(f32.const(value)),
    above: (a, b, then, otherwise) => v128.bitselect(then, otherwise, f32x4.gt(a, b)),
  };
}

/** The same for one number. */
export function numberArithmetic(): Omit<Arithmetic<Code<'f32'>>, 'keep'> {
  return {
    ...f32,
    constant: f32.const,
    above: (a, b, then, otherwise) => select(then, otherwise, f32.gt(a, b)),
  };
}

/** The numbers that change while a fit runs. */
export interface StepScales<T> {
  readonly rate: T;
  /** Adam's correction of the root: 1 / sqrt(1 - beta2^step). Its correction of the average is part of `rate`. */
  readonly rootScale: T;
}

/** The result of a rule: the new x, and the new values of its slots in order. */
export interface Updated<T> {
  readonly x: T;
  readonly slots: readonly T[];
}

/** The rules implemented here, with the constants of their optimizers' configurations. */
export type UpdateRule =
  | { readonly name: 'sgd'; readonly weightDecay: number }
  | { readonly name: 'momentum' | 'nesterov'; readonly momentum: number; readonly weightDecay: number }
  | {
      readonly name: 'adagrad';
      readonly per: 'element' | 'row';
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | { readonly name: 'adadelta'; readonly rho: number; readonly epsilon: number; readonly weightDecay: number }
  | {
      readonly name: 'rmsprop';
      readonly alpha: number;
      readonly epsilon: number;
      readonly momentum: number;
      readonly weightDecay: number;
    }
  | {
      readonly name: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  | {
      readonly name: 'ftrl';
      readonly beta: number;
      readonly l1: number;
      readonly l2: number;
      readonly weightDecay: number;
    };

/** Whether a rule keeps one sum for a row: its steps on vectors are written by training/per-rating/step-wasm.ts, those on numbers are here. */
export function isPerRow(rule: UpdateRule): rule is UpdateRule & { readonly name: 'adagrad' } {
  return rule.name === 'adagrad' && rule.per === 'row';
}

/** The rate of a whole row, from its sum of squares. */
export function rowRate<T>({ epsilon }: { readonly epsilon: number }, o: Arithmetic<T>, sum: T, rate: T): T {
  return o.div(rate, o.add(o.sqrt(sum), o.constant(epsilon)));
}

/** The number of slots of a rule per number, or per row. */
export function slotsOf(rule: UpdateRule): number {
  switch (rule.name) {
    case 'sgd':
      return 0;
    case 'momentum':
    case 'nesterov':
    case 'adagrad':
      return 1;
    case 'rmsprop':
      return rule.momentum > 0 ? 2 : 1;
    case 'adadelta':
    case 'adam':
    case 'ftrl':
      return 2;
  }
}

/** One update. `gradient` includes the penalty; weight decay is added here. */
export function applyRule<T>(
  rule: UpdateRule,
  o: Arithmetic<T>,
  x: T,
  gradient: T,
  slots: readonly T[],
  { rate, rootScale }: StepScales<T>,
): Updated<T> {
  const { weightDecay } = rule;
  const g = weightDecay === 0 ? gradient : o.keep(o.add(gradient, o.mul(o.constant(weightDecay), x)));
  const [first, second] = slots as [T, T];
  /** a * old + b * new. */
  const average = (a: number, old: T, b: number, ...news: readonly T[]) =>
    o.keep(
      o.add(
        o.mul(o.constant(a), old),
        news.reduce((product, next) => o.mul(product, next), o.constant(b)),
      ),
    );
  switch (rule.name) {
    case 'sgd':
      return { x: o.sub(x, o.mul(rate, g)), slots };
    case 'momentum': {
      const buffer = o.keep(o.add(o.mul(o.constant(rule.momentum), first), g));
      return { x: o.sub(x, o.mul(rate, buffer)), slots: [buffer] };
    }
    case 'nesterov': {
      const momentum = o.constant(rule.momentum);
      const buffer = o.keep(o.add(o.mul(momentum, first), g));
      return { x: o.sub(x, o.mul(rate, o.add(g, o.mul(momentum, buffer)))), slots: [buffer] };
    }
    case 'adagrad': {
      const sum = o.keep(o.add(first, o.mul(g, g)));
      if (rule.per === 'row') return { x: o.sub(x, o.mul(rowRate(rule, o, sum, rate), g)), slots: [sum] };
      return { x: o.sub(x, o.div(o.mul(rate, g), o.add(o.sqrt(sum), o.constant(rule.epsilon)))), slots: [sum] };
    }
    case 'adadelta': {
      const epsilon = o.constant(rule.epsilon);
      const square = average(rule.rho, first, 1 - rule.rho, g, g);
      const step = o.keep(o.mul(g, o.sqrt(o.div(o.add(second, epsilon), o.add(square, epsilon)))));
      return { x: o.sub(x, o.mul(rate, step)), slots: [square, average(rule.rho, second, 1 - rule.rho, step, step)] };
    }
    case 'rmsprop': {
      const square = average(rule.alpha, first, 1 - rule.alpha, g, g);
      const scaled = o.div(g, o.add(o.sqrt(square), o.constant(rule.epsilon)));
      if (rule.momentum === 0) return { x: o.sub(x, o.mul(rate, scaled)), slots: [square] };
      const buffer = o.keep(o.add(scaled, o.mul(o.constant(rule.momentum), second)));
      return { x: o.sub(x, o.mul(rate, buffer)), slots: [square, buffer] };
    }
    case 'adam': {
      const mean = average(rule.beta1, first, 1 - rule.beta1, g);
      const square = average(rule.beta2, second, 1 - rule.beta2, g, g);
      const root = o.add(o.mul(rootScale, o.sqrt(square)), o.constant(rule.epsilon));
      return { x: o.sub(x, o.div(o.mul(rate, mean), root)), slots: [mean, square] };
    }
    case 'ftrl': {
      const [zero, l1] = [o.constant(0), o.constant(rule.l1)];
      const minus = (value: T) => o.mul(o.constant(-1), value);
      /** value where `like` is above 0, -value where it is below, 0 where it is 0. */
      const signed = (value: T, like: T) => o.above(like, zero, value, o.above(zero, like, minus(value), zero));
      /** (beta + root) / alpha + l2; `rate` is alpha. */
      const weightOf = (root: T) => o.add(o.div(o.add(o.constant(rule.beta), root), rate), o.constant(rule.l2));
      const fresh = minus(o.add(o.mul(x, weightOf(zero)), signed(l1, x)));
      const lead = o.above(second, zero, first, fresh);
      const sum = o.keep(o.add(second, o.mul(g, g)));
      const root = o.keep(o.sqrt(sum));
      const slope = o.div(o.sub(root, o.sqrt(second)), rate);
      const next = o.keep(o.sub(o.add(lead, g), o.mul(slope, x)));
      const beyond = o.keep(o.sub(signed(next, next), l1));
      const moved = o.keep(o.div(beyond, weightOf(root)));
      return { x: o.above(beyond, zero, signed(moved, minus(next)), zero), slots: [next, sum] };
    }
  }
}

// Emits the code of an update rule, for four numbers at a time or one.

/** The location to update: a number and its slots, and how to read and write them. */
export interface Place<T extends 'f32' | 'v128'> {
  readonly x: Local<'i32'>;
  readonly slots: readonly Local<'i32'>[];
  load(address: Local<'i32'>): Code<T>;
  put(address: Local<'i32'>, value: Code<T>): Code<'void'>;
}

/** Emits one rule for one kind of number; its values are in locals that all copies of the code share. */
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
    return new RuleWriter(f, rule, 'v128', vectorArithmetic(), scales);
  }

  static ofNumbers(f: FunctionBuilder, rule: UpdateRule, scales: StepScales<Code<'f32'>>): RuleWriter<'f32'> {
    return new RuleWriter(f, rule, 'f32', numberArithmetic(), scales);
  }

  /** Updates the numbers at a location under a gradient. */
  write({ x, slots, load, put }: Place<T>, slope: Code<T>): Code<'void'> {
    const { f, pool, rule, type, operations, scales } = this;
    const kept: Code<'void'>[] = [];
    const keep = (value: Code<T>): Code<T> => {
      if (kept.length === pool.length) pool.push(f.local(type));
      const local = pool[kept.length]!;
      kept.push(set(local, value));
      return local;
    };
    const old = slots.map((slot) => keep(load(slot)));
    const number = keep(load(x));
    const gradient = keep(slope);
    const updated = applyRule(rule, { ...operations, keep }, number, gradient, old, scales);
    return sequence(...kept, ...updated.slots.map((slot, k) => put(slots[k]!, slot)), put(x, updated.x));
  }
}

// An update rule in WebAssembly: the rows of a table that a gradient names, under one rule with its constants.

/** update(data, ids, count, cols, gradient, slot1, slot2, rate, rootScale). */
export function emitUpdate(module: ModuleBuilder, rule: UpdateRule): void {
  const f = module.function('void', 'update');
  const [data, ids, count, cols] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const values = f.parameter('i32');
  const slots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, rootScale] = [f.parameter('f32'), f.parameter('f32')];
  const [rates, roots] = [f.local('v128'), f.local('v128')];
  const [index, start, x, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const slotRows = slots.map(() => f.local('i32'));
  const vector = RuleWriter.ofVectors(f, rule, { rate: rates, rootScale: roots });
  const number = RuleWriter.ofNumbers(f, rule, { rate: rate, rootScale: rootScale });
  const named = i32.load(i32.add(ids, bytesOf(index)));
  const eachRow = (length: Length, body: Code<'void'>) =>
    times(
      count,
      set(start, i32.mul(choose(ids, named, index), rowBytes(length))),
      set(x, i32.add(data, start)),
      ...slotRows.map((row, k) => set(row, i32.add(slots[k]!, start))),
      set(g, values),
      body,
      advance(values, rowBytes(length)),
      advance(index, 1),
    );
  f.emit(
    set(rates, f32x4.splat(rate)),
    set(roots, f32x4.splat(rootScale)),
    branch(
      isOne(cols),
      eachRow(1, number.write(numberAt(x, slotRows), f32.load(g))),
      byLength(cols, (length) => {
        const walk = new RowWalk(f, length);
        const eachVector = walk.each([x, g, ...slotRows], (offset, put) =>
          vector.write(vectorAt(x, slotRows, offset, put), v128.load(g, offset)),
        );
        return eachRow(length, eachVector);
      }),
    ),
  );
}

/**
 * scaledUpdate(base, scalars, ids, count, cols, gradient, two slots of the base, two of the scalars, the rates of both,
 * rootScale): rows that are s x, of one scalar s a row, under the gradient g of s x. The base's is g s, that of s <g, x>.
 */
function scaledUpdate(module: ModuleBuilder, rule: UpdateRule): void {
  const f = module.function('void', 'scaledUpdate');
  const [base, scalars, ids, count] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [cols, values] = [f.parameter('i32'), f.parameter('i32')];
  const baseSlots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const scalarSlots = [f.parameter('i32'), f.parameter('i32')].slice(0, slotsOf(rule));
  const [rate, scalarRate, rootScale] = [f.parameter('f32'), f.parameter('f32'), f.parameter('f32')];
  const [rates, roots, scale] = [f.local('v128'), f.local('v128'), f.local('v128')];
  const [bytes, row, x, s, g] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [baseRows, scalarRows] = [baseSlots.map(() => f.local('i32')), scalarSlots.map(() => f.local('i32'))];
  const vector = RuleWriter.ofVectors(f, rule, { rate: rates, rootScale: roots });
  const number = RuleWriter.ofNumbers(f, rule, { rate: scalarRate, rootScale: rootScale });
  const dots = new LaneDots(f, cols);
  f.emit(
    dots.prepare,
    set(rates, f32x4.splat(rate)),
    set(roots, f32x4.splat(rootScale)),
    set(bytes, bytesOf(cols)),
    times(
      count,
      set(row, i32.load(ids)),
      set(x, rowAt(base, row, bytes)),
      set(s, i32.add(scalars, bytesOf(row))),
      ...baseRows.map((at, k) => set(at, rowAt(baseSlots[k]!, row, bytes))),
      ...scalarRows.map((at, k) => set(at, i32.add(scalarSlots[k]!, bytesOf(row)))),
      set(g, values),
      set(scale, v128.loadSplat(s)),
      dots.sumWith(g, [x], baseRows, (slope, offset, put) => [
        vector.write(vectorAt(x, baseRows, offset, put), f32x4.mul(slope, scale)),
      ]),
      number.write(numberAt(s, scalarRows), dots.total()),
      advance(values, bytes),
      advance(ids, 4),
    ),
  );
}

function vectorAt(x: Local<'i32'>, slots: readonly Local<'i32'>[], offset: number, put: Put): Place<'v128'> {
  return {
    x,
    slots,
    load: (address) => v128.load(address, offset),
    put: (address, value) => put(address, value, offset),
  };
}

function numberAt(x: Local<'i32'>, slots: readonly Local<'i32'>[]): Place<'f32'> {
  return {
    x,
    slots,
    load: (address) => f32.load(address),
    put: (address, value) => f32.store(address, value),
  };
}

/** The updates of a rule on a heap, with addresses for arrays. */
export type RuleRoutines = Readonly<Record<'update' | 'scaledUpdate', (...operands: number[]) => void>>;

/** The updates of a rule, compiled. */
export function updateProgram(rule: UpdateRule, isShared: boolean): WebAssembly.Module {
  const module = new ModuleBuilder();
  emitUpdate(module, rule);
  scaledUpdate(module, rule);
  return compile(module.encode({ ...ANY_MEMORY, isShared }));
}
