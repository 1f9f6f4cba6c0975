// Rows met by rows, in WebAssembly: dot products, weighted sums, and the penalty, which is one of those.

import { branch, type Code, choose, f32, f32x4, f64, get, i32, sequence, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { advance, byLength, bytesOf, isOne, LaneDots, type Length, RowWalk, rowAt, rowBytes, times } from './walk';

/** @see Kernels.dot */
export function dot(module: ModuleBuilder): void {
  const f = module.function('f32', 'dot');
  const [a, b, n] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const dots = new LaneDots(f, n);
  f.emit(dots.prepare, dots.sum(a, b), dots.total());
}

/** @see Kernels.divide */
export function divide(module: ModuleBuilder): void {
  const f = module.function('void', 'divide');
  const [x, by, count] = [f.parameter('i32'), f.parameter('f32'), f.parameter('i32')];
  const walk = new RowWalk(f, count);
  const quotient = (offset: number) => f32x4.div(v128.load(get(x), offset), f32x4.splat(get(by)));
  f.emit(
    walk.prepare,
    walk.each([x], (offset, put) => put(x, quotient(offset), offset)),
  );
}

/** @see Kernels.rowDots */
export function rowDots(module: ModuleBuilder): void {
  const f = module.function('void', 'rowDots');
  const [a, aAt, b, bAt] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [dim, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [bytes, p, q] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const dots = new LaneDots(f, dim);
  f.emit(
    dots.prepare,
    set(bytes, bytesOf(get(dim))),
    times(
      count,
      set(p, rowAt(a, i32.load(get(aAt)), get(bytes))),
      set(q, rowAt(b, i32.load(get(bAt)), get(bytes))),
      dots.sum(p, q),
      f32.store(get(out), f32.add(f32.load(get(out)), dots.total())),
      ...[aAt, bAt, out].map((cursor) => advance(cursor, 4)),
    ),
  );
}

/** @see Kernels.scatterRows */
export function scatterRows(module: ModuleBuilder): void {
  const f = module.function('void', 'scatterRows');
  const [g, a, at, slot] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [dim, count, out] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [p, q, weight] = [f.local('i32'), f.local('i32'), f.local('v128')];
  f.emit(
    byLength(dim, (length) => {
      const walk = new RowWalk(f, length);
      return sequence(
        walk.prepare,
        times(
          count,
          set(p, rowAt(a, i32.load(get(at)), rowBytes(length))),
          set(q, rowAt(out, i32.load(get(slot)), rowBytes(length))),
          set(weight, v128.loadSplat(get(g))),
          walk.each([p, q], (offset, put) =>
            put(q, f32x4.add(v128.load(get(q), offset), f32x4.mul(get(weight), v128.load(get(p), offset))), offset),
          ),
          ...[g, at, slot].map((cursor) => advance(cursor, 4)),
        ),
      );
    }),
  );
}

/** @see Kernels.startPenalty */
export function startPenalty(module: ModuleBuilder): void {
  const f = module.function('void', 'startPenalty');
  const [values, at, rows] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [occurrences, byRow] = [f.parameter('i32'), f.parameter('i32')];
  const [strength, batch] = [f.parameter('f64'), f.parameter('f64')];
  const [dim, count, grads] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [p, q] = [f.local('i32'), f.local('i32')];
  const [weight, weights] = [f.local('f32'), f.local('v128')];
  const lambda = choose(
    get(byRow),
    f64.load(i32.add(get(byRow), i32.shl(i32.load(get(rows)), i32.const(3)))),
    get(strength),
  );
  const scaled = f64.div(f64.mul(lambda, f64.convert(i32.load(get(occurrences)))), get(batch));
  const eachRow = (length: Length, ...body: readonly Code<'void'>[]) =>
    times(
      count,
      set(p, rowAt(values, i32.load(get(at)), rowBytes(length))),
      set(weight, f32.demote(scaled)),
      ...body,
      advance(grads, rowBytes(length)),
      ...[at, rows, occurrences].map((cursor) => advance(cursor, 4)),
    );
  f.emit(
    branch(
      isOne(dim),
      eachRow(1, f32.store(get(grads), f32.mul(get(weight), f32.load(get(p))))),
      byLength(dim, (length) => {
        const walk = new RowWalk(f, length);
        return sequence(
          walk.prepare,
          eachRow(
            length,
            set(q, get(grads)),
            set(weights, f32x4.splat(get(weight))),
            walk.each([p, q], (offset, put) => put(q, f32x4.mul(get(weights), v128.load(get(p), offset)), offset)),
          ),
        );
      }),
    ),
  );
}
