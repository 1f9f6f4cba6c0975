// The unit of times that came as numbers, told by their size, and one for a whole column: seconds, unless as seconds the
// largest would lie beyond the year 9999; then milliseconds, by the same rule microseconds, then nanoseconds.

import { DataError } from '../core/errors';
import { type Pausable, pausable } from '../core/scheduler';

/** The first second of the year 10000: from here on a number cannot be seconds. */
export const LARGE_TIME = 253_402_300_800;
/** A number of at least this size (1973 in seconds) is a time; smaller ones stand for none in any unit, as 0 and -1 do. */
const LEAST_TIME = 1e8;

/** How many of a time's unit are a second; NaN where it is beyond nanoseconds. */
function unitOf(time: number): number {
  const size = Math.abs(time);
  for (const unit of [1, 1e3, 1e6, 1e9]) if (size < LARGE_TIME * unit) return unit;
  return Number.NaN;
}

/**
 * Turns a column that has a time of at least LARGE_TIME in size into seconds, by the unit of its largest.
 * @throws DataError, by `fault`, where other rows have times of another unit. `hasDates`: some came as dates.
 */
export function* toSeconds(
  times: Float64Array,
  hasDates: boolean,
  fault: (message: string) => DataError,
): Pausable<void> {
  let most = 0;
  yield* pausable(times.length, (from, to) => {
    for (let row = from; row < to; row++) if (Math.abs(times[row]!) > Math.abs(times[most]!)) most = row;
  });
  const largest = times[most]!;
  const unit = unitOf(largest);
  if (Number.isNaN(unit)) {
    throw fault(
      `row ${most + 1} has the time ${largest}, which is beyond the year 9999 even in nanoseconds; want seconds`,
    );
  }
  if (hasDates) {
    throw fault(
      `row ${most + 1} has the time ${largest}, ${UNITS[unit]} by its size, and others have dates; want one of both`,
    );
  }
  yield* pausable(times.length, (from, to) => {
    for (let row = from; row < to; row++) {
      const time = times[row]!;
      if (Math.abs(time) >= LEAST_TIME && unitOf(time) !== unit) {
        const [one, other] = [UNITS[unitOf(time)], UNITS[unit]];
        throw fault(
          `row ${row + 1} has the time ${time} (${one} by its size), row ${most + 1} has ${largest} (${other}); want one unit`,
        );
      }
      times[row] = time / unit;
    }
  });
}

const UNITS: Readonly<Record<number, string>> = {
  1: 'seconds',
  1e3: 'milliseconds',
  1e6: 'microseconds',
  1e9: 'nanoseconds',
};

/** A fault of rows that come from memory. */
export function timeFault(message: string): DataError {
  return new DataError(`timestamps: ${message} throughout`);
}
