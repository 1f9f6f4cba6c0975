// Writes the WebAssembly module of the per-rating engine for one exact rank, product, loss and optimizer: constants are
// inlined, loops over a row are unrolled, and features that a fit does not use are left out.

import { naturalLog } from '../../core/elementary';
import type { UpdateRule } from '../../kernels/update-rules';
import {
  branch,
  type Code,
  type FunctionBuilder,
  f32,
  f32x4,
  f64,
  i32,
  i32x4,
  i64,
  type Local,
  loopWhile,
  type MemoryShape,
  ModuleBuilder,
  select,
  sequence,
  set,
  v128,
} from '../../wasm/assembler';
import { AT_ONCE } from './block-schedule';
import type { RowLayout, StepSpec } from './plan';
import { carriesNorms, RATE_SHIFT, RATING, RUN, ratingBytes, rowLayout, vectorsOf } from './plan';
import { eachVector, exponentialFunction, LaneSum, lossEmitter, StepWriter, UNROLLED } from './step-wasm';

/** A row of the table of rates: base, map and bias, each a float32. */
export const RATES_BYTES = 12;

/**
 * The program. It exports `prefetch(run)`, for before a run's first step; `run(run, count, rates, firstStep)`: the next
 * `count` steps of a run; `count`, `put` and `shuffle`, which lay the ratings out; and, where rows carry their norms,
 * `userNorms(row, count)` and `itemNorms(row, count)`, which take them anew.
 */
export function encodeProgram(spec: StepSpec, memory: MemoryShape): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const emitLoss = lossEmitter(module, spec.loss);
  const emitCorrections = correctionEmitter(module, spec.rule);
  const f = module.function('void', 'run');
  const run = f.parameter('i32');
  const count = f.parameter('i32');
  const rates = f.parameter('i32');
  const firstStep = f.parameter('f64');
  const index = f.local('i32');
  const step = f.local('i32');
  const rating = f.local('i32');
  const at = f.local('i32');
  const ratings = f.local('i32');
  const stride = f.local('i32');
  const length = f.local('i32');
  const sum = f.local('f64');
  const scales = { base: f.local('f32'), map: f.local('f32'), bias: f.local('f32'), root: f.local('f32') };
  const bytes = ratingBytes(spec.isWeighted);
  const address = (number: Code<'i32'>) => i32.add(ratings, i32.mul(number, i32.const(bytes)));
  const touch = f.local('i32');
  const touched = f.local('i32');
  const lines = (layout: RowLayout) =>
    Array.from({ length: Math.ceil(layout.bytes / CACHE_LINE) }, (_, at) =>
      set(touched, i32.add(touched, i32.load(touch, at * CACHE_LINE))),
    );
  // The rows of the next step are read while this one waits for its loss: from the second-level cache they take longer.
  const isAhead = spec.grouping === 1 && vectorsOf(spec.rank) <= UNROLLED;
  const next = set(touch, address(following(index, stride, length)));
  const ahead = isAhead
    ? [
        next,
        set(touch, i32.load(touch, RATING.user)),
        ...lines(rowLayout(spec, spec.user)),
        next,
        set(touch, i32.load(touch, RATING.item)),
        ...lines(rowLayout(spec, spec.item)),
      ]
    : [];
  const writer = new StepWriter(f, spec, { run, rating, sum, rates: scales, emitLoss, ahead: sequence(...ahead) });
  const group = i32.load(i32.add(i32.load(run, RUN.groups), i32.shl(index, i32.const(2))));
  const oneStep =
    spec.grouping === 1
      ? [set(rating, address(index)), writer.step(1)]
      : [
          set(at, group),
          set(rating, address(i32.shrU(at, i32.const(2)))),
          bySize(i32.and(at, i32.const(3)), (size) => writer.step(size)),
        ];
  const loadRate = (field: number) =>
    f32.load(i32.add(rates, i32.mul(i32.shrU(step, i32.const(RATE_SHIFT)), i32.const(RATES_BYTES))), field);
  f.emit(
    set(ratings, i32.load(run, RUN.ratings)),
    set(stride, i32.load(run, RUN.stride)),
    set(length, i32.load(run, RUN.count)),
    set(index, i32.load(run, RUN.index)),
    set(step, i32.load(run, RUN.step)),
    set(sum, f64.load(run, RUN.loss)),
    loopWhile(
      count,
      set(scales.base, loadRate(0)),
      set(scales.map, loadRate(4)),
      set(scales.bias, loadRate(8)),
      emitCorrections(f, f64.add(firstStep, f64.convert(step)), scales.root, [scales.base, scales.map, scales.bias]),
      ...oneStep,
      set(index, following(index, stride, length)),
      set(step, i32.add(step, i32.const(1))),
      set(count, i32.sub(count, i32.const(1))),
    ),
    i32.store(run, index, RUN.index),
    i32.store(run, step, RUN.step),
    f64.store(run, sum, RUN.loss),
    i32.store(run, touched, RUN.scratch),
  );
  emitPrefetch(module);
  emitLayout(module, bytes);
  emitShuffle(module, bytes);
  if (carriesNorms(spec)) {
    emitNorms(module, 'userNorms', spec.rank, rowLayout(spec, spec.user));
    emitNorms(module, 'itemNorms', spec.rank, rowLayout(spec, spec.item));
  }
  return module.encode(memory);
}

/** The next of a run, in strides: (index + stride) mod length. */
function following(index: Local<'i32'>, stride: Local<'i32'>, length: Local<'i32'>): Code<'i32'> {
  const sum = i32.add(index, stride);
  return i32.sub(sum, select(length, i32.const(0), i32.geU(sum, length)));
}

/** The branch for a group of one to four, told by its size less 1. */
function bySize(code: Code<'i32'>, step: (size: number) => Code<'void'>): Code<'void'> {
  const is = (n: number) => i32.eqz(i32.sub(code, i32.const(n - 1)));
  return branch(is(4), step(4), branch(is(1), step(1), branch(is(2), step(2), step(3))));
}

// Adam's bias corrections, by the number of the step; nothing for the other rules.

/** Below e^-37.5 the power of a beta no longer changes a double's 1. */
const VANISHED = -37.5;

/** Code that scales some rates and writes the correction of the root for a step, numbered from 1. */
export function correctionEmitter(module: ModuleBuilder, rule: UpdateRule) {
  if (rule.name !== 'adam') return (): Code<'void'> => sequence();
  const exponential = exponentialFunction(module);
  const logBeta1 = naturalLog(rule.beta1);
  const logBeta2 = naturalLog(rule.beta2);
  const last = VANISHED / Math.max(logBeta1, logBeta2);
  const oneMinusPower = (logBeta: number, step: Code<'f64'>) => {
    const exponent = f64.mul(step, f64.const(logBeta));
    // exp of less than the threshold rounds to nothing beside 1, which is what the threshold stands for.
    return f64.sub(f64.const(1), exponential.call(exponent));
  };
  return (f: FunctionBuilder, step: Code<'f64'>, root: Local<'f32'>, rates: readonly Local<'f32'>[]): Code<'void'> => {
    const number = f.local('f64');
    const average = f.local('f32');
    return sequence(
      set(number, step),
      set(root, f32.const(1)),
      branch(
        f64.le(number, f64.const(last + 1)),
        sequence(
          set(average, f32.demote(f64.div(f64.const(1), oneMinusPower(logBeta1, number)))),
          set(root, f32.demote(f64.div(f64.const(1), f64.sqrt(oneMinusPower(logBeta2, number))))),
          ...rates.map((rate) => set(rate, f32.mul(rate, average))),
        ),
      ),
    );
  };
}

// |x|^2 of rows, written into them: where steps carry it along, it is taken anew each epoch, so that rounding does not
// add up over a fit.

/** Adds the function `name(row, count)`: the norms of `count` rows from the address `row` on. */
export function emitNorms(module: ModuleBuilder, name: string, rank: number, layout: RowLayout): void {
  const f = module.function('void', name);
  const row = f.parameter('i32');
  const count = f.parameter('i32');
  const x = f.local('v128');
  const held = f.local('v128');
  const sum = new LaneSum(f);
  const vectors = vectorsOf(rank);
  const total = sum.total(vectors, held);
  f.emit(
    loopWhile(
      count,
      sum.start(vectors),
      eachVector(f, vectors, [row], (offset, j) =>
        sequence(set(x, v128.load(row, layout.base.at + offset)), sum.add(j, vectors, f32x4.mul(x, x))),
      ),
      total.set,
      f32.store(row, total.value, layout.norm!),
      set(row, i32.add(row, i32.const(layout.bytes))),
      set(count, i32.sub(count, i32.const(1))),
    ),
  );
}

// Brings a tile's rows into the cache before its steps ask for them. Steps jump from row to row, and each first jump would
// wait for memory; read in the order they lie, rows come as fast as memory can send them. Measured: 1.4 times the speed
// where rows do not fit the cache, and nothing lost where they do (docs/performance.md).

/** The bytes that come from memory together. */
const CACHE_LINE = 64;

/** Adds the function `prefetch(run)`. */
export function emitPrefetch(module: ModuleBuilder): void {
  const f = module.function('void', 'prefetch');
  const run = f.parameter('i32');
  const at = f.local('i32');
  const end = f.local('i32');
  const sum = f.local('i32');
  const touch = (rows: number, bytes: number): Code<'void'> =>
    sequence(
      set(at, i32.load(run, rows)),
      set(end, i32.add(at, i32.load(run, bytes))),
      loopWhile(i32.ltU(at, end), set(sum, i32.add(sum, i32.load(at))), set(at, i32.add(at, i32.const(CACHE_LINE)))),
    );
  f.emit(
    touch(RUN.userRows, RUN.userBytes),
    touch(RUN.itemRows, RUN.itemBytes),
    // A sum that nobody used would not be taken, and nothing be read.
    i32.store(run, sum, RUN.scratch),
  );
}

// The layout of ratings: see block-schedule.ts, which defines it.

/** Of a row as `count` and `put` see it: its address, and its part of the number of a tile, times 4. */
export const ROW = { address: 0, tile: 4, bytes: 8 } as const;

/**
 * Adds the functions `count(staged, count, users, items, tiles)`, which counts the ratings of tiles, and `put`, which sends them
 * there, to the addresses in `tiles`, which move on. Staged are AT_ONCE users, items, targets and weights.
 */
export function emitLayout(module: ModuleBuilder, bytes: number): void {
  for (const isPut of [false, true]) {
    const f = module.function('void', isPut ? 'put' : 'count');
    const [staged, count] = [f.parameter('i32'), f.parameter('i32')];
    const [users, items, tiles] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
    const [user, item, tile, at] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
    const column = (number: number) => i32.load(staged, 4 * AT_ONCE * number);
    const row = (rows: Local<'i32'>, number: number) => i32.add(rows, i32.shl(column(number), i32.const(3)));
    const moveOn = (by: number) => i32.store(tile, i32.add(at, i32.const(by)));
    f.emit(
      loopWhile(
        count,
        set(user, row(users, 0)),
        set(item, row(items, 1)),
        set(tile, i32.add(tiles, i32.add(i32.load(user, ROW.tile), i32.load(item, ROW.tile)))),
        set(at, i32.load(tile)),
        moveOn(isPut ? bytes : 1),
        ...(isPut
          ? [
              i32.store(at, i32.load(user, ROW.address), RATING.user),
              i32.store(at, i32.load(item, ROW.address), RATING.item),
              i32.store(at, column(2), RATING.target),
              ...(bytes > RATING.weight ? [i32.store(at, column(3), RATING.weight)] : []),
            ]
          : []),
        set(staged, i32.add(staged, i32.const(4))),
        set(count, i32.sub(count, i32.const(1))),
      ),
    );
  }
}

/** The bytes that `shuffle` needs for a tile: a number each, and a copy of the records, in vectors. */
export function scratchBytes(count: number, bytes: number): number {
  return Math.ceil(count / 4) * 16 + Math.ceil((count * bytes) / 16) * 16;
}

/** Adds the function `shuffle(tile, count, key, scratch)`, for at most MOST_SHUFFLED records: shuffleTiles for one tile. */
export function emitShuffle(module: ModuleBuilder, bytes: number): void {
  const f = module.function('void', 'shuffle');
  const [tile, left, key, order] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')];
  const [copy, at, end, word, drawn, source] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ];
  const numbers = f.local('v128');
  const up = (value: Code<'i32'>) => i32.and(i32.add(value, i32.const(15)), i32.const(-16));
  const next = (cursor: Local<'i32'>, by: number) => set(cursor, i32.add(cursor, i32.const(by)));
  const xorShift = (by: number) => set(drawn, i32.xor(drawn, i32.shrU(drawn, i32.const(by))));
  f.emit(
    set(copy, i32.add(order, up(i32.shl(left, i32.const(2))))),
    set(numbers, i32x4.const(0, 1, 2, 3)),
    set(at, order),
    loopWhile(
      i32.ltU(at, copy),
      v128.store(at, numbers),
      set(numbers, i32x4.add(numbers, i32x4.const(4, 4, 4, 4))),
      next(at, 16),
    ),
    set(end, i32.add(copy, i32.mul(left, i32.const(bytes)))),
    set(source, tile),
    loopWhile(i32.ltU(at, end), v128.store(at, v128.load(source)), next(at, 16), next(source, 16)),
    // From the last record to the first.
    set(at, i32.add(tile, i32.mul(left, i32.const(bytes)))),
    set(end, i32.add(order, i32.shl(left, i32.const(2)))),
    set(word, key),
    loopWhile(
      left,
      set(drawn, word),
      xorShift(16),
      set(drawn, i32.mul(drawn, i32.const(0x85ebca6b))),
      xorShift(13),
      set(drawn, i32.mul(drawn, i32.const(0xc2b2ae35))),
      xorShift(16),
      // Of `left` as many: the upper word of the product.
      set(drawn, i64.wrap(i64.shrU(i64.mul(i64.extendU(drawn), i64.extendU(left)), i64.const(32)))),
      set(drawn, i32.add(order, i32.shl(drawn, i32.const(2)))),
      set(source, i32.add(copy, i32.mul(i32.load(drawn), i32.const(bytes)))),
      next(end, -4),
      next(at, -bytes),
      i32.store(drawn, i32.load(end)),
      ...(bytes === 16
        ? [v128.store(at, v128.load(source))]
        : [i64.store(at, i64.load(source)), i32.store(at, i32.load(source, 8), 8)]),
      next(word, 0x9e3779b9 | 0),
      set(left, i32.sub(left, i32.const(1))),
    ),
  );
}
