// One side of a step in WebAssembly: a row, its products, its gradients and their updates. Which vectors and numbers a
// row has, and where, is in row-layout.ts; what the rules do to them in rules.ts.

import { type Code, f32, f32x4, get, type Local, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import type { LaneSum } from './lanes';
import { isLinear, type PairSideSpec, type PairSpec } from './pair-spec';
import { type Cell, type RowLayout, rowLayout } from './row-layout';
import { type Arithmetic, applyRule } from './rules';

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

/** What a side knows of another row of the step: its scale, its elements, and the slope and dot product of their pair. */
export interface Partner {
  readonly side: PairSide;
  readonly slope: Local<'f32'>;
  readonly dot: Local<'f32'>;
}

/** The code of one row of a step. */
export class PairSide {
  readonly layout: RowLayout;
  readonly row: Local<'i32'>;
  /** The vector in hand, as the other side meets it: x, or the product of a diagonal side. */
  readonly element: Local<'v128'>;
  private readonly isLinear: boolean;
  /** The product of the scalars. */
  private readonly scale: Local<'f32'> | null;
  private readonly norm: Local<'f32'>;
  /** The base and the diagonals of the vector in hand. */
  private readonly parts: readonly Local<'v128'>[];
  /** By partner, in every lane: what its elements are multiplied by in this side's gradient. */
  private readonly alongPartner: readonly Local<'v128'>[];
  private readonly alongOwn: Local<'v128'>;

  constructor(
    private readonly f: FunctionBuilder<'void'>,
    spec: PairSpec,
    side: PairSideSpec,
    partners: number,
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
    this.alongPartner = Array.from({ length: partners }, () => f.local('v128'));
    this.alongOwn = f.local('v128');
  }

  /** Whether the step needs |x|^2: the penalty's part in the gradient of a scalar. */
  get needsNorm(): boolean {
    return this.scale !== null;
  }

  /** Goes to a row. */
  open(address: Code<'i32'>): Code<'void'> {
    const { scale, layout } = this;
    if (scale === null) return set(this.row, address);
    const [first, ...rest] = layout.scalars;
    return sequence(
      set(this.row, address),
      set(scale, this.number(first!.at)),
      ...rest.map(({ at }) => set(scale, f32.mul(get(scale), this.number(at)))),
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

  /** A value times the product of the scalars. */
  scaled(value: Code<'f32'>): Code<'f32'> {
    return this.scale === null ? value : f32.mul(get(this.scale), value);
  }

  bias(): Code<'f32'> {
    return this.number(this.layout.bias!.at);
  }

  /**
   * The coefficients of the gradient by x, or by the product of a diagonal side: c1 (element of the partner), for each,
   * and c2 (own element). Linear sides keep them as b = rate c1 and a = 1 - rate c2 instead.
   */
  coefficients(partners: readonly Partner[]): Code<'void'> {
    const { scale, rates, alongPartner, alongOwn, isLinear } = this;
    const count = partners.length;
    const decay = this.penalty(this.layout.decay, count);
    const own = scale === null ? decay : f32.mul(f32.mul(get(scale), get(scale)), decay);
    const splat = (to: Local<'v128'>, value: Code<'f32'>) => set(to, f32x4.splat(value));
    return sequence(
      ...partners.map(({ side, slope }, j) => {
        const along = side.scaled(this.scaled(get(slope)));
        return splat(alongPartner[j]!, isLinear ? f32.mul(get(rates.base), along) : along);
      }),
      splat(alongOwn, isLinear ? f32.sub(f32.const(1), f32.mul(get(rates.base), own)) : own),
    );
  }

  /** Updates the vector in hand; the partners have theirs in hand too. */
  updateVector(offset: number, partners: readonly Partner[]): Code<'void'> {
    const { layout, element, alongPartner, alongOwn, vectors } = this;
    const terms = partners.map(({ side }, j) => f32x4.mul(get(alongPartner[j]!), get(side.element)));
    const own = f32x4.mul(get(alongOwn), get(element));
    const to = (at: number) => (value: Code<'v128'>) => v128.store(get(this.row), value, at + offset);
    if (this.isLinear) return to(layout.base.at)(terms.reduce((value, term) => f32x4.sub(value, term), own));
    const gradient = this.f.local('v128');
    const noted = set(
      gradient,
      f32x4.add(
        terms.reduce((sum, term) => f32x4.add(sum, term)),
        own,
      ),
    );
    if (this.parts.length === 0)
      return sequence(noted, this.ruleOnVector(layout.base, get(element), get(gradient), vectors.base, offset));
    const cells = [layout.base, ...layout.diagonals];
    return sequence(
      noted,
      ...cells.map((cell, part) => {
        // By the base: the gradient times the maps' product; by a map: that of the base, times the other maps.
        const others = this.parts.filter((_, other) => other !== part && other !== 0);
        const product = others
          .slice(1)
          .reduce((value, other) => f32x4.mul(value, get(other)), others[0] ? get(others[0]) : null!);
        const along = part === 0 ? get(gradient) : f32x4.mul(get(gradient), get(this.parts[0]!));
        const partial = others.length === 0 ? along : f32x4.mul(along, product);
        return this.ruleOnVector(
          cell,
          get(this.parts[part]!),
          partial,
          part === 0 ? vectors.base : vectors.map,
          offset,
        );
      }),
    );
  }

  /** Updates the scalars and the bias. */
  updateNumbers(partners: readonly Partner[]): Code<'void'> {
    const { layout, rates, norm, f } = this;
    const statements: Code<'void'>[] = [];
    if (this.scale !== null) {
      const along = f.local('f32');
      const held = layout.scalars.map(() => f.local('f32'));
      const [first, ...rest] = partners.map(({ side, slope, dot }) => f32.mul(side.scaled(get(slope)), get(dot)));
      const own = f32.mul(f32.mul(this.penalty(layout.decay, partners.length), get(this.scale)), get(norm));
      statements.push(
        set(
          along,
          f32.add(
            rest.reduce((sum, term) => f32.add(sum, term), first!),
            own,
          ),
        ),
        // Every scalar before any of them changes.
        ...layout.scalars.map((cell, l) => set(held[l]!, this.number(cell.at))),
        ...layout.scalars.map((cell, l) => {
          const others = held.filter((_, other) => other !== l);
          const [one, ...more] = others;
          const product = one && more.reduce((value, other) => f32.mul(value, get(other)), get(one));
          const gradient = product ? f32.mul(get(along), product) : get(along);
          return this.ruleOnNumber(cell, get(held[l]!), gradient, rates.map);
        }),
      );
    }
    if (layout.bias !== null) {
      const bias = f.local('f32');
      const [first, ...rest] = partners.map(({ slope }) => get(slope));
      const slopes = rest.reduce((sum, slope) => f32.add(sum, slope), first as Code<'f32'>);
      statements.push(
        set(bias, this.bias()),
        this.ruleOnNumber(
          layout.bias,
          get(bias),
          f32.add(slopes, f32.mul(this.penalty(layout.biasDecay, partners.length), get(bias))),
          rates.bias,
        ),
      );
    }
    return sequence(...statements);
  }

  /** A penalty counts once for each rating of the step. */
  private penalty(at: number, ratings: number): Code<'f32'> {
    return ratings === 1 ? this.number(at) : f32.mul(f32.const(ratings), this.number(at));
  }

  private number(at: number): Code<'f32'> {
    return f32.load(get(this.row), at);
  }

  private vector(at: number): Code<'v128'> {
    return v128.load(get(this.row), at);
  }

  private ruleOnVector(
    cell: Cell,
    x: Code<'v128'>,
    gradient: Code<'v128'>,
    rate: Local<'v128'>,
    offset: number,
  ): Code<'void'> {
    const kept: Code<'void'>[] = [];
    const arithmetic: Arithmetic<Code<'v128'>> = {
      ...f32x4,
      constant: (value) => f32x4.splat(f32.const(value)),
      keep: (value) => this.keep(kept, 'v128', value),
    };
    const slots = cell.slots.map((at) => this.keep(kept, 'v128', this.vector(at + offset)));
    const scales = { rate: get(rate), rootScale: get(this.vectors.root) };
    const updated = applyRule(this.rule, arithmetic, x, arithmetic.keep(gradient), slots, scales);
    const store = (value: Code<'v128'>, at: number) => v128.store(get(this.row), value, at + offset);
    return sequence(...kept, ...updated.slots.map((slot, k) => store(slot, cell.slots[k]!)), store(updated.x, cell.at));
  }

  private ruleOnNumber(cell: Cell, x: Code<'f32'>, gradient: Code<'f32'>, rate: Local<'f32'>): Code<'void'> {
    const kept: Code<'void'>[] = [];
    const arithmetic: Arithmetic<Code<'f32'>> = {
      ...f32,
      constant: f32.const,
      keep: (value) => this.keep(kept, 'f32', value),
    };
    const slots = cell.slots.map((at) => this.keep(kept, 'f32', this.number(at)));
    const scales = { rate: get(rate), rootScale: get(this.rates.root) };
    const updated = applyRule(this.rule, arithmetic, x, arithmetic.keep(gradient), slots, scales);
    const store = (value: Code<'f32'>, at: number) => f32.store(get(this.row), value, at);
    return sequence(...kept, ...updated.slots.map((slot, k) => store(slot, cell.slots[k]!)), store(updated.x, cell.at));
  }

  private keep<T extends 'f32' | 'v128'>(kept: Code<'void'>[], type: T, value: Code<T>): Code<T> {
    const local = this.f.local(type);
    kept.push(set(local, value));
    return get(local);
  }
}
