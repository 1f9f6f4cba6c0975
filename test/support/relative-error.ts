// How far two tables of numbers are from each other: element by element, or beside the largest of a row.

import { ulpDistance, ulpDistance32 } from './ulp';

/** The largest |a - b| / max(|a|, |b|, floor); Infinity for lengths that differ and for NaN. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>, floor = 0): number {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const error = Math.abs(a[i]! - b[i]!) / Math.max(Math.abs(a[i]!), Math.abs(b[i]!), floor);
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}

/** The largest |a - b| of an element beside the largest |b| of its row. */
export function rowError(a: ArrayLike<number>, b: ArrayLike<number>, cols: number): number {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let row = 0; row * cols < b.length; row++) {
    const wanted = Array.from({ length: cols }, (_, k) => b[row * cols + k]!);
    const largest = Math.max(...wanted.map(Math.abs));
    for (const [k, value] of wanted.entries()) {
      const difference = Math.abs(a[row * cols + k]! - value);
      if (difference !== 0) worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference / largest);
    }
  }
  return worst;
}

/** The largest distance in units in the last place of a precision. */
export function ulpError(a: ArrayLike<number>, b: ArrayLike<number>, precision: 'float32' | 'float64'): number {
  const distance = precision === 'float64' ? ulpDistance : ulpDistance32;
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, distance(a[i]!, b[i]!));
  return worst;
}
