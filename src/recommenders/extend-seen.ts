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

/** Adds interactions to a history. Of a pair that was there the new value counts, of a pair that comes twice the last. */
export function extendSeen(
  { users: oldUsers, items: oldItems, seen }: { users: Vocabulary; items: Vocabulary; seen: Seen },
  data: Interactions,
): ExtendedHistory {
  const users = extended(oldUsers, data.users);
  const items = extended(oldItems, data.items);
  const added = byUser(data, users, items);
  const offsets = new Int32Array(users.size + 1);
  const list = new Int32Array(seen.items.length + data.size);
  const values = new Float32Array(list.length);
  if (seen.values === null) values.fill(1);
  const itemCounts = new Int32Array(items.size);
  itemCounts.set(seen.itemCounts);
  /** Of each item, where the user at hand has it in the list, if at or after its start. */
  const placeOf = new Int32Array(items.size).fill(-1);
  let end = 0;
  /** Copies what the users from `first` up to `last` had: in one piece, as most have nothing new. */
  const copy = (first: number, last: number) => {
    const from = seen.offsets[first] ?? seen.items.length;
    const to = seen.offsets[last] ?? seen.items.length;
    list.set(seen.items.subarray(from, to), end);
    if (seen.values !== null) values.set(seen.values.subarray(from, to), end);
    for (let user = first; user < last; user++) {
      end += (seen.offsets[user + 1] ?? to) - (seen.offsets[user] ?? to);
      offsets[user + 1] = end;
    }
  };
  let copied = 0;
  for (let user = 0; user < users.size; user++) {
    const [from, to] = [added.starts[user]!, added.starts[user + 1]!];
    if (to === from) continue;
    copy(copied, user + 1);
    copied = user + 1;
    const start = offsets[user]!;
    for (let at = start; at < end; at++) placeOf[list[at]!] = at;
    for (let k = from; k < to; k++) {
      const item = added.items[k]!;
      if (placeOf[item]! < start) {
        placeOf[item] = end;
        list[end++] = item;
        itemCounts[item]!++;
      }
      values[placeOf[item]!] = added.values[k]!;
    }
    offsets[user + 1] = end;
  }
  copy(copied, users.size);
  const userCounts = new Int32Array(users.size);
  for (let user = 0; user < users.size; user++) userCounts[user] = offsets[user + 1]! - offsets[user]!;
  const merged = new Seen(offsets, list.subarray(0, end), userCounts, itemCounts, values.subarray(0, end));
  return { users, items, seen: merged, newOfUser: added.newOfUser, newOfItem: added.newOfItem };
}

/** The interactions by the user's number, each user's in their order (counting sort). */
function byUser(data: Interactions, users: Vocabulary, items: Vocabulary) {
  const userOf = Int32Array.from(data.users, (id) => users.indexOf(id));
  const itemOf = Int32Array.from(data.items, (id) => items.indexOf(id));
  const newOfUser = new Int32Array(users.size);
  const newOfItem = new Int32Array(items.size);
  for (let k = 0; k < data.size; k++) {
    newOfUser[userOf[data.userIndex[k]!]!]!++;
    newOfItem[itemOf[data.itemIndex[k]!]!]!++;
  }
  const starts = new Int32Array(users.size + 1);
  for (let user = 0; user < users.size; user++) starts[user + 1] = starts[user]! + newOfUser[user]!;
  const next = starts.slice();
  const sorted = { items: new Int32Array(data.size), values: new Float32Array(data.size) };
  for (let k = 0; k < data.size; k++) {
    const at = next[userOf[data.userIndex[k]!]!]!++;
    sorted.items[at] = itemOf[data.itemIndex[k]!]!;
    sorted.values[at] = data.values[k]!;
  }
  return { ...sorted, starts, newOfUser, newOfItem };
}

/** A vocabulary with the ids of both; a copy where it has to grow, as the old one is others' too. */
function extended(old: Vocabulary, added: Vocabulary): Vocabulary {
  if (old === added) return old;
  const all = Vocabulary.from(old);
  for (const id of added) all.add(id);
  return all;
}
