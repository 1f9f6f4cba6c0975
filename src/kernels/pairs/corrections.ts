// Adam's corrections for averages that start at 0, by the number of the step; nothing for every other rule.

import { naturalLog } from '../../core/elementary';
import { branch, type Code, f32, f64, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';
import { exponentialFunction } from './elementary';
import type { RateLocals } from './pair-side';
import type { PairRule } from './rules';

/** Below e^-37.5 the power of a beta no longer changes a double's 1. */
const VANISHED = -37.5;

/** Code that scales the rates and writes `root` for a step, numbered from 1. */
export function correctionEmitter(module: ModuleBuilder, rule: PairRule) {
  if (rule.name !== 'adam') return (): Code<'void'> => sequence();
  const exponential = exponentialFunction(module);
  const logBeta1 = naturalLog(rule.beta1);
  const logBeta2 = naturalLog(rule.beta2);
  const last = VANISHED / Math.max(logBeta1, logBeta2);
  const oneMinusPower = (logBeta: number, step: Code<'f64'>) => {
    const exponent = f64.mul(step, f64.const(logBeta));
    // exp of less than the threshold rounds to nothing beside 1, which is what the threshold stands for.
    return f64.sub(f64.const(1), exponential.call(exponent));
  };
  return (f: FunctionBuilder<'void'>, step: Code<'f64'>, rates: RateLocals): Code<'void'> => {
    const number = f.local('f64');
    const average = f.local('f32');
    const scale = (rate: Local<'f32'>) => set(rate, f32.mul(get(rate), get(average)));
    return sequence(
      set(number, step),
      set(rates.root, f32.const(1)),
      branch(
        f64.le(get(number), f64.const(last + 1)),
        sequence(
          set(average, f32.demote(f64.div(f64.const(1), oneMinusPower(logBeta1, get(number))))),
          set(rates.root, f32.demote(f64.div(f64.const(1), f64.sqrt(oneMinusPower(logBeta2, get(number)))))),
          scale(rates.base),
          scale(rates.map),
          scale(rates.bias),
        ),
      ),
    );
  };
}
