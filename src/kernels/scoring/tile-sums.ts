// Code for the dot products of the four rows of a tile with some queries, in the order that kernels.ts defines. Lanes are
// summed one after another and added up as soon as their neighbour in the tree is known, so that few registers are in
// use; a lane does not wait for the one before it.

import { type Code, f32x4, get, i32, type Local, loopWhile, sequence, set, v128 } from '../assembler/code';
import type { FunctionBuilder } from '../assembler/module';
import { QUERIES, SETTLED } from './scan-layout';
import { leavesOf } from './tiles';

/** Elements of a lane that are unrolled; where lanes are longer they are loops over so many. */
const UNROLLED = 16;
/** The most sums of the tree that wait at once, and the one at work. */
const DEPTH = 5;
/**
 * Loads between two stores that settle the sums: the most, and what is enough for it at the end of a lane. Some engines
 * (V8 of Node 20) move arithmetic down to where it is used, so that all loads come first, registers overflow, and a scan
 * takes four times as long. A sum that is stored is used.
 */
const MOST_LOADS = 12;
const ENOUGH_LOADS = 8;

/** Writes the sums of a tile. */
export class TileSums {
  /** The locals in which the sums of each query are left. */
  readonly totals: readonly Local<'v128'>[];
  readonly code: Code<'void'>;
  private readonly row: Local<'v128'>;
  private readonly stack: readonly (readonly Local<'v128'>[])[];
  private readonly rows: Local<'i32'>;
  private readonly queries: Local<'i32'>;
  private readonly rounds: Local<'i32'>;
  private readonly isLong: boolean;
  private loads = 0;

  constructor(
    f: FunctionBuilder<'void'>,
    dim: number,
    private readonly width: number,
    tile: Local<'i32'>,
  ) {
    const leaves = leavesOf(dim).map(({ length }) => length);
    this.isLong = leaves[0]! > UNROLLED;
    this.row = f.local('v128');
    this.stack = Array.from({ length: DEPTH }, () => Array.from({ length: width }, () => f.local('v128')));
    this.totals = this.stack[0]!;
    [this.rows, this.queries, this.rounds] = [f.local('i32'), f.local('i32'), f.local('i32')];
    const code = [set(this.rows, get(tile)), set(this.queries, i32.const(0))];
    let at = 0;
    let depth = 0;
    leaves.forEach((length, leaf) => {
      if (length > 0) code.push(this.lane(this.stack[depth]!, at, length));
      at += length;
      depth++;
      // A lane that no row reaches is 0 and on the right of one that is reached: there is nothing to add.
      for (let rest = leaf, reach = 1; rest % 2 === 1; rest = (rest - 1) / 2, reach *= 2) {
        depth--;
        if (leaves[leaf - reach + 1]! > 0) code.push(this.addUp(this.stack[depth - 1]!, this.stack[depth]!));
      }
      code.push(this.settle(this.stack[depth - 1]!, ENOUGH_LOADS - length * (1 + width)));
    });
    this.code = sequence(...code);
  }

  /** The sum of one lane, whose elements start at number `at`. */
  private lane(sums: readonly Local<'v128'>[], at: number, length: number): Code<'void'> {
    if (!this.isLong) return this.terms(sums, at, length, get(this.rows), i32.const(0), true);
    const { rows, queries, rounds, width } = this;
    const some = (count: number) =>
      sequence(
        this.terms(sums, 0, count, get(rows), get(queries), false),
        set(rows, i32.add(get(rows), i32.const(16 * count))),
        set(queries, i32.add(get(queries), i32.const(16 * count * width))),
      );
    return sequence(
      this.each((j) => set(sums[j]!, f32x4.zero())),
      set(rounds, i32.const(Math.floor(length / UNROLLED))),
      loopWhile(get(rounds), some(UNROLLED), set(rounds, i32.sub(get(rounds), i32.const(1)))),
      some(length % UNROLLED),
    );
  }

  /** The products of some elements, added up one by one. */
  private terms(
    sums: readonly Local<'v128'>[],
    at: number,
    count: number,
    rows: Code<'i32'>,
    queries: Code<'i32'>,
    isStart: boolean,
  ): Code<'void'> {
    const term = (t: number) => {
      const settled = t > 0 ? this.settle(sums, MOST_LOADS - 1 - this.width) : sequence();
      this.loads += 1 + this.width;
      const added = this.each((j) => {
        const product = f32x4.mul(get(this.row), v128.load(queries, QUERIES + 16 * ((at + t) * this.width + j)));
        return set(sums[j]!, isStart && t === 0 ? product : f32x4.add(get(sums[j]!), product));
      });
      return sequence(settled, set(this.row, v128.load(rows, 16 * (at + t))), added);
    };
    return sequence(...Array.from({ length: count }, (_, t) => term(t)));
  }

  private addUp(left: readonly Local<'v128'>[], right: readonly Local<'v128'>[]): Code<'void'> {
    return this.each((j) => set(left[j]!, f32x4.add(get(left[j]!), get(right[j]!))));
  }

  /** Stores the sums, where there were more loads since the last time than may be. */
  private settle(sums: readonly Local<'v128'>[], loads: number): Code<'void'> {
    if (this.loads <= loads) return sequence();
    this.loads = 0;
    return this.each((j) => v128.store(i32.const(SETTLED), get(sums[j]!)));
  }

  private each(make: (j: number) => Code<'void'>): Code<'void'> {
    return sequence(...Array.from({ length: this.width }, (_, j) => make(j)));
  }
}
