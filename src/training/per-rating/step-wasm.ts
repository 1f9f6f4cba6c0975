// The pointwise losses in WebAssembly: those of training/losses.ts and their links, operation by operation, in
// double on float32 inputs, as they are there.

import { ARTANH, EXPONENTIAL, LN2_HIGH, LN2_LOW } from '../../core/elementary';
import {
  type Arithmetic,
  applyRule,
  isPerRow,
  numberArithmetic,
  rowRate,
  type UpdateRule,
  vectorArithmetic,
} from '../../kernels/update-rules';
import type { Put } from '../../kernels/walk';
import {
  branch,
  type Code,
  choose,
  type FunctionBuilder,
  f32,
  f32x4,
  f64,
  i32,
  i64,
  type Local,
  leave,
  loopWhile,
  type ModuleBuilder,
  select,
  sequence,
  set,
  type ValueType,
  v128,
} from '../../wasm/assembler';
import type { Cell, LossSpec, RowLayout, SideSpec, StepSpec } from './plan';
import { isLinear, RATING, RUN, ratingBytes, rowLayout, sharedMapsAt, vectorsOf } from './plan';

/** A loss as a function of a module: writes d loss / d score to `g` and adds the loss to `sum`. */
export type LossEmitter = (
  f: FunctionBuilder,
  score: Code<'f32'>,
  target: Code<'f32'>,
  weight: Code<'f32'> | null,
  g: Local<'f32'>,
  sum: Local<'f64'>,
) => Code<'void'>;

/** The emitter of a loss; adds the functions that it calls to the module. */
export function lossEmitter(module: ModuleBuilder, { name, sigmoid: scale }: LossSpec): LossEmitter {
  const exponential = name === 'logistic' || scale !== null ? exponentialFunction(module) : null;
  const sigmoid = exponential && sigmoidFunction(module, exponential);
  const logarithm = name === 'logistic' ? logarithmFunction(module) : null;
  return (f, score, target, weight, g, sum) => {
    const w = f.local('f64');
    const t = f.local('f64');
    const prediction = f.local('f64');
    const error = f.local('f64');
    const start = [set(t, f64.promote(target)), ...(weight === null ? [] : [set(w, f64.promote(weight))])];
    const weighted = (value: Code<'f64'>) => (weight === null ? value : f64.mul(w, value));
    if (name === 'logistic') {
      const softplus = f64.add(
        f64.max(prediction, f64.const(0)),
        logarithm!.call(f64.add(f64.const(1), exponential!.call(f64.neg(f64.abs(prediction))))),
      );
      return sequence(
        ...start,
        set(prediction, f64.promote(score)),
        set(g, f32.demote(weighted(f64.sub(sigmoid!.call(prediction), t)))),
        set(sum, f64.add(sum, weighted(f64.sub(softplus, f64.mul(t, prediction))))),
      );
    }
    const predicted =
      scale === null
        ? f64.promote(score)
        : f64.add(f64.const(scale.minimum), f64.mul(f64.const(scale.range), sigmoid!.call(f64.promote(score))));
    const { slope, value } = pointwise(name, error, weighted);
    // The difference of two float32, rounded to float32, is the same in either precision; here others wait for it.
    const isPlain = name === 'squared' && weight === null && scale === null;
    const steps = [
      ...start,
      set(prediction, predicted),
      set(error, f64.sub(prediction, t)),
      set(g, isPlain ? f32.sub(score, target) : f32.demote(slope)),
      set(sum, f64.add(sum, value)),
    ];
    if (scale !== null) {
      const part = f.local('f64');
      steps.push(
        set(part, f64.div(f64.sub(prediction, f64.const(scale.minimum)), f64.const(scale.range))),
        set(
          g,
          f32.demote(
            f64.mul(f64.promote(g), f64.mul(f64.mul(f64.const(scale.range), part), f64.sub(f64.const(1), part))),
          ),
        ),
      );
    }
    return sequence(...steps);
  };
}

/** The slope and the value of a loss of the error. */
function pointwise(
  name: 'squared' | 'absolute' | 'huber',
  error: Code<'f64'>,
  weighted: (value: Code<'f64'>) => Code<'f64'>,
): { slope: Code<'f64'>; value: Code<'f64'> } {
  const half = (weight: Code<'f64'>) => f64.mul(f64.mul(weight, error), error);
  const sign = select(
    f64.const(1),
    select(f64.const(-1), f64.const(0), f64.lt(error, f64.const(0))),
    f64.gt(error, f64.const(0)),
  );
  switch (name) {
    case 'squared':
      return { slope: weighted(error), value: half(weighted(f64.const(0.5))) };
    case 'absolute':
      return { slope: weighted(sign), value: weighted(f64.abs(error)) };
    case 'huber': {
      const isNear = f64.le(f64.abs(error), f64.const(1));
      return {
        slope: weighted(choose(isNear, error, sign)),
        value: weighted(choose(isNear, half(f64.const(0.5)), f64.sub(f64.abs(error), f64.const(0.5)))),
      };
    }
  }
}

// exp and log in WebAssembly: the operations of core/elementary.ts in their order, so that the bits are the same.

/** e^x of a double. */
export function exponentialFunction(module: ModuleBuilder): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const n = f.local('f64');
  const r = f.local('f64');
  const whole = f.local('i32');
  const half = f.local('i32');
  const powerOfTwo = (exponent: Code<'i32'>) =>
    f64.reinterpret(i64.shl(i64.extend(i32.add(exponent, i32.const(1023))), i64.const(52)));
  f.emit(
    branch(f64.gt(x, f64.const(709.782712893384)), leave(f64.const(Infinity))),
    branch(f64.lt(x, f64.const(-745.2)), leave(f64.const(0))),
    branch(f64.ne(x, x), leave(x)),
    set(n, f64.floor(f64.add(f64.mul(x, f64.const(Math.LOG2E)), f64.const(0.5)))),
    set(r, f64.sub(f64.sub(x, f64.mul(n, f64.const(LN2_HIGH))), f64.mul(n, f64.const(LN2_LOW)))),
    set(whole, i32.truncate(n)),
    set(half, i32.shrS(whole, i32.const(1))),
    f64.mul(f64.mul(horner(EXPONENTIAL, r), powerOfTwo(half)), powerOfTwo(i32.sub(whole, half))),
  );
  return f;
}

/** log x for x in the normal range of doubles; NaN for NaN. */
export function logarithmFunction(module: ModuleBuilder): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const n = f.local('f64');
  const m = f.local('f64');
  const s = f.local('f64');
  const square = f.local('f64');
  const isLarge = f.local('i32');
  const bits = i64.reinterpret(x);
  f.emit(
    branch(f64.ne(x, x), leave(x)),
    set(n, f64.convert(i32.sub(i64.wrap(i64.shrU(bits, i64.const(52))), i32.const(1023)))),
    // The mantissa below the exponent of 1.
    set(
      m,
      f64.reinterpret(
        i64.or(i64.shrU(i64.shl(bits, i64.const(12)), i64.const(12)), i64.shl(i64.const(1023), i64.const(52))),
      ),
    ),
    set(isLarge, f64.gt(m, f64.const(Math.SQRT2))),
    set(m, select(f64.mul(m, f64.const(0.5)), m, isLarge)),
    set(n, f64.add(n, f64.convert(isLarge))),
    set(s, f64.div(f64.sub(m, f64.const(1)), f64.add(m, f64.const(1)))),
    set(square, f64.mul(s, s)),
    f64.add(
      f64.mul(n, f64.const(LN2_HIGH)),
      f64.add(f64.mul(f64.mul(f64.const(2), s), hornerFromZero(ARTANH, square)), f64.mul(n, f64.const(LN2_LOW))),
    ),
  );
  return f;
}

/** 1 / (1 + e^-x), without overflow on either side. */
export function sigmoidFunction(module: ModuleBuilder, exponential: FunctionBuilder<'f64'>): FunctionBuilder<'f64'> {
  const f = module.function('f64');
  const x = f.parameter('f64');
  const e = f.local('f64');
  f.emit(
    set(e, exponential.call(f64.neg(f64.abs(x)))),
    choose(
      f64.ge(x, f64.const(0)),
      f64.div(f64.const(1), f64.add(f64.const(1), e)),
      f64.div(e, f64.add(f64.const(1), e)),
    ),
  );
  return f;
}

/** c_0 + x (c_1 + x (c_2 + ...)), as core/elementary.ts adds it up. */
function horner(coefficients: Float64Array, x: Code<'f64'>): Code<'f64'> {
  let sum = f64.const(coefficients[coefficients.length - 1]!);
  for (let k = coefficients.length - 2; k >= 0; k--) sum = f64.add(f64.const(coefficients[k]!), f64.mul(sum, x));
  return sum;
}

/** The same with a first step from 0, and sum x before c_k. */
function hornerFromZero(coefficients: Float64Array, x: Code<'f64'>): Code<'f64'> {
  let sum = f64.const(0);
  for (let k = coefficients.length - 1; k >= 0; k--) sum = f64.add(f64.mul(sum, x), f64.const(coefficients[k]!));
  return sum;
}

// One step of per-rating SGD in WebAssembly, the twin of step-js.ts: sums in lanes, the rate of a row, the update of a
// cell, one row, one rating, and the step that puts them together.

/** Vectors that are unrolled at once; a multiple of the four sums that run side by side. */
export const UNROLLED = 32;
const CHUNK = 16;

/** A sum in four vectors of four lanes, over the vectors of a row in order. */
export class LaneSum {
  private readonly sums: readonly Local<'v128'>[];

  constructor(f: FunctionBuilder) {
    this.sums = Array.from({ length: 4 }, () => f.local('v128'));
  }

  /** Before a walk of `vectors`. An unrolled walk starts each sum at its first term instead. */
  start(vectors: number): Code<'void'> {
    return vectors <= UNROLLED ? sequence() : sequence(...this.sums.map((sum) => set(sum, f32x4.zero())));
  }

  /** Adds a term of vector j. */
  add(j: number, vectors: number, term: Code<'v128'>): Code<'void'> {
    const sum = this.sums[j % 4]!;
    return set(sum, vectors <= UNROLLED && j < 4 ? term : f32x4.add(sum, term));
  }

  /**
   * Stores a partial sum to scratch memory as a scheduling barrier: without it V8 moves all loads of an unrolled walk to
   * its front and spills registers. Measured: 8 % slower at rank 64.
   */
  storeBarrier(j: number, vectors: number, scratch: Code<'i32'>): Code<'void'> {
    const isDue = vectors <= 8 ? j === 3 : j % 8 >= 4;
    return isDue && j < vectors - 1 ? v128.store(scratch, this.sums[j % 4]!) : sequence();
  }

  /** The sum of all lanes. The last addition turns -0 into 0, which lanes that start at 0 would give. */
  total(vectors: number, held: Local<'v128'>): { set: Code<'void'>; value: Code<'f32'> } {
    const [a, b, c, d] = this.sums.map((sum, i) => (i < vectors ? sum : null)) as (Code<'v128'> | null)[];
    const four = plus(plus(a!, b!), plus(c!, d!))!;
    return {
      set: sequence(set(held, four), set(held, f32x4.add(held, f32x4.highHalf(held, held)))),
      value: f32.add(f32.add(f32.lane(0)(held), f32.lane(1)(held)), f32.const(0)),
    };
  }
}

function plus(a: Code<'v128'> | null, b: Code<'v128'> | null): Code<'v128'> | null {
  return a === null || b === null ? (a ?? b) : f32x4.add(a, b);
}

/**
 * Code for every vector of rows of `vectors`. `body(offset, j)` is the code for the vector at `offset` from the cursors;
 * long rows are walked in a loop that moves the cursors, and short ones are unrolled with the cursors at the rows.
 */
export function eachVector(
  f: FunctionBuilder<'void'>,
  vectors: number,
  cursors: readonly Local<'i32'>[],
  body: (offset: number, j: number) => Code<'void'>,
): Code<'void'> {
  const some = (count: number) => sequence(...Array.from({ length: count }, (_, j) => body(16 * j, j)));
  if (vectors <= UNROLLED) return some(vectors);
  const rounds = f.local('i32');
  const whole = Math.floor(vectors / CHUNK);
  const move = (by: number) => cursors.map((cursor) => set(cursor, i32.add(cursor, i32.const(by))));
  // In a loop no term is the first: j counts on from a whole chunk.
  return sequence(
    set(rounds, i32.const(whole)),
    loopWhile(rounds, some(CHUNK), ...move(16 * CHUNK), set(rounds, i32.sub(rounds, i32.const(1)))),
    some(vectors - whole * CHUNK),
    ...move(-16 * CHUNK * whole),
  );
}

// The scale b of a linear step x' = a x - b y, with the products that |x'|^2 needs.

/** b, the rate times what the other's elements are multiplied by in the gradient. */
export class LinearStep {
  readonly vector: Local<'v128'>;
  private readonly number: Local<'f32'>;
  /** 2 b <x, y>. */
  readonly twiceDot: Local<'f32'>;
  /** b^2. */
  readonly square: Local<'f32'>;

  constructor(f: FunctionBuilder<'void'>) {
    this.vector = f.local('v128');
    this.number = f.local('f32');
    this.twiceDot = f.local('f32');
    this.square = f.local('f32');
  }

  set(value: Code<'f32'>, dot: Local<'f32'>): Code<'void'> {
    const { number, vector, twiceDot, square } = this;
    return sequence(
      set(number, value),
      set(vector, f32x4.splat(number)),
      set(twiceDot, f32.mul(f32.mul(f32.const(2), number), dot)),
      set(square, f32.mul(number, number)),
    );
  }
}

// The learning rate of a whole row, from the squares of its gradients: AdaGrad with one sum a row.

/** The gradient c1 y + c2 x of a row x that has met y, and what is known of both. */
interface LinearGradient {
  readonly c1: Local<'f32'>;
  readonly c2: Local<'f32'>;
  /** <x, y>, |x|^2 and |y|^2. */
  readonly dot: Local<'f32'>;
  readonly norm: Local<'f32'>;
  readonly otherNorm: Local<'f32'>;
}

/** The rate of one side's row. */
export class RowRate {
  /** In every lane. */
  readonly vector: Local<'v128'>;
  readonly number: Local<'f32'>;
  /** The pull of a linear step at this rate. */
  readonly linear: LinearStep;
  private readonly sum: Local<'f32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    private readonly spec: StepSpec,
    private readonly layout: RowLayout,
    private readonly row: Local<'i32'>,
    private readonly rate: Local<'f32'>,
  ) {
    this.vector = f.local('v128');
    this.number = f.local('f32');
    this.linear = new LinearStep(f);
    this.sum = f.local('f32');
  }

  /** Adds the mean of the gradient's squares to the row's sum, and takes the rate from it. */
  take(squares: Code<'f32'>): Code<'void'> {
    const { layout, row, spec, number, vector, sum, rate } = this;
    const { rule, rank } = spec;
    if (!isPerRow(rule)) return sequence();
    const at = layout.base.slots[0]!;
    const arithmetic = { ...numberArithmetic(), keep: (value: Code<'f32'>) => value };
    return sequence(
      set(sum, f32.add(f32.load(row, at), f32.mul(squares, f32.const(1 / rank)))),
      f32.store(row, sum, at),
      set(number, rowRate(rule, arithmetic, sum, rate)),
      set(vector, f32x4.splat(number)),
    );
  }

  /**
   * The same and the pull at that rate, without a look at the vectors: the gradient's square is
   * c1 (c1 |y|^2 + 2 c2 <x, y>) + c2^2 |x|^2. Rounding could leave it below 0.
   */
  takeFromNorms({ c1, c2, dot, norm, otherNorm }: LinearGradient): Code<'void'> {
    const cross = f32.mul(f32.mul(f32.const(2), c2), dot);
    const theirs = f32.mul(c1, f32.add(f32.mul(c1, otherNorm), cross));
    const square = f32.add(theirs, f32.mul(f32.mul(c2, c2), norm));
    return sequence(this.take(f32.max(square, f32.const(0))), this.linear.set(f32.mul(this.number, c1), dot));
  }
}

// The update of one cell of a row by a rule: its numbers and slots are read, and what the rule makes of them is written.

/** Writes the updates of a row's cells. */
export class CellUpdates {
  constructor(
    private readonly f: FunctionBuilder,
    private readonly row: Local<'i32'>,
    private readonly rule: UpdateRule,
    /** Adam's correction of the root. */
    private readonly root: { readonly number: Local<'f32'>; readonly vector: Local<'v128'> },
  ) {}

  /** Of the vector at an offset in a cell. */
  onVector(
    cell: Cell,
    x: Code<'v128'>,
    gradient: Code<'v128'>,
    rate: Local<'v128'>,
    offset: number,
    put: Put = v128.store,
  ): Code<'void'> {
    const { row, root } = this;
    const load = (at: number) => v128.load(row, at + offset);
    const store = (value: Code<'v128'>, at: number) => put(row, value, at + offset);
    return this.update('v128', vectorArithmetic(), cell, x, gradient, rate, root.vector, load, store);
  }

  /** Of a cell of one number. */
  onNumber(cell: Cell, x: Code<'f32'>, gradient: Code<'f32'>, rate: Local<'f32'>): Code<'void'> {
    const { row, root } = this;
    const load = (at: number) => f32.load(row, at);
    const store = (value: Code<'f32'>, at: number) => f32.store(row, value, at);
    return this.update('f32', numberArithmetic(), cell, x, gradient, rate, root.number, load, store);
  }

  private update<T extends 'f32' | 'v128'>(
    type: T,
    operations: Omit<Arithmetic<Code<T>>, 'keep'>,
    cell: Cell,
    x: Code<T>,
    gradient: Code<T>,
    rate: Local<T>,
    root: Local<T>,
    load: (at: number) => Code<T>,
    store: (value: Code<T>, at: number) => Code<'void'>,
  ): Code<'void'> {
    const kept: Code<'void'>[] = [];
    const keep = (value: Code<T>): Code<T> => {
      const local = this.f.local(type);
      kept.push(set(local, value));
      return local;
    };
    const slots = cell.slots.map((at) => keep(load(at)));
    const scales = { rate: rate, rootScale: root };
    const updated = applyRule(this.rule, { ...operations, keep }, x, keep(gradient), slots, scales);
    return sequence(...kept, ...updated.slots.map((slot, k) => store(slot, cell.slots[k]!)), store(updated.x, cell.at));
  }
}

// One side of a step in WebAssembly: a row, its products, its gradients and their updates. spec.ts lays a row
// out; kernels/update-rules.ts has the rules.

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
export class RowStepCode {
  readonly layout: RowLayout;
  readonly row: Local<'i32'>;
  /** What a walk over the row's vectors moves. */
  readonly cursors: readonly Local<'i32'>[];
  /** The maps: in the row, or where all rows share them. */
  private readonly mapRow: Local<'i32'>;
  private readonly mapsAt: number | null;
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
  private readonly mapUpdates: CellUpdates;

  constructor(
    private readonly f: FunctionBuilder<'void'>,
    spec: StepSpec,
    which: 'user' | 'item',
    private readonly rule: StepSpec['rule'],
    private readonly rates: RateLocals,
    private readonly vectors: RateVectors,
  ) {
    const side: SideSpec = spec[which];
    this.layout = rowLayout(spec, side);
    this.isLinear = isLinear(spec, side);
    this.row = f.local('i32');
    this.mapsAt = side.isShared ? sharedMapsAt(spec, which) : null;
    this.mapRow = side.isShared ? f.local('i32') : this.row;
    this.cursors = side.isShared ? [this.row, this.mapRow] : [this.row];
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
    this.mapUpdates = new CellUpdates(f, this.mapRow, rule, { number: rates.root, vector: vectors.root });
  }

  /** Whether a step has to add up |x|^2, for the penalty's part in the gradient of a scalar. */
  get needsNorm(): boolean {
    return this.scale !== null && this.layout.norm === null;
  }

  /** Goes to a row. */
  open(address: Code<'i32'>): Code<'void'> {
    const { row, mapRow, mapsAt } = this;
    return sequence(set(row, address), ...(mapsAt === null ? [] : [set(mapRow, i32.const(mapsAt))]));
  }

  /** Takes the row's numbers, once the vectors have been looked at: together they are more than there are registers. */
  takeNumbers(): Code<'void'> {
    const { scale, layout } = this;
    const [first, ...rest] = layout.scalars;
    return sequence(
      set(this.decay, this.number(layout.decay)),
      ...(layout.norm === null ? [] : [set(this.norm, this.number(layout.norm))]),
      ...(scale === null ? [] : [set(scale, f32.load(this.mapRow, first!.at))]),
      ...rest.map(({ at }) => set(scale!, f32.mul(scale!, f32.load(this.mapRow, at)))),
    );
  }

  /** Takes the vector at an offset in hand. */
  take(offset: number): Code<'void'> {
    const { layout, parts, element, mapRow } = this;
    const base = this.vector(layout.base.at + offset);
    const [first, ...maps] = parts;
    if (first === undefined) return set(element, base);
    return sequence(
      set(first, base),
      ...maps.map((map, l) => set(map, v128.load(mapRow, layout.diagonals[l]!.at + offset))),
      set(element, chain(f32x4.mul, parts)!),
    );
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
  coefficient(ratings: readonly RatingTermCode[]): Code<'void'> {
    const { scale, rates, own, ownVector, isLinear } = this;
    const hasOwnRate = isLinear && isPerRow(this.rule);
    const rate = hasOwnRate ? this.rowRate.number : rates.base;
    const decay = penalty(this.decay, ratings);
    const c2 = scale === null ? decay : f32.mul(scale, this.scaledDecay);
    return sequence(
      ...(scale === null ? [] : [set(this.scaledDecay, f32.mul(decay, scale))]),
      ...(hasOwnRate ? [set(own, c2), this.takeOwnRate(ratings[0]!)] : []),
      set(own, isLinear ? f32.sub(f32.const(1), f32.mul(rate, c2)) : c2),
      set(ownVector, f32x4.splat(own)),
    );
  }

  /** The gradient by the vector in hand; the other sides have theirs in hand too. */
  private gradient(ratings: readonly RatingTermCode[]): Code<'v128'> {
    const terms = ratings.map((rating) => f32x4.mul(rating.gradientScale.vector, this.other(rating).element));
    const own = f32x4.mul(this.ownVector, this.element);
    return f32x4.add(chain(f32x4.add, terms)!, own);
  }

  /** The same with its weight decay. */
  private decayedGradient(ratings: readonly RatingTermCode[]): Code<'v128'> {
    const { weightDecay } = this.rule;
    const decay = f32x4.mul(f32x4.splat(f32.const(weightDecay)), this.element);
    return weightDecay === 0 ? this.gradient(ratings) : f32x4.add(this.gradient(ratings), decay);
  }

  /** Adds the square of the gradient by the vector in hand to a sum. */
  addSquare(ratings: readonly RatingTermCode[], add: (square: Code<'v128'>) => Code<'void'>): Code<'void'> {
    const g = this.f.local('v128');
    return sequence(set(g, this.decayedGradient(ratings)), add(f32x4.mul(g, g)));
  }

  /** Takes the row's rate from the lanes of its gradient's squares. */
  noteRowRate(sum: LaneSum, vectors: number, held: Local<'v128'>): Code<'void'> {
    const total = sum.total(vectors, held);
    return sequence(total.set, this.rowRate.take(total.value));
  }

  /** Takes the row's rate from the norms, while `own` is still the coefficient in the gradient. */
  private takeOwnRate(rating: RatingTermCode): Code<'void'> {
    const { own, norm, rowRate } = this;
    const { dot, gradientScale } = rating;
    return rowRate.takeFromNorms({ c1: gradientScale.number, c2: own, dot, norm, otherNorm: this.other(rating).norm });
  }

  /** What a linear step subtracts of the other's elements. */
  private linearOf(rating: RatingTermCode): LinearStep {
    return isPerRow(this.rule) ? this.rowRate.linear : rating.linear;
  }

  /** Updates the vector in hand; the other sides have theirs in hand too. */
  updateVector(offset: number, ratings: readonly RatingTermCode[]): Code<'void'> {
    const { layout, element, ownVector, vectors } = this;
    const to = (value: Code<'v128'>) => v128.store(this.row, value, layout.base.at + offset);
    if (this.isLinear) {
      const terms = ratings.map((rating) => f32x4.mul(this.linearOf(rating).vector, this.other(rating).element));
      const own = f32x4.mul(ownVector, element);
      return to(terms.reduce((value, term) => f32x4.sub(value, term), own));
    }
    if (isPerRow(this.rule)) {
      return to(f32x4.sub(element, f32x4.mul(this.rowRate.vector, this.decayedGradient(ratings))));
    }
    const gradient = this.f.local('v128');
    const noted = set(gradient, this.gradient(ratings));
    if (this.parts.length === 0)
      return sequence(noted, this.updates.onVector(layout.base, element, gradient, vectors.base, offset));
    const cells = [layout.base, ...layout.diagonals];
    return sequence(
      noted,
      ...cells.map((cell, part) => {
        // By the base: the gradient times the maps' product; by a map: that of the base, times the other maps.
        const others = this.parts.filter((_, other) => other !== part && other !== 0);
        const along = part === 0 ? gradient : f32x4.mul(gradient, this.parts[0]!);
        const product = chain(f32x4.mul, others);
        const partial = product ? f32x4.mul(along, product) : along;
        const updates = part === 0 ? this.updates : this.mapUpdates;
        return updates.onVector(cell, this.parts[part]!, partial, part === 0 ? vectors.base : vectors.map, offset);
      }),
    );
  }

  /** Updates the scalars, the norm that is carried along, and the bias. */
  updateNumbers(ratings: readonly RatingTermCode[]): Code<'void'> {
    const { layout, rates, norm, f } = this;
    const statements: Code<'void'>[] = [];
    if (this.scale !== null) {
      const along = f.local('f32');
      const isOne = layout.scalars.length === 1;
      const held = layout.scalars.map(() => (isOne ? this.scale! : f.local('f32')));
      const terms = ratings.map((rating) => {
        const { scale } = this.other(rating);
        return scale === null ? rating.slopeDot : f32.mul(scale, rating.slopeDot);
      });
      const own = f32.mul(this.scaledDecay, norm);
      statements.push(
        set(along, f32.add(chain(f32.add, terms)!, own)),
        // Every scalar before any of them changes.
        ...(isOne ? [] : layout.scalars.map((cell, l) => set(held[l]!, f32.load(this.mapRow, cell.at)))),
        ...layout.scalars.map((cell, l) => {
          const others = held.filter((_, other) => other !== l);
          const product = chain(f32.mul, others);
          const gradient = product ? f32.mul(along, product) : along;
          return this.mapUpdates.onNumber(cell, held[l]!, gradient, rates.map);
        }),
      );
    }
    if (layout.norm !== null) {
      // |a x - b y|^2 = a (a |x|^2 - 2 b <x, y>) + b^2 |y|^2.
      const { twiceDot, square } = this.linearOf(ratings[0]!);
      const own = f32.mul(this.own, f32.sub(f32.mul(this.own, norm), twiceDot));
      const theirs = f32.mul(square, this.other(ratings[0]!).norm);
      statements.push(f32.store(this.row, f32.add(own, theirs), layout.norm));
    }
    if (layout.bias !== null) {
      const bias = f.local('f32');
      const slopes = ratings.map(({ slope }) => slope);
      statements.push(
        set(bias, this.bias()),
        this.updates.onNumber(
          layout.bias,
          bias,
          f32.add(chain(f32.add, slopes)!, f32.mul(penalty(this.number(layout.biasDecay), ratings), bias)),
          rates.bias,
        ),
      );
    }
    return sequence(...statements);
  }

  private other({ user, item }: RatingTermCode): RowStepCode {
    return this === user ? item : user;
  }

  private number(at: number): Code<'f32'> {
    return f32.load(this.row, at);
  }

  private vector(at: number): Code<'v128'> {
    return v128.load(this.row, at);
  }
}

/** Codes put together from left to right; undefined where there are none. */
export function chain<T extends ValueType>(
  by: (a: Code<T>, b: Code<T>) => Code<T>,
  [first, ...rest]: readonly Code<T>[],
): Code<T> | undefined {
  return first && rest.reduce((all, one) => by(all, one), first);
}

/** A penalty counts once for each rating of the step, as much as it weighs. */
function penalty(decay: Code<'f32'>, ratings: readonly RatingTermCode[]): Code<'f32'> {
  const weights = ratings.flatMap(({ weight }) => (weight === null ? [] : [weight]));
  if (weights.length > 0) return f32.mul(chain(f32.add, weights)!, decay);
  return ratings.length === 1 ? decay : f32.mul(f32.const(ratings.length), decay);
}

/** One rating of a step: the parts of its score, and what its loss does to both rows. */
export class RatingTermCode {
  /** <a, b>, of the elements as they meet. */
  readonly dot: Local<'f32'>;
  /** d loss / d score. */
  readonly slope: Local<'f32'>;
  /** The weight of the rating, where ratings have some. */
  readonly weight: Local<'f32'> | null;
  /** slope <a, b>. */
  readonly slopeDot: Local<'f32'>;
  /** The slope times the scalars of both rows: what the other's elements are multiplied by in either gradient. */
  readonly gradientScale: { readonly number: Local<'f32'>; readonly vector: Local<'v128'> };
  /** (rate scalars) slope: the same times the base's rate. Only the slope has to be waited for. */
  readonly linear: LinearStep;
  /** The product of the scalars of both rows. */
  private readonly scale: Local<'f32'>;

  constructor(
    f: FunctionBuilder<'void'>,
    readonly user: RowStepCode,
    readonly item: RowStepCode,
    isWeighted: boolean,
  ) {
    this.weight = isWeighted ? f.local('f32') : null;
    this.dot = f.local('f32');
    this.slope = f.local('f32');
    this.slopeDot = f.local('f32');
    this.scale = f.local('f32');
    this.gradientScale = { number: f.local('f32'), vector: f.local('v128') };
    this.linear = new LinearStep(f);
  }

  /** Multiplies the scalars, once both rows are open. */
  open(): Code<'void'> {
    const [one, two] = this.scales;
    return two === undefined ? sequence() : set(this.scale, f32.mul(one!, two));
  }

  /** A value times the scalars of both rows. */
  scaled(value: Code<'f32'>): Code<'f32'> {
    const [one, two] = this.scales;
    return one === undefined ? value : f32.mul(two === undefined ? one : this.scale, value);
  }

  /** Sets all that follows from the slope. */
  setSlope(rate: Local<'f32'>): Code<'void'> {
    const { gradientScale, linear } = this;
    return sequence(
      set(this.slopeDot, f32.mul(this.slope, this.dot)),
      set(gradientScale.number, this.scaled(this.slope)),
      set(gradientScale.vector, f32x4.splat(gradientScale.number)),
      linear.set(f32.mul(this.scaled(rate), this.slope), this.dot),
    );
  }

  private get scales(): readonly Code<'f32'>[] {
    return [this.user.scale, this.item.scale].filter((scale) => scale !== null);
  }
}

// Writes one step: a user row and one item row, or up to four of them, whose errors are all taken from the user row as
// the step finds it.

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
  /** What may be done while the score of a step is waited for. */
  readonly ahead: Code<'void'>;
}

/** The code of steps. */
export class StepWriter {
  private readonly user: RowStepCode;
  private readonly ratings: readonly RatingTermCode[];
  private readonly sums: { dot: LaneSum; user: LaneSum; item: LaneSum };
  private readonly held: Local<'v128'>;
  private readonly vectors: number;
  private readonly rates: { base: Local<'v128'>; map: Local<'v128'>; root: Local<'v128'> };

  constructor(
    private readonly f: FunctionBuilder<'void'>,
    private readonly spec: StepSpec,
    private readonly inputs: StepInputs,
  ) {
    const { grouping, rule } = spec;
    this.rates = { base: f.local('v128'), map: f.local('v128'), root: f.local('v128') };
    this.user = new RowStepCode(f, spec, 'user', rule, inputs.rates, this.rates);
    const item = () => new RowStepCode(f, spec, 'item', rule, inputs.rates, this.rates);
    this.ratings = Array.from({ length: grouping }, () => new RatingTermCode(f, this.user, item(), spec.isWeighted));
    this.sums = { dot: new LaneSum(f), user: new LaneSum(f), item: new LaneSum(f) };
    this.held = f.local('v128');
    this.vectors = vectorsOf(spec.rank);
  }

  /** A step with `size` item rows. */
  step(size: number): Code<'void'> {
    const { user, inputs, rates, vectors, f } = this;
    const ratings = this.ratings.slice(0, size);
    const field = (j: number, at: number) => i32.load(inputs.rating, j * ratingBytes(this.spec.isWeighted) + at);
    const cursors = [user, ...ratings.map(({ item }) => item)].flatMap((side) => side.cursors);
    return sequence(
      set(rates.base, f32x4.splat(inputs.rates.base)),
      set(rates.map, f32x4.splat(inputs.rates.map)),
      set(rates.root, f32x4.splat(inputs.rates.root)),
      user.open(field(0, RATING.user)),
      ...ratings.map(({ item }, j) => item.open(field(j, RATING.item))),
      ...ratings.flatMap((rating, j) => [
        this.dot(rating, j === 0),
        ...(j === 0 ? [inputs.ahead] : []),
        ...(j === 0 ? [user.takeNumbers()] : []),
        rating.item.takeNumbers(),
        rating.open(),
        this.loss(rating, j),
        rating.setSlope(inputs.rates.base),
      ]),
      user.coefficient(ratings),
      ...ratings.map((rating) => rating.item.coefficient([rating])),
      this.rowRates(ratings),
      // Gradients are all taken where the step begins. What they need of the scalars is in locals by now.
      user.updateNumbers(ratings),
      ...ratings.map((rating) => rating.item.updateNumbers([rating])),
      eachVector(f, vectors, cursors, (offset) =>
        sequence(
          user.take(offset),
          ...ratings.map(({ item }) => item.take(offset)),
          user.updateVector(offset, ratings),
          ...ratings.map((rating) => rating.item.updateVector(offset, [rating])),
        ),
      ),
    );
  }

  private get scratch(): Code<'i32'> {
    return i32.add(this.inputs.run, i32.const(RUN.scratch));
  }

  /** The dot product of a rating, and on the way the norms that their scalars need. */
  private dot({ user, item, dot }: RatingTermCode, isFirst: boolean): Code<'void'> {
    const { sums, vectors, held, f } = this;
    const withUser = user.needsNorm && isFirst;
    const square = ({ element }: RowStepCode) => f32x4.mul(element, element);
    const total = sums.dot.total(vectors, held);
    const used = [sums.dot, ...(withUser ? [sums.user] : []), ...(item.needsNorm ? [sums.item] : [])];
    return sequence(
      ...used.map((sum) => sum.start(vectors)),
      eachVector(f, vectors, [...user.cursors, ...item.cursors], (offset, j) =>
        sequence(
          user.take(offset),
          item.take(offset),
          sums.dot.add(j, vectors, f32x4.mul(user.element, item.element)),
          sums.dot.storeBarrier(j, vectors, this.scratch),
          ...(withUser ? [sums.user.add(j, vectors, square(user))] : []),
          ...(item.needsNorm ? [sums.item.add(j, vectors, square(item))] : []),
        ),
      ),
      total.set,
      set(dot, total.value),
      ...(withUser ? [user.noteNorm(sums.user, vectors, held)] : []),
      ...(item.needsNorm ? [item.noteNorm(sums.item, vectors, held)] : []),
    );
  }

  /** The rates of whole rows, under a rule that takes them from the squares of the gradient. */
  private rowRates(ratings: readonly RatingTermCode[]): Code<'void'> {
    const { user, sums, vectors, held, spec, f } = this;
    if (!isPerRow(spec.rule) || user.isLinear) return sequence();
    const cursors = [user, ...ratings.map(({ item }) => item)].flatMap((side) => side.cursors);
    // The user row and the first item row in one walk; a group's other rows in walks of their own.
    const walks = ratings.map(({ item }, j) => [
      ...(j === 0 ? [{ side: user, with: ratings, sum: sums.user }] : []),
      { side: item, with: [ratings[j]!], sum: sums.item },
    ]);
    return sequence(
      ...walks.map((parts, j) =>
        sequence(
          ...parts.map(({ sum }) => sum.start(vectors)),
          eachVector(f, vectors, cursors, (offset, at) =>
            sequence(
              user.take(offset),
              ...(j === 0 ? ratings : [ratings[j]!]).map(({ item }) => item.take(offset)),
              ...parts.map((part) => part.side.addSquare(part.with, (square) => part.sum.add(at, vectors, square))),
              ...parts.map(({ sum }) => sum.storeBarrier(at, vectors, this.scratch)),
            ),
          ),
          ...parts.map(({ side, sum }) => side.noteRowRate(sum, vectors, held)),
        ),
      ),
    );
  }

  /** The slope of a rating's loss. */
  private loss(rating: RatingTermCode, j: number): Code<'void'> {
    const { spec, inputs, f } = this;
    const { user, item, dot, slope } = rating;
    const start = j * ratingBytes(spec.isWeighted);
    const mean: Code<'f32'> = f32.const(spec.mean);
    const bias = spec.hasBiases ? f32.add(f32.add(mean, user.bias()), item.bias()) : mean;
    const score = f.local('f32');
    const predict = set(score, f32.add(bias, rating.scaled(dot)));
    const target = f32.load(inputs.rating, start + RATING.target);
    const { weight } = rating;
    if (weight === null) return sequence(predict, inputs.emitLoss(f, score, target, null, slope, inputs.sum));
    return sequence(
      predict,
      set(weight, f32.load(inputs.rating, start + RATING.weight)),
      inputs.emitLoss(f, score, target, weight, slope, inputs.sum),
    );
  }
}
