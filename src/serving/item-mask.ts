// A set of items that is used again and again, as what is in stock: ids are looked up once for all answers.

import type { Id, Vocabulary } from '../data/vocabulary';

/** Ids of a list, and the numbers of those that a vocabulary knows. */
export interface NumberedIds {
  readonly ids: readonly Id[];
  readonly numbers: readonly number[];
}

/** Items of one recommender, as its `itemMask` makes it. It stays right after `fit` and `partialFit`: then ids are looked up anew. */
export class ItemMask {
  private found: (NumberedIds & { readonly vocabulary: Vocabulary; readonly size: number }) | undefined;

  /** @internal */
  constructor(
    /** @internal The recommender. */
    readonly of: object,
    private readonly ids: readonly Id[],
  ) {}

  /** How many ids it was made of. */
  get size(): number {
    return this.ids.length;
  }

  /** @internal Those that a vocabulary knows now. */
  in(vocabulary: Vocabulary): NumberedIds {
    const { size } = vocabulary;
    // A vocabulary may be shared with data, and grow.
    if (this.found?.vocabulary !== vocabulary || this.found.size !== size)
      this.found = { ...numbersOf(vocabulary, this.ids), vocabulary, size };
    return this.found;
  }
}

/** Looks ids up. */
export function numbersOf(vocabulary: Vocabulary, ids: readonly Id[]): NumberedIds {
  return { ids, numbers: ids.map((id) => vocabulary.indexOf(id)).filter((row) => row >= 0) };
}
