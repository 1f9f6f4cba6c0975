// One byte for each item that says why it is not to be recommended, to everybody or to one of the users at hand.
// Kept from call to call: a call sets the bits that it needs and takes them back, so that none costs a byte per item.

const UNTRAINED = 128;
const EXCLUDED = 64;
const CANDIDATE = 32;

/** Users who can be at hand at once: one bit each. */
export const USERS_AT_HAND = 4;

/** Whether an item may be recommended to the user at hand. */
export type IsAllowed = (item: number) => boolean;

/** The marks of the items of a trained state. */
export class Marks {
  private readonly bytes: Uint8Array;

  constructor(count: number, isTrained: (item: number) => boolean) {
    this.bytes = Uint8Array.from({ length: count }, (_, item) => (isTrained(item) ? 0 : UNTRAINED));
  }

  /**
   * Runs `ask` with only the candidates allowed (null: every trained item), less those excluded. It is told how to hide
   * items from a user, and which candidates there are, each once.
   */
  during<T>(
    candidates: readonly number[] | null,
    excluded: readonly number[],
    ask: (candidates: readonly number[] | null) => T,
  ): T {
    const marked = candidates === null ? null : this.set(candidates, CANDIDATE);
    const out = this.set(excluded, EXCLUDED);
    try {
      return ask(marked);
    } finally {
      this.clear(marked ?? [], CANDIDATE);
      this.clear(out, EXCLUDED);
    }
  }

  /** Runs `ask` with the items of each list hidden from the user of that place. */
  hiding<T>(lists: readonly ArrayLike<number>[], ask: () => T): T {
    const hidden = lists.map((items, place) => this.set(items, 1 << place));
    try {
      return ask();
    } finally {
      hidden.forEach((items, place) => {
        this.clear(items, 1 << place);
      });
    }
  }

  /** Says of an item whether it is allowed to the user of a place, as the marks are when it is asked. */
  check(place: number, hasCandidates: boolean): IsAllowed {
    const { bytes } = this;
    const wanted = hasCandidates ? CANDIDATE : 0;
    // A candidate need not be trained.
    const mask = (hasCandidates ? CANDIDATE : UNTRAINED) | EXCLUDED | (1 << place);
    return (item) => (bytes[item]! & mask) === wanted;
  }

  /** Sets a bit of items; returns those that did not have it. What is not an item is passed over. */
  private set(items: ArrayLike<number>, bit: number): number[] {
    const changed: number[] = [];
    for (let k = 0; k < items.length; k++) {
      const item = items[k]!;
      const byte = this.bytes[item];
      if (byte === undefined || (byte & bit) !== 0) continue;
      this.bytes[item] = byte | bit;
      changed.push(item);
    }
    return changed;
  }

  private clear(items: readonly number[], bit: number): void {
    for (const item of items) this.bytes[item]! &= ~bit;
  }
}
