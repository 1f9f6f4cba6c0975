// One row of a step in plain JavaScript: its products, its gradients and their updates, rounded to float32 where
// kernels/pairs/pair-side.ts rounds. Rules other than linear ones are the optimizers' own loops.

import { isLinear, type PairSpec } from '../../kernels/pairs/pair-spec';
import { kernels } from '../../kernels/select';
import type { Factor, RowGradient } from '../../optimizers/factor';
import type { StepInfo } from '../../optimizers/optimizer';
import type { OptimizerSink } from '../optimizer-sink';
import type { PairTables } from './plan-pairs';

const { fround } = Math;

/** What a row knows of another row of the step. */
export interface RowPartner {
  readonly row: PairRow;
  /** d loss / d score of the pair. */
  slope: number;
  /** <a, b>, of the rows as they meet. */
  dot: number;
}

/** A gradient of one row, rewritten each step. */
interface OneRow extends RowGradient {
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

/** One row of a step. */
export class PairRow {
  /** The row as the other side meets it: x, or the product of a diagonal side. */
  readonly element: Float32Array;
  private row = 0;
  private scale = 1;
  private norm = 0;
  private readonly isLinear: boolean;
  private readonly base: Float32Array;
  private readonly gradients: readonly { factor: Factor; gradient: OneRow }[];
  private readonly biasGradient: OneRow;
  /** The gradient by the row as the other side meets it; of a linear row, its new base. */
  private readonly along: Float32Array;

  constructor(
    private readonly tables: PairTables,
    spec: PairSpec,
    private readonly step: StepInfo,
    private readonly sink: OptimizerSink,
  ) {
    this.isLinear = isLinear(spec, tables.spec);
    this.base = tables.base.data as Float32Array;
    this.element = new Float32Array(spec.rank);
    this.gradients = [tables.base, ...tables.maps].map((factor) => ({ factor, gradient: oneRow(factor.cols) }));
    this.along = tables.spec.kind === 'diagonal' ? new Float32Array(spec.rank) : this.gradients[0]!.gradient.values;
    this.biasGradient = oneRow(1);
  }

  /** Goes to a row. */
  open(row: number): void {
    this.row = row;
    const { element, base, tables } = this;
    const { maps, spec } = tables;
    const start = row * element.length;
    for (let k = 0; k < element.length; k++) element[k] = base[start + k]!;
    if (spec.kind === 'scalar') {
      this.scale = maps[0]!.data[row]!;
      for (let l = 1; l < maps.length; l++) this.scale = fround(this.scale * maps[l]!.data[row]!);
      this.norm = kernels.dot(element, 0, element, 0, element.length);
    } else if (spec.kind === 'diagonal') {
      for (const { data } of maps) for (let k = 0; k < element.length; k++) element[k]! *= data[start + k]!;
    }
  }

  /** A value times the product of the scalars. */
  scaled(value: number): number {
    return this.tables.spec.kind === 'scalar' ? fround(this.scale * value) : value;
  }

  /** <a, b>, of the rows as they meet. */
  dotWith(other: PairRow, rank: number): number {
    return kernels.dot(this.element, 0, other.element, 0, rank);
  }

  bias(): number {
    return this.tables.bias?.data[this.row] ?? 0;
  }

  /** Works out every gradient of the row; of a linear row's base, what it will be. */
  differentiate(partners: readonly RowPartner[], count: number): void {
    const { tables, scale, row } = this;
    const { kind } = tables.spec;
    const decay = this.penalty(tables.decay, count);
    const own = kind === 'scalar' ? fround(fround(scale * scale) * decay) : decay;
    if (this.isLinear) this.moveBase(partners, count, own);
    else this.differentiateProduct(partners, count, own);
    if (kind === 'scalar') this.differentiateScalars(partners, count, decay);
    else if (kind === 'diagonal') this.differentiateDiagonals();
    if (tables.bias === null) return;
    let slopes = partners[0]!.slope;
    for (let j = 1; j < count; j++) slopes = fround(slopes + partners[j]!.slope);
    this.biasGradient.values[0] = slopes + fround(this.penalty(tables.biasDecay, count) * tables.bias.data[row]!);
  }

  /** Makes the updates. */
  update(): void {
    const { tables, row, along, base, gradients, biasGradient } = this;
    if (this.isLinear) {
      const start = row * along.length;
      for (let k = 0; k < along.length; k++) base[start + k] = along[k]!;
    }
    for (let l = this.isLinear ? 1 : 0; l < gradients.length; l++) {
      const { factor, gradient } = gradients[l]!;
      gradient.ids[0] = row;
      this.sink.accept(factor, gradient);
    }
    if (tables.bias === null) return;
    biasGradient.ids[0] = row;
    this.sink.accept(tables.bias, biasGradient);
  }

  /** The linear rule: x' = (1 - rate own) x - (rate towards) theirs, for each partner in turn. */
  private moveBase(partners: readonly RowPartner[], count: number, own: number): void {
    const { along, element } = this;
    const rate = fround(this.step.learningRateOf(this.tables.base));
    const a = fround(1 - fround(rate * own));
    for (let k = 0; k < along.length; k++) along[k] = a * element[k]!;
    for (let j = 0; j < count; j++) {
      const b = fround(rate * this.towards(partners[j]!));
      const theirs = partners[j]!.row.element;
      for (let k = 0; k < along.length; k++) along[k] = along[k]! - fround(b * theirs[k]!);
    }
  }

  /** The gradient by x, or by the product of a diagonal side: towards theirs, for each partner in turn, and own x. */
  private differentiateProduct(partners: readonly RowPartner[], count: number, own: number): void {
    const { along, element } = this;
    for (let j = 0; j < count; j++) {
      const towards = this.towards(partners[j]!);
      const theirs = partners[j]!.row.element;
      if (j === 0) for (let k = 0; k < along.length; k++) along[k] = towards * theirs[k]!;
      else for (let k = 0; k < along.length; k++) along[k] = along[k]! + fround(towards * theirs[k]!);
    }
    for (let k = 0; k < along.length; k++) along[k] = along[k]! + fround(own * element[k]!);
  }

  /** What a partner's elements are multiplied by in this row's gradient. */
  private towards({ row, slope }: RowPartner): number {
    return row.scaled(this.scaled(slope));
  }

  private differentiateScalars(partners: readonly RowPartner[], count: number, decay: number): void {
    const { gradients, tables, row, norm, scale } = this;
    let along = 0;
    for (let j = 0; j < count; j++) {
      const { row: other, slope, dot } = partners[j]!;
      const term = fround(other.scaled(slope) * dot);
      along = j === 0 ? term : fround(along + term);
    }
    along = fround(along + fround(fround(decay * scale) * norm));
    const { maps } = tables;
    for (let l = 0; l < maps.length; l++) {
      let others = 0;
      let product = 1;
      for (let m = 0; m < maps.length; m++) {
        if (m === l) continue;
        product = others++ === 0 ? maps[m]!.data[row]! : fround(product * maps[m]!.data[row]!);
      }
      gradients[l + 1]!.gradient.values[0] = others === 0 ? along : along * product;
    }
  }

  private differentiateDiagonals(): void {
    const { gradients, tables, row, along } = this;
    const factors = [tables.base, ...tables.maps];
    const start = row * along.length;
    for (let l = 0; l < factors.length; l++) {
      const { values } = gradients[l]!.gradient;
      for (let k = 0; k < along.length; k++) {
        let others = 0;
        let product = 1;
        for (let m = 1; m < factors.length; m++) {
          if (m === l) continue;
          product = others++ === 0 ? factors[m]!.data[start + k]! : fround(product * factors[m]!.data[start + k]!);
        }
        const h = l === 0 ? along[k]! : fround(along[k]! * factors[0]!.data[start + k]!);
        values[k] = others === 0 ? h : h * product;
      }
    }
  }

  /** A penalty counts once for each rating of the step. */
  private penalty(decay: Float32Array, ratings: number): number {
    return fround(ratings * decay[this.row]!);
  }
}

function oneRow(cols: number): OneRow {
  return { ids: new Int32Array(1), count: 1, values: new Float32Array(cols) };
}
