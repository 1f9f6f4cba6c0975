// Between the caller's rating scale and the scores of a model: rating = shift + scale * link(score).

import { identity, type Link, sigmoidLink } from '../training/losses';

/** How ratings become targets, and scores become predictions. Plain numbers, so that a file can keep them. */
export interface RatingScale {
  readonly link: 'identity' | 'sigmoid';
  readonly shift: number;
  readonly scale: number;
  /** The range of the training ratings, on the rating scale: what predictions are clipped to. */
  readonly minimum: number;
  readonly maximum: number;
  /** The mean target, as a score: where the model's mean starts. */
  readonly start: number;
  /**
   * What the tables were divided by in training and have been multiplied by since, so that rows fitted later weigh
   * losses against penalties as training did. Absent: 1.
   */
  readonly folded?: number;
  /** What the weights of training were divided by, and weights given later are; absent where training had none. */
  readonly meanWeight?: number;
  /** How many pairs the interactions of training are of, where some are of one and it matters; absent: all differ. */
  readonly pairs?: number;
  /** The score of a user or an item that training never saw, where it is not mean + biases. */
  readonly baseline?: number;
}

/** The link from a score to a target of training. */
export function linkOf(units: RatingScale): Link {
  return units.link === 'identity' ? identity : sigmoidLink(0, (units.maximum - units.minimum) / units.scale);
}
