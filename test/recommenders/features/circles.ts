// Two circles of users, each with items of its own, and what is known of items: which circle they are of, two of them new.

import { categorical } from '../../../src/data/feature-fields';
import { FeatureTable } from '../../../src/data/feature-table';
import { Interactions } from '../../../src/data/interactions';
import type { Id } from '../../../src/data/vocabulary';

export const SIZE = 24;

/** 0 or 1, of 'u<number>', 'i<number>' or 'new<number>'. */
export const circleOf = (id: Id): number => Number(String(id).replace(/^\D+/, '')) % 2;

/** Users have the items of their own circle, but for one each. */
export function circles(): Interactions {
  const rows: [string, string][] = [];
  for (let u = 0; u < SIZE; u++) {
    for (let i = u % 2; i < SIZE; i += 2) if (i !== u) rows.push([`u${u}`, `i${i}`]);
  }
  return Interactions.from(rows);
}

export const itemFeatures = FeatureTable.from(
  [...Array.from({ length: SIZE }, (_, k) => `i${k}`), 'new0', 'new1'].map((item) => ({
    item,
    circle: circleOf(item) === 0 ? 'even' : 'odd',
  })),
  { id: 'item', fields: { circle: categorical() } },
);
