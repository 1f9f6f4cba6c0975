// What becomes of rows that cannot be read: the first is thrown, or all are counted, the first few kept, up to a limit.

import { DataError } from '../core/errors';
import type { Faults } from './fault';

/** What to do about a row that cannot be read: throw, leave it out, or leave it out and tell of it. */
export type InvalidPolicy = 'error' | 'skip' | ((fault: DataError) => void);

/** How many faults a result tells of. */
const KEPT = 5;

/** The rows of one table that were left out. */
export class InvalidRows {
  /** How many rows had a fault. */
  count = 0;
  /** How many rows had no value: not a fault. */
  missing = 0;
  readonly first: DataError[] = [];

  constructor(
    private readonly policy: InvalidPolicy,
    private readonly limit: number,
  ) {}

  /** Whether the first fault ends the reading. */
  get isStrict(): boolean {
    return this.policy === 'error';
  }

  /** Takes what was thrown for a row: throws it again where the reading is to end. */
  add(error: unknown): void {
    if (this.policy === 'error' || !(error instanceof DataError)) throw error;
    if (this.count === this.limit) {
      const more = `more than limit = ${this.limit} rows cannot be read; raise limit, or say how the file is written`;
      throw new DataError(`${error.message} (${more})`, error.place);
    }
    this.count++;
    if (this.first.length < KEPT) this.first.push(error);
    if (typeof this.policy === 'function') this.policy(error);
  }

  /** Throws where all rows were left out. */
  demandRows(size: number, faults: Faults): void {
    if (size > 0 || this.count + this.missing === 0) return;
    const why = this.first.length > 0 ? `; the first: ${this.first[0]!.message}` : '';
    throw faults.whole(
      `no row is left: ${this.count} cannot be read and ${this.missing} have a value that means none${why}`,
    );
  }
}
