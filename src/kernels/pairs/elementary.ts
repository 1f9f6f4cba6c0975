// exp and log in WebAssembly: the operations of core/elementary.ts in their order, so that the bits are the same.

import { ARTANH, EXPONENTIAL, LN2_HIGH, LN2_LOW } from '../../core/elementary';
import { branch, type Code, choose, f64, get, i32, i64, leave, select, set } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';

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
