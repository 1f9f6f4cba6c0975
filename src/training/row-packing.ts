// Rows of large tables in the order of their tiles while an epoch runs. A batch takes its rows from one tile; where these
// are scattered over a table of many pages, the processor takes longer to find the pages than to read the rows.

import { forEachChunk, type Scheduler, TaskScheduler } from '../core/scheduler';
import type { Batch, Model } from '../models/model';
import type { Real } from '../optimizers/factor';
import { allocate } from '../parameters/memory';
import type { Parameter } from '../parameters/parameter';
import type { Penalty } from '../parameters/penalty';
import type { OptimizerSink } from './optimizer-sink';
import type { RowPlaces } from './rating-batches';

/** Numbers that are copied at once. */
const PART = 1 << 16;

/** Packs and unpacks what a training keeps by row: factors, the rule's memory, penalties. In between, rows go by places. */
export class RowPacking {
  private isPacked = false;

  constructor(
    private readonly sides: Model<Batch>['sides'],
    private readonly penalties: readonly Penalty[],
    private readonly sink: OptimizerSink,
    private readonly places: RowPlaces,
  ) {}

  /** Puts row r at its place. */
  async pack(): Promise<void> {
    const { users, items } = this.places;
    await this.reorder(inverse(users), inverse(items));
    this.isPacked = true;
  }

  /** Puts rows back; nothing where they are not packed. */
  async unpack(): Promise<void> {
    if (!this.isPacked) return;
    const { users, items } = this.places;
    await this.reorder(users, items);
    this.isPacked = false;
  }

  /** Row r becomes what row `users[r]` or `items[r]` was. */
  private async reorder(users: Int32Array, items: Int32Array): Promise<void> {
    // Gives way to other tasks, but not to an abort: that would find rows half moved. The steps notice it.
    const scheduler = new TaskScheduler(undefined);
    for (const { array, cols } of this.arraysOf(this.sides.users)) await gatherRows(array, cols, users, scheduler);
    for (const { array, cols } of this.arraysOf(this.sides.items)) await gatherRows(array, cols, items, scheduler);
  }

  /** The arrays of now that have a part for each row of a side: they move to and from WebAssembly's memory. */
  private arraysOf(side: readonly Parameter[]): { array: Real; cols: number }[] {
    const factors = side.flatMap(({ rowFactors }) => rowFactors);
    const strengths = this.penalties.flatMap(({ parameter, byRow }) =>
      byRow !== null && side.includes(parameter) ? [{ array: byRow, cols: 1 }] : [],
    );
    return [
      ...factors.map(({ data, cols }) => ({ array: data, cols })),
      ...factors.flatMap((factor) => this.sink.rowStates(factor)),
      ...strengths,
    ];
  }
}

/** Row r of an array becomes what row `from[r]` was. */
async function gatherRows(array: Real, cols: number, from: Int32Array, scheduler: Scheduler): Promise<void> {
  const gathered = allocate(array instanceof Float64Array ? 'float64' : 'float32', array.length);
  await forEachChunk(from.length, scheduler, (first, end) => {
    for (let row = first; row < end; row++) {
      for (let k = 0, to = row * cols, at = from[row]! * cols; k < cols; k++) gathered[to + k] = array[at + k]!;
    }
  });
  for (let at = 0; at < array.length; at += PART) {
    array.set(gathered.subarray(at, at + PART), at);
    if (scheduler.isDue(PART)) await scheduler.yieldNow();
  }
}

function inverse(places: Int32Array): Int32Array {
  const rows = new Int32Array(places.length);
  for (let row = 0; row < rows.length; row++) rows[places[row]!] = row;
  return rows;
}
