// The scores of many interactions, one by one.

import type { Answers, PairColumns } from '../answers';
import { translation } from '../translation';

/** What `predict` says of every pair; their vocabularies may be others than the state's. */
export function predictPairs(answers: Pick<Answers, 'users' | 'items' | 'predict'>, pairs: PairColumns): Float32Array {
  const userOf = translation(pairs.users, answers.users);
  const itemOf = translation(pairs.items, answers.items);
  return Float32Array.from({ length: pairs.size }, (_, k) => {
    const [user, item] = [pairs.userIndex[k]!, pairs.itemIndex[k]!];
    return answers.predict(userOf?.[user] ?? user, itemOf?.[item] ?? item);
  });
}
