// What a step knows of one pair of rows: its score's parts, and what its error does to both rows.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { PairSide } from './pair-side';

/** A number, and the same in every lane. */
interface Spread {
  readonly number: Local<'f32'>;
  readonly vector: Local<'v128'>;
}

/** A pair of rows. */
export class Pair {
  /** <a, b>, of the elements as they meet. */
  readonly dot: Local<'f32'>;
  /** d loss / d score. */
  readonly slope: Local<'f32'>;
  /** slope <a, b>. */
  readonly slopeDot: Local<'f32'>;
  /** The slope times the scalars of both rows: what the other's elements are multiplied by in either gradient. */
  readonly towards: Spread;
  /** (rate scalars) slope: the same times the base's rate. Only the slope has to be waited for. */
  readonly pull: Spread;
  /** 2 pull <a, b> and pull^2: what a linear step's norms need. */
  readonly twicePullDot: Local<'f32'>;
  readonly pullSquare: Local<'f32'>;
  /** The product of the scalars of both rows. */
  private readonly scale: Local<'f32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    readonly left: PairSide,
    readonly right: PairSide,
  ) {
    const spread = (): Spread => ({ number: f.local('f32'), vector: f.local('v128') });
    this.dot = f.local('f32');
    this.slope = f.local('f32');
    this.slopeDot = f.local('f32');
    this.scale = f.local('f32');
    this.twicePullDot = f.local('f32');
    this.pullSquare = f.local('f32');
    this.towards = spread();
    this.pull = spread();
  }

  /** Multiplies the scalars, once both rows are open. */
  open(): Code<'void'> {
    const [one, two] = this.scales;
    return two === undefined ? sequence() : set(this.scale, f32.mul(one!, two));
  }

  /** A value times the scalars of both rows. */
  scaled(value: Code<'f32'>): Code<'f32'> {
    const [one, two] = this.scales;
    return one === undefined ? value : f32.mul(two === undefined ? one : get(this.scale), value);
  }

  /** What follows from the slope. */
  spread(rate: Local<'f32'>): Code<'void'> {
    const { towards, pull } = this;
    return sequence(
      set(this.slopeDot, f32.mul(get(this.slope), get(this.dot))),
      set(towards.number, this.scaled(get(this.slope))),
      set(towards.vector, f32x4.splat(get(towards.number))),
      set(pull.number, f32.mul(this.scaled(get(rate)), get(this.slope))),
      set(pull.vector, f32x4.splat(get(pull.number))),
      set(this.twicePullDot, f32.mul(f32.mul(f32.const(2), get(pull.number)), get(this.dot))),
      set(this.pullSquare, f32.mul(get(pull.number), get(pull.number))),
    );
  }

  private get scales(): readonly Code<'f32'>[] {
    return [this.left.scale, this.right.scale].filter((scale) => scale !== null).map((scale) => get(scale));
  }
}
