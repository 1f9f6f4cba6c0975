// The gradients by the maps of an element-wise product, in WebAssembly: for each map a value times the numbers of the
// other maps. Nothing is divided by a map, which may be 0.

import { branch, type Code, get, i32, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { ProductParameters } from './products';
import { advance, times } from './walk';

/** One number of a map at a time, or four. */
export interface MapNumbers<T extends 'f32' | 'v128'> {
  readonly type: T;
  readonly one: Code<T>;
  load(address: Code<'i32'>): Code<T>;
  mul(a: Code<T>, b: Code<T>): Code<T>;
}

/** The code that goes through the maps. */
export class MapGradients<T extends 'f32' | 'v128'> {
  /** Of the map at hand: its place in the list of maps, in bytes, and where its gradient goes. */
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
    const inList = (list: Local<'i32'>, at: Local<'i32'>) => i32.load(i32.add(get(list), get(at)));
    return sequence(
      set(own, i32.const(0)),
      set(left, get(of.mapCount)),
      times(
        left,
        set(value, numbers.one),
        set(other, i32.const(0)),
        set(othersLeft, get(of.mapCount)),
        times(
          othersLeft,
          branch(
            i32.sub(get(other), get(own)),
            set(value, numbers.mul(get(value), numbers.load(i32.add(inList(of.maps, other), place)))),
          ),
          advance(other, 4),
        ),
        set(target, i32.add(inList(gMaps, own), to)),
        set(value, numbers.mul(get(along), get(value))),
        write(target, get(value)),
        advance(own, 4),
      ),
    );
  }
}
