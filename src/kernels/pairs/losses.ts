// The pointwise losses in WebAssembly: those of training/losses.ts and training/link.ts, operation by operation, in
// double on float32 inputs, as they are there.

import { type Code, choose, f32, f64, get, type Local, select, sequence, set } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';
import { exponentialFunction, logarithmFunction, sigmoidFunction } from './elementary';
import type { PairLoss } from './pair-spec';

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
export function lossEmitter(module: ModuleBuilder, { name, sigmoid: scale }: PairLoss): LossEmitter {
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
