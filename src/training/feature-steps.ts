// Steps of a factorization machine of one row each, many in one call: WebAssembly written for the rank, the rule, the loss
// and the product of the embeddings. Their definition is the stepper's: select, score, differentiate, pull back; a row names
// a feature once, so that each of its rows is read, differentiated and updated in one go. (Rendle 2010, equations 1 and 5.)

import type { Heap } from '../kernels/heap';
import { isPerRow, numberArithmetic, rowRate, type UpdateRule } from '../kernels/update-rules';
import { bytesOf, LANES, type Put, times } from '../kernels/walk';
import { type FeatureBatch, FMModel } from '../models/feature-models';
import type { Factor } from '../optimizers/factor';
import type { Optimizer } from '../optimizers/optimizer';
import { updateRuleOf } from '../optimizers/registry';
import type { Parameter, Penalty } from '../parameters/parameter';
import type { Code, FunctionBuilder, Local } from '../wasm/assembler';
import { branch, f32, f32x4, f64, i32, i32x4, loopWhile, ModuleBuilder, sequence, set, v128 } from '../wasm/assembler';
import { compile } from '../wasm/host';
import { FeatureBatcher } from './feature-batches';
import type { Loss } from './losses';
import type { OptimizerSink } from './optimizer-sink';
import { type Cell, type LossSpec, lossSpecOf, type SideSpec, vectorsOf } from './per-rating/plan';
import { correctionEmitter } from './per-rating/program';
import { CellUpdates, chain, LaneSum, lossEmitter } from './per-rating/step-wasm';
import type { Batcher } from './rating-batches';
import type { ManySteps } from './stepper';

/** The most vectors of four that a row may have: their sums are in registers and on the stack. */
const MOST_VECTORS = 32;

/** The penalty of a table: the strength of each row, 0 where it has none; an address where rows have their own. */
interface Decay {
  readonly strength: number;
  readonly byRow: number | null;
}

/** What the steps are written for: the tables by their addresses. */
interface RowStepsSpec {
  readonly rank: number;
  readonly rule: UpdateRule;
  readonly loss: LossSpec;
  readonly isOneHot: boolean;
  readonly isWeighted: boolean;
  readonly kind: SideSpec['kind'];
  readonly base: Cell;
  readonly maps: readonly Cell[];
  readonly linear: Cell;
  readonly bias: Cell;
  readonly embeddingDecay: Decay;
  readonly linearDecay: Decay;
}

/** The steps of a model, a loss and a rule, on the heap where they lie; null where there is no program for them. */
export function featureSteps(
  model: unknown,
  loss: Loss,
  optimizer: Optimizer,
  penalties: readonly Penalty[],
  /** Prepared already. */
  batcher: Batcher<FeatureBatch>,
): ManySteps<FeatureBatch> | null {
  const rule = updateRuleOf(optimizer);
  const pointwise = lossSpecOf(loss);
  if (!(model instanceof FMModel && batcher instanceof FeatureBatcher) || rule === null || pointwise === null)
    return null;
  const { isOneHot, isWeighted } = batcher;
  const { embedding, linear, bias } = model;
  const { rowProduct: product } = embedding;
  if (
    product === undefined ||
    product.isShared ||
    linear.rowProduct?.kind !== 'plain' ||
    vectorsOf(embedding.dim) > MOST_VECTORS
  )
    return null;
  // A rate for a whole row is worked out for the base alone.
  if (isPerRow(rule) && product.kind === 'diagonal') return null;
  const [base, ...maps] = embedding.factors as [Factor, ...Factor[]];
  const [weight, constant] = [linear.factors[0]!, bias.factors[0]!];
  return (heap: Heap, sink: OptimizerSink) => {
    const cellOf = (factor: Factor): Cell => ({
      at: factor.data.byteOffset,
      slots: sink.stateOf(factor).map(({ byteOffset }) => byteOffset),
    });
    const decayOf = (parameter: Parameter): Decay => {
      const { strength, byRow } = penalties.find((one) => one.parameter === parameter) ?? { strength: 0, byRow: null };
      return { strength, byRow: byRow === null ? null : byRow.byteOffset };
    };
    const program = heap.instantiate<{ steps: (...operands: number[]) => number }>(() =>
      rowStepsProgram({
        ...{ rank: embedding.dim, rule, loss: pointwise, isOneHot, isWeighted, kind: product.kind },
        ...{ base: cellOf(base), maps: maps.map(cellOf), linear: cellOf(weight), bias: cellOf(constant) },
        ...{ embeddingDecay: decayOf(embedding), linearDecay: decayOf(linear) },
      }),
    );
    if (program === null) return null;
    const { rates } = sink;
    return ({ starts, indices, values, targets, weights, count }, step, sum) =>
      program.steps(
        ...[starts, indices, values, targets, weights ?? targets].map(({ byteOffset }) => byteOffset),
        ...[count, step, ...[base, maps[0] ?? base, weight, constant].map((factor) => rates.learningRateOf(factor))],
        sum,
      );
  };
}

/** Compiles `steps(starts, indices, values, targets, weights, count, firstStep, rates of base, map, linear and bias, sum)`. */
function rowStepsProgram(spec: RowStepsSpec): WebAssembly.Module {
  const module = new ModuleBuilder();
  const emitLoss = lossEmitter(module, spec.loss);
  const emitCorrections = correctionEmitter(module, spec.rule);
  const f = module.function('f64', 'steps');
  const [starts, indices, values, targets] = [0, 1, 2, 3].map(() => f.parameter('i32')) as Four<'i32'>;
  const [weights, count] = [f.parameter('i32'), f.parameter('i32')];
  const step = f.parameter('f64');
  const given = [0, 1, 2, 3].map(() => f.parameter('f32')) as Four<'f32'>;
  const sum = f.parameter('f64');
  const rates = given.map(() => f.local('f32')) as Four<'f32'>;
  const row = new RowStepsWriter(f, spec, { indices, values }, rates);
  const weight = spec.isWeighted ? row.weight : null;
  f.emit(
    times(
      count,
      ...rates.map((rate, k) => set(rate, given[k]!)),
      emitCorrections(f, step, row.root, rates),
      row.open(starts),
      ...(weight === null ? [] : [set(weight, f32.load(weights))]),
      row.score(),
      emitLoss(f, row.total, f32.load(targets), weight, row.slope, sum),
      row.update(),
      set(step, f64.add(step, f64.const(1))),
      ...[starts, targets, weights].map((cursor) => set(cursor, i32.add(cursor, i32.const(4)))),
    ),
    sum,
  );
  return compile(module.encode({ pages: 1, isShared: false }));
}

type Four<T extends 'i32' | 'f32'> = [Local<T>, Local<T>, Local<T>, Local<T>];

/** The code of a step: its score, and the updates of what the row names. */
class RowStepsWriter {
  readonly total: Local<'f32'>;
  /** d loss / d score. */
  readonly slope: Local<'f32'>;
  readonly weight: Local<'f32'>;
  readonly root: Local<'f32'>;
  private readonly vectors: number;
  /** Of every column: the sum over the features of value x embedding. */
  private readonly sums: readonly Local<'v128'>[];
  private readonly lanes: LaneSum;
  /** Addresses are absolute: rows are told by their distance from the start of a table, here of nothing. */
  private readonly start: Local<'i32'>;
  private readonly first: Local<'i32'>;
  private readonly end: Local<'i32'>;
  private readonly cursor: Local<'i32'>;
  private readonly index: Local<'i32'>;
  /** The distance of the row of the current feature in tables of embeddings, and of numbers. */
  private readonly row: Local<'i32'>;
  private readonly number: Local<'i32'>;
  /** Of the current feature. */
  private readonly x: Local<'f32'>;
  private readonly value: Local<'v128'>;
  private readonly scale: Local<'f32'>;
  private readonly scales: Local<'v128'>;
  private readonly element: Local<'v128'>;
  private readonly parts: readonly Local<'v128'>[];
  private readonly held: Local<'v128'>;

  constructor(
    private readonly f: FunctionBuilder,
    private readonly spec: RowStepsSpec,
    private readonly rows: { readonly indices: Local<'i32'>; readonly values: Local<'i32'> },
    private readonly rates: Four<'f32'>,
  ) {
    const vectors = vectorsOf(spec.rank);
    this.vectors = vectors;
    this.lanes = new LaneSum(f);
    const number = () => f.local('f32');
    const vector = () => f.local('v128');
    [this.total, this.slope, this.weight, this.root] = [number(), number(), number(), number()];
    [this.x, this.scale] = [number(), number()];
    this.sums = Array.from({ length: vectors }, vector);
    this.parts = spec.kind === 'diagonal' ? [spec.base, ...spec.maps].map(vector) : [];
    [this.value, this.scales, this.element, this.held] = [vector(), vector(), vector(), vector()];
    const [start, first, end, cursor] = [0, 1, 2, 3].map(() => f.local('i32')) as Four<'i32'>;
    [this.start, this.first, this.end, this.cursor] = [start, first, end, cursor];
    [this.index, this.row, this.number] = [f.local('i32'), f.local('i32'), f.local('i32')];
  }

  /** Goes to a row: its features are from starts[0] up to starts[1]. */
  open(starts: Local<'i32'>): Code<'void'> {
    return sequence(set(this.first, bytesOf(i32.load(starts))), set(this.end, bytesOf(i32.load(starts, 4))));
  }

  /** total = bias + sum w_i x_i + the sum over pairs of features of <v_i, v_j> x_i x_j, as kernels/sparse.ts adds it up. */
  score(): Code<'void'> {
    const { spec, vectors, sums, lanes, total, value, element, held, f } = this;
    const pairs = Array.from({ length: Math.min(4, vectors) }, () => f.local('v128'));
    const term = f.local('v128');
    const blocks = Array.from({ length: Math.ceil(vectors / 4) }, (_, b) => {
      const block = pairs.slice(0, vectors - 4 * b).map((pair, i) => ({ pair, sum: sums[4 * b + i]!, j: 4 * b + i }));
      return sequence(
        ...block.flatMap(({ pair, sum }) => [set(pair, f32x4.zero()), set(sum, f32x4.zero())]),
        this.eachFeature(
          ...(b === 0 ? [set(total, f32.add(total, this.timesValue(f32.load(this.number, spec.linear.at))))] : []),
          this.takeScale(),
          ...block.flatMap(({ pair, sum, j }) => [
            this.take(j),
            set(term, this.kept(j, spec.isOneHot ? element : f32x4.mul(value, element))),
            set(pair, f32x4.add(pair, f32x4.mul(sum, term))),
            set(sum, f32x4.add(sum, term)),
          ]),
        ),
        ...block.map(({ pair, j }) => lanes.add(j, vectors, pair)),
      );
    });
    const all = lanes.total(vectors, held);
    return sequence(
      set(total, f32.load(this.start, spec.bias.at)),
      ...blocks,
      all.set,
      set(total, f32.add(total, all.value)),
    );
  }

  /** The updates of the rows of all features, and of the bias. */
  update(): Code<'void'> {
    const { spec, f, rates, slope, root, weight } = this;
    const roots = f.local('v128');
    const vectorRates = [f.local('v128'), f.local('v128')] as const;
    const decays = { embedding: f.local('f32'), linear: f.local('f32') };
    const bias = f.local('f32');
    const decay = ({ strength, byRow }: Decay): Code<'f64'> => {
      const own = byRow === null ? f64.const(strength) : f64.load(i32.shl(this.index, i32.const(3)), byRow);
      return spec.isWeighted ? f64.mul(own, f64.promote(weight)) : own;
    };
    const features = (isPaired: boolean) =>
      this.eachFeature(
        set(decays.embedding, f32.demote(decay(spec.embeddingDecay))),
        set(decays.linear, f32.demote(decay(spec.linearDecay))),
        this.updateLinear(decays.linear),
        this.takeScale(),
        this.updateEmbedding(isPaired, decays.embedding, vectorRates, roots),
      );
    return sequence(
      set(vectorRates[0], f32x4.splat(rates[0])),
      set(vectorRates[1], f32x4.splat(rates[1])),
      set(roots, f32x4.splat(root)),
      // A slope of 0 leaves the pairs out: they might be infinite.
      branch(f64.ne(f64.promote(slope), f64.const(0)), features(true), features(false)),
      set(bias, f32.load(this.start, spec.bias.at)),
      new CellUpdates(f, this.start, spec.rule, { number: root, vector: roots }).onNumber(
        spec.bias,
        bias,
        f32.add(f32.const(0), slope),
        rates[3],
      ),
    );
  }

  private updateLinear(decay: Local<'f32'>): Code<'void'> {
    const { spec, f, number, root, rates, slope, held } = this;
    const w = f.local('f32');
    const own = spec.linearDecay.strength === 0 ? f32.const(0) : f32.mul(decay, w);
    const updates = new CellUpdates(f, number, spec.rule, { number: root, vector: held });
    const gradient = f32.add(own, this.timesValue(slope));
    return sequence(set(w, f32.load(number, spec.linear.at)), updates.onNumber(spec.linear, w, gradient, rates[2]));
  }

  private updateEmbedding(
    isPaired: boolean,
    decay: Local<'f32'>,
    vectorRates: readonly [Local<'v128'>, Local<'v128'>],
    roots: Local<'v128'>,
  ): Code<'void'> {
    const { spec, f, vectors, row, number, sums, lanes, root, rates, value, element, scales, parts, held } = this;
    const { rule, kind, base, maps, embeddingDecay } = spec;
    const [push, decayed, x, g, along] = [0, 1, 2, 3, 4].map(() => f.local('v128')) as Five;
    const updates = new CellUpdates(f, row, rule, { number: root, vector: roots });
    const own = embeddingDecay.strength === 0 ? f32x4.zero() : f32x4.mul(decayed, element);
    const others = (j: number) => f32x4.sub(sums[j]!, spec.isOneHot ? element : f32x4.mul(value, element));
    /** d loss / d embedding, after `take`. */
    const gradient = (j: number) => (isPaired ? f32x4.add(own, f32x4.mul(push, others(j))) : own);
    const load = (j: number) => v128.load(row, base.at + 16 * j);
    const eachVector = (body: (j: number) => readonly Code<'void'>[]) =>
      Array.from({ length: vectors }, (_, j) => sequence(this.take(j), set(g, gradient(j)), ...body(j)));
    const start = [set(push, f32x4.splat(this.timesValue(this.slope))), set(decayed, f32x4.splat(decay))];
    if (kind === 'diagonal') {
      const cells = [base, ...maps];
      return sequence(
        ...start,
        ...eachVector((j) => [
          set(along, f32x4.mul(g, parts[0]!)),
          ...cells.map((cell, part) => {
            const others = chain(
              f32x4.mul,
              parts.filter((_, other) => other !== part && other !== 0),
            );
            const towards = part === 0 ? g : along;
            const partial = others ? f32x4.mul(towards, others) : towards;
            return updates.onVector(cell, parts[part]!, partial, vectorRates[part === 0 ? 0 : 1], 16 * j, this.put(j));
          }),
        ]),
      );
    }
    const ofBase = kind === 'scalar' ? f32x4.mul(g, scales) : g;
    const dot = kind === 'scalar' ? (j: number) => [lanes.add(j, vectors, this.kept(j, f32x4.mul(g, x)))] : () => [];
    const total = lanes.total(vectors, held);
    const after = kind === 'scalar' ? [total.set, this.updateScalars(total.value)] : [];
    if (!isPerRow(rule)) {
      return sequence(
        ...start,
        ...eachVector((j) => [
          set(x, load(j)),
          ...dot(j),
          updates.onVector(base, x, ofBase, vectorRates[0], 16 * j, this.put(j)),
        ]),
        ...after,
      );
    }
    // The rate of the row has to wait for the squares of its whole gradient.
    const squares = new LaneSum(f);
    const ofRow = Array.from({ length: vectors }, () => f.local('v128'));
    const [sum, rate, rateVector] = [f.local('f32'), f.local('f32'), f.local('v128')];
    const weightDecay = f32x4.mul(f32x4.splat(f32.const(rule.weightDecay)), x);
    const square = squares.total(vectors, held);
    const at = base.slots[0]!;
    return sequence(
      ...start,
      ...eachVector((j) => [
        set(x, load(j)),
        ...dot(j),
        set(ofRow[j]!, rule.weightDecay === 0 ? ofBase : f32x4.add(ofBase, weightDecay)),
        squares.add(j, vectors, this.kept(j, f32x4.mul(ofRow[j]!, ofRow[j]!))),
      ]),
      square.set,
      set(sum, f32.add(f32.load(number, at), f32.mul(square.value, f32.const(1 / spec.rank)))),
      f32.store(number, sum, at),
      set(rate, rowRate(rule, { ...numberArithmetic(), keep: (code: Code<'f32'>) => code }, sum, rates[0])),
      set(rateVector, f32x4.splat(rate)),
      ...ofRow.map((own, j) => this.put(j)(row, f32x4.sub(load(j), f32x4.mul(rateVector, own)), base.at + 16 * j)),
      ...after,
    );
  }

  /** The updates of the scalars of a row, from <g, x>. */
  private updateScalars(dot: Code<'f32'>): Code<'void'> {
    const { spec, f, number, root, rates, held } = this;
    const along = f.local('f32');
    const scalars = spec.maps.map(() => f.local('f32'));
    const updates = new CellUpdates(f, number, spec.rule, { number: root, vector: held });
    return sequence(
      set(along, dot),
      ...spec.maps.map(({ at }, l) => set(scalars[l]!, f32.load(number, at))),
      ...spec.maps.map((cell, l) => {
        const product = chain(
          f32.mul,
          scalars.filter((_, other) => other !== l),
        );
        return updates.onNumber(cell, scalars[l]!, product ? f32.mul(along, product) : along, rates[1]);
      }),
    );
  }

  /** The body for every feature of the row. */
  private eachFeature(...body: readonly Code<'void'>[]): Code<'void'> {
    const { spec, rows, first, end, cursor, index, row, number, x, value } = this;
    return sequence(
      set(cursor, first),
      loopWhile(
        i32.ltU(cursor, end),
        set(index, i32.load(i32.add(rows.indices, cursor))),
        set(row, i32.mul(index, i32.const(4 * spec.rank))),
        set(number, bytesOf(index)),
        ...(spec.isOneHot ? [] : [set(x, f32.load(i32.add(rows.values, cursor))), set(value, f32x4.splat(x))]),
        ...body,
        set(cursor, i32.add(cursor, i32.const(4))),
      ),
    );
  }

  /** A number times the feature's value. */
  private timesValue(number: Code<'f32'>): Code<'f32'> {
    return this.spec.isOneHot ? number : f32.mul(number, this.x);
  }

  /** Takes the product of the scalars of the row. */
  private takeScale(): Code<'void'> {
    const { spec, scale, scales, number } = this;
    if (spec.kind !== 'scalar') return sequence();
    const product = chain(
      f32.mul,
      spec.maps.map(({ at }) => f32.load(number, at)),
    )!;
    return sequence(set(scale, product), set(scales, f32x4.splat(scale)));
  }

  /** Takes the vector j of the embedding in hand: of the product. */
  private take(j: number): Code<'void'> {
    const { spec, row, element, parts, scales } = this;
    const base = v128.load(row, spec.base.at + 16 * j);
    if (spec.kind === 'plain') return set(element, base);
    if (spec.kind === 'scalar') return set(element, f32x4.mul(base, scales));
    const cells = [spec.base, ...spec.maps];
    return sequence(
      ...parts.map((part, i) => set(part, v128.load(row, cells[i]!.at + 16 * j))),
      set(element, chain(f32x4.mul, parts)!),
    );
  }

  /** A vector without what is beyond the row, which is the next one's. */
  private kept(j: number, code: Code<'v128'>): Code<'v128'> {
    return this.isPart(j) ? v128.and(code, this.mask) : code;
  }

  /** Writes a vector, but for what is beyond the row. */
  private put(j: number): Put {
    if (!this.isPart(j)) return (address, value, offset = 0) => v128.store(address, value, offset);
    return (address, value, offset = 0) =>
      v128.store(address, v128.bitselect(value, v128.load(address, offset), this.mask), offset);
  }

  private isPart(j: number): boolean {
    return j === this.vectors - 1 && this.spec.rank % 4 !== 0;
  }

  private get mask(): Code<'v128'> {
    return i32x4.gt(i32x4.splat(i32.const(this.spec.rank % 4)), LANES);
  }
}

type Five = [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
