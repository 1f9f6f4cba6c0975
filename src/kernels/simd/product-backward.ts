// The pullback of the element-wise products in WebAssembly.

import { branch, type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder, ModuleBuilder } from '../assembler/module';
import { MapGradients } from './map-gradients';
import { ProductRows, productParameters } from './products';
import { advance, isOne, LaneDots, RowWalk, times } from './walk';

/** What comes after the parameters of the product. */
function gradientParameters(f: FunctionBuilder) {
  const next = () => f.parameter('i32');
  return {
    g: next(),
    gBase: next(),
    /** The list of the addresses of the maps' gradients. */
    gMaps: next(),
    /** From a row's gradients of the maps to those of the next, in bytes: 0 where all rows add to the same. */
    gStep: next(),
  };
}

/** Scalar maps: gBase = g times the scalars; by a scalar <g, x> times the others. */
export function scalarBackward(module: ModuleBuilder): void {
  const f = module.function('void', 'scalarBackward');
  const of = productParameters(f);
  const { g, gBase, gMaps, gStep } = gradientParameters(f);
  const rows = new ProductRows(f, of);
  const dots = new LaneDots(f, of.dim);
  const numbers = { type: 'f32' as const, one: f32.const(1), load: f32.load, mul: f32.mul };
  const gradients = new MapGradients(f, of, gMaps, numbers);
  const [scale, scales, along] = [f.local('f32'), f.local('v128'), f.local('f32')];
  // The gradient of the maps of the row at hand, and those of the product at hand; what walks along rows.
  const [gRow, gMap, map, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [from, to, part] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const write = (target: Local<'i32'>, value: Code<'f32'>) =>
    f32.store(get(target), choose(get(gStep), value, f32.add(f32.load(get(target)), value)));
  f.emit(
    dots.prepare,
    rows.each(
      set(gMap, get(gRow)),
      set(map, get(rows.m)),
      set(left, get(of.width)),
      times(
        left,
        rows.scale(get(map), scale),
        set(scales, f32x4.splat(get(scale))),
        set(from, get(g)),
        set(to, get(gBase)),
        set(part, get(rows.x)),
        dots.sumWith(from, [part], [to], (slope, offset, put) => [put(to, f32x4.mul(slope, get(scales)), offset)]),
        set(along, dots.total()),
        branch(
          isOne(of.mapCount),
          sequence(set(to, i32.add(i32.load(get(gMaps)), get(gMap))), write(to, get(along))),
          gradients.each(get(map), get(gMap), along, write),
        ),
        advance(rows.x, get(rows.bytes)),
        advance(gBase, get(rows.bytes)),
        advance(map, 4),
        advance(gMap, 4),
      ),
      advance(g, get(rows.bytes)),
      advance(gRow, get(gStep)),
    ),
  );
}

/** Diagonal maps: the same, element by element. */
export function diagonalBackward(module: ModuleBuilder): void {
  const f = module.function('void', 'diagonalBackward');
  const of = productParameters(f);
  const { g, gBase, gMaps, gStep } = gradientParameters(f);
  const rows = new ProductRows(f, of);
  const walk = new RowWalk(f, of.dim);
  const one = f32x4.splat(f32.const(1));
  const gradients = new MapGradients(f, of, gMaps, { type: 'v128' as const, one, load: v128.load, mul: f32x4.mul });
  const [slope, scale, along] = [f.local('v128'), f.local('v128'), f.local('v128')];
  // How far into the row's maps and their gradients the product at hand is, and the vector at hand.
  const [gRow, gMap, map, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [from, part, to, place] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  // Where a lone map, which needs no walk over maps, and its gradient are.
  const [only, gOnly] = [f.local('i32'), f.local('i32')];
  f.emit(
    walk.prepare,
    rows.each(
      set(gMap, get(gRow)),
      set(map, get(rows.m)),
      set(left, get(of.width)),
      times(
        left,
        set(from, get(g)),
        set(part, get(rows.x)),
        set(to, get(gBase)),
        branch(
          isOne(of.mapCount),
          sequence(
            set(only, i32.add(i32.load(get(of.maps)), get(map))),
            set(gOnly, i32.add(i32.load(get(gMaps)), get(gMap))),
            walk.each([from, part, to, only, gOnly], (offset, put) =>
              sequence(
                set(slope, v128.load(get(from), offset)),
                put(to, f32x4.mul(get(slope), v128.load(get(only), offset)), offset),
                set(along, f32x4.mul(get(slope), v128.load(get(part), offset))),
                put(
                  gOnly,
                  choose(get(gStep), get(along), f32x4.add(v128.load(get(gOnly), offset), get(along))),
                  offset,
                ),
              ),
            ),
          ),
          sequence(
            set(place, i32.const(0)),
            walk.each(
              [from, part, to, place],
              (_, put) =>
                sequence(
                  set(slope, v128.load(get(from))),
                  set(scale, one),
                  rows.multiply(i32.add(get(map), get(place)), scale, false),
                  put(to, f32x4.mul(get(slope), get(scale))),
                  set(along, f32x4.mul(get(slope), v128.load(get(part)))),
                  gradients.each(
                    i32.add(get(map), get(place)),
                    i32.add(get(gMap), get(place)),
                    along,
                    (target, value) => put(target, choose(get(gStep), value, f32x4.add(v128.load(get(target)), value))),
                  ),
                ),
              1,
            ),
          ),
        ),
        advance(rows.x, get(rows.bytes)),
        advance(gBase, get(rows.bytes)),
        advance(map, get(rows.bytes)),
        advance(gMap, get(rows.bytes)),
      ),
      advance(g, get(rows.bytes)),
      advance(gRow, get(gStep)),
    ),
  );
}
