// Between the caller's rating scale and the scale that training works on: rating = shift + scale * link(score).

import { DataError } from '../core/errors';
import type { Interactions } from '../interactions/interactions';
import { identity, type Link, sigmoidLink } from '../training/link';
import type { LossName } from '../training/losses';

/** How ratings become targets, and scores become predictions. Plain numbers, so that a file can keep them. */
export interface Units {
  readonly link: 'identity' | 'sigmoid';
  readonly shift: number;
  readonly scale: number;
  /** The range of the training ratings, on the rating scale: what predictions are clipped to. */
  readonly minimum: number;
  readonly maximum: number;
  /** The mean target, as a score: where the model's mean starts. */
  readonly start: number;
}

/** Chooses the units of a fit. */
export function chooseUnits(
  data: Interactions,
  options: { readonly loss: LossName; readonly link: 'identity' | 'sigmoid'; readonly standardize: boolean },
): Units {
  const { mean, standardDeviation, minimum, maximum } = data.stats();
  if (options.loss === 'logistic') {
    if (minimum < 0 || maximum > 1) {
      throw new DataError(
        `loss 'logistic' wants values from 0 to 1 and the data have ${minimum} to ${maximum}; map them (liked: 1, not: 0) or use loss 'squared'`,
      );
    }
    const start = sigmoidLink(0, 1).inverse(mean);
    return { link: 'sigmoid', shift: 0, scale: 1, minimum: 0, maximum: 1, start };
  }
  const scale = options.standardize && standardDeviation > 0 ? standardDeviation : 1;
  if (options.link === 'sigmoid' && maximum > minimum) {
    const start = sigmoidLink(minimum, maximum - minimum).inverse(mean);
    return { link: 'sigmoid', shift: minimum, scale, minimum, maximum, start };
  }
  return { link: 'identity', shift: mean, scale, minimum, maximum, start: 0 };
}

/** The link from a score to a target of training. */
export function linkOf(units: Units): Link {
  return units.link === 'identity' ? identity : sigmoidLink(0, (units.maximum - units.minimum) / units.scale);
}

/** The ratings as training sees them. */
export function toTargets(values: Float32Array, { shift, scale }: Units): Float32Array {
  return values.map((value) => (value - shift) / scale);
}
