// Data to be answered may come with vocabularies of its own.

import type { Vocabulary } from '../data/vocabulary';

/** Index in one vocabulary to index in another; undefined where they are one. */
export function indexMap(from: Vocabulary, to: Vocabulary): Int32Array | undefined {
  return from === to ? undefined : Int32Array.from(from, (id) => to.indexOf(id));
}
