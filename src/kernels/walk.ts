// Loops over rows of any length in vectors of four. What the last vector has beyond the row is read, because a heap has
// space at its end, but never enters a result, and is not written: it may be a row that another thread is writing.

import type { Code, FunctionBuilder, Local, ValueType } from '../wasm/assembler';
import { branch, f32, f32x4, i32, i32x4, loopWhile, sequence, set, v128 } from '../wasm/assembler';

/** How far past the end of a row a loop may read, in bytes. */
export const READ_AHEAD = 64;

const UNROLLED = 4;
/** Row lengths with fully unrolled code: whole vectors. */
const FIXED = [32, 64];
/** The numbers of the lanes of a vector. */
export const LANES = i32x4.const(0, 1, 2, 3);

/** N of a kind. */
type Tuple<T, N extends number, R extends T[] = []> = R['length'] extends N ? R : Tuple<T, N, [...R, T]>;
const some = <T, N extends number>(count: N, make: () => T) => Array.from({ length: count }, make) as Tuple<T, N>;
/** Locals of a function, and parameters. */
export const localsOf = <T extends ValueType, N extends number>(f: FunctionBuilder, type: T, count: N) =>
  some(count, () => f.local(type));
export const parametersOf = <N extends number>(f: FunctionBuilder, count: N) => some(count, () => f.parameter('i32'));

/** Writes a vector to `address + offset`: all of it, or the part that belongs to the row. */
export type Put = (address: Local<'i32'>, value: Code<'v128'>, offset?: number) => Code<'void'>;

const whole: Put = (address, value, offset = 0) => v128.store(address, value, offset);

/** A length in a local, or one known at code generation. */
export type Length = Local<'i32'> | number;

/** Emits the body once for each usual length, and once for all others. */
export function byLength(length: Local<'i32'>, body: (length: Length) => Code<'void'>): Code<'void'> {
  const isNot = (fixed: number) => i32.sub(length, i32.const(fixed));
  return FIXED.reduce((other, fixed) => branch(isNot(fixed), other, body(fixed)), body(length));
}

/** cursor += bytes. */
export function advance(cursor: Local<'i32'>, bytes: Code<'i32'> | number): Code<'void'> {
  return set(cursor, i32.add(cursor, typeof bytes === 'number' ? i32.const(bytes) : bytes));
}

/** Runs the body `count` times; the local is 0 afterwards. */
export function times(count: Local<'i32'>, ...body: readonly Code<'void'>[]): Code<'void'> {
  return loopWhile(count, ...body, set(count, i32.sub(count, i32.const(1))));
}

/** The bytes of a row. */
export function rowBytes(length: Length): Code<'i32'> {
  return typeof length === 'number' ? i32.const(4 * length) : bytesOf(length);
}

/** The bytes of n numbers. */
export function bytesOf(numbers: Code<'i32'>): Code<'i32'> {
  return i32.shl(numbers, i32.const(2));
}

/** The shift that divides by a power of two. */
export function shiftOf(power: number): number {
  return 31 - Math.clz32(power);
}

/** The address of row `row` in an array of rows of `bytes`. */
export function rowAt(start: Local<'i32'>, row: Code<'i32'>, bytes: Code<'i32'>): Code<'i32'> {
  return i32.add(start, i32.mul(row, bytes));
}

/**
 * Whether rows are single numbers, like biases. Those are processed one by one: vectors that overlap the one just
 * written wait until it is in the cache.
 */
export function isOne(length: Local<'i32'>): Code<'i32'> {
  return i32.eqz(i32.sub(length, i32.const(1)));
}

/** An element-wise loop over rows of equal length. */
export class RowWalk {
  private readonly rounds: Local<'i32'>;
  /** The last vector of a row. */
  private readonly last: Local<'v128'>;

  constructor(
    f: FunctionBuilder,
    private readonly length: Length,
  ) {
    this.rounds = f.local('i32');
    this.last = f.local('v128');
  }

  /** Emits the body for every vector, `offset` bytes from the cursors, which advance if the length is not fixed. */
  each(
    cursors: readonly Local<'i32'>[],
    body: (offset: number, put: Put) => Code<'void'>,
    unrolled = UNROLLED,
  ): Code<'void'> {
    const some = (vectors: number, put: Put) =>
      sequence(...Array.from({ length: vectors }, (_, j) => body(16 * j, put)));
    const { length } = this;
    return typeof length === 'number' ? some(length / 4, whole) : this.blocks(cursors, unrolled, some);
  }

  /** The body for blocks of `size` vectors (a power of two) at the cursors, then for single vectors. */
  blocks(
    cursors: readonly Local<'i32'>[],
    size: number,
    body: (vectors: number, put: Put) => Code<'void'>,
  ): Code<'void'> {
    const { rounds, last } = this;
    const length = this.length as Local<'i32'>;
    const rest = i32.and(length, i32.const(3));
    const part: Put = (address, value, offset = 0) => {
      const put = (lane: number) => f32.store(address, f32.lane(lane)(last), offset + 4 * lane);
      const isMore = (than: number) => i32.ltU(i32.const(than), rest);
      return sequence(set(last, value), put(0), branch(isMore(1), put(1)), branch(isMore(2), put(2)));
    };
    const move = (bytes: number) => cursors.map((cursor) => advance(cursor, bytes));
    const vectors = i32.shrU(length, i32.const(2));
    const inBlocks = [
      set(rounds, i32.shrU(length, i32.const(2 + shiftOf(size)))),
      times(rounds, body(size, whole), ...move(16 * size)),
    ];
    return sequence(
      ...(size === 1 ? [] : inBlocks),
      set(rounds, size === 1 ? vectors : i32.and(vectors, i32.const(size - 1))),
      times(rounds, body(1, whole), ...move(16)),
      branch(rest, body(1, part)),
    );
  }
}

/** Dot products of one row with `count` others, in the sixteen lanes that kernels.ts defines. */
export class LaneDots {
  private readonly rounds: Local<'i32'>;
  private readonly masks: readonly Local<'v128'>[];
  private readonly shared: Local<'v128'>;
  private readonly sums: readonly (readonly Local<'v128'>[])[];

  constructor(
    f: FunctionBuilder,
    private readonly length: Local<'i32'>,
    count = 1,
  ) {
    const four = () => Array.from({ length: 4 }, () => f.local('v128'));
    this.rounds = f.local('i32');
    this.masks = four();
    this.shared = f.local('v128');
    this.sums = Array.from({ length: count }, four);
  }

  /** Emitted once per function, before its sums. */
  get prepare(): Code<'void'> {
    const rest = i32.and(this.length, i32.const(15));
    return sequence(
      ...this.masks.map((mask, i) => set(mask, i32x4.gt(i32x4.splat(i32.sub(rest, i32.const(4 * i))), LANES))),
    );
  }

  /** Computes the sums, advancing the cursors. */
  sum(row: Local<'i32'>, ...others: readonly Local<'i32'>[]): Code<'void'> {
    return this.sumWith(row, others, [], () => []);
  }

  /** The same, with a body for each vector of `row` and further cursors to advance. */
  sumWith(
    row: Local<'i32'>,
    others: readonly Local<'i32'>[],
    more: readonly Local<'i32'>[],
    body: (vector: Code<'v128'>, offset: number, put: Put) => readonly Code<'void'>[],
  ): Code<'void'> {
    const { length, rounds, masks, shared, sums } = this;
    const part =
      (mask: Local<'v128'>): Put =>
      (address, value, offset = 0) =>
        v128.store(address, v128.bitselect(value, v128.load(address, offset), mask), offset);
    const cursors = [row, ...others, ...more];
    const step = (term: (product: Code<'v128'>, i: number) => Code<'v128'>, put: (i: number) => Put) =>
      masks.flatMap((_, i) => [
        set(shared, v128.load(row, 16 * i)),
        ...others.map((other, j) => {
          const sum = sums[j]![i]!;
          return set(sum, f32x4.add(sum, term(f32x4.mul(shared, v128.load(other, 16 * i)), i)));
        }),
        ...body(shared, 16 * i, put(i)),
      ]);
    return sequence(
      ...others.flatMap((_, j) => sums[j]!.map((sum) => set(sum, f32x4.zero()))),
      set(rounds, i32.shrU(length, i32.const(4))),
      times(
        rounds,
        ...step(
          (product) => product,
          () => whole,
        ),
        ...cursors.map((cursor) => advance(cursor, 64)),
      ),
      branch(
        i32.and(length, i32.const(15)),
        sequence(
          ...step(
            (product, i) => v128.and(product, masks[i]!),
            (i) => part(masks[i]!),
          ),
        ),
      ),
      ...others.flatMap((_, j) => {
        const [a, b, c, d] = sums[j]! as [Local<'v128'>, Local<'v128'>, Local<'v128'>, Local<'v128'>];
        return [set(a, f32x4.add(f32x4.add(a, b), f32x4.add(c, d))), set(a, f32x4.add(a, f32x4.highHalf(a, a)))];
      }),
    );
  }

  /** The j-th product, after `sum`. */
  total(j = 0): Code<'f32'> {
    const held = this.sums[j]![0]!;
    return f32.add(f32.lane(0)(held), f32.lane(1)(held));
  }
}

/** Vectors of a row written out one after another; longer rows are walked in a loop of so many. */
const WRITTEN_OUT = 8;
const CHUNK = 4;

/** The body for each vector of a row of so many whole ones; `cursors` are where they were afterwards. */
export function eachVector(
  f: FunctionBuilder,
  vectors: number,
  cursors: readonly Local<'i32'>[],
  body: (offset: number, vector: number) => Code<'void'>,
): Code<'void'> {
  const some = (count: number) => sequence(...Array.from({ length: count }, (_, j) => body(16 * j, j)));
  if (vectors <= WRITTEN_OUT) return some(vectors);
  const rounds = f.local('i32');
  const whole = Math.floor(vectors / CHUNK);
  return sequence(
    set(rounds, i32.const(whole)),
    times(rounds, some(CHUNK), ...cursors.map((cursor) => advance(cursor, 16 * CHUNK))),
    some(vectors - whole * CHUNK),
    ...cursors.map((cursor) => advance(cursor, -16 * CHUNK * whole)),
  );
}
