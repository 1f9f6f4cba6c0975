// Ratings that are gone through from first to last, as often as something is worked out of them: those of a set in memory,
// or of a file that memory does not hold. What comes of a pass depends on the order of the ratings alone.

import { forEachChunk, type Scheduler } from '../core/scheduler';
import type { Interactions } from './interactions';

/** Some ratings in columns. */
export interface RatingChunk {
  readonly userIndex: Int32Array;
  readonly itemIndex: Int32Array;
  readonly values: Float32Array;
  readonly weights?: Float32Array | undefined;
}

/** Ratings, and how to go through them. */
export interface RatingPasses {
  readonly size: number;
  readonly users: { readonly size: number };
  readonly items: { readonly size: number };
  /** Whether chunks have weights. */
  readonly isWeighted: boolean;
  /** The ratings in order: those from `from` to `to` of a chunk, which lasts until the next call alone. */
  each(scheduler: Scheduler, visit: (chunk: RatingChunk, from: number, to: number) => void): Promise<void>;
}

/** Ratings in memory. */
export type HeldRatings = RatingChunk & Pick<Interactions, 'size' | 'users' | 'items'>;

/** The passes of ratings, in memory or not. */
export function passesOf(data: HeldRatings | RatingPasses): RatingPasses {
  if ('each' in data) return data;
  const { size, users, items } = data;
  return {
    size,
    users,
    items,
    isWeighted: data.weights !== undefined,
    each: (scheduler, visit) => forEachChunk(size, scheduler, (from, to) => visit(data, from, to)),
  };
}
