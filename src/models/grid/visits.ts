// The order of an epoch: which tile when, and how to go through it. Strata come in random order; a tile is gone through
// in a random stride from a random start: index = (index + stride) mod count.

import type { Stream } from '../../core/random';

/** Ratings lie in random order, so that a stride need not be large to be random; a small one is one that caches foresee. */
const MOST_STRIDE = 64;

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

/** The visits of an epoch, by strata: tiles of one stratum share no row. Empty tiles are left out. */
export function visitsOf(starts: Int32Array, blocks: number, draws: Stream): Visit[][] {
  const order = Int32Array.from({ length: blocks }, (_, stratum) => stratum);
  draws.shuffle(order);
  let before = 0;
  return Array.from(order, (stratum) => {
    const visits: Visit[] = [];
    for (let user = 0; user < blocks; user++) {
      const tile = user * blocks + ((user + stratum) % blocks);
      const count = starts[tile + 1]! - starts[tile]!;
      if (count === 0) continue;
      const start = draws.below(count);
      visits.push({
        tile,
        count,
        start,
        stride: coprime(1 + draws.below(Math.min(count, MOST_STRIDE)), count),
        before,
      });
      before += count;
    }
    return visits;
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
