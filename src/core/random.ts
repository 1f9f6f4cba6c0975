// Random streams keyed by seed and name. A draw is a pure function of (key, counter), so a stream can be forked by
// name without disturbing its parent, and training that resumes needs no generator state.
// The counter-based generator is Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers:
// As Easy as 1, 2, 3" (SC 2011). seedrandom turns the caller's seed into the first key.

import { cosineOfWord, logOfWord } from './elementary';
import { keyOf } from './seed-key';

/** A seed from the caller; 42 and '42' are the same seed. */
export type Seed = number | string;

/** The parity of Threefry's key schedule. */
export const PARITY = 0x1bd11bda;

/** One Threefry-2x32-20 block: writes two 32-bit words to `out`. */
export function threefry(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array): void {
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  // The key words rotate: the next one to be injected is `a`.
  let a = key1;
  let b = PARITY ^ key0 ^ key1;
  let c = key0;
  for (let group = 1; group <= 5; group++) {
    // Four unrolled rounds with constant rotations: reading them from a list would double the cost.
    if (group % 2 === 1) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    x0 = (x0 + a) | 0;
    x1 = (x1 + b + group) | 0;
    const held = a;
    a = b;
    b = c;
    c = held;
  }
  out[0] = x0;
  out[1] = x1;
}

/** Normal draws are made so many at a time: the steps of one wait for each other, those of many do not. */
const AT_ONCE = 128;
const drawn = new Uint32Array(AT_ONCE);
const radii = new Float64Array(AT_ONCE);

/** A stream of draws. The same seed, names and number of draws give the same numbers in every engine. */
export class Stream {
  private readonly words = new Uint32Array(2);
  private counter = 0;
  private constructor(
    readonly key0: number,
    readonly key1: number,
  ) {}

  /** The root stream of a seed. */
  static of(seed: Seed): Stream {
    const [key0, key1] = keyOf(seed);
    return new Stream(key0, key1);
  }

  /** An independent stream under this one; it does not depend on what has been drawn here. */
  fork(name: string | number): Stream {
    const [low, high] = hash(String(name));
    const words = new Uint32Array(2);
    // The top bit of the second counter word separates forks from draws.
    threefry(this.key0, this.key1, low, high | 0x80000000, words);
    return new Stream(words[0]! | 0, words[1]! | 0);
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const odd = this.counter & 1;
    if (odd === 0) threefry(this.key0, this.key1, this.counter >>> 1, 0, this.words);
    this.counter++;
    return this.words[odd]!;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() * 2 ** -32;
  }

  /** A whole number in [0, n), exactly uniform: words above the largest multiple of n are drawn again. n up to 2^32. */
  below(n: number): number {
    // In 32-bit arithmetic, where a remainder is one instruction: 2^32 mod n is (2^32 - n) mod n. 2^32 itself wraps to 0.
    const m = n >>> 0;
    if (m === 0) return this.uint32();
    const rest = (-m >>> 0) % m;
    for (;;) {
      const word = this.uint32() >>> 0;
      if (word < 2 ** 32 - rest) return word % m;
    }
  }

  /** A draw of the standard normal distribution (Box and Muller 1958; the second of each pair is not kept). */
  normal(): number {
    const radius = Math.sqrt(-2 * logOfWord(this.uint32()));
    return radius * cosineOfWord(this.uint32());
  }

  /**
   * Writes normal draws times `scale` to a part of an array, using both of each pair. Consecutive parts of even length
   * give the same values as one call.
   */
  normals(out: Float32Array | Float64Array, from: number, to: number, scale: number): void {
    for (let start = from; start < to; start += AT_ONCE) {
      const end = Math.min(start + AT_ONCE, to);
      const count = end - start + ((end - start) & 1);
      this.fill(count);
      for (let k = 0; k < count; k += 2) radii[k] = scale * Math.sqrt(-2 * logOfWord(drawn[k]!));
      for (let k = 0, at = start; at < end; k += 2, at++) {
        const turn = drawn[k + 1]!;
        out[at] = radii[k]! * cosineOfWord(turn);
        // The sine: the cosine a quarter of a turn earlier.
        if (++at < end) out[at] = radii[k]! * cosineOfWord(turn - 2 ** 30);
      }
    }
  }

  /**
   * Leaves the next words, an even number of them, to who draws them by the block: the key and the number of the first block;
   * null, and nothing is skipped, between the two words of a block.
   */
  skip(count: number): { readonly key0: number; readonly key1: number; readonly block: number } | null {
    if ((this.counter & 1) === 1) return null;
    const { key0, key1 } = this;
    const block = this.counter >>> 1;
    this.counter += count;
    return { key0, key1, block };
  }

  /** Puts the next words, an even number of them, into `drawn`. */
  private fill(count: number): void {
    const { key0, key1, words } = this;
    // Between the two words of a block: one by one.
    if ((this.counter & 1) === 1) {
      for (let k = 0; k < count; k++) drawn[k] = this.uint32();
      return;
    }
    for (let k = 0, block = this.counter >>> 1; k < count; k += 2, block++) {
      threefry(key0, key1, block, 0, words);
      drawn[k] = words[0]!;
      drawn[k + 1] = words[1]!;
    }
    this.counter += count;
  }

  /** Shuffles the first `count` elements in place (Fisher and Yates). */
  shuffle(array: Int32Array, count: number = array.length): void {
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = array[i]!;
      array[i] = array[j]!;
      array[j] = held;
    }
  }
}

/** Two 32-bit FNV-1a hashes of a name, the second from the reversed name. */
export function hash(name: string): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    low = Math.imul(low ^ name.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ name.charCodeAt(name.length - 1 - i), 0x01000193);
  }
  return [low, high];
}
