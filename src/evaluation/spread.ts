// Mean and standard deviation of a few repetitions.

/** The mean and the sample standard deviation (n - 1; 0 for one value); NaN for none. */
export function spread(values: readonly number[]): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, std: values.length > 1 ? Math.sqrt(square / (values.length - 1)) : 0 };
}
