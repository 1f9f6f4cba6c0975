// One number a row, in WebAssembly: gathers, scatters, and the slots of the rows that a step names.

import { f32, get, i32, type Local, select, set } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { advance, bytesOf, times } from './walk';

/** @see Kernels.gatherAdd */
export function gatherAdd(module: ModuleBuilder): void {
  const f = module.function('void', 'gatherAdd');
  const [a, at, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const from = i32.add(get(a), bytesOf(i32.load(get(at))));
  f.emit(
    times(count, f32.store(get(out), f32.add(f32.load(get(out)), f32.load(from))), advance(at, 4), advance(out, 4)),
  );
}

/** @see Kernels.scatterAdd */
export function scatterAdd(module: ModuleBuilder): void {
  const f = module.function('void', 'scatterAdd');
  const [g, slot, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const to = f.local('i32');
  f.emit(
    times(
      count,
      set(to, i32.add(get(out), bytesOf(i32.load(get(slot))))),
      f32.store(get(to), f32.add(f32.load(get(to)), f32.load(get(g)))),
      advance(slot, 4),
      advance(g, 4),
    ),
  );
}

/** @see Kernels.selectRows */
export function selectRows(module: ModuleBuilder): void {
  const f = module.function('i32', 'selectRows');
  const rows = f.parameter('i32');
  const count = f.parameter('i32');
  const slotOf = f.parameter('i32');
  const slot = f.parameter('i32');
  const slotRow = f.parameter('i32');
  const occurrences = f.parameter('i32');
  const used = f.local('i32');
  const left = f.local('i32');
  const place = f.local('i32');
  const own = f.local('i32');
  const isNew = f.local('i32');
  const perSlot = (array: Local<'i32'>) => i32.add(get(array), bytesOf(get(place)));
  f.emit(
    times(
      count,
      set(own, i32.add(get(slotOf), bytesOf(i32.load(get(rows))))),
      set(place, i32.load(get(own))),
      set(isNew, i32.shrU(get(place), i32.const(31))),
      set(place, select(get(used), get(place), get(isNew))),
      advance(used, get(isNew)),
      // Written again where it is not new: no processor foresees which rows are.
      i32.store(get(own), get(place)),
      i32.store(perSlot(slotRow), i32.load(get(rows))),
      i32.store(get(slot), get(place)),
      set(own, perSlot(occurrences)),
      i32.store(get(own), i32.add(select(i32.const(0), i32.load(get(own)), get(isNew)), i32.const(1))),
      advance(rows, 4),
      advance(slot, 4),
    ),
    set(left, get(used)),
    times(left, i32.store(i32.add(get(slotOf), bytesOf(i32.load(get(slotRow)))), i32.const(-1)), advance(slotRow, 4)),
    get(used),
  );
}
