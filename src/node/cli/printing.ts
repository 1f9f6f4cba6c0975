// Output of the commands: text made safe for a terminal, a progress bar, and shared phrases.

import type { Io } from './command';

/** Control characters except tab and line feed, and bidirectional marks. */
const CONTROLS = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

/** Makes a text of several lines safe. */
export function printable(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** Makes one value within a line safe: a tab or a line feed would look like the next column or line. */
export function printableValue(value: string | number): string {
  return printable(String(value).replace(/[\t\n]/g, escaped));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Redraws at most this often, in milliseconds. */
const INTERVAL = 80;
/** The same for lines, where standard error is no terminal. */
const LINE_INTERVAL = 5000;
const BAR = 28;
/** The widest label that keeps the line on an 80-column terminal. */
const LABEL = 42;

/** A bar that fills from 0 to 1 and is then removed; where there is no terminal, lines. */
export interface Progress {
  update(fraction: number, label: string): void;
  done(): void;
}

/** Starts it; tests pass a clock (in milliseconds). */
export function startProgress(io: Io, now: () => number = Date.now): Progress {
  // What takes less than an interval says nothing in lines.
  let drawn = io.isTTY ? -Infinity : now();
  let hasBar = false;
  return {
    update(fraction, label) {
      if (now() - drawn < (io.isTTY ? INTERVAL : LINE_INTERVAL) && (fraction < 1 || !io.isTTY)) return;
      drawn = now();
      const part = Math.min(1, Math.max(0, fraction));
      const percent = `${Math.floor(part * 100)}`.padStart(3);
      if (!io.isTTY) {
        io.stderr.write(`${percent}% ${label}\n`);
        return;
      }
      const full = Math.round(part * BAR);
      io.stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${percent}% ${label.slice(0, LABEL)}\u001b[K`);
      hasBar = true;
    },
    done() {
      if (hasBar) io.stderr.write('\r\u001b[K');
    },
  };
}

/** `count` and the noun, in the plural unless the count is 1. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Says which ranking loss `auto` chose because all values are equal. */
export function chosenText(loss: unknown): string {
  return `every value is the same, so that loss 'auto' is '${loss}': scores order items and are no ratings; --set loss=... says another`;
}
