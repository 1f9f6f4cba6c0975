// Kernels on one number per row: gathers, scatters, and the slots of the rows that a step names. If the last operation
// precedes a store to float32, the store does the rounding.

import type { Code, Local } from '../wasm/assembler';
import { branch, choose, f32, f32x4, f64, i32, select, sequence, set, v128 } from '../wasm/assembler';
import { dot as dotProduct } from './dot';
import { isSingle, type Kernel, round } from './kernels';
import { Program } from './program';
import { advance, byLength, bytesOf, isOne, LaneDots, type Length, RowWalk, rowAt, rowBytes, times } from './walk';

/** @see Kernels.gatherAdd */
export const gatherAdd: Kernel<'gatherAdd'> = {
  js(a, at, count, out) {
    for (let s = 0; s < count; s++) out[s]! += a[at[s]!]!;
  },

  wasm(module) {
    const f = module.function('void', 'gatherAdd');
    const [a, at, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const from = i32.add(a, bytesOf(i32.load(at)));
    f.emit(times(count, f32.store(out, f32.add(f32.load(out), f32.load(from))), advance(at, 4), advance(out, 4)));
  },
};

/** @see Kernels.scatterAdd */
export const scatterAdd: Kernel<'scatterAdd'> = {
  js(g, slot, count, out) {
    for (let s = 0; s < count; s++) out[slot[s]!]! += g[s]!;
  },

  wasm(module) {
    const f = module.function('void', 'scatterAdd');
    const [g, slot, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const to = f.local('i32');
    f.emit(
      times(
        count,
        set(to, i32.add(out, bytesOf(i32.load(slot)))),
        f32.store(to, f32.add(f32.load(to), f32.load(g))),
        advance(slot, 4),
        advance(g, 4),
      ),
    );
  },
};

/** @see Kernels.selectRows */
export const selectRows: Kernel<'selectRows'> = {
  js(rows, count, slotOf, slot, slotRow, occurrences) {
    let used = 0;
    for (let s = 0; s < count; s++) {
      const row = rows[s]!;
      let place = slotOf[row]!;
      if (place < 0) {
        place = used++;
        slotOf[row] = place;
        slotRow[place] = row;
        occurrences[place] = 0;
      }
      slot[s] = place;
      occurrences[place]!++;
    }
    for (let u = 0; u < used; u++) slotOf[slotRow[u]!] = -1;
    return used;
  },

  wasm(module) {
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
    const perSlot = (array: Local<'i32'>) => i32.add(array, bytesOf(place));
    f.emit(
      times(
        count,
        set(own, i32.add(slotOf, bytesOf(i32.load(rows)))),
        set(place, i32.load(own)),
        set(isNew, i32.shrU(place, i32.const(31))),
        set(place, select(used, place, isNew)),
        advance(used, isNew),
        // Written again where it is not new: no processor foresees which rows are.
        i32.store(own, place),
        i32.store(perSlot(slotRow), i32.load(rows)),
        i32.store(slot, place),
        set(own, perSlot(occurrences)),
        i32.store(own, i32.add(select(i32.const(0), i32.load(own), isNew), i32.const(1))),
        advance(rows, 4),
        advance(slot, 4),
      ),
      set(left, used),
      times(left, i32.store(i32.add(slotOf, bytesOf(i32.load(slotRow))), i32.const(-1)), advance(slotRow, 4)),
      used,
    );
  },
};

// Kernels on pairs of rows: dot products, weighted sums, and the penalty, which is one of those.

/** @see Kernels.dot */
export const dot: Kernel<'dot'> = {
  js: dotProduct,

  wasm(module) {
    const f = module.function('f32', 'dot');
    const [a, b, n] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const dots = new LaneDots(f, n);
    f.emit(dots.prepare, dots.sum(a, b), dots.total());
  },
};

/** @see Kernels.add */
export const add: Kernel<'add'> = {
  js(x, count, out) {
    for (let s = 0; s < count; s++) out[s]! += x[s]!;
  },

  wasm(module) {
    const f = module.function('void', 'add');
    const [x, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const walk = new RowWalk(f, count);
    const sum = (offset: number) => f32x4.add(v128.load(out, offset), v128.load(x, offset));
    f.emit(walk.each([x, out], (offset, put) => put(out, sum(offset), offset)));
  },
};

/** @see Kernels.divide */
export const divide: Kernel<'divide'> = {
  js(x, by, count) {
    for (let s = 0; s < count; s++) x[s]! /= by;
  },

  wasm(module) {
    const f = module.function('void', 'divide');
    const [x, by, count] = [f.parameter('i32'), f.parameter('f32'), f.parameter('i32')];
    const walk = new RowWalk(f, count);
    const quotient = (offset: number) => f32x4.div(v128.load(x, offset), f32x4.splat(by));
    f.emit(walk.each([x], (offset, put) => put(x, quotient(offset), offset)));
  },
};

/** @see Kernels.rowDots */
export const rowDots: Kernel<'rowDots'> = {
  js(a, aAt, b, bAt, dim, count, out) {
    for (let s = 0; s < count; s++) out[s]! += dotProduct(a, aAt[s]! * dim, b, bAt[s]! * dim, dim);
  },

  wasm(module) {
    const f = module.function('void', 'rowDots');
    const [a, aAt, b, bAt] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [dim, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [bytes, p, q] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const dots = new LaneDots(f, dim);
    f.emit(
      dots.prepare,
      set(bytes, bytesOf(dim)),
      times(
        count,
        set(p, rowAt(a, i32.load(aAt), bytes)),
        set(q, rowAt(b, i32.load(bAt), bytes)),
        dots.sum(p, q),
        f32.store(out, f32.add(f32.load(out), dots.total())),
        ...[aAt, bAt, out].map((cursor) => advance(cursor, 4)),
      ),
    );
  },
};

/** @see Kernels.scatterRows */
export const scatterRows: Kernel<'scatterRows'> = {
  js(g, a, at, slot, dim, count, out) {
    const single = isSingle(out);
    for (let s = 0; s < count; s++) {
      const weight = g[s]!;
      const p = at[s]! * dim;
      const q = slot[s]! * dim;
      for (let k = 0; k < dim; k++) out[q + k]! += round(weight * a[p + k]!, single);
    }
  },

  wasm(module) {
    const f = module.function('void', 'scatterRows');
    const [g, a, at, slot] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [dim, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [p, q, weight] = [f.local('i32'), f.local('i32'), f.local('v128')];
    f.emit(
      byLength(dim, (length) => {
        const walk = new RowWalk(f, length);
        return sequence(
          times(
            count,
            set(p, rowAt(a, i32.load(at), rowBytes(length))),
            set(q, rowAt(out, i32.load(slot), rowBytes(length))),
            set(weight, v128.loadSplat(g)),
            walk.each([p, q], (offset, put) =>
              put(q, f32x4.add(v128.load(q, offset), f32x4.mul(weight, v128.load(p, offset))), offset),
            ),
            ...[g, at, slot].map((cursor) => advance(cursor, 4)),
          ),
        );
      }),
    );
  },
};

/** @see Kernels.startPenalty */
export const startPenalty: Kernel<'startPenalty'> = {
  js(values, at, rows, occurrences, byRow, strength, batch, dim, count, grads) {
    const single = isSingle(grads);
    for (let u = 0; u < count; u++) {
      const lambda = byRow === null ? strength : byRow[rows[u]!]!;
      const weight = round((lambda * occurrences[u]!) / batch, single);
      const from = at[u]! * dim;
      const to = u * dim;
      for (let k = 0; k < dim; k++) grads[to + k] = weight * values[from + k]!;
    }
  },

  wasm(module) {
    const f = module.function('void', 'startPenalty');
    const [values, at, rows] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [occurrences, byRow] = [f.parameter('i32'), f.parameter('i32')];
    const [strength, batch] = [f.parameter('f64'), f.parameter('f64')];
    const [dim, count, grads] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [p, q] = [f.local('i32'), f.local('i32')];
    const [weight, weights] = [f.local('f32'), f.local('v128')];
    const lambda = choose(byRow, f64.load(i32.add(byRow, i32.shl(i32.load(rows), i32.const(3)))), strength);
    const scaled = f64.div(f64.mul(lambda, f64.convert(i32.load(occurrences))), batch);
    const eachRow = (length: Length, ...body: readonly Code<'void'>[]) =>
      times(
        count,
        set(p, rowAt(values, i32.load(at), rowBytes(length))),
        set(weight, f32.demote(scaled)),
        ...body,
        advance(grads, rowBytes(length)),
        ...[at, rows, occurrences].map((cursor) => advance(cursor, 4)),
      );
    f.emit(
      branch(
        isOne(dim),
        eachRow(1, f32.store(grads, f32.mul(weight, f32.load(p)))),
        byLength(dim, (length) => {
          const walk = new RowWalk(f, length);
          return sequence(
            eachRow(
              length,
              set(q, grads),
              set(weights, f32x4.splat(weight)),
              walk.each([p, q], (offset, put) => put(q, f32x4.mul(weights, v128.load(p, offset)), offset)),
            ),
          );
        }),
      ),
    );
  },
};

/** The kernels of this file, as WebAssembly. */
export const rowProgram = new Program({
  dot,
  gatherAdd,
  scatterAdd,
  add,
  divide,
  rowDots,
  scatterRows,
  startPenalty,
  selectRows,
});
