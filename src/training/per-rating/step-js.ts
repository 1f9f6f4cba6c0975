// One step of per-rating SGD in plain JavaScript: the definition that step-wasm.ts keeps to the bit, and the engine where
// there is no WebAssembly. A step takes one rating, or up to four of one user; every gradient is taken at its start.

import type { Scheduler } from '../../core/scheduler';
import * as kernels from '../../kernels/dispatch';
import { isPerRow } from '../../kernels/update-rules';
import type { RatingBatch, RatingData } from '../../models/model';
import type { Factor, RowGradient } from '../../optimizers/factor';
import type { StepInfo } from '../../optimizers/optimizer';
import type { Training, TrainingState } from '../fit';
import type { Loss } from '../losses';
import type { OptimizerSink } from '../optimizer-sink';
import type { Batcher } from '../rating-batches';
import { carriesNorms, isLinear, type PerRatingPlan, progressAt, type SideTables, type StepSpec } from './plan';

/** One rating of a step: its user's row, its item's row, and what its loss does to both. */
export class RatingTerm {
  /** <a, b>, of the elements as they meet. */
  dot = 0;
  /** d loss / d score. */
  slope = 0;
  /** The weight of its rating: how often the penalties count. */
  weight = 1;
  /** The product of the scalars of both rows; 1 where there are none. */
  private scale = 1;

  constructor(
    readonly user: RowStep,
    readonly item: RowStep,
  ) {}

  /** Takes the rows as they are. */
  open(): void {
    const { user, item } = this;
    this.scale = Math.fround(user.scale * item.scale);
    this.dot = kernels.dot(user.element, 0, item.element, 0, user.element.length);
  }

  /** A value times the scalars of both rows. */
  scaled(value: number): number {
    return Math.fround(this.scale * value);
  }

  other(row: RowStep): RowStep {
    return row === this.user ? this.item : this.user;
  }

  /** What the other's elements are multiplied by in either gradient. */
  get gradientScale(): number {
    return this.scaled(this.slope);
  }

  /** The same times a rate. */
  linearScale(rate: number): number {
    return Math.fround(this.scaled(rate) * this.slope);
  }
}

// One row of a step: its products, its gradients and their updates, rounded to float32 where step-wasm.ts rounds. Rules
// other than linear ones are the optimizers' own loops.

/** A gradient of one row, rewritten each step. */
interface OneRow extends RowGradient {
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

/** One row of a step. */
export class RowStep {
  /** The row as the other side meets it: x, or the product of a diagonal side. */
  readonly element: Float32Array;
  /** The product of the scalars; 1 where there are none. */
  scale = 1;
  /** |x|^2 where a step needs it. */
  norm = 0;
  private row = 0;
  /** The row of the maps: 0 where all rows share them. */
  private mapRow = 0;
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
    private readonly tables: SideTables,
    spec: StepSpec,
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
    const mapRow = spec.isShared ? 0 : row;
    this.mapRow = mapRow;
    for (let k = 0; k < element.length; k++) element[k] = base[start + k]!;
    if (spec.kind === 'diagonal') {
      for (const { data } of maps)
        for (let k = 0; k < element.length; k++) element[k]! *= data[mapRow * element.length + k]!;
      return;
    }
    this.scale = 1;
    for (const { data } of maps) this.scale = Math.fround(this.scale * data[mapRow]!);
    if (norms !== null) this.norm = norms[row]!;
    else if (spec.kind === 'scalar') this.norm = kernels.dot(element, 0, element, 0, element.length);
  }

  bias(): number {
    return this.tables.bias?.data[this.row] ?? 0;
  }

  /** Works out every gradient of the row; of a linear row's base, what it will be. */
  differentiate(ratings: readonly RatingTerm[], count: number): void {
    const { tables, scale, row } = this;
    const { kind } = tables.spec;
    const weight = this.isWeighted ? weightOf(ratings, count) : count;
    const decay = penalty(tables.decay[row]!, weight);
    const own = kind === 'scalar' ? Math.fround(scale * Math.fround(decay * scale)) : decay;
    if (this.isLinear) this.moveBase(ratings, count, own);
    else this.differentiateProduct(ratings, count, own);
    if (kind === 'scalar') this.differentiateScalars(ratings, count, decay);
    else if (kind === 'diagonal') this.differentiateDiagonals();
    if (tables.bias === null) return;
    let slopes = ratings[0]!.slope;
    for (let j = 1; j < count; j++) slopes = Math.fround(slopes + ratings[j]!.slope);
    this.biasGradient.values[0] =
      slopes + Math.fround(penalty(tables.biasDecay[row]!, weight) * tables.bias.data[row]!);
  }

  /** Makes the updates. */
  update(): void {
    const { tables, row, mapRow, along, base, gradients, biasGradient, norms } = this;
    if (this.isLinear) {
      const start = row * along.length;
      for (let k = 0; k < along.length; k++) base[start + k] = along[k]!;
    }
    if (norms !== null) norms[row] = this.nextNorm;
    for (let l = this.isLinear ? 1 : 0; l < gradients.length; l++) {
      const { factor, gradient } = gradients[l]!;
      gradient.ids[0] = l === 0 ? row : mapRow;
      this.sink.accept(factor, gradient);
    }
    if (tables.bias === null) return;
    biasGradient.ids[0] = row;
    this.sink.accept(tables.bias, biasGradient);
  }

  /** The linear rule: x' = (1 - rate own) x - pull y, for each rating in turn. */
  private moveBase(ratings: readonly RatingTerm[], count: number, own: number): void {
    const { along, element } = this;
    const base = Math.fround(this.step.learningRateOf(this.tables.base));
    const rate = this.sums === null ? base : this.rowRate(ratings[0]!, base, own);
    const a = Math.fround(1 - Math.fround(rate * own));
    for (let k = 0; k < along.length; k++) along[k] = a * element[k]!;
    for (let j = 0; j < count; j++) {
      const b = this.linearScale(ratings[j]!, rate);
      const theirs = ratings[j]!.other(this).element;
      for (let k = 0; k < along.length; k++) along[k] = along[k]! - Math.fround(b * theirs[k]!);
    }
    if (this.norms !== null) this.nextNorm = this.moveNorm(ratings[0]!, a, rate);
  }

  /** What a linear step subtracts of the other's elements. */
  private linearScale(rating: RatingTerm, rate: number): number {
    return this.sums === null ? rating.linearScale(rate) : Math.fround(rate * rating.gradientScale);
  }

  /** The rate from the row's sum, which the mean square of the gradient c1 y + c2 x is added to. */
  private rowRate(rating: RatingTerm, rate: number, c2: number): number {
    const { sums, row, norm } = this;
    const c1 = rating.gradientScale;
    const cross = Math.fround(Math.fround(2 * c2) * rating.dot);
    const theirs = Math.fround(c1 * Math.fround(Math.fround(c1 * rating.other(this).norm) + cross));
    const squares = Math.fround(theirs + Math.fround(Math.fround(c2 * c2) * norm));
    sums![row] = sums![row]! + Math.fround(Math.max(squares, 0) * Math.fround(1 / this.element.length));
    return Math.fround(rate / Math.fround(Math.fround(Math.sqrt(sums![row]!)) + this.epsilon));
  }

  /** |a x - b y|^2 = a (a |x|^2 - 2 b <x, y>) + b^2 |y|^2: no look at the row. */
  private moveNorm(rating: RatingTerm, a: number, rate: number): number {
    const b = this.linearScale(rating, rate);
    const cross = Math.fround(Math.fround(2 * b) * rating.dot);
    const own = Math.fround(a * Math.fround(Math.fround(a * this.norm) - cross));
    return Math.fround(own + Math.fround(Math.fround(b * b) * rating.other(this).norm));
  }

  /** The gradient by x, or by the product of a diagonal side: towards y, for each rating in turn, and own x. */
  private differentiateProduct(ratings: readonly RatingTerm[], count: number, own: number): void {
    const { along, element } = this;
    for (let j = 0; j < count; j++) {
      const { gradientScale } = ratings[j]!;
      const theirs = ratings[j]!.other(this).element;
      if (j === 0) for (let k = 0; k < along.length; k++) along[k] = gradientScale * theirs[k]!;
      else for (let k = 0; k < along.length; k++) along[k] = along[k]! + Math.fround(gradientScale * theirs[k]!);
    }
    for (let k = 0; k < along.length; k++) along[k] = along[k]! + Math.fround(own * element[k]!);
  }

  private differentiateScalars(ratings: readonly RatingTerm[], count: number, decay: number): void {
    const { gradients, tables, mapRow, norm, scale } = this;
    let along = 0;
    for (let j = 0; j < count; j++) {
      const rating = ratings[j]!;
      const term = Math.fround(rating.other(this).scale * Math.fround(rating.slope * rating.dot));
      along = j === 0 ? term : Math.fround(along + term);
    }
    along = Math.fround(along + Math.fround(Math.fround(decay * scale) * norm));
    const { maps } = tables;
    for (let l = 0; l < maps.length; l++) {
      let product = 1;
      for (let m = 0; m < maps.length; m++) if (m !== l) product = Math.fround(product * maps[m]!.data[mapRow]!);
      gradients[l + 1]!.gradient.values[0] = along * product;
    }
  }

  private differentiateDiagonals(): void {
    const { gradients, tables, row, mapRow, along } = this;
    const factors = [tables.base, ...tables.maps];
    const [start, mapStart] = [row * along.length, mapRow * along.length];
    for (let l = 0; l < factors.length; l++) {
      const { values } = gradients[l]!.gradient;
      for (let k = 0; k < along.length; k++) {
        let product = 1;
        for (let m = 1; m < factors.length; m++)
          if (m !== l) product = Math.fround(product * factors[m]!.data[mapStart + k]!);
        values[k] = (l === 0 ? along[k]! : Math.fround(along[k]! * factors[0]!.data[start + k]!)) * product;
      }
    }
  }
}

/** |x|^2 of every row, where rows carry it along: taken anew each epoch, so that rounding does not add up over a fit. */
export function normsOf(spec: StepSpec, { base, rows }: SideTables, norms: Float32Array | null): Float32Array | null {
  if (!carriesNorms(spec)) return null;
  const { data, cols } = base;
  const fresh = norms ?? new Float32Array(rows);
  for (let row = 0; row < rows; row++) fresh[row] = kernels.dot(data, row * cols, data, row * cols, cols);
  return fresh;
}

/** The weight of the ratings of a step. */
function weightOf(ratings: readonly RatingTerm[], count: number): number {
  let sum = ratings[0]!.weight;
  for (let j = 1; j < count; j++) sum = Math.fround(sum + ratings[j]!.weight);
  return sum;
}

/** A penalty counts once for each rating of the step, as much as it weighs. */
function penalty(decay: number, weight: number): number {
  return Math.fround(weight * decay);
}

function oneRow(cols: number): OneRow {
  return { ids: new Int32Array(1), count: 1, values: new Float32Array(cols) };
}

/** Ratings asked for at once. */
const BLOCK = 512;

/** The engine in JavaScript. */
export class JsEngine implements Training {
  private readonly user: RowStep;
  private readonly terms: readonly RatingTerm[];
  /** Each rating in a list of its own: what an item row is given. */
  private readonly single: readonly (readonly [RatingTerm])[];
  private readonly norms: { readonly user: Float32Array | null; readonly item: Float32Array | null };
  private readonly scored = {
    scores: new Float32Array(1),
    targets: new Float32Array(1),
    weights: null as Float32Array | null,
    count: 1,
  };
  private readonly slope = new Float32Array(1);

  constructor(
    private readonly plan: PerRatingPlan,
    /** Prepared already. */
    private readonly batcher: Batcher<RatingBatch>,
    private readonly sink: OptimizerSink,
    private readonly loss: Loss,
    private readonly data: Pick<RatingData, 'size' | 'ratings'>,
    private readonly epochs: number,
  ) {
    const { spec, user, item } = plan;
    this.norms = { user: normsOf(spec, user, null), item: normsOf(spec, item, null) };
    this.user = new RowStep(user, spec, sink.rates, sink, this.norms.user);
    const itemRow = () => new RowStep(item, spec, sink.rates, sink, this.norms.item);
    this.terms = Array.from({ length: spec.grouping }, () => new RatingTerm(this.user, itemRow()));
    this.single = this.terms.map((rating) => [rating]);
    if (spec.isWeighted) this.scored.weights = new Float32Array(1);
  }

  get rates() {
    return this.sink.rates;
  }

  async epoch(epoch: number, scheduler: Scheduler): Promise<number> {
    const { batcher, rates, epochs, plan, norms, data } = this;
    batcher.begin(epoch);
    normsOf(plan.spec, plan.user, norms.user);
    normsOf(plan.spec, plan.item, norms.item);
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
      if (scheduler.isDue(batch.count)) await scheduler.yieldNow();
    }
    return (total + sum) / (data.ratings ?? data.size);
  }

  async readState(): Promise<TrainingState> {
    return { slots: this.sink.readState(), steps: 0 };
  }

  async writeState({ slots }: TrainingState): Promise<void> {
    this.sink.writeState(slots);
  }

  /** One step on the ratings from `at` on; returns `sum` and their losses. */
  private step(batch: RatingBatch, at: number, size: number, sum: number): number {
    const { user, terms, single, scored, slope, loss } = this;
    const { mean } = this.plan.spec;
    let losses = sum;
    user.open(batch.users[at]!);
    for (let j = 0; j < size; j++) {
      const rating = terms[j]!;
      rating.item.open(batch.items[at + j]!);
      rating.open();
      const biased = Math.fround(Math.fround(mean + user.bias()) + rating.item.bias());
      scored.scores[0] = biased + rating.scaled(rating.dot);
      scored.targets[0] = batch.targets[at + j]!;
      if (scored.weights !== null) {
        rating.weight = batch.weights![at + j]!;
        scored.weights[0] = rating.weight;
      }
      losses += loss.evaluate(scored, slope);
      rating.slope = slope[0]!;
    }
    // Gradients are all taken where the step begins.
    user.differentiate(terms, size);
    for (let j = 0; j < size; j++) terms[j]!.item.differentiate(single[j]!, 1);
    user.update();
    for (let j = 0; j < size; j++) terms[j]!.item.update();
    return losses;
  }
}
