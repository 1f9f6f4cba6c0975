// What a step knows of one pair of rows: its score's parts, and what its error does to both rows.

import { type Code, f32, f32x4, get, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { PairSide } from './pair-side';
import { Pull } from './pull';

/** A pair of rows. */
export class Pair {
  /** <a, b>, of the elements as they meet. */
  readonly dot: Local<'f32'>;
  /** d loss / d score. */
  readonly slope: Local<'f32'>;
  /** The weight of the rating, where ratings have some. */
  readonly weight: Local<'f32'> | null;
  /** slope <a, b>. */
  readonly slopeDot: Local<'f32'>;
  /** The slope times the scalars of both rows: what the other's elements are multiplied by in either gradient. */
  readonly towards: { readonly number: Local<'f32'>; readonly vector: Local<'v128'> };
  /** (rate scalars) slope: the same times the base's rate. Only the slope has to be waited for. */
  readonly pull: Pull;
  /** The product of the scalars of both rows. */
  private readonly scale: Local<'f32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    readonly left: PairSide,
    readonly right: PairSide,
    isWeighted: boolean,
  ) {
    this.weight = isWeighted ? f.local('f32') : null;
    this.dot = f.local('f32');
    this.slope = f.local('f32');
    this.slopeDot = f.local('f32');
    this.scale = f.local('f32');
    this.towards = { number: f.local('f32'), vector: f.local('v128') };
    this.pull = new Pull(f);
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
      pull.set(f32.mul(this.scaled(get(rate)), get(this.slope)), this.dot),
    );
  }

  private get scales(): readonly Code<'f32'>[] {
    return [this.left.scale, this.right.scale].filter((scale) => scale !== null).map((scale) => get(scale));
  }
}
