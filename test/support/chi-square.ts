// Pearson's chi-square statistic, and the bound that a fair count exceeds about once in a million.

/** sum (observed - expected)^2 / expected, with the expected counts equal. */
export function chiSquare(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const expected = total / counts.length;
  return Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** The quantile at 1 - 1e-6 for `cells` equally likely cells (Wilson and Hilferty 1931; 4.75 is that of a normal). */
export function chiSquareBound(cells: number): number {
  const degrees = cells - 1;
  const term = 2 / (9 * degrees);
  return degrees * (1 - term + 4.75 * Math.sqrt(term)) ** 3;
}
