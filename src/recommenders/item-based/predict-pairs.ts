// The scores of many interactions, one by one.

import { indexMap } from '../../serving/index-map';
import type { PairColumns, TrainedState } from '../../serving/trained-state';

/** What `predict` says of every pair; their vocabularies may be others than the state's. */
export function predictPairs(
  answers: Pick<TrainedState, 'users' | 'items' | 'predict'>,
  pairs: PairColumns,
): Float32Array {
  const userOf = indexMap(pairs.users, answers.users);
  const itemOf = indexMap(pairs.items, answers.items);
  return Float32Array.from({ length: pairs.size }, (_, k) => {
    const [user, item] = [pairs.userIndex[k]!, pairs.itemIndex[k]!];
    return answers.predict(userOf?.[user] ?? user, itemOf?.[item] ?? item);
  });
}
