// Where training left the finite numbers.

import type { Parameter } from '../parameters/parameter';

/** The name of the first parameter with a value that is not finite; undefined where all are. */
export function firstBroken(parameters: readonly Parameter[]): string | undefined {
  return parameters.find((parameter) => !Number.isFinite(largest(parameter)))?.name;
}

/** The name of the parameter with the largest value in size: where a loss overflows before its parameters do. */
export function largestOf(parameters: readonly Parameter[]): string {
  return parameters.reduce((most, parameter) => (largest(parameter) > largest(most) ? parameter : most)).name;
}

/** The largest size of a value of any factor; NaN or Infinity where one is not finite. */
function largest({ factors }: Parameter): number {
  let most = 0;
  for (const { data } of factors) {
    for (let i = 0; i < data.length; i++) {
      const size = Math.abs(data[i]!);
      if (!(size <= most)) most = size;
      if (Number.isNaN(most)) return most;
    }
  }
  return most;
}
