// Negatives of one user for a sampled ranking: distinct items, uniformly, none of which the user has.

import type { Stream } from '../core/random';
import type { Id } from '../interactions/vocabulary';
import type { TrainItems } from './train-items';

/** `count` training items that are not in `taken`; all such items where they are fewer. */
export function drawNegatives(train: TrainItems, taken: ReadonlySet<Id>, count: number, stream: Stream): Id[] {
  const pool = train.present.slice();
  const drawn: Id[] = [];
  // The shuffle of Fisher and Yates, from the end, as far as it is needed.
  for (let left = pool.length; left > 0 && drawn.length < count; left--) {
    const at = stream.below(left);
    const id = train.idOf(pool[at]!);
    pool[at] = pool[left - 1]!;
    if (!taken.has(id)) drawn.push(id);
  }
  return drawn;
}
