// THE SEAM of what a model of features says of users and items: by rows, which every model can, or by tables.

import type { TrainedState } from '../../serving/trained-state';

/** Answers about pairs, by the numbers of who is known. */
export interface PairAnswers extends Pick<TrainedState, 'predict' | 'predictAll' | 'best'> {
  /** How many times the work of a product of two short vectors a score is. */
  readonly scoreCost: number;
}
