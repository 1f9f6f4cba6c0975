// The learning rate of a whole row, from the squares of its gradients: AdaGrad with one sum a row.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { Pair } from './pair';
import type { PairSide } from './pair-side';
import type { PairSpec } from './pair-spec';
import { Pull } from './pull';
import { isPerRow, rowRate } from './rules';

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
    private readonly side: PairSide,
    private readonly spec: PairSpec,
    private readonly rate: Local<'f32'>,
  ) {
    this.vector = f.local('v128');
    this.number = f.local('f32');
    this.pull = new Pull(f);
    this.sum = f.local('f32');
  }

  /** Adds the mean of the gradient's squares to the row's sum, and takes the rate from it. */
  take(squares: Code<'f32'>): Code<'void'> {
    const { side, spec, number, vector, sum, rate } = this;
    const { rule, rank } = spec;
    if (!isPerRow(rule)) return sequence();
    const at = side.layout.base.slots[0]!;
    const arithmetic = { ...f32, constant: f32.const, keep: (value: Code<'f32'>) => value };
    return sequence(
      set(sum, f32.add(f32.load(get(side.row), at), f32.mul(squares, f32.const(1 / rank)))),
      f32.store(get(side.row), get(sum), at),
      set(number, rowRate(rule, arithmetic, get(sum), get(rate))),
      set(vector, f32x4.splat(get(number))),
    );
  }

  /**
   * The same and the pull at that rate, without a look at the vectors: of the gradient c1 y + c2 x the square is
   * c1 (c1 |y|^2 + 2 c2 <x, y>) + c2^2 |x|^2. Rounding could leave it below 0.
   */
  takeFromNorms(pair: Pair, other: PairSide, c2: Code<'f32'>): Code<'void'> {
    const c1 = get(pair.towards.number);
    const cross = f32.mul(f32.mul(f32.const(2), c2), get(pair.dot));
    const theirs = f32.mul(c1, f32.add(f32.mul(c1, get(other.norm)), cross));
    const square = f32.add(theirs, f32.mul(f32.mul(c2, c2), get(this.side.norm)));
    return sequence(this.take(f32.max(square, f32.const(0))), this.pull.set(f32.mul(get(this.number), c1), pair.dot));
  }
}
