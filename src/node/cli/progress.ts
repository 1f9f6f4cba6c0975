// A progress bar on standard error. It is drawn only on a terminal; piped output stays clean.

import type { Io } from './io';

/** Redraws at most this often, in milliseconds. */
const INTERVAL = 80;
const BAR = 28;
/** The widest label that keeps the line on an 80-column terminal. */
const LABEL = 42;

/** A bar that is filled from 0 to 1 and then taken away. */
export interface Progress {
  update(fraction: number, label: string): void;
  done(): void;
}

/** Starts a bar; the clock (in milliseconds) is handed in by tests. */
export function startProgress(io: Io, now: () => number = Date.now): Progress {
  if (!io.isTTY) return { update() {}, done() {} };
  let drawn = -Infinity;
  return {
    update(fraction, label) {
      if (now() - drawn < INTERVAL && fraction < 1) return;
      drawn = now();
      const part = Math.min(1, Math.max(0, fraction));
      const full = Math.round(part * BAR);
      const percent = String(Math.floor(part * 100)).padStart(3);
      io.stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${percent}% ${label.slice(0, LABEL)}\u001b[K`);
    },
    done() {
      if (drawn > -Infinity) io.stderr.write('\r\u001b[K');
    },
  };
}
