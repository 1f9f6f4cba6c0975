// The best n of many scores, exactly and in bounded memory: a heap of n whose root is the worst one kept.
// What is not a number is no score, and is never kept.

import { runToEnd } from '../core/scheduler';
import type { Keeper, RowTable, Scorer } from '../kernels/scorer';
import type { InteractionHistory } from './interaction-history';

/** A place in a list of scores, best first; ties have the smaller index first, so that the order is always the same. */
export interface ScoredIndex {
  readonly index: number;
  readonly score: number;
}

/** Keeps the n best of the scores that it is offered. Cost of an offer: O(1) for most, O(log n) when it is kept. */
export class TopK implements Keeper {
  private readonly indices: Int32Array;
  private readonly scores: Float64Array;
  private size = 0;

  constructor(private readonly limit: number) {
    this.indices = new Int32Array(limit);
    this.scores = new Float64Array(limit);
  }

  /** The score that is not to be missed: less is of no use. */
  get threshold(): number {
    if (this.size < this.limit) return -Infinity;
    return this.limit > 0 ? this.scores[0]! : Number.NaN;
  }

  offer(index: number, score: number): void {
    if (Number.isNaN(score)) return;
    if (this.size < this.limit) {
      this.put(this.size, index, score);
      this.rise(this.size++);
    } else if (this.limit > 0 && this.isWorse(0, index, score)) {
      this.put(0, index, score);
      this.sink();
    }
  }

  /** What was kept, best first. */
  list(): ScoredIndex[] {
    return Array.from({ length: this.size }, (_, at) => ({ index: this.indices[at]!, score: this.scores[at]! })).sort(
      (a, b) => b.score - a.score || a.index - b.index,
    );
  }

  /** Whether the entry at a place ranks behind (index, score). */
  private isWorse(place: number, index: number, score: number): boolean {
    const held = this.scores[place]!;
    return held < score || (held === score && this.indices[place]! > index);
  }

  private put(place: number, index: number, score: number): void {
    this.indices[place] = index;
    this.scores[place] = score;
  }

  private rise(place: number): void {
    const index = this.indices[place]!;
    const score = this.scores[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.isWorse(parent, index, score)) break;
      this.put(place, this.indices[parent]!, this.scores[parent]!);
      place = parent;
    }
    this.put(place, index, score);
  }

  private sink(): void {
    const index = this.indices[0]!;
    const score = this.scores[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.isWorse(child + 1, this.indices[child]!, this.scores[child]!)) child++;
      if (!this.isWorse(child, index, score)) break;
      this.put(place, this.indices[child]!, this.scores[child]!);
      place = child;
    }
    this.put(place, index, score);
  }
}

// One byte for each item that says why it is not to be recommended, to everybody or to the user at hand.
// Kept from call to call: a call sets the bits that it needs and takes them back, so that none costs a byte per item.

const UNTRAINED = 128;
const EXCLUDED = 64;
const CANDIDATE = 32;
const HIDDEN = 1;

/** Whether an item may be recommended to the user at hand. */
export type IsAllowed = (item: number) => boolean;

/** The marks of the items of a trained state. */
export class CandidateMask {
  private bytes: Uint8Array;

  constructor(count: number, isTrained: (item: number) => boolean) {
    this.bytes = new Uint8Array(count);
    for (let item = 0; item < count; item++) if (!isTrained(item)) this.bytes[item] = UNTRAINED;
  }

  /** The same marks, to be changed apart from these. */
  copy(): CandidateMask {
    const copy = new CandidateMask(0, () => true);
    copy.bytes = this.bytes.slice();
    return copy;
  }

  /** Marks the candidates allowed and the items excluded for good; returns the candidates, each once. */
  mark(candidates: readonly number[] | null, excluded: readonly number[]): readonly number[] | null {
    this.set(excluded, EXCLUDED);
    return candidates === null ? null : this.set(candidates, CANDIDATE);
  }

  /**
   * Runs `ask` with only the candidates allowed (null: every trained item), less those excluded. It is told which
   * candidates there are, each once.
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

  /** Runs `ask` with some items hidden. */
  hiding<T>(items: ArrayLike<number>, ask: () => T): T {
    const hidden = this.set(items, HIDDEN);
    try {
      return ask();
    } finally {
      this.clear(hidden, HIDDEN);
    }
  }

  /** Says of an item whether it is allowed, as the marks are when it is asked. */
  check(hasCandidates: boolean): IsAllowed {
    const { bytes } = this;
    const wanted = hasCandidates ? CANDIDATE : 0;
    // A candidate need not be trained.
    const mask = (hasCandidates ? CANDIDATE : UNTRAINED) | EXCLUDED | HIDDEN;
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

// The items with the most interactions: for users of whom nothing is known.

/** The n most popular of the allowed items, with their counts; ties: the smaller index first. Cost: O(items). */
export function popularItems({ itemCounts }: InteractionHistory, isAllowed: IsAllowed, n: number): ScoredIndex[] {
  const ranking = new TopK(Math.min(n, itemCounts.length));
  for (let item = 0; item < itemCounts.length; item++) {
    if (isAllowed(item)) ranking.offer(item, itemCounts[item]!);
  }
  return ranking.list();
}

// Which rows of a table are most like one of them.

/** How alike rows are, how many of them are wanted, and which. */
export interface SimilarRequest {
  readonly n: number;
  readonly measure: 'cosine' | 'dot';
  isWanted(row: number): boolean;
}

/** The n used and wanted rows most like `row`, itself left out. Cost: O(rows x dim). A zero vector has cosine 0 to all. */
export function similarRows(
  table: RowTable,
  scorer: Scorer,
  row: number,
  { n, measure, isWanted }: SimilarRequest,
): ScoredIndex[] {
  const ranking = new TopK(Math.min(n, table.count));
  const keeper = {
    get threshold() {
      return ranking.threshold;
    },
    offer(other: number, score: number) {
      if (other !== row && table.isUsed(other) && isWanted(other)) ranking.offer(other, score);
    },
  };
  runToEnd(scorer.scan(measure, [{ values: table.values, start: row * table.dim, base: 0, keeper }]));
  return ranking.list();
}
