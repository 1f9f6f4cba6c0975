// Gradients by differences, element by element, and how far a gradient is from them.

import type { Factor, Real } from '../../src/optimizers/factor';
import type { GradientSink, Parameter } from '../../src/parameters/parameter';

/**
 * df / dx of every x of `data`, by central differences of fourth order: with a step of 1e-3 both the truncation and the
 * rounding are near 1e-12 of f. `data` is changed for each and put back.
 */
export function differences(data: Real, f: () => number): Float64Array {
  return Float64Array.from(data, (x, i) => {
    const h = 1e-3 * Math.max(1, Math.abs(x));
    const at = (step: number): number => {
      data[i] = x + step;
      return f();
    };
    const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    data[i] = x;
    return slope;
  });
}

/**
 * The largest |a - b| / max(|a|, |b|, a thousandth of the largest |b|): relative, without asking for digits of elements
 * that vanish beside their neighbours. Infinity where either has a NaN.
 */
export function gradientError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(b[i]!));
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (difference === 0) continue;
    const error = difference / Math.max(Math.abs(a[i]!), Math.abs(b[i]!), 1e-3 * largest);
    worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }
  return worst;
}

/** Keeps what it is given: each factor's gradient as a whole table, zero where the step names no row. */
export class GradientKeeper implements GradientSink {
  readonly gradients = new Map<Factor, Float64Array>();

  accept(factor: Factor, { ids, count, values }: Parameters<GradientSink['accept']>[1]): void {
    if (this.gradients.has(factor)) throw new Error(`${factor.name} has been given a gradient twice`);
    const whole = new Float64Array(factor.rows * factor.cols);
    if (ids === null && count !== factor.rows) throw new Error(`${factor.name}: no ids, and not every row`);
    if (ids !== null && new Set(ids.subarray(0, count)).size !== count) throw new Error(`${factor.name}: a row twice`);
    for (let i = 0; i < count; i++) {
      const row = ids === null ? i : ids[i]!;
      whole.set(values.subarray(i * factor.cols, (i + 1) * factor.cols), row * factor.cols);
    }
    this.gradients.set(factor, whole);
  }
}

/** What `pullback` sends to every factor of some parameters. */
export function pulledBack(parameters: readonly Parameter[]): ReadonlyMap<Factor, Float64Array> {
  const keeper = new GradientKeeper();
  for (const parameter of parameters) parameter.pullback(keeper);
  return keeper.gradients;
}

/** The largest gradient error over all factors of some parameters, f being what the gradients are of. */
export function worstGradientError(
  parameters: readonly Parameter[],
  gradients: ReadonlyMap<Factor, Float64Array>,
  f: () => number,
): { error: number; factor: string } {
  let worst = { error: 0, factor: 'none' };
  for (const { factors } of parameters)
    for (const factor of factors) {
      const given = gradients.get(factor) ?? new Float64Array(0);
      const error = gradientError(given, differences(factor.data, f));
      if (error > worst.error) worst = { error, factor: factor.name };
    }
  return worst;
}
