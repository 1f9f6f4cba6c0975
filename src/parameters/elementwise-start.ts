// The base of an element-wise product: what it must be for the product to have a given value.

import type { Stream } from '../core/random';
import type { Real } from '../optimizers/factor';

/** The base and the maps to fill it under; a map has `width` numbers for each element (or for a row, when scalar). */
export interface BaseOfProduct {
  readonly base: Real;
  readonly maps: readonly Real[];
  readonly dim: number;
  readonly width: number;
  readonly scalar: boolean;
}

/**
 * Writes the base of rows whose maps are all at their start. The value of an element is shared out over the `width`
 * terms in random positive parts: terms that start alike would stay alike for ever, and parts of one sign cannot cancel.
 */
export function writeBase(
  { base, maps, dim, width, scalar }: BaseOfProduct,
  value: Real,
  firstRow: number,
  stream: Stream,
): void {
  // The product of the maps as they are stored, so that rounding `init` to float32 does not shift the start. It is read
  // at the first of these rows: when a table grows, the maps of the rows before have been trained.
  const from = firstRow * width * (scalar ? 1 : dim);
  let scale = 1;
  for (const map of maps) scale *= map[from]!;
  if (width === 1) {
    for (let i = 0, at = firstRow * dim; i < value.length; i++, at++) base[at] = value[i]! / scale;
    return;
  }
  const parts = new Float64Array(width);
  for (let i = 0; i < value.length; i++) {
    let total = 0;
    for (let j = 0; j < width; j++) {
      parts[j] = 0.5 + stream.uniform();
      total += parts[j]!;
    }
    const row = firstRow + Math.floor(i / dim);
    for (let j = 0; j < width; j++) {
      base[(row * width + j) * dim + (i % dim)] = (value[i]! * parts[j]!) / (total * scale);
    }
  }
}

/** The base of new rows under shared maps that have been trained: the shortest x with sum_j x_j P_j = value. */
export function solveBase({ base, maps, dim, width, scalar }: BaseOfProduct, value: Real, firstRow: number): void {
  const products = new Float64Array(width);
  for (let i = 0; i < value.length; i++) {
    const k = i % dim;
    let square = 0;
    for (let j = 0; j < width; j++) {
      let product = 1;
      for (const map of maps) product *= map[scalar ? j : j * dim + k]!;
      products[j] = product;
      square += product * product;
    }
    const row = firstRow + Math.floor(i / dim);
    for (let j = 0; j < width; j++) {
      base[(row * width + j) * dim + k] = square > 0 ? (value[i]! * products[j]!) / square : 0;
    }
  }
}
