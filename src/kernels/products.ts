// Element-wise products in WebAssembly. Both directions share the loops over the rows and over the maps. The addresses
// of the maps are a list in memory, because a product may have any number of them.

import type { FunctionBuilder, ModuleBuilder } from '../wasm/assembler';
import { branch, type Code, choose, f32, f32x4, i32, type Local, sequence, set, v128 } from '../wasm/assembler';
import { dot } from './dot';
import { isSingle, type Kernel, type Numbers, round } from './kernels';
import { Program } from './program';
import { advance, byLength, bytesOf, isOne, LaneDots, RowWalk, rowAt, times } from './walk';

/** The parameters of a product, in this order. */
interface ProductParameters {
  readonly base: Local<'i32'>;
  /** The list of the addresses of the maps, and its length. */
  readonly maps: Local<'i32'>;
  readonly mapCount: Local<'i32'>;
  /** Row numbers, or 0 for every row. */
  readonly ids: Local<'i32'>;
  readonly count: Local<'i32'>;
  readonly dim: Local<'i32'>;
  readonly width: Local<'i32'>;
  /** The distance in bytes from a row's maps to those of the next row: 0 if the rows share them. */
  readonly mapStep: Local<'i32'>;
}

/** Declares the parameters. */
function productParameters(f: FunctionBuilder): ProductParameters {
  const next = () => f.parameter('i32');
  return {
    base: next(),
    maps: next(),
    mapCount: next(),
    ids: next(),
    count: next(),
    dim: next(),
    width: next(),
    mapStep: next(),
  };
}

/** The loop over the rows of a product. */
class ProductRows {
  /** The bytes of `dim` numbers, and of a row of the base. */
  readonly bytes: Local<'i32'>;
  readonly baseBytes: Local<'i32'>;
  /** The current row: its part of the base, and the offset of its own maps. */
  readonly x: Local<'i32'>;
  readonly m: Local<'i32'>;
  private readonly index: Local<'i32'>;
  private readonly row: Local<'i32'>;
  private readonly list: Local<'i32'>;
  private readonly left: Local<'i32'>;

  constructor(
    f: FunctionBuilder,
    private readonly of: ProductParameters,
  ) {
    const next = () => f.local('i32');
    [this.bytes, this.baseBytes, this.x, this.m] = [next(), next(), next(), next()];
    [this.index, this.row, this.list, this.left] = [next(), next(), next(), next()];
  }

  /** Emits the body for each row, with `x` and `m` set. */
  each(...body: readonly Code<'void'>[]): Code<'void'> {
    const { of, bytes, baseBytes, x, m, index, row } = this;
    const named = i32.load(i32.add(of.ids, bytesOf(index)));
    return sequence(
      set(bytes, bytesOf(of.dim)),
      set(baseBytes, i32.mul(bytes, of.width)),
      set(index, i32.const(0)),
      times(
        of.count,
        set(row, choose(of.ids, named, index)),
        set(x, rowAt(of.base, row, baseBytes)),
        set(m, i32.mul(row, of.mapStep)),
        ...body,
        advance(index, 1),
      ),
    );
  }

  /** Emits the body for each map in order; `address` is that of its number at `place`. */
  eachMap(place: Code<'i32'>, body: (address: Code<'i32'>) => Code<'void'>): Code<'void'> {
    const { of, list, left } = this;
    return sequence(
      set(list, of.maps),
      set(left, of.mapCount),
      times(left, body(i32.add(i32.load(list), place)), advance(list, 4)),
    );
  }

  /** product = the product of the numbers of all maps at `place`. The usual single map needs no loop. */
  scale(place: Code<'i32'>, product: Local<'f32'>): Code<'void'> {
    const { mapCount, maps } = this.of;
    return branch(
      isOne(mapCount),
      set(product, f32.load(i32.add(i32.load(maps), place))),
      sequence(
        set(product, f32.const(1)),
        this.eachMap(place, (at) => set(product, f32.mul(product, f32.load(at)))),
      ),
    );
  }

  /** term = term times the numbers (or the vectors) of all maps at `place`. */
  multiply(place: Code<'i32'>, term: Local<'v128'>, isScalar: boolean): Code<'void'> {
    const load = isScalar ? v128.loadSplat : v128.load;
    return this.eachMap(place, (at) => set(term, f32x4.mul(term, load(at))));
  }
}

// Element-wise products in WebAssembly.

/** One scalar map or more, width 1: out = x (s_1 s_2 ...). */
function scaleForward(module: ModuleBuilder): void {
  const f = module.function('void', 'scaleForward');
  const of = productParameters(f);
  const out = f.parameter('i32');
  const rows = new ProductRows(f, of);
  const [q, scale, scales] = [f.local('i32'), f.local('f32'), f.local('v128')];
  f.emit(
    byLength(of.dim, (length) => {
      const walk = new RowWalk(f, length);
      return sequence(
        rows.each(
          rows.scale(rows.m, scale),
          set(scales, f32x4.splat(scale)),
          set(q, out),
          walk.each([rows.x, q], (offset, put) => put(q, f32x4.mul(v128.load(rows.x, offset), scales), offset)),
          advance(out, rows.bytes),
        ),
      );
    }),
  );
}

/** The general case: out = sum over j of x_j times its maps one after another. */
function sumForward(module: ModuleBuilder, isScalar: boolean): void {
  const f = module.function('void', isScalar ? 'scalarForward' : 'diagonalForward');
  const of = productParameters(f);
  const out = f.parameter('i32');
  const rows = new ProductRows(f, of);
  // The offset of the current vector in the row; from there its parts of the base and of the maps, product by product.
  const [place, part, map, left, q] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [term, sum] = [f.local('v128'), f.local('v128')];
  const walk = new RowWalk(f, of.dim);
  const product = [set(term, v128.load(part)), rows.multiply(map, term, isScalar)];
  const general = sequence(
    set(place, i32.const(0)),
    walk.each(
      [q, place],
      (_, put) =>
        sequence(
          set(part, i32.add(rows.x, place)),
          set(map, isScalar ? rows.m : i32.add(rows.m, place)),
          ...product,
          set(sum, term),
          set(left, i32.sub(of.width, i32.const(1))),
          times(
            left,
            advance(part, rows.bytes),
            advance(map, isScalar ? 4 : rows.bytes),
            ...product,
            set(sum, f32x4.add(sum, term)),
          ),
          put(q, sum),
        ),
      1,
    ),
  );
  // One product with one map needs no loop over either.
  const lone = sequence(
    set(map, i32.add(i32.load(of.maps), rows.m)),
    walk.each([rows.x, map, q], (offset, put) =>
      put(q, f32x4.mul(v128.load(rows.x, offset), v128.load(map, offset)), offset),
    ),
  );
  f.emit(
    rows.each(
      set(q, out),
      isScalar ? general : branch(i32.and(isOne(of.mapCount), isOne(of.width)), lone, general),
      advance(out, rows.bytes),
    ),
  );
}

// The gradients of the maps of an element-wise product, in WebAssembly: for each map, a value times the numbers of the
// other maps. There is no division by a map, which may be 0.

/** One number of a map at a time, or four. */
interface MapNumbers<T extends 'f32' | 'v128'> {
  readonly type: T;
  readonly one: Code<T>;
  load(address: Code<'i32'>): Code<T>;
  mul(a: Code<T>, b: Code<T>): Code<T>;
}

/** Emits the loop over the maps. */
class MapGradients<T extends 'f32' | 'v128'> {
  /** The current map: its place in the list of maps, in bytes, and the address of its gradient. */
  private readonly own: Local<'i32'>;
  private readonly target: Local<'i32'>;
  private readonly other: Local<'i32'>;
  private readonly left: Local<'i32'>;
  private readonly othersLeft: Local<'i32'>;
  private readonly value: Local<T>;

  constructor(
    f: FunctionBuilder,
    private readonly of: ProductParameters,
    /** The list of the addresses of the gradients. */
    private readonly gMaps: Local<'i32'>,
    private readonly numbers: MapNumbers<T>,
  ) {
    const next = () => f.local('i32');
    [this.own, this.target, this.other, this.left, this.othersLeft] = [next(), next(), next(), next(), next()];
    this.value = f.local(numbers.type);
  }

  /** For every map, whose numbers lie at `place` and their gradients at `to`: writes `along` times the others. */
  each(
    place: Code<'i32'>,
    to: Code<'i32'>,
    along: Local<T>,
    write: (target: Local<'i32'>, value: Code<T>) => Code<'void'>,
  ): Code<'void'> {
    const { of, gMaps, numbers, own, target, other, left, othersLeft, value } = this;
    const inList = (list: Local<'i32'>, at: Local<'i32'>) => i32.load(i32.add(list, at));
    return sequence(
      set(own, i32.const(0)),
      set(left, of.mapCount),
      times(
        left,
        set(value, numbers.one),
        set(other, i32.const(0)),
        set(othersLeft, of.mapCount),
        times(
          othersLeft,
          branch(
            i32.sub(other, own),
            set(value, numbers.mul(value, numbers.load(i32.add(inList(of.maps, other), place)))),
          ),
          advance(other, 4),
        ),
        set(target, i32.add(inList(gMaps, own), to)),
        set(value, numbers.mul(along, value)),
        write(target, value),
        advance(own, 4),
      ),
    );
  }
}

// The pullback of the element-wise products in WebAssembly.

/** The parameters after those of the product. */
function gradientParameters(f: FunctionBuilder) {
  const next = () => f.parameter('i32');
  return {
    g: next(),
    gBase: next(),
    /** The list of the addresses of the maps' gradients. */
    gMaps: next(),
    /** The distance in bytes from a row's gradients of the maps to those of the next: 0 if all rows add to the same. */
    gStep: next(),
  };
}

/** Scalar maps: gBase = g times the scalars; by a scalar <g, x> times the others. */
function scalarBackward(module: ModuleBuilder): void {
  const f = module.function('void', 'scalarBackward');
  const of = productParameters(f);
  const { g, gBase, gMaps, gStep } = gradientParameters(f);
  const rows = new ProductRows(f, of);
  const dots = new LaneDots(f, of.dim);
  const numbers = { type: 'f32' as const, one: f32.const(1), load: f32.load, mul: f32.mul };
  const gradients = new MapGradients(f, of, gMaps, numbers);
  const [scale, scales, along] = [f.local('f32'), f.local('v128'), f.local('f32')];
  // The gradient of the maps of the current row, and of the current product; the cursors along rows.
  const [gRow, gMap, map, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [from, to, part] = [f.local('i32'), f.local('i32'), f.local('i32')];
  const write = (target: Local<'i32'>, value: Code<'f32'>) =>
    f32.store(target, choose(gStep, value, f32.add(f32.load(target), value)));
  f.emit(
    dots.prepare,
    rows.each(
      set(gMap, gRow),
      set(map, rows.m),
      set(left, of.width),
      times(
        left,
        rows.scale(map, scale),
        set(scales, f32x4.splat(scale)),
        set(from, g),
        set(to, gBase),
        set(part, rows.x),
        dots.sumWith(from, [part], [to], (slope, offset, put) => [put(to, f32x4.mul(slope, scales), offset)]),
        set(along, dots.total()),
        branch(
          isOne(of.mapCount),
          sequence(set(to, i32.add(i32.load(gMaps), gMap)), write(to, along)),
          gradients.each(map, gMap, along, write),
        ),
        advance(rows.x, rows.bytes),
        advance(gBase, rows.bytes),
        advance(map, 4),
        advance(gMap, 4),
      ),
      advance(g, rows.bytes),
      advance(gRow, gStep),
    ),
  );
}

/** Diagonal maps: the same, element by element. */
function diagonalBackward(module: ModuleBuilder): void {
  const f = module.function('void', 'diagonalBackward');
  const of = productParameters(f);
  const { g, gBase, gMaps, gStep } = gradientParameters(f);
  const rows = new ProductRows(f, of);
  const walk = new RowWalk(f, of.dim);
  const one = f32x4.splat(f32.const(1));
  const gradients = new MapGradients(f, of, gMaps, { type: 'v128' as const, one, load: v128.load, mul: f32x4.mul });
  const [slope, scale, along] = [f.local('v128'), f.local('v128'), f.local('v128')];
  // The offsets of the current product in the row's maps and their gradients, and of the current vector.
  const [gRow, gMap, map, left] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  const [from, part, to, place] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  // The address of a single map, which needs no loop over maps, and of its gradient.
  const [only, gOnly] = [f.local('i32'), f.local('i32')];
  f.emit(
    rows.each(
      set(gMap, gRow),
      set(map, rows.m),
      set(left, of.width),
      times(
        left,
        set(from, g),
        set(part, rows.x),
        set(to, gBase),
        branch(
          isOne(of.mapCount),
          sequence(
            set(only, i32.add(i32.load(of.maps), map)),
            set(gOnly, i32.add(i32.load(gMaps), gMap)),
            walk.each([from, part, to, only, gOnly], (offset, put) =>
              sequence(
                set(slope, v128.load(from, offset)),
                put(to, f32x4.mul(slope, v128.load(only, offset)), offset),
                set(along, f32x4.mul(slope, v128.load(part, offset))),
                put(gOnly, choose(gStep, along, f32x4.add(v128.load(gOnly, offset), along)), offset),
              ),
            ),
          ),
          sequence(
            set(place, i32.const(0)),
            walk.each(
              [from, part, to, place],
              (_, put) =>
                sequence(
                  set(slope, v128.load(from)),
                  set(scale, one),
                  rows.multiply(i32.add(map, place), scale, false),
                  put(to, f32x4.mul(slope, scale)),
                  set(along, f32x4.mul(slope, v128.load(part))),
                  gradients.each(i32.add(map, place), i32.add(gMap, place), along, (target, value) =>
                    put(target, choose(gStep, value, f32x4.add(v128.load(target), value))),
                  ),
                ),
              1,
            ),
          ),
        ),
        advance(rows.x, rows.bytes),
        advance(gBase, rows.bytes),
        advance(map, rows.bytes),
        advance(gMap, rows.bytes),
      ),
      advance(g, rows.bytes),
      advance(gRow, gStep),
    ),
  );
}

// The kernels.

/** @see Kernels.productForward */
export const productForward: Kernel<'productForward'> = {
  js(base, maps, ids, count, shape, out) {
    const { dim, width, scalar, perRow } = shape;
    const single = isSingle(base);
    const mapCols = scalar ? width : width * dim;
    for (let i = 0; i < count; i++) {
      const row = ids === null ? i : ids[i]!;
      const x = row * width * dim;
      const m = perRow ? row * mapCols : 0;
      if (scalar && width === 1) {
        let scale = 1;
        for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m]!, single);
        for (let k = 0; k < dim; k++) out[i * dim + k] = base[x + k]! * scale;
        continue;
      }
      for (let k = 0; k < dim; k++) {
        let sum = 0;
        for (let j = 0; j < width; j++) {
          const at = m + (scalar ? j : j * dim + k);
          let term = base[x + j * dim + k]!;
          for (let l = 0; l < maps.length; l++) term = round(term * maps[l]![at]!, single);
          sum = j === 0 ? term : round(sum + term, single);
        }
        out[i * dim + k] = sum;
      }
    }
  },

  wasm(module) {
    scaleForward(module);
    sumForward(module, true);
    sumForward(module, false);
  },
};

/** @see Kernels.productBackward */
export const productBackward: Kernel<'productBackward'> = {
  js(g, base, maps, ids, count, shape, gBase, gMaps) {
    const { dim, width, scalar, perRow } = shape;
    const single = isSingle(base);
    const mapCols = scalar ? width : width * dim;
    if (!perRow) for (let l = 0; l < gMaps.length; l++) gMaps[l]!.fill(0, 0, mapCols);
    for (let i = 0; i < count; i++) {
      const row = ids === null ? i : ids[i]!;
      for (let j = 0; j < width; j++) {
        const x = (row * width + j) * dim;
        const m = (perRow ? row * mapCols : 0) + (scalar ? j : j * dim);
        const gm = (perRow ? i * mapCols : 0) + (scalar ? j : j * dim);
        const gx = (i * width + j) * dim;
        if (scalar) scalarPullback(g, i * dim, base, x, dim, maps, m, gBase, gx, gMaps, gm, perRow, single);
        else diagonalPullback(g, i * dim, base, x, dim, maps, m, gBase, gx, gMaps, gm, perRow, single);
      }
    }
  },

  wasm(module) {
    scalarBackward(module);
    diagonalBackward(module);
  },
};

/** e = x s_1 s_2 ...: gx = (prod s) g, and gs_l = <x, g> times the product of the other scalars. */
function scalarPullback(
  g: Numbers,
  gStart: number,
  base: Numbers,
  x: number,
  dim: number,
  maps: readonly Numbers[],
  m: number,
  gBase: Numbers,
  gx: number,
  gMaps: readonly Numbers[],
  gm: number,
  replace: boolean,
  single: boolean,
): void {
  let scale = 1;
  for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m]!, single);
  const along = dot(g, gStart, base, x, dim);
  for (let k = 0; k < dim; k++) gBase[gx + k] = g[gStart + k]! * scale;
  for (let l = 0; l < maps.length; l++) {
    const value = round(along * productOfOthers(maps, m, l, single), single);
    if (replace) gMaps[l]![gm] = value;
    else gMaps[l]![gm]! += value;
  }
}

/** e = x (.) v_1 (.) v_2 ...: the same, element by element. */
function diagonalPullback(
  g: Numbers,
  gStart: number,
  base: Numbers,
  x: number,
  dim: number,
  maps: readonly Numbers[],
  m: number,
  gBase: Numbers,
  gx: number,
  gMaps: readonly Numbers[],
  gm: number,
  replace: boolean,
  single: boolean,
): void {
  for (let k = 0; k < dim; k++) {
    const gk = g[gStart + k]!;
    let scale = 1;
    for (let l = 0; l < maps.length; l++) scale = round(scale * maps[l]![m + k]!, single);
    gBase[gx + k] = gk * scale;
    const along = round(gk * base[x + k]!, single);
    for (let l = 0; l < maps.length; l++) {
      const value = round(along * productOfOthers(maps, m + k, l, single), single);
      if (replace) gMaps[l]![gm + k] = value;
      else gMaps[l]![gm + k]! += value;
    }
  }
}

function productOfOthers(maps: readonly Numbers[], at: number, without: number, single: boolean): number {
  let product = 1;
  for (let l = 0; l < maps.length; l++) if (l !== without) product = round(product * maps[l]![at]!, single);
  return product;
}

/** The kernels of this file, as WebAssembly. */
export const productProgram = new Program({ productForward, productBackward });
