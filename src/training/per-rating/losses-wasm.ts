// The pointwise losses in WebAssembly: those of training/losses.ts and their links, operation by operation, in
// double on float32 inputs, as they are there.

import { ARTANH, EXPONENTIAL, LN2_HIGH, LN2_LOW } from '../../core/elementary';
import {
  branch,
  type Code,
  choose,
  f32,
  f64,
  get,
  i32,
  i64,
  type Local,
  leave,
  select,
  sequence,
  set,
} from '../../wasm/code';
import type { FunctionBuilder, ModuleBuilder } from '../../wasm/module';
import type { LossSpec } from './spec';

/** A loss as a function of a module: writes d loss / d score to `g` and adds the loss to `sum`. */
export type LossEmitter = (
  f: FunctionBuilder<'void'>,
  score: Code<'f32'>,
  target: Code<'f32'>,
  weight: Code<'f32'> | null,
  g: Local<'f32'>,
  sum: Local<'f64'>,
) => Code<'void'>;

/** The emitter of a loss; adds the functions that it calls to the module. */
export function lossEmitter(module: ModuleBuilder, { name, sigmoid: scale }: LossSpec): LossEmitter {
  const exponential = name === 'logistic' || scale !== null ? exponentialFunction(module) : null;
  const sigmoid = exponential && sigmoidFunction(module, exponential);
  const logarithm = name === 'logistic' ? logarithmFunction(module) : null;
  return (f, score, target, weight, g, sum) => {
    const w = f.local('f64');
    const t = f.local('f64');
    const prediction = f.local('f64');
    const error = f.local('f64');
    const start = [set(t, f64.promote(target)), ...(weight === null ? [] : [set(w, f64.promote(weight))])];
    const weighted = (value: Code<'f64'>) => (weight === null ? value : f64.mul(get(w), value));
    if (name === 'logistic') {
      const softplus = f64.add(
        f64.max(get(prediction), f64.const(0)),
        logarithm!.call(f64.add(f64.const(1), exponential!.call(f64.neg(f64.abs(get(prediction)))))),
      );
      return sequence(
        ...start,
        set(prediction, f64.promote(score)),
        set(g, f32.demote(weighted(f64.sub(sigmoid!.call(get(prediction)), get(t))))),
        set(sum, f64.add(get(sum), weighted(f64.sub(softplus, f64.mul(get(t), get(prediction)))))),
      );
    }
    const predicted =
      scale === null
        ? f64.promote(score)
        : f64.add(f64.const(scale.minimum), f64.mul(f64.const(scale.range), sigmoid!.call(f64.promote(score))));
    const { slope, value } = pointwise(name, get(error), weighted);
    // The difference of two float32, rounded to float32, is the same in either precision; here others wait for it.
    const isPlain = name === 'squared' && weight === null && scale === null;
    const steps = [
      ...start,
      set(prediction, predicted),
      set(error, f64.sub(get(prediction), get(t))),
      set(g, isPlain ? f32.sub(score, target) : f32.demote(slope)),
      set(sum, f64.add(get(sum), value)),
    ];
    if (scale !== null) {
      const part = f.local('f64');
      steps.push(
        set(part, f64.div(f64.sub(get(prediction), f64.const(scale.minimum)), f64.const(scale.range))),
        set(
          g,
          f32.demote(
            f64.mul(
              f64.promote(get(g)),
              f64.mul(f64.mul(f64.const(scale.range), get(part)), f64.sub(f64.const(1), get(part))),
            ),
          ),
        ),
      );
    }
    return sequence(...steps);
  };
}

/** The slope and the value of a loss of the error. */
function pointwise(
  name: 'squared' | 'absolute' | 'huber',
  error: Code<'f64'>,
  weighted: (value: Code<'f64'>) => Code<'f64'>,
): { slope: Code<'f64'>; value: Code<'f64'> } {
  const half = (weight: Code<'f64'>) => f64.mul(f64.mul(weight, error), error);
  const sign = select(
    f64.const(1),
    select(f64.const(-1), f64.const(0), f64.lt(error, f64.const(0))),
    f64.gt(error, f64.const(0)),
  );
  switch (name) {
    case 'squared':
      return { slope: weighted(error), value: half(weighted(f64.const(0.5))) };
    case 'absolute':
      return { slope: weighted(sign), value: weighted(f64.abs(error)) };
    case 'huber': {
      const isNear = f64.le(f64.abs(error), f64.const(1));
      return {
        slope: weighted(choose(isNear, error, sign)),
        value: weighted(choose(isNear, half(f64.const(0.5)), f64.sub(f64.abs(error), f64.const(0.5)))),
      };
    }
  }
}

// exp and log in WebAssembly: the operations of core/elementary.ts in their order, so that the bits are the same.

/** e^x of a double. */
export function exponentialFunction(module: ModuleBuilder): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const n = f.local('f64');
  const r = f.local('f64');
  const whole = f.local('i32');
  const half = f.local('i32');
  const powerOfTwo = (exponent: Code<'i32'>) =>
    f64.reinterpret(i64.shl(i64.extend(i32.add(exponent, i32.const(1023))), i64.const(52)));
  f.emit(
    branch(f64.gt(get(x), f64.const(709.782712893384)), leave(f64.const(Infinity))),
    branch(f64.lt(get(x), f64.const(-745.2)), leave(f64.const(0))),
    branch(f64.ne(get(x), get(x)), leave(get(x))),
    set(n, f64.floor(f64.add(f64.mul(get(x), f64.const(Math.LOG2E)), f64.const(0.5)))),
    set(r, f64.sub(f64.sub(get(x), f64.mul(get(n), f64.const(LN2_HIGH))), f64.mul(get(n), f64.const(LN2_LOW)))),
    set(whole, i32.truncate(get(n))),
    set(half, i32.shrS(get(whole), i32.const(1))),
    f64.mul(f64.mul(horner(EXPONENTIAL, get(r)), powerOfTwo(get(half))), powerOfTwo(i32.sub(get(whole), get(half)))),
  );
  return f;
}

/** log x for x in the normal range of doubles; NaN for NaN. */
export function logarithmFunction(module: ModuleBuilder): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const n = f.local('f64');
  const m = f.local('f64');
  const s = f.local('f64');
  const square = f.local('f64');
  const isLarge = f.local('i32');
  const bits = i64.reinterpret(get(x));
  f.emit(
    branch(f64.ne(get(x), get(x)), leave(get(x))),
    set(n, f64.convert(i32.sub(i64.wrap(i64.shrU(bits, i64.const(52))), i32.const(1023)))),
    // The mantissa below the exponent of 1.
    set(
      m,
      f64.reinterpret(
        i64.or(i64.shrU(i64.shl(bits, i64.const(12)), i64.const(12)), i64.shl(i64.const(1023), i64.const(52))),
      ),
    ),
    set(isLarge, f64.gt(get(m), f64.const(Math.SQRT2))),
    set(m, select(f64.mul(get(m), f64.const(0.5)), get(m), get(isLarge))),
    set(n, f64.add(get(n), f64.convert(get(isLarge)))),
    set(s, f64.div(f64.sub(get(m), f64.const(1)), f64.add(get(m), f64.const(1)))),
    set(square, f64.mul(get(s), get(s))),
    f64.add(
      f64.mul(get(n), f64.const(LN2_HIGH)),
      f64.add(
        f64.mul(f64.mul(f64.const(2), get(s)), hornerFromZero(ARTANH, get(square))),
        f64.mul(get(n), f64.const(LN2_LOW)),
      ),
    ),
  );
  return f;
}

/** 1 / (1 + e^-x), without overflow on either side. */
export function sigmoidFunction(module: ModuleBuilder, exponential: FunctionBuilder<'f64'>): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const e = f.local('f64');
  f.emit(
    set(e, exponential.call(f64.neg(f64.abs(get(x))))),
    choose(
      f64.ge(get(x), f64.const(0)),
      f64.div(f64.const(1), f64.add(f64.const(1), get(e))),
      f64.div(get(e), f64.add(f64.const(1), get(e))),
    ),
  );
  return f;
}

/** c_0 + x (c_1 + x (c_2 + ...)), as core/elementary.ts adds it up. */
function horner(coefficients: Float64Array, x: Code<'f64'>): Code<'f64'> {
  let sum = f64.const(coefficients[coefficients.length - 1]!);
  for (let k = coefficients.length - 2; k >= 0; k--) sum = f64.add(f64.const(coefficients[k]!), f64.mul(sum, x));
  return sum;
}

/** The same with a first step from 0, and sum x before c_k. */
function hornerFromZero(coefficients: Float64Array, x: Code<'f64'>): Code<'f64'> {
  let sum = f64.const(0);
  for (let k = coefficients.length - 1; k >= 0; k--) sum = f64.add(f64.mul(sum, x), f64.const(coefficients[k]!));
  return sum;
}
