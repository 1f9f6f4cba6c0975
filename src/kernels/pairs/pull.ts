// What a linear step x' = a x - b y knows of b: itself, and what |x'|^2 needs of it.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';

/** b, the rate times what the other's elements are multiplied by in the gradient. */
export class Pull {
  readonly vector: Local<'v128'>;
  private readonly number: Local<'f32'>;
  /** 2 b <x, y>. */
  readonly twiceDot: Local<'f32'>;
  /** b^2. */
  readonly square: Local<'f32'>;

  constructor(f: FunctionBuilder<'void'>) {
    this.vector = f.local('v128');
    this.number = f.local('f32');
    this.twiceDot = f.local('f32');
    this.square = f.local('f32');
  }

  set(value: Code<'f32'>, dot: Local<'f32'>): Code<'void'> {
    const { number, vector, twiceDot, square } = this;
    return sequence(
      set(number, value),
      set(vector, f32x4.splat(get(number))),
      set(twiceDot, f32.mul(f32.mul(f32.const(2), get(number)), get(dot))),
      set(square, f32.mul(get(number), get(number))),
    );
  }
}
