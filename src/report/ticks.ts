// Where an axis has its marks: multiples of 1, 2 or 5 times a power of ten, as a person would choose them.

/** An axis: its marks, and how many decimals they need. */
export interface Ticks {
  readonly values: readonly number[];
  readonly decimals: number;
}

/** About `wanted` round values that span [low, high]; the first is at or below `low`, the last at or above `high`. */
export function niceTicks(low: number, high: number, wanted: number, leastStep = 0): Ticks {
  // One value, or two that nobody could tell apart on a chart, still get an axis of some length.
  const magnitude = Math.max(Math.abs(low), Math.abs(high), leastStep, 1e-3);
  if (high - low < magnitude * 1e-9) {
    low -= magnitude * 0.05;
    high += magnitude * 0.05;
  }
  const rough = Math.max((high - low) / wanted, leastStep);
  const power = Math.floor(Math.log10(rough));
  const mantissa = rough / 10 ** power;
  const factor = mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10;
  const first = Math.floor(low / (factor * 10 ** power));
  const last = Math.ceil(high / (factor * 10 ** power));
  // Dividing by 10^-power instead of multiplying by .1, .01 ... keeps 0.3 from becoming 0.30000000000000004.
  const at = (i: number) => (power < 0 ? (i * factor) / 10 ** -power : i * factor * 10 ** power);
  const values = Array.from({ length: last - first + 1 }, (_, i) => at(first + i));
  return { values, decimals: Math.max(0, factor === 10 ? -power - 1 : -power) };
}
