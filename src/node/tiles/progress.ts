// Progress, told now and then.

import { now } from '../../core/scheduler';

/** How far a partition has come. */
export interface PartitionProgress {
  /** `read`: from the source to records; `compare`: looks for duplicates; `sort`: into tiles. */
  readonly stage: 'read' | 'compare' | 'sort';
  /** The rows that the stage has been through. */
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Until the end of the stage; undefined while it is not known how many rows there are. */
  readonly secondsLeft: number | undefined;
}

const TOLD_EVERY = 250;

export class Progress {
  private last = now();
  private started = now();
  private stage: PartitionProgress['stage'] = 'read';

  constructor(private readonly tell: ((progress: PartitionProgress) => unknown) | undefined) {}

  begin(stage: PartitionProgress['stage']): void {
    this.stage = stage;
    this.started = now();
  }

  at(rows: number, of: number | undefined): void {
    const time = now();
    if (this.tell === undefined || time - this.last < TOLD_EVERY) return;
    this.last = time;
    const rowsPerSecond = rows / Math.max((time - this.started) / 1000, 1e-9);
    this.tell({
      stage: this.stage,
      rows,
      rowsPerSecond,
      secondsLeft: of === undefined || rows === 0 ? undefined : Math.max(0, of - rows) / rowsPerSecond,
    });
  }
}
