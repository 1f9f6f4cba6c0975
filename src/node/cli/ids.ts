// Ids from the command line and from files are text; a model that was trained in code may have numbers as ids.

import { Interactions } from '../../interactions/interactions';
import type { Id, Vocabulary } from '../../interactions/vocabulary';

/** The number that an id's text is the exact form of, or undefined: '7' is 7, '07' and '7.0' are only text. */
export function asNumberId(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && String(value) === text ? value : undefined;
}

/** The id of `known` that the text means: the text itself before the number that it writes; undefined where it has neither. */
export function knownId(known: Vocabulary, text: string): Id | undefined {
  if (known.has(text)) return text;
  const number = asNumberId(text);
  return number !== undefined && known.has(number) ? number : undefined;
}

/** The ratings with the ids that a model knows them by; ids that it does not know stay text. */
export function withIdsOf(model: { readonly users: Vocabulary; readonly items: Vocabulary }, data: Interactions) {
  const userOf = translate(data.users, model.users);
  const itemOf = translate(data.items, model.items);
  const { values, weights, timestamps } = data;
  return Interactions.fromColumns(
    {
      userIds: Array.from(data.userIndex, userOf),
      itemIds: Array.from(data.itemIndex, itemOf),
      values,
      ...(weights && { weights }),
      ...(timestamps && { timestamps }),
    },
    { duplicates: 'keep' },
  );
}

function translate(written: Vocabulary, known: Vocabulary): (index: number) => Id {
  const ids = Array.from({ length: written.size }, (_, i) => {
    const id = written.idOf(i);
    return (typeof id === 'string' ? knownId(known, id) : undefined) ?? id;
  });
  return (index) => ids[index]!;
}
