// Element-wise products in WebAssembly.

import { branch, f32x4, get, i32, sequence, set, v128 } from '../assembler/code';
import type { ModuleBuilder } from '../assembler/module';
import { ProductRows, productParameters } from './products';
import { advance, byLength, isOne, RowWalk, times } from './walk';

/** One scalar map or more, width 1: out = x (s_1 s_2 ...). */
export function scaleForward(module: ModuleBuilder): void {
  const f = module.function('void', 'scaleForward');
  const of = productParameters(f);
  const out = f.parameter('i32');
  const rows = new ProductRows(f, of);
  const [q, scale, scales] = [f.local('i32'), f.local('f32'), f.local('v128')];
  f.emit(
    byLength(of.dim, (length) => {
      const walk = new RowWalk(f, length);
      return sequence(
        walk.prepare,
        rows.each(
          rows.scale(get(rows.m), scale),
          set(scales, f32x4.splat(get(scale))),
          set(q, get(out)),
          walk.each([rows.x, q], (offset, put) =>
            put(q, f32x4.mul(v128.load(get(rows.x), offset), get(scales)), offset),
          ),
          advance(out, get(rows.bytes)),
        ),
      );
    }),
  );
}

/** Everything else: out = sum over j of x_j times its maps one after another. */
export function sumForward(module: ModuleBuilder, isScalar: boolean): void {
  const f = module.function('void', isScalar ? 'scalarForward' : 'diagonalForward');
  const of = productParameters(f);
  const out = f.parameter('i32');
  const rows = new ProductRows(f, of);
  // How far into the row the vector at hand is; from there its parts of the base and of the maps, product by product.
  const [place, part, map, left, q] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [term, sum] = [f.local('v128'), f.local('v128')];
  const walk = new RowWalk(f, of.dim);
  const product = [set(term, v128.load(get(part))), rows.multiply(get(map), term, isScalar)];
  const general = sequence(
    set(place, i32.const(0)),
    walk.each(
      [q, place],
      (_, put) =>
        sequence(
          set(part, i32.add(get(rows.x), get(place))),
          set(map, isScalar ? get(rows.m) : i32.add(get(rows.m), get(place))),
          ...product,
          set(sum, get(term)),
          set(left, i32.sub(get(of.width), i32.const(1))),
          times(
            left,
            advance(part, get(rows.bytes)),
            advance(map, isScalar ? 4 : get(rows.bytes)),
            ...product,
            set(sum, f32x4.add(get(sum), get(term))),
          ),
          put(q, get(sum)),
        ),
      1,
    ),
  );
  // One product with one map needs no walks over either.
  const lone = sequence(
    set(map, i32.add(i32.load(get(of.maps)), get(rows.m))),
    walk.each([rows.x, map, q], (offset, put) =>
      put(q, f32x4.mul(v128.load(get(rows.x), offset), v128.load(get(map), offset)), offset),
    ),
  );
  f.emit(
    walk.prepare,
    rows.each(
      set(q, get(out)),
      isScalar ? general : branch(i32.and(isOne(of.mapCount), isOne(of.width)), lone, general),
      advance(out, get(rows.bytes)),
    ),
  );
}
