// Where training left the finite numbers.

import type { Parameter } from '../parameters/parameter';

/** The name of the first parameter with a value that is not finite; undefined where all are. */
export function firstBroken(parameters: readonly Parameter[]): string | undefined {
  for (const { name, factors } of parameters) {
    for (const { data } of factors) {
      for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return name;
    }
  }
  return undefined;
}
