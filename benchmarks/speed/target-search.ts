// The search that tunes every contestant of the target section: random trials, the winner needs the fewest epochs.
// A trial is tried with one epoch less than the best so far; where that reaches the target, fewer are sought by
// bisection, as RMSE falls with every epoch until it nears its best. The budget is in fits, the same for all.

import { Stream } from '../../src/core/random';

export interface Searched<S> {
  /** The library's own defaults: the first trial. */
  readonly start: S;
  /** A random trial; absent: only the number of epochs is sought. */
  readonly draw?: (stream: Stream) => S;
  /** Test RMSE at the end of a fit of so many epochs; Infinity where it diverges. */
  rmse(settings: S, epochs: number): number | Promise<number>;
}

export interface Found<S> {
  readonly settings: S;
  readonly epochs: number;
  readonly rmse: number;
  /** Fits that the search made. */
  readonly fits: number;
}

/** The winner; undefined where no trial reaches the target in `most` epochs. */
export async function search<S>(
  searched: Searched<S>,
  target: number,
  budget: number,
  most: number,
): Promise<Found<S> | undefined> {
  const stream = Stream.of('speed: seconds to a target');
  let best: Omit<Found<S>, 'fits'> | undefined;
  let fits = 0;
  for (let trial = 0; fits < budget && best?.epochs !== 1; trial++) {
    if (trial > 0 && searched.draw === undefined) break;
    const settings = trial === 0 ? searched.start : searched.draw!(stream.fork(trial));
    let tooFew = 0;
    let epochs = best === undefined ? most : best.epochs - 1;
    while (epochs > tooFew && fits < budget) {
      const rmse = await searched.rmse(settings, epochs);
      fits++;
      const reaches = rmse <= target;
      if (reaches) best = { settings, epochs, rmse };
      else if (best?.settings !== settings) break;
      else tooFew = epochs;
      epochs = (tooFew + best.epochs) >> 1;
    }
  }
  return best === undefined ? undefined : { ...best, fits };
}

/** The centre times a number between 1 / spread and spread, on a logarithmic scale. */
export function around(stream: Stream, centre: number, spread: number): number {
  return centre * spread ** (2 * stream.uniform() - 1);
}
