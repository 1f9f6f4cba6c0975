// A copy of every factor, to go back to: the best epoch, or the last whole one.

import type { Real } from '../optimizers/factor';
import type { Parameter } from '../parameters/parameter';

/** Keeps one state of some parameters. Memory: as much as the factors. */
export class Snapshot {
  /** Factor by factor, parameter by parameter. */
  readonly copies: readonly Real[];

  /** Of the values at present, or of a state that was kept before. */
  constructor(
    private readonly parameters: readonly Parameter[],
    kept: readonly Real[] = [],
  ) {
    this.copies = parameters.flatMap(({ factors }) => factors.map(({ data }) => data.slice()));
    for (let k = 0; k < kept.length; k++) this.copies[k]!.set(kept[k]!);
  }

  /** Copies the factors' present values. */
  take(): void {
    this.each((copy, data) => copy.set(data));
  }

  /** Puts the factors back to the values last taken. */
  restore(): void {
    this.each((copy, data) => data.set(copy));
  }

  private each(visit: (copy: Real, data: Real) => void): void {
    let next = 0;
    for (const { factors } of this.parameters) for (const { data } of factors) visit(this.copies[next++]!, data);
  }
}
