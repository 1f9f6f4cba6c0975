// Writes the WebAssembly of the steps on pairs of rows for one exact shape: rank, products, loss, rule. What can be
// known beforehand is a constant in the code, loops over a row are unrolled, and what a fit does not use is not there.
// The arithmetic is that of training/pairs/pair-steps.ts, to the bit.

import { RATE_SHIFT } from '../../training/pairs/pair-rates';
import { branch, type Code, f32, f64, get, i32, loopWhile, select, set } from '../assembler/code';
import { type MemoryShape, ModuleBuilder } from '../assembler/module';
import { correctionEmitter } from './corrections';
import { lossEmitter } from './losses';
import { emitNorms } from './norms';
import { carriesNorms, type PairSpec } from './pair-spec';
import { emitPrefetch } from './prefetch';
import { rowLayout } from './row-layout';
import { RUN, ratingBytes } from './run-layout';
import { StepWriter } from './step-writer';

/** A row of the table of rates: base, map and bias, each a float32. */
export const RATES_BYTES = 12;

/**
 * The program. It exports `prefetch(run)`, for before a run's first step; `run(run, count, rates, firstStep)`: the next
 * `count` steps of a run; and, where rows carry their norms, `leftNorms(row, count)` and `rightNorms(row, count)`, which take them anew.
 */
export function encodePairs(spec: PairSpec, memory: MemoryShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const emitLoss = lossEmitter(module, spec.loss);
  const emitCorrections = correctionEmitter(module, spec.rule);
  const f = module.function('void', 'run');
  const run = f.parameter('i32');
  const count = f.parameter('i32');
  const rates = f.parameter('i32');
  const firstStep = f.parameter('f64');
  const index = f.local('i32');
  const step = f.local('i32');
  const rating = f.local('i32');
  const at = f.local('i32');
  const ratings = f.local('i32');
  const stride = f.local('i32');
  const length = f.local('i32');
  const sum = f.local('f64');
  const scales = { base: f.local('f32'), map: f.local('f32'), bias: f.local('f32'), root: f.local('f32') };
  const writer = new StepWriter(f, spec, { run, rating, sum, rates: scales, emitLoss });
  const bytes = ratingBytes(spec.isWeighted);
  const address = (number: Code<'i32'>) => i32.add(get(ratings), i32.mul(number, i32.const(bytes)));
  const group = i32.load(i32.add(i32.load(get(run), RUN.groups), i32.shl(get(index), i32.const(2))));
  const oneStep =
    spec.grouping === 1
      ? [set(rating, address(get(index))), writer.step(1)]
      : [
          set(at, group),
          set(rating, address(i32.shrU(get(at), i32.const(2)))),
          bySize(i32.and(get(at), i32.const(3)), (size) => writer.step(size)),
        ];
  const loadRate = (field: number) =>
    f32.load(i32.add(get(rates), i32.mul(i32.shrU(get(step), i32.const(RATE_SHIFT)), i32.const(RATES_BYTES))), field);
  f.emit(
    set(ratings, i32.load(get(run), RUN.ratings)),
    set(stride, i32.load(get(run), RUN.stride)),
    set(length, i32.load(get(run), RUN.count)),
    set(index, i32.load(get(run), RUN.index)),
    set(step, i32.load(get(run), RUN.step)),
    set(sum, f64.load(get(run), RUN.loss)),
    loopWhile(
      get(count),
      set(scales.base, loadRate(0)),
      set(scales.map, loadRate(4)),
      set(scales.bias, loadRate(8)),
      emitCorrections(f, f64.add(get(firstStep), f64.convert(get(step))), scales),
      ...oneStep,
      // The next of the run, in strides: index = (index + stride) mod count.
      set(index, i32.add(get(index), get(stride))),
      set(index, i32.sub(get(index), select(get(length), i32.const(0), i32.geU(get(index), get(length))))),
      set(step, i32.add(get(step), i32.const(1))),
      set(count, i32.sub(get(count), i32.const(1))),
    ),
    i32.store(get(run), get(index), RUN.index),
    i32.store(get(run), get(step), RUN.step),
    f64.store(get(run), get(sum), RUN.loss),
  );
  emitPrefetch(module);
  if (carriesNorms(spec)) {
    emitNorms(module, 'leftNorms', spec.rank, rowLayout(spec, spec.left));
    emitNorms(module, 'rightNorms', spec.rank, rowLayout(spec, spec.right));
  }
  return module.encode(memory);
}

/** The branch for a group of one to four, told by its size less 1. */
function bySize(code: Code<'i32'>, step: (size: number) => Code<'void'>): Code<'void'> {
  const is = (n: number) => i32.eqz(i32.sub(code, i32.const(n - 1)));
  return branch(is(4), step(4), branch(is(1), step(1), branch(is(2), step(2), step(3))));
}
