// The interactions of one side, row by row: what the equations of its rows are made of.

import { forEachChunk, type Scheduler } from '../../core/scheduler';
import { groupRows } from '../../data/csr';
import type { Real } from '../../optimizers/factor';

/** Interactions with rows of the other side, one after another. */
export interface RowHistory {
  /** The other side's rows. */
  readonly others: Int32Array;
  /** What the scores should be; null: 1. */
  readonly targets: Real | null;
  /** What the squared errors are multiplied by; null: 1. */
  readonly weights: Real | null;
  /** How often each counts in the penalty; null: once. */
  readonly copies: Real | null;
}

/** The interactions of all rows of a side. */
export interface SideHistory extends RowHistory {
  /** Row r has the interactions starts[r] to starts[r + 1] - 1. */
  readonly starts: Int32Array;
}

/** Sorts interactions by the rows of one side. Within a row they stay in their order. */
export async function historyOf(
  rows: Int32Array,
  count: number,
  { others, targets, weights, copies }: RowHistory,
  scheduler: Scheduler,
): Promise<SideHistory> {
  const { order, starts } = await groupRows(rows, count, scheduler);
  const pick = async <T extends Real | Int32Array>(from: T, to: T): Promise<T> => {
    await forEachChunk(order.length, scheduler, (start, end) => {
      for (let at = start; at < end; at++) to[at] = from[order[at]!]!;
    });
    return to;
  };
  return {
    starts,
    targets: targets && (await pick(targets, new Float32Array(targets.length))),
    weights: weights && (await pick(weights, new Float32Array(weights.length))),
    copies: copies && (await pick(copies, new Float32Array(copies.length))),
    others: await pick(others, new Int32Array(others.length)),
  };
}
