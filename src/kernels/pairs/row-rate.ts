// The learning rate of a whole row, from the squares of its gradients: AdaGrad with one sum a row.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { PairSpec } from './pair-spec';
import { Pull } from './pull';
import type { RowLayout } from './row-layout';
import { isPerRow, rowRate } from './rules';

/** The gradient c1 y + c2 x of a row x that has met y, and what is known of both. */
interface LinearGradient {
  readonly c1: Local<'f32'>;
  readonly c2: Local<'f32'>;
  /** <x, y>, |x|^2 and |y|^2. */
  readonly dot: Local<'f32'>;
  readonly norm: Local<'f32'>;
  readonly otherNorm: Local<'f32'>;
}

/** The rate of one side's row. */
export class RowRate {
  /** In every lane. */
  readonly vector: Local<'v128'>;
  readonly number: Local<'f32'>;
  /** The pull of a linear step at this rate. */
  readonly pull: Pull;
  private readonly sum: Local<'f32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    private readonly spec: PairSpec,
    private readonly layout: RowLayout,
    private readonly row: Local<'i32'>,
    private readonly rate: Local<'f32'>,
  ) {
    this.vector = f.local('v128');
    this.number = f.local('f32');
    this.pull = new Pull(f);
    this.sum = f.local('f32');
  }

  /** Adds the mean of the gradient's squares to the row's sum, and takes the rate from it. */
  take(squares: Code<'f32'>): Code<'void'> {
    const { layout, row, spec, number, vector, sum, rate } = this;
    const { rule, rank } = spec;
    if (!isPerRow(rule)) return sequence();
    const at = layout.base.slots[0]!;
    const arithmetic = { ...f32, constant: f32.const, keep: (value: Code<'f32'>) => value };
    return sequence(
      set(sum, f32.add(f32.load(get(row), at), f32.mul(squares, f32.const(1 / rank)))),
      f32.store(get(row), get(sum), at),
      set(number, rowRate(rule, arithmetic, get(sum), get(rate))),
      set(vector, f32x4.splat(get(number))),
    );
  }

  /**
   * The same and the pull at that rate, without a look at the vectors: the gradient's square is
   * c1 (c1 |y|^2 + 2 c2 <x, y>) + c2^2 |x|^2. Rounding could leave it below 0.
   */
  takeFromNorms({ c1, c2, dot, norm, otherNorm }: LinearGradient): Code<'void'> {
    const cross = f32.mul(f32.mul(f32.const(2), get(c2)), get(dot));
    const theirs = f32.mul(get(c1), f32.add(f32.mul(get(c1), get(otherNorm)), cross));
    const square = f32.add(theirs, f32.mul(f32.mul(get(c2), get(c2)), get(norm)));
    return sequence(this.take(f32.max(square, f32.const(0))), this.pull.set(f32.mul(get(this.number), get(c1)), dot));
  }
}
