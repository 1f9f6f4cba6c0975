// From ids that are small whole numbers in plain digits to their numbers in a vocabulary: a list, no hash. A column of
// them is turned at once, so that looking one up does not wait for another to be fetched from memory.

import type { Vocabulary } from '../interactions/vocabulary';

/** Whole numbers below this are small: 4 bytes for each up to the largest that comes. */
export const SMALL = 1 << 20;

/** The small ids that have been seen. */
export class SmallIds {
  /** Each one's number + 1; 0 where it is new. */
  private known = new Int32Array(1 << 10);

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly ids: 'string' | 'number',
  ) {}

  /** Turns the ids in `column[from, to)` into numbers, in order; what is negative is the complement of a number. */
  number(column: Int32Array, from: number, to: number): void {
    let { known } = this;
    for (let row = from; row < to; row++) {
      const id = column[row]!;
      if (id < 0) column[row] = ~id;
      else {
        let place = id < known.length ? known[id]! : 0;
        if (place === 0) {
          place = this.add(id) + 1;
          known = this.known;
        }
        column[row] = place - 1;
      }
    }
  }

  private add(id: number): number {
    if (id >= this.known.length) {
      const larger = new Int32Array(2 ** (32 - Math.clz32(id)));
      larger.set(this.known);
      this.known = larger;
    }
    const number = this.vocabulary.add(this.ids === 'string' ? String(id) : id);
    this.known[id] = number + 1;
    return number;
  }
}
