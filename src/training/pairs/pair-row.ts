// One row of a step in plain JavaScript: its products, its gradients and their updates, rounded to float32 where
// kernels/pairs/pair-side.ts rounds. Rules other than linear ones are the optimizers' own loops.

import { carriesNorms, isLinear, type PairSpec } from '../../kernels/pairs/pair-spec';
import { isPerRow } from '../../kernels/pairs/rules';
import { kernels } from '../../kernels/select';
import type { Factor, RowGradient } from '../../optimizers/factor';
import type { StepInfo } from '../../optimizers/optimizer';
import type { OptimizerSink } from '../optimizer-sink';
import type { PairTables } from './plan-pairs';
import type { RowPair } from './row-pair';

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
