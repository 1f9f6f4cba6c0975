// The order of an epoch: which tile when, and how to go through it. A tile is gone through in a random stride from a random start: index = (index + stride) mod count.

import type { Stream } from '../../core/random';
import type { Blocks } from './blocks';

/** Ratings lie in random order, so that a stride need not be large to be random; a small one is one that caches foresee. */
const MOST_STRIDE = 16;

/** A run through the steps of one tile. */
export interface Visit {
  readonly tile: number;
  /** The steps of the tile. */
  readonly count: number;
  readonly start: number;
  /** Coprime to the count, so that every step comes once. */
  readonly stride: number;
  /** How many steps of the epoch come before. */
  readonly before: number;
}

/**
 * The visits of an epoch, by strata: tiles of one stratum share no row. Empty tiles are left out. The blocks of the longer
 * side come in groups of as many as the other has; a group meets all of the other side before the next group comes, so
 * that its rows come from memory once an epoch.
 */
export function visitsOf(starts: Int32Array, blocks: Blocks, draws: Stream): Visit[][] {
  const isWide = blocks.users >= blocks.items;
  const [long, short] = isWide ? [blocks.users, blocks.items] : [blocks.items, blocks.users];
  const tileOf = (a: number, b: number) => (isWide ? a * blocks.items + b : b * blocks.items + a);
  let before = 0;
  const visit = (tile: number): Visit[] => {
    const count = starts[tile + 1]! - starts[tile]!;
    if (count === 0) return [];
    const stride = coprime(1 + draws.below(Math.min(count, MOST_STRIDE)), count);
    before += count;
    return [{ tile, count, start: draws.below(count), stride, before: before - count }];
  };
  const inRandomOrder = (count: number) => {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    draws.shuffle(order);
    return Array.from(order);
  };
  return inRandomOrder(Math.ceil(long / short)).flatMap((group) => {
    const members = Array.from({ length: Math.min(short, long - group * short) }, (_, i) => group * short + i);
    return inRandomOrder(short).map((shift) =>
      members.flatMap((block, i) => visit(tileOf(block, (i + shift) % short))),
    );
  });
}

/** The visits of an epoch in the order of the data. */
export function inOrder(size: number): Visit[][] {
  return [[{ tile: 0, count: size, start: 0, stride: 1, before: 0 }]];
}

/** The first number from `from` on, going round, that shares no divisor with `count`. */
function coprime(from: number, count: number): number {
  for (let stride = from; ; stride = (stride % count) + 1) if (divisor(stride, count) === 1) return stride;
}

/** The greatest common divisor (Euclid). */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
