// What both directions of the element-wise products share in WebAssembly: the walk over the rows and over the maps. The
// addresses of the maps are a list in memory, since a product has any number of them.

import { branch, type Code, choose, f32, f32x4, get, i32, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import { advance, bytesOf, isOne, rowAt, times } from './walk';

/** The parameters of a product, in this order. */
export interface ProductParameters {
  readonly base: Local<'i32'>;
  /** The list of the addresses of the maps, and its length. */
  readonly maps: Local<'i32'>;
  readonly mapCount: Local<'i32'>;
  /** Row numbers, or 0 for every row. */
  readonly ids: Local<'i32'>;
  readonly count: Local<'i32'>;
  readonly dim: Local<'i32'>;
  readonly width: Local<'i32'>;
  /** From a row's maps to those of the next row, in bytes: 0 where the rows share them. */
  readonly mapStep: Local<'i32'>;
}

/** Declares the parameters. */
export function productParameters(f: FunctionBuilder): ProductParameters {
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

/** The code of a walk over the rows of a product. */
export class ProductRows {
  /** The bytes of `dim` numbers, and of a row of the base. */
  readonly bytes: Local<'i32'>;
  readonly baseBytes: Local<'i32'>;
  /** The row at hand: its part of the base, and how far into the maps its own are. */
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

  /** The body for each row, with `x` and `m` set. */
  each(...body: readonly Code<'void'>[]): Code<'void'> {
    const { of, bytes, baseBytes, x, m, index, row } = this;
    const named = i32.load(i32.add(get(of.ids), bytesOf(get(index))));
    return sequence(
      set(bytes, bytesOf(get(of.dim))),
      set(baseBytes, i32.mul(get(bytes), get(of.width))),
      set(index, i32.const(0)),
      times(
        of.count,
        set(row, choose(get(of.ids), named, get(index))),
        set(x, rowAt(of.base, get(row), get(baseBytes))),
        set(m, i32.mul(get(row), get(of.mapStep))),
        ...body,
        advance(index, 1),
      ),
    );
  }

  /** The body for each map in order, `address` being that of its number at `place`. */
  eachMap(place: Code<'i32'>, body: (address: Code<'i32'>) => Code<'void'>): Code<'void'> {
    const { of, list, left } = this;
    return sequence(
      set(list, get(of.maps)),
      set(left, get(of.mapCount)),
      times(left, body(i32.add(i32.load(get(list)), place)), advance(list, 4)),
    );
  }

  /** product = the product of the numbers of all maps at `place`. A lone map, the usual case, needs no walk. */
  scale(place: Code<'i32'>, product: Local<'f32'>): Code<'void'> {
    const { mapCount, maps } = this.of;
    return branch(
      isOne(mapCount),
      set(product, f32.load(i32.add(i32.load(get(maps)), place))),
      sequence(
        set(product, f32.const(1)),
        this.eachMap(place, (at) => set(product, f32.mul(get(product), f32.load(at)))),
      ),
    );
  }

  /** term = term times the numbers (or the vectors) of all maps at `place`. */
  multiply(place: Code<'i32'>, term: Local<'v128'>, isScalar: boolean): Code<'void'> {
    const load = isScalar ? v128.loadSplat : v128.load;
    return this.eachMap(place, (at) => set(term, f32x4.mul(get(term), load(at))));
  }
}
