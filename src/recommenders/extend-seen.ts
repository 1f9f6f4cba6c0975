// More history for a trained state: vocabularies that know the new ids, and who has rated what, old and new together.

import type { Interactions } from '../interactions/interactions';
import { Vocabulary } from '../interactions/vocabulary';
import { Seen } from './seen';

/** A history with more in it, and how much of each row's is new. */
export interface ExtendedHistory {
  readonly users: Vocabulary;
  readonly items: Vocabulary;
  readonly seen: Seen;
  readonly newOfUser: Int32Array;
  readonly newOfItem: Int32Array;
}

/** Adds interactions to a history. Of a pair that was there the new value counts. */
export function extendSeen(
  { users: oldUsers, items: oldItems, seen }: { users: Vocabulary; items: Vocabulary; seen: Seen },
  data: Interactions,
): ExtendedHistory {
  const users = extended(oldUsers, data.users);
  const items = extended(oldItems, data.items);
  const added = new Map<number, Map<number, number>>();
  const newOfUser = new Int32Array(users.size);
  const newOfItem = new Int32Array(items.size);
  const userOf = Int32Array.from(data.users, (id) => users.indexOf(id));
  const itemOf = Int32Array.from(data.items, (id) => items.indexOf(id));
  for (let k = 0; k < data.size; k++) {
    const [user, item] = [userOf[data.userIndex[k]!]!, itemOf[data.itemIndex[k]!]!];
    const row = added.get(user) ?? new Map<number, number>();
    added.set(user, row.set(item, data.values[k]!));
    newOfUser[user]!++;
    newOfItem[item]!++;
  }
  const offsets = new Int32Array(users.size + 1);
  const list = new Int32Array(seen.items.length + data.size);
  const values = new Float32Array(list.length);
  const itemCounts = new Int32Array(items.size);
  let end = 0;
  const put = (item: number, value: number) => {
    list[end] = item;
    values[end++] = value;
    itemCounts[item]!++;
  };
  for (let user = 0; user < users.size; user++) {
    const row = added.get(user);
    const old = seen.itemsOf(user);
    const oldValues = seen.valuesOf(user);
    for (let k = 0; k < old.length; k++) if (!row?.has(old[k]!)) put(old[k]!, oldValues?.[k] ?? 1);
    if (row !== undefined) for (const [item, value] of row) put(item, value);
    offsets[user + 1] = end;
  }
  const userCounts = Int32Array.from({ length: users.size }, (_, user) => offsets[user + 1]! - offsets[user]!);
  const merged = new Seen(offsets, list.subarray(0, end), userCounts, itemCounts, values.subarray(0, end));
  return { users, items, seen: merged, newOfUser, newOfItem };
}

/** A vocabulary with the ids of both; a copy where it has to grow, as the old one is others' too. */
function extended(old: Vocabulary, added: Vocabulary): Vocabulary {
  if (old === added) return old;
  const all = Vocabulary.from(old);
  for (const id of added) all.add(id);
  return all;
}
