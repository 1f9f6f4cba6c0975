// |x|^2 of rows, written into them: where steps carry it along, it is taken anew each epoch, so that rounding does not
// add up over a fit.

import { f32, f32x4, get, i32, loopWhile, sequence, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { eachVector, LaneSum } from './lanes';
import { type RowLayout, vectorsOf } from './row-layout';

/** Adds the function `name(row, count)`: the norms of `count` rows from the address `row` on. */
export function emitNorms(module: ModuleBuilder, name: string, rank: number, layout: RowLayout): void {
  const f = module.function('void', name);
  const row = f.parameter('i32');
  const count = f.parameter('i32');
  const x = f.local('v128');
  const held = f.local('v128');
  const sum = new LaneSum(f);
  const vectors = vectorsOf(rank);
  const total = sum.total(vectors, held);
  f.emit(
    loopWhile(
      get(count),
      sum.start(vectors),
      eachVector(f, vectors, [row], (offset, j) =>
        sequence(set(x, v128.load(get(row), layout.base.at + offset)), sum.add(j, vectors, f32x4.mul(get(x), get(x)))),
      ),
      total.set,
      f32.store(get(row), total.value, layout.norm!),
      set(row, i32.add(get(row), i32.const(layout.bytes))),
      set(count, i32.sub(get(count), i32.const(1))),
    ),
  );
}
