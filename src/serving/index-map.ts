// Data to be answered may come with vocabularies of its own.

import type { Vocabulary } from '../data/vocabulary';
import type { PairColumns, TrainedState } from './trained-state';

/** Index in one vocabulary to index in another; undefined where they are one. */
export function indexMap(from: Vocabulary, to: Vocabulary): Int32Array | undefined {
  return from === to ? undefined : Int32Array.from(from, (id) => to.indexOf(id));
}

// The scores of many interactions, one by one.

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
