// What a fit of NeuralCF leaves behind: what files keep and answers are given from.

import type { Vocabulary } from '../../data/vocabulary';
import type { NeuralCFModel } from '../../models/neural-cf';
import type { InteractionHistory } from '../../serving/interaction-history';
import type { NeuralScorer } from './neural-scorer';

/** A trained state. */
export interface FittedNeural {
  readonly model: NeuralCFModel;
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: InteractionHistory;
  readonly scorer: NeuralScorer;
}
