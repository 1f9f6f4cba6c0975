// Rows met by rows, in WebAssembly: dot products, weighted sums, and the penalty, which is one of those.

import { branch, type Code, choose, f32, f32x4, f64, get, i32, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { advance, bytesOf, isOne, LaneDots, RowWalk, rowAt, times } from './walk';

/** @see Kernels.dot */
export function dot(module: ModuleBuilder): void {
  const f = module.function('f32', 'dot');
  const [a, b, n] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const dots = new LaneDots(f, n);
  f.emit(dots.prepare, dots.sum(a, b), dots.total());
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
  const [bytes, p, q] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const weight = f.local('v128');
  const walk = new RowWalk(f, dim);
  f.emit(
    walk.prepare,
    set(bytes, bytesOf(get(dim))),
    times(
      count,
      set(p, rowAt(a, i32.load(get(at)), get(bytes))),
      set(q, rowAt(out, i32.load(get(slot)), get(bytes))),
      set(weight, v128.loadSplat(get(g))),
      walk.each([p, q], (offset, put) =>
        put(q, f32x4.add(v128.load(get(q), offset), f32x4.mul(get(weight), v128.load(get(p), offset))), offset),
      ),
      ...[g, at, slot].map((cursor) => advance(cursor, 4)),
    ),
  );
}

/** @see Kernels.addPenalty */
export function addPenalty(module: ModuleBuilder): void {
  const f = module.function('void', 'addPenalty');
  const [values, at, rows] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [occurrences, byRow] = [f.parameter('i32'), f.parameter('i32')];
  const [strength, batch] = [f.parameter('f64'), f.parameter('f64')];
  const [dim, count, grads] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [bytes, p, q] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const [weight, weights] = [f.local('f32'), f.local('v128')];
  const walk = new RowWalk(f, dim);
  const lambda = choose(
    get(byRow),
    f64.load(i32.add(get(byRow), i32.shl(i32.load(get(rows)), i32.const(3)))),
    get(strength),
  );
  const scaled = f64.div(f64.mul(lambda, f64.convert(i32.load(get(occurrences)))), get(batch));
  const eachRow = (...body: readonly Code<'void'>[]) =>
    times(
      count,
      set(p, rowAt(values, i32.load(get(at)), get(bytes))),
      set(weight, f32.demote(scaled)),
      ...body,
      advance(grads, get(bytes)),
      ...[at, rows, occurrences].map((cursor) => advance(cursor, 4)),
    );
  f.emit(
    walk.prepare,
    set(bytes, bytesOf(get(dim))),
    branch(
      isOne(dim),
      eachRow(f32.store(get(grads), f32.add(f32.load(get(grads)), f32.mul(get(weight), f32.load(get(p)))))),
      eachRow(
        set(q, get(grads)),
        set(weights, f32x4.splat(get(weight))),
        walk.each([p, q], (offset, put) =>
          put(q, f32x4.add(v128.load(get(q), offset), f32x4.mul(get(weights), v128.load(get(p), offset))), offset),
        ),
      ),
    ),
  );
}
