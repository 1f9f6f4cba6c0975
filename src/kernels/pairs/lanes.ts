// Sums in sixteen lanes, the order that kernels.ts defines, and walks along a row: unrolled where a row is short.

import { type Code, f32, f32x4, get, i32, type Local, loopWhile, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';

/** Vectors that are unrolled at once; a multiple of the four sums that run side by side. */
const UNROLLED = 32;
const CHUNK = 16;

/** A sum in four vectors of four lanes, over the vectors of a row in order. */
export class LaneSum {
  private readonly sums: readonly Local<'v128'>[];

  constructor(f: FunctionBuilder<'void'>) {
    this.sums = Array.from({ length: 4 }, () => f.local('v128'));
  }

  /** Before a walk of `vectors`. An unrolled walk starts each sum at its first term instead. */
  start(vectors: number): Code<'void'> {
    return vectors <= UNROLLED ? sequence() : sequence(...this.sums.map((sum) => set(sum, f32x4.zero())));
  }

  /** Adds a term of vector j. */
  add(j: number, vectors: number, term: Code<'v128'>): Code<'void'> {
    const sum = this.sums[j % 4]!;
    return set(sum, vectors <= UNROLLED && j < 4 ? term : f32x4.add(get(sum), term));
  }

  /**
   * Puts a sum away now and then, to be looked at by nobody. V8 moves additions down to where their result is used; in an
   * unrolled walk every load would come first, more of them than there are registers. Measured: 8 % at rank 64.
   */
  settle(j: number, vectors: number, scratch: Code<'i32'>): Code<'void'> {
    const isDue = vectors <= 8 ? j === 3 : j % 8 >= 4;
    return isDue && j < vectors - 1 ? v128.store(scratch, get(this.sums[j % 4]!)) : sequence();
  }

  /** The sum of all lanes. The last addition turns -0 into 0, which lanes that start at 0 would give. */
  total(vectors: number, held: Local<'v128'>): { set: Code<'void'>; value: Code<'f32'> } {
    const [a, b, c, d] = this.sums.map((sum, i) => (i < vectors ? get(sum) : null)) as (Code<'v128'> | null)[];
    const four = plus(plus(a!, b!), plus(c!, d!))!;
    return {
      set: sequence(set(held, four), set(held, f32x4.add(get(held), f32x4.highHalf(get(held), get(held))))),
      value: f32.add(f32.add(f32.lane(0)(get(held)), f32.lane(1)(get(held))), f32.const(0)),
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
  const move = (by: number) => cursors.map((cursor) => set(cursor, i32.add(get(cursor), i32.const(by))));
  // In a loop no term is the first: j counts on from a whole chunk.
  return sequence(
    set(rounds, i32.const(whole)),
    loopWhile(get(rounds), some(CHUNK), ...move(16 * CHUNK), set(rounds, i32.sub(get(rounds), i32.const(1)))),
    some(vectors - whole * CHUNK),
    ...move(-16 * CHUNK * whole),
  );
}
