// One side of a step in WebAssembly: a row, its products, its gradients and their updates. Which vectors and numbers a
// row has, and where, is in row-layout.ts; what the rules do to them in rules.ts.

import { type Code, f32, f32x4, get, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import { CellUpdates } from './cell-updates';
import type { LaneSum } from './lanes';
import type { Pair } from './pair';
import { isLinear, type PairSideSpec, type PairSpec } from './pair-spec';
import type { Pull } from './pull';
import { type RowLayout, rowLayout } from './row-layout';
import { RowRate } from './row-rate';
import { isPerRow } from './rules';

/** The rates of a step. */
export interface RateLocals {
  readonly base: Local<'f32'>;
  readonly map: Local<'f32'>;
  readonly bias: Local<'f32'>;
  readonly root: Local<'f32'>;
}

/** The rates of a step in every lane. */
export interface RateVectors {
  readonly base: Local<'v128'>;
  readonly map: Local<'v128'>;
  readonly root: Local<'v128'>;
}

/** The code of one row of a step. */
export class PairSide {
  readonly layout: RowLayout;
  readonly row: Local<'i32'>;
  /** The vector in hand, as the other side meets it: x, or the product of a diagonal side. */
  readonly element: Local<'v128'>;
  readonly isLinear: boolean;
  /** The product of the scalars. */
  readonly scale: Local<'f32'> | null;
  /** |x|^2 where a step needs it. */
  readonly norm: Local<'f32'>;
  /** The base and the diagonals of the vector in hand. */
  private readonly parts: readonly Local<'v128'>[];
  /** What the own elements are multiplied by: in the gradient, or in the new row of a linear side. */
  private readonly own: Local<'f32'>;
  private readonly ownVector: Local<'v128'>;
  /** The strength of the penalty. */
  private readonly decay: Local<'f32'>;
  /** That times the product of the scalars. */
  private readonly scaledDecay: Local<'f32'>;
  /** The rate of the row, under a rule that has one. */
  private readonly rowRate: RowRate;
  private readonly updates: CellUpdates;

  constructor(
    private readonly f: FunctionBuilder<'void'>,
    spec: PairSpec,
    side: PairSideSpec,
    private readonly rule: PairSpec['rule'],
    private readonly rates: RateLocals,
    private readonly vectors: RateVectors,
  ) {
    this.layout = rowLayout(spec, side);
    this.isLinear = isLinear(spec, side);
    this.row = f.local('i32');
    this.element = f.local('v128');
    this.scale = side.kind === 'scalar' ? f.local('f32') : null;
    this.norm = f.local('f32');
    const parts = side.kind === 'diagonal' ? side.maps + 1 : 0;
    this.parts = Array.from({ length: parts }, () => f.local('v128'));
    this.own = f.local('f32');
    this.ownVector = f.local('v128');
    this.decay = f.local('f32');
    this.scaledDecay = f.local('f32');
    this.rowRate = new RowRate(f, spec, this.layout, this.row, rates.base);
    this.updates = new CellUpdates(f, this.row, rule, { number: rates.root, vector: vectors.root });
  }

  /** Whether a step has to add up |x|^2, for the penalty's part in the gradient of a scalar. */
  get needsNorm(): boolean {
    return this.scale !== null && this.layout.norm === null;
  }

  /** Goes to a row. */
  open(address: Code<'i32'>): Code<'void'> {
    return set(this.row, address);
  }

  /** Takes the row's numbers, once the vectors have been looked at: together they are more than there are registers. */
  takeNumbers(): Code<'void'> {
    const { scale, layout } = this;
    const [first, ...rest] = layout.scalars;
    return sequence(
      set(this.decay, this.number(layout.decay)),
      ...(layout.norm === null ? [] : [set(this.norm, this.number(layout.norm))]),
      ...(scale === null ? [] : [set(scale, this.number(first!.at))]),
      ...rest.map(({ at }) => set(scale!, f32.mul(get(scale!), this.number(at)))),
    );
  }

  /** Takes the vector at an offset in hand. */
  take(offset: number): Code<'void'> {
    const { layout, parts, element } = this;
    if (parts.length === 0) return set(element, this.vector(layout.base.at + offset));
    const cells = [layout.base, ...layout.diagonals];
    const product = parts.slice(1).reduce((value, part) => f32x4.mul(value, get(part)), get(parts[0]!));
    return sequence(...parts.map((part, i) => set(part, this.vector(cells[i]!.at + offset))), set(element, product));
  }

  /** Notes |x|^2 from its lanes. */
  noteNorm(sum: LaneSum, vectors: number, held: Local<'v128'>): Code<'void'> {
    const total = sum.total(vectors, held);
    return sequence(total.set, set(this.norm, total.value));
  }

  bias(): Code<'f32'> {
    return this.number(this.layout.bias!.at);
  }

  /**
   * The coefficient c2 of the own elements in the gradient by x, c1 (element of the other) + c2 (own element), or by the
   * product of a diagonal side. A linear side keeps 1 - rate c2 instead.
   */
  coefficient(pairs: readonly Pair[]): Code<'void'> {
    const { scale, rates, own, ownVector, isLinear } = this;
    const hasOwnRate = isLinear && isPerRow(this.rule);
    const rate = hasOwnRate ? this.rowRate.number : rates.base;
    const decay = penalty(get(this.decay), pairs);
    const c2 = scale === null ? decay : f32.mul(get(scale), get(this.scaledDecay));
    return sequence(
      ...(scale === null ? [] : [set(this.scaledDecay, f32.mul(decay, get(scale)))]),
      ...(hasOwnRate ? [set(own, c2), this.takeOwnRate(pairs[0]!)] : []),
      set(own, isLinear ? f32.sub(f32.const(1), f32.mul(get(rate), c2)) : c2),
      set(ownVector, f32x4.splat(get(own))),
    );
  }

  /** The gradient by the vector in hand; the other sides have theirs in hand too. */
  private gradient(pairs: readonly Pair[]): Code<'v128'> {
    const terms = pairs.map((pair) => f32x4.mul(get(pair.towards.vector), get(this.other(pair).element)));
    const own = f32x4.mul(get(this.ownVector), get(this.element));
    return f32x4.add(
      terms.reduce((sum, term) => f32x4.add(sum, term)),
      own,
    );
  }

  /** The same with its weight decay. */
  private decayedGradient(pairs: readonly Pair[]): Code<'v128'> {
    const { weightDecay } = this.rule;
    const decay = f32x4.mul(f32x4.splat(f32.const(weightDecay)), get(this.element));
    return weightDecay === 0 ? this.gradient(pairs) : f32x4.add(this.gradient(pairs), decay);
  }

  /** Adds the square of the gradient by the vector in hand to a sum. */
  addSquare(pairs: readonly Pair[], add: (square: Code<'v128'>) => Code<'void'>): Code<'void'> {
    const g = this.f.local('v128');
    return sequence(set(g, this.decayedGradient(pairs)), add(f32x4.mul(get(g), get(g))));
  }

  /** Takes the row's rate from the lanes of its gradient's squares. */
  noteRowRate(sum: LaneSum, vectors: number, held: Local<'v128'>): Code<'void'> {
    const total = sum.total(vectors, held);
    return sequence(total.set, this.rowRate.take(total.value));
  }

  /** Takes the row's rate from the norms, while `own` is still the coefficient in the gradient. */
  private takeOwnRate(pair: Pair): Code<'void'> {
    const { own, norm, rowRate } = this;
    const { dot, towards } = pair;
    return rowRate.takeFromNorms({ c1: towards.number, c2: own, dot, norm, otherNorm: this.other(pair).norm });
  }

  /** What a linear step subtracts of the other's elements. */
  private pullOf(pair: Pair): Pull {
    return isPerRow(this.rule) ? this.rowRate.pull : pair.pull;
  }

  /** Updates the vector in hand; the other sides have theirs in hand too. */
  updateVector(offset: number, pairs: readonly Pair[]): Code<'void'> {
    const { layout, element, ownVector, vectors } = this;
    const to = (value: Code<'v128'>) => v128.store(get(this.row), value, layout.base.at + offset);
    if (this.isLinear) {
      const terms = pairs.map((pair) => f32x4.mul(get(this.pullOf(pair).vector), get(this.other(pair).element)));
      const own = f32x4.mul(get(ownVector), get(element));
      return to(terms.reduce((value, term) => f32x4.sub(value, term), own));
    }
    if (isPerRow(this.rule)) {
      return to(f32x4.sub(get(element), f32x4.mul(get(this.rowRate.vector), this.decayedGradient(pairs))));
    }
    const gradient = this.f.local('v128');
    const noted = set(gradient, this.gradient(pairs));
    if (this.parts.length === 0)
      return sequence(noted, this.updates.onVector(layout.base, get(element), get(gradient), vectors.base, offset));
    const cells = [layout.base, ...layout.diagonals];
    return sequence(
      noted,
      ...cells.map((cell, part) => {
        // By the base: the gradient times the maps' product; by a map: that of the base, times the other maps.
        const [first, ...rest] = this.parts
          .filter((_, other) => other !== part && other !== 0)
          .map((local) => get(local));
        const along = part === 0 ? get(gradient) : f32x4.mul(get(gradient), get(this.parts[0]!));
        const product = first && rest.reduce((value, other) => f32x4.mul(value, other), first);
        const partial = product ? f32x4.mul(along, product) : along;
        return this.updates.onVector(
          cell,
          get(this.parts[part]!),
          partial,
          part === 0 ? vectors.base : vectors.map,
          offset,
        );
      }),
    );
  }

  /** Updates the scalars, the norm that is carried along, and the bias. */
  updateNumbers(pairs: readonly Pair[]): Code<'void'> {
    const { layout, rates, norm, f } = this;
    const statements: Code<'void'>[] = [];
    if (this.scale !== null) {
      const along = f.local('f32');
      const isOne = layout.scalars.length === 1;
      const held = layout.scalars.map(() => (isOne ? this.scale! : f.local('f32')));
      const [first, ...rest] = pairs.map((pair) => {
        const { scale } = this.other(pair);
        return scale === null ? get(pair.slopeDot) : f32.mul(get(scale), get(pair.slopeDot));
      });
      const own = f32.mul(get(this.scaledDecay), get(norm));
      statements.push(
        set(
          along,
          f32.add(
            rest.reduce((sum, term) => f32.add(sum, term), first!),
            own,
          ),
        ),
        // Every scalar before any of them changes.
        ...(isOne ? [] : layout.scalars.map((cell, l) => set(held[l]!, this.number(cell.at)))),
        ...layout.scalars.map((cell, l) => {
          const [one, ...more] = held.filter((_, other) => other !== l).map((local) => get(local));
          const product = one && more.reduce((value, other) => f32.mul(value, other), one);
          const gradient = product ? f32.mul(get(along), product) : get(along);
          return this.updates.onNumber(cell, get(held[l]!), gradient, rates.map);
        }),
      );
    }
    if (layout.norm !== null) {
      // |a x - b y|^2 = a (a |x|^2 - 2 b <x, y>) + b^2 |y|^2.
      const { twiceDot, square } = this.pullOf(pairs[0]!);
      const own = f32.mul(get(this.own), f32.sub(f32.mul(get(this.own), get(norm)), get(twiceDot)));
      const theirs = f32.mul(get(square), get(this.other(pairs[0]!).norm));
      statements.push(f32.store(get(this.row), f32.add(own, theirs), layout.norm));
    }
    if (layout.bias !== null) {
      const bias = f.local('f32');
      const [first, ...rest] = pairs.map(({ slope }) => get(slope));
      const slopes = rest.reduce((sum, slope) => f32.add(sum, slope), first as Code<'f32'>);
      statements.push(
        set(bias, this.bias()),
        this.updates.onNumber(
          layout.bias,
          get(bias),
          f32.add(slopes, f32.mul(penalty(this.number(layout.biasDecay), pairs), get(bias))),
          rates.bias,
        ),
      );
    }
    return sequence(...statements);
  }

  private other({ left, right }: Pair): PairSide {
    return this === left ? right : left;
  }

  private number(at: number): Code<'f32'> {
    return f32.load(get(this.row), at);
  }

  private vector(at: number): Code<'v128'> {
    return v128.load(get(this.row), at);
  }
}

/** A penalty counts once for each rating of the step, as much as it weighs. */
function penalty(decay: Code<'f32'>, pairs: readonly Pair[]): Code<'f32'> {
  const [first, ...rest] = pairs.flatMap(({ weight }) => (weight === null ? [] : [get(weight)]));
  if (first !== undefined)
    return f32.mul(
      rest.reduce((sum, weight) => f32.add(sum, weight), first),
      decay,
    );
  return pairs.length === 1 ? decay : f32.mul(f32.const(pairs.length), decay);
}
