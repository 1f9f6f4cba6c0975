// Writes one step: a left row and one right row, or up to four of them, whose errors are all taken from the left row as
// the step finds it.

import { type Code, f32, f32x4, get, i32, type Local, sequence, set } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import { eachVector, LaneSum } from './lanes';
import type { LossEmitter } from './losses';
import { Pair } from './pair';
import { PairSide, type RateLocals } from './pair-side';
import type { PairSpec } from './pair-spec';
import { vectorsOf } from './row-layout';
import { isPerRow } from './rules';
import { RATING, RUN, ratingBytes } from './run-layout';

/** What a step is given. */
export interface StepInputs {
  /** The address of the run's description. */
  readonly run: Local<'i32'>;
  /** The address of the first rating. */
  readonly rating: Local<'i32'>;
  /** The losses are added to it. */
  readonly sum: Local<'f64'>;
  readonly rates: RateLocals;
  readonly emitLoss: LossEmitter;
}

/** The code of steps. */
export class StepWriter {
  private readonly left: PairSide;
  private readonly pairs: readonly Pair[];
  private readonly sums: { dot: LaneSum; left: LaneSum; right: LaneSum };
  private readonly held: Local<'v128'>;
  private readonly vectors: number;
  private readonly rates: { base: Local<'v128'>; map: Local<'v128'>; root: Local<'v128'> };

  constructor(
    private readonly f: FunctionBuilder<'void'>,
    private readonly spec: PairSpec,
    private readonly inputs: StepInputs,
  ) {
    const { grouping, rule } = spec;
    this.rates = { base: f.local('v128'), map: f.local('v128'), root: f.local('v128') };
    this.left = new PairSide(f, spec, spec.left, rule, inputs.rates, this.rates);
    const right = () => new PairSide(f, spec, spec.right, rule, inputs.rates, this.rates);
    this.pairs = Array.from({ length: grouping }, () => new Pair(f, this.left, right(), spec.isWeighted));
    this.sums = { dot: new LaneSum(f), left: new LaneSum(f), right: new LaneSum(f) };
    this.held = f.local('v128');
    this.vectors = vectorsOf(spec.rank);
  }

  /** A step with `size` right rows. */
  step(size: number): Code<'void'> {
    const { left, inputs, rates, vectors, f } = this;
    const pairs = this.pairs.slice(0, size);
    const field = (j: number, at: number) => i32.load(get(inputs.rating), j * ratingBytes(this.spec.isWeighted) + at);
    const cursors = [left.row, ...pairs.map(({ right }) => right.row)];
    return sequence(
      set(rates.base, f32x4.splat(get(inputs.rates.base))),
      set(rates.map, f32x4.splat(get(inputs.rates.map))),
      set(rates.root, f32x4.splat(get(inputs.rates.root))),
      left.open(field(0, RATING.left)),
      ...pairs.map(({ right }, j) => right.open(field(j, RATING.right))),
      ...pairs.flatMap((pair, j) => [
        this.dot(pair, j === 0),
        ...(j === 0 ? [left.takeNumbers()] : []),
        pair.right.takeNumbers(),
        pair.open(),
        this.loss(pair, j),
        pair.spread(inputs.rates.base),
      ]),
      left.coefficient(pairs),
      ...pairs.map((pair) => pair.right.coefficient([pair])),
      this.rowRates(pairs),
      // Gradients are all taken where the step begins. What they need of the scalars is in locals by now.
      left.updateNumbers(pairs),
      ...pairs.map((pair) => pair.right.updateNumbers([pair])),
      eachVector(f, vectors, cursors, (offset) =>
        sequence(
          left.take(offset),
          ...pairs.map(({ right }) => right.take(offset)),
          left.updateVector(offset, pairs),
          ...pairs.map((pair) => pair.right.updateVector(offset, [pair])),
        ),
      ),
    );
  }

  private get scratch(): Code<'i32'> {
    return i32.add(get(this.inputs.run), i32.const(RUN.scratch));
  }

  /** The dot product of a pair, and on the way the norms that their scalars need. */
  private dot({ left, right, dot }: Pair, isFirst: boolean): Code<'void'> {
    const { sums, vectors, held, f } = this;
    const withLeft = left.needsNorm && isFirst;
    const square = ({ element }: PairSide) => f32x4.mul(get(element), get(element));
    const total = sums.dot.total(vectors, held);
    const used = [sums.dot, ...(withLeft ? [sums.left] : []), ...(right.needsNorm ? [sums.right] : [])];
    return sequence(
      ...used.map((sum) => sum.start(vectors)),
      eachVector(f, vectors, [left.row, right.row], (offset, j) =>
        sequence(
          left.take(offset),
          right.take(offset),
          sums.dot.add(j, vectors, f32x4.mul(get(left.element), get(right.element))),
          sums.dot.settle(j, vectors, this.scratch),
          ...(withLeft ? [sums.left.add(j, vectors, square(left))] : []),
          ...(right.needsNorm ? [sums.right.add(j, vectors, square(right))] : []),
        ),
      ),
      total.set,
      set(dot, total.value),
      ...(withLeft ? [left.noteNorm(sums.left, vectors, held)] : []),
      ...(right.needsNorm ? [right.noteNorm(sums.right, vectors, held)] : []),
    );
  }

  /** The rates of whole rows, under a rule that takes them from the squares of the gradient. */
  private rowRates(pairs: readonly Pair[]): Code<'void'> {
    const { left, sums, vectors, held, spec, f } = this;
    if (!isPerRow(spec.rule) || left.isLinear) return sequence();
    const cursors = [left.row, ...pairs.map(({ right }) => right.row)];
    // The left row and the first right row in one walk; a group's other rows in walks of their own.
    const walks = pairs.map(({ right }, j) => [
      ...(j === 0 ? [{ side: left, with: pairs, sum: sums.left }] : []),
      { side: right, with: [pairs[j]!], sum: sums.right },
    ]);
    return sequence(
      ...walks.map((parts, j) =>
        sequence(
          ...parts.map(({ sum }) => sum.start(vectors)),
          eachVector(f, vectors, cursors, (offset, at) =>
            sequence(
              left.take(offset),
              ...(j === 0 ? pairs : [pairs[j]!]).map(({ right }) => right.take(offset)),
              ...parts.map((part) => part.side.addSquare(part.with, (square) => part.sum.add(at, vectors, square))),
              ...parts.map(({ sum }) => sum.settle(at, vectors, this.scratch)),
            ),
          ),
          ...parts.map(({ side, sum }) => side.noteRowRate(sum, vectors, held)),
        ),
      ),
    );
  }

  /** The slope of a pair's loss. */
  private loss(pair: Pair, j: number): Code<'void'> {
    const { spec, inputs, f } = this;
    const { left, right, dot, slope } = pair;
    const start = j * ratingBytes(spec.isWeighted);
    const mean: Code<'f32'> = f32.const(spec.mean);
    const bias = spec.hasBiases ? f32.add(f32.add(mean, left.bias()), right.bias()) : mean;
    const score = f.local('f32');
    const predict = set(score, f32.add(bias, pair.scaled(get(dot))));
    const target = f32.load(get(inputs.rating), start + RATING.target);
    const { weight } = pair;
    if (weight === null) return sequence(predict, inputs.emitLoss(f, get(score), target, null, slope, inputs.sum));
    return sequence(
      predict,
      set(weight, f32.load(get(inputs.rating), start + RATING.weight)),
      inputs.emitLoss(f, get(score), target, get(weight), slope, inputs.sum),
    );
  }
}
