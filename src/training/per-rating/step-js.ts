// What a step knows of one pair of rows, in JavaScript: training/per-rating/step-wasm.ts is its twin.

import type { Turns } from '../../core/turns';
import { kernels } from '../../kernels/select';
import { isPerRow } from '../../kernels/update-rules';
import type { RatingBatch } from '../../models/model';
import type { Factor, RowGradient } from '../../optimizers/factor';
import type { LearningRates } from '../../optimizers/learning-rate';
import type { StepInfo } from '../../optimizers/optimizer';
import type { Loss } from '../loss';
import type { OptimizerSink } from '../optimizer-sink';
import type { Batcher } from '../rating-batches';
import type { TrainerState } from '../rule-state';
import type { PairEngine } from '../step-engine';
import type { PairPlan, PairTables } from './plan';
import { carriesNorms, isLinear, type PairSpec, progressAt } from './spec';

/** A pair of rows. */
export class RowPair {
  /** <a, b>, of the elements as they meet. */
  dot = 0;
  /** d loss / d score. */
  slope = 0;
  /** The weight of its rating: how often the penalties count. */
  weight = 1;
  /** The product of the scalars of both rows; 1 where there are none. */
  private scale = 1;

  constructor(
    readonly left: PairRow,
    readonly right: PairRow,
  ) {}

  /** Takes the rows as they are. */
  open(): void {
    const { left, right } = this;
    this.scale = Math.fround(left.scale * right.scale);
    this.dot = kernels.dot(left.element, 0, right.element, 0, left.element.length);
  }

  /** A value times the scalars of both rows. */
  scaled(value: number): number {
    return Math.fround(this.scale * value);
  }

  other(row: PairRow): PairRow {
    return row === this.left ? this.right : this.left;
  }

  /** What the other's elements are multiplied by in either gradient. */
  get towards(): number {
    return this.scaled(this.slope);
  }

  /** The same times a rate. */
  pull(rate: number): number {
    return Math.fround(this.scaled(rate) * this.slope);
  }
}

// One row of a step in plain JavaScript: its products, its gradients and their updates, rounded to float32 where
// training/per-rating/step-wasm.ts rounds. Rules other than linear ones are the optimizers' own loops.

/** A gradient of one row, rewritten each step. */
interface OneRow extends RowGradient {
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

/** One row of a step. */
export class PairRow {
  /** The row as the other side meets it: x, or the product of a diagonal side. */
  readonly element: Float32Array;
  /** The product of the scalars; 1 where there are none. */
  scale = 1;
  /** |x|^2 where a step needs it. */
  norm = 0;
  private row = 0;
  private readonly isLinear: boolean;
  private readonly isWeighted: boolean;
  private readonly base: Float32Array;
  private readonly gradients: readonly { factor: Factor; gradient: OneRow }[];
  private readonly biasGradient: OneRow;
  /** The gradient by the row as the other side meets it; of a linear row, its new base. */
  private readonly along: Float32Array;
  private nextNorm = 0;
  /** The sums of squares of a rule that has one a row, where steps are linear. */
  private readonly sums: Float32Array | null;
  private readonly epsilon: number;

  constructor(
    private readonly tables: PairTables,
    spec: PairSpec,
    private readonly step: StepInfo,
    private readonly sink: OptimizerSink,
    /** |x|^2 of every row, where rows carry it along. */
    private readonly norms: Float32Array | null,
  ) {
    this.isLinear = isLinear(spec, tables.spec);
    this.isWeighted = spec.isWeighted;
    this.base = tables.base.data as Float32Array;
    const { rule } = spec;
    this.sums = this.isLinear && isPerRow(rule) ? (sink.stateOf(tables.base)[0] as Float32Array) : null;
    this.epsilon = isPerRow(rule) ? Math.fround(rule.epsilon) : 0;
    this.element = new Float32Array(spec.rank);
    this.gradients = [tables.base, ...tables.maps].map((factor) => ({ factor, gradient: oneRow(factor.cols) }));
    this.along = tables.spec.kind === 'diagonal' ? new Float32Array(spec.rank) : this.gradients[0]!.gradient.values;
    this.biasGradient = oneRow(1);
  }

  /** Goes to a row. */
  open(row: number): void {
    this.row = row;
    const { element, base, tables, norms } = this;
    const { maps, spec } = tables;
    const start = row * element.length;
    for (let k = 0; k < element.length; k++) element[k] = base[start + k]!;
    if (spec.kind === 'diagonal') {
      for (const { data } of maps) for (let k = 0; k < element.length; k++) element[k]! *= data[start + k]!;
      return;
    }
    this.scale = 1;
    for (const { data } of maps) this.scale = Math.fround(this.scale * data[row]!);
    if (norms !== null) this.norm = norms[row]!;
    else if (spec.kind === 'scalar') this.norm = kernels.dot(element, 0, element, 0, element.length);
  }

  bias(): number {
    return this.tables.bias?.data[this.row] ?? 0;
  }

  /** Works out every gradient of the row; of a linear row's base, what it will be. */
  differentiate(pairs: readonly RowPair[], count: number): void {
    const { tables, scale, row } = this;
    const { kind } = tables.spec;
    const ratings = this.isWeighted ? weightOf(pairs, count) : count;
    const decay = penalty(tables.decay[row]!, ratings);
    const own = kind === 'scalar' ? Math.fround(scale * Math.fround(decay * scale)) : decay;
    if (this.isLinear) this.moveBase(pairs, count, own);
    else this.differentiateProduct(pairs, count, own);
    if (kind === 'scalar') this.differentiateScalars(pairs, count, decay);
    else if (kind === 'diagonal') this.differentiateDiagonals();
    if (tables.bias === null) return;
    let slopes = pairs[0]!.slope;
    for (let j = 1; j < count; j++) slopes = Math.fround(slopes + pairs[j]!.slope);
    this.biasGradient.values[0] =
      slopes + Math.fround(penalty(tables.biasDecay[row]!, ratings) * tables.bias.data[row]!);
  }

  /** Makes the updates. */
  update(): void {
    const { tables, row, along, base, gradients, biasGradient, norms } = this;
    if (this.isLinear) {
      const start = row * along.length;
      for (let k = 0; k < along.length; k++) base[start + k] = along[k]!;
    }
    if (norms !== null) norms[row] = this.nextNorm;
    for (let l = this.isLinear ? 1 : 0; l < gradients.length; l++) {
      const { factor, gradient } = gradients[l]!;
      gradient.ids[0] = row;
      this.sink.accept(factor, gradient);
    }
    if (tables.bias === null) return;
    biasGradient.ids[0] = row;
    this.sink.accept(tables.bias, biasGradient);
  }

  /** The linear rule: x' = (1 - rate own) x - pull y, for each pair in turn. */
  private moveBase(pairs: readonly RowPair[], count: number, own: number): void {
    const { along, element } = this;
    const base = Math.fround(this.step.learningRateOf(this.tables.base));
    const rate = this.sums === null ? base : this.rowRate(pairs[0]!, base, own);
    const a = Math.fround(1 - Math.fround(rate * own));
    for (let k = 0; k < along.length; k++) along[k] = a * element[k]!;
    for (let j = 0; j < count; j++) {
      const b = this.pull(pairs[j]!, rate);
      const theirs = pairs[j]!.other(this).element;
      for (let k = 0; k < along.length; k++) along[k] = along[k]! - Math.fround(b * theirs[k]!);
    }
    if (this.norms !== null) this.nextNorm = this.moveNorm(pairs[0]!, a, rate);
  }

  /** What a linear step subtracts of the other's elements. */
  private pull(pair: RowPair, rate: number): number {
    return this.sums === null ? pair.pull(rate) : Math.fround(rate * pair.towards);
  }

  /** The rate from the row's sum, which the mean square of the gradient c1 y + c2 x is added to. */
  private rowRate(pair: RowPair, rate: number, c2: number): number {
    const { sums, row, norm } = this;
    const c1 = pair.towards;
    const cross = Math.fround(Math.fround(2 * c2) * pair.dot);
    const theirs = Math.fround(c1 * Math.fround(Math.fround(c1 * pair.other(this).norm) + cross));
    const squares = Math.fround(theirs + Math.fround(Math.fround(c2 * c2) * norm));
    sums![row] = sums![row]! + Math.fround(Math.max(squares, 0) * Math.fround(1 / this.element.length));
    return Math.fround(rate / Math.fround(Math.fround(Math.sqrt(sums![row]!)) + this.epsilon));
  }

  /** |a x - b y|^2 = a (a |x|^2 - 2 b <x, y>) + b^2 |y|^2: no look at the row. */
  private moveNorm(pair: RowPair, a: number, rate: number): number {
    const b = this.pull(pair, rate);
    const cross = Math.fround(Math.fround(2 * b) * pair.dot);
    const own = Math.fround(a * Math.fround(Math.fround(a * this.norm) - cross));
    return Math.fround(own + Math.fround(Math.fround(b * b) * pair.other(this).norm));
  }

  /** The gradient by x, or by the product of a diagonal side: towards y, for each pair in turn, and own x. */
  private differentiateProduct(pairs: readonly RowPair[], count: number, own: number): void {
    const { along, element } = this;
    for (let j = 0; j < count; j++) {
      const { towards } = pairs[j]!;
      const theirs = pairs[j]!.other(this).element;
      if (j === 0) for (let k = 0; k < along.length; k++) along[k] = towards * theirs[k]!;
      else for (let k = 0; k < along.length; k++) along[k] = along[k]! + Math.fround(towards * theirs[k]!);
    }
    for (let k = 0; k < along.length; k++) along[k] = along[k]! + Math.fround(own * element[k]!);
  }

  private differentiateScalars(pairs: readonly RowPair[], count: number, decay: number): void {
    const { gradients, tables, row, norm, scale } = this;
    let along = 0;
    for (let j = 0; j < count; j++) {
      const pair = pairs[j]!;
      const term = Math.fround(pair.other(this).scale * Math.fround(pair.slope * pair.dot));
      along = j === 0 ? term : Math.fround(along + term);
    }
    along = Math.fround(along + Math.fround(Math.fround(decay * scale) * norm));
    const { maps } = tables;
    for (let l = 0; l < maps.length; l++) {
      let product = 1;
      for (let m = 0; m < maps.length; m++) if (m !== l) product = Math.fround(product * maps[m]!.data[row]!);
      gradients[l + 1]!.gradient.values[0] = along * product;
    }
  }

  private differentiateDiagonals(): void {
    const { gradients, tables, row, along } = this;
    const factors = [tables.base, ...tables.maps];
    const start = row * along.length;
    for (let l = 0; l < factors.length; l++) {
      const { values } = gradients[l]!.gradient;
      for (let k = 0; k < along.length; k++) {
        let product = 1;
        for (let m = 1; m < factors.length; m++)
          if (m !== l) product = Math.fround(product * factors[m]!.data[start + k]!);
        values[k] = (l === 0 ? along[k]! : Math.fround(along[k]! * factors[0]!.data[start + k]!)) * product;
      }
    }
  }
}

/** |x|^2 of every row, where rows carry it along: taken anew each epoch, so that rounding does not add up over a fit. */
export function normsOf(spec: PairSpec, { base, rows }: PairTables, norms: Float32Array | null): Float32Array | null {
  if (!carriesNorms(spec)) return null;
  const { data, cols } = base;
  const fresh = norms ?? new Float32Array(rows);
  for (let row = 0; row < rows; row++) fresh[row] = kernels.dot(data, row * cols, data, row * cols, cols);
  return fresh;
}

/** The weight of the ratings of a step. */
function weightOf(pairs: readonly RowPair[], count: number): number {
  let sum = pairs[0]!.weight;
  for (let j = 1; j < count; j++) sum = Math.fround(sum + pairs[j]!.weight);
  return sum;
}

/** A penalty counts once for each rating of the step, as much as it weighs. */
function penalty(decay: number, ratings: number): number {
  return Math.fround(ratings * decay);
}

function oneRow(cols: number): OneRow {
  return { ids: new Int32Array(1), count: 1, values: new Float32Array(cols) };
}

// Steps on pairs of rows in plain JavaScript: the definition that the WebAssembly program keeps to the bit, and what
// trains where there is no WebAssembly.

/** Ratings asked for at once. */
const BLOCK = 512;

/** The engine in JavaScript. */
export class JsPairs implements PairEngine {
  private readonly left: PairRow;
  private readonly pairs: readonly RowPair[];
  /** Each pair in a list of its own: what a right row is given. */
  private readonly single: readonly (readonly [RowPair])[];
  private readonly norms: { readonly left: Float32Array | null; readonly right: Float32Array | null };
  private readonly scored = {
    scores: new Float32Array(1),
    targets: new Float32Array(1),
    weights: null as Float32Array | null,
    count: 1,
  };
  private readonly slope = new Float32Array(1);
  private isPrepared = false;

  constructor(
    private readonly plan: PairPlan,
    private readonly batcher: Batcher<RatingBatch>,
    private readonly rates: LearningRates,
    private readonly sink: OptimizerSink,
    private readonly loss: Loss,
    private readonly epochs: number,
  ) {
    const { spec, left, right } = plan;
    this.norms = { left: normsOf(spec, left, null), right: normsOf(spec, right, null) };
    this.left = new PairRow(left, spec, rates, sink, this.norms.left);
    const rightRow = () => new PairRow(right, spec, rates, sink, this.norms.right);
    this.pairs = Array.from({ length: spec.grouping }, () => new RowPair(this.left, rightRow()));
    this.single = this.pairs.map((pair) => [pair]);
    if (spec.isWeighted) this.scored.weights = new Float32Array(1);
  }

  async epoch(epoch: number, turns: Turns): Promise<number> {
    const { batcher, rates, epochs, plan, norms } = this;
    if (!this.isPrepared) await batcher.prepare(turns);
    this.isPrepared = true;
    batcher.begin(epoch);
    normsOf(plan.spec, plan.left, norms.left);
    normsOf(plan.spec, plan.right, norms.right);
    const { steps } = batcher;
    let total = 0;
    // The losses of a visit are added up by themselves, as threads do, and visits in their order.
    let visit = 0;
    let sum = 0;
    let step = 0;
    for (let batch = batcher.next(BLOCK); batch !== null; batch = batcher.next(BLOCK)) {
      if (batch.visit !== visit) {
        total += sum;
        sum = 0;
        visit = batch.visit;
      }
      for (let at = 0; at < batch.count; step++) {
        const size = batch.sizes?.[at] ?? 1;
        rates.begin((epoch - 1) * steps + step + 1, progressAt(step, steps, epoch, epochs));
        sum = this.step(batch, at, size, sum);
        at += size;
      }
      if (turns.isDue(batch.count)) await turns.breathe();
    }
    return total + sum;
  }

  async readState(): Promise<TrainerState> {
    return { slots: this.sink.readState(), steps: 0 };
  }

  async writeState({ slots }: TrainerState): Promise<void> {
    this.sink.writeState(slots);
  }

  dispose(): void {}

  /** One step on the ratings from `at` on; returns `sum` and their losses. */
  private step(batch: RatingBatch, at: number, size: number, sum: number): number {
    const { left, pairs, single, scored, slope, loss } = this;
    const { mean } = this.plan.spec;
    let losses = sum;
    left.open(batch.users[at]!);
    for (let j = 0; j < size; j++) {
      const pair = pairs[j]!;
      pair.right.open(batch.items[at + j]!);
      pair.open();
      const biased = Math.fround(Math.fround(mean + left.bias()) + pair.right.bias());
      scored.scores[0] = biased + pair.scaled(pair.dot);
      scored.targets[0] = batch.targets[at + j]!;
      if (scored.weights !== null) {
        pair.weight = batch.weights![at + j]!;
        scored.weights[0] = pair.weight;
      }
      losses += loss.evaluate(scored, slope);
      pair.slope = slope[0]!;
    }
    // Gradients are all taken where the step begins.
    left.differentiate(pairs, size);
    for (let j = 0; j < size; j++) pairs[j]!.right.differentiate(single[j]!, 1);
    left.update();
    for (let j = 0; j < size; j++) pairs[j]!.right.update();
    return losses;
  }
}
