// Maps ids that are small whole numbers in plain digits to vocabulary numbers by direct indexing, without a hash. A
// whole column is mapped at once, so that the memory loads of successive lookups overlap.

import { secret, type Vocabulary } from '../../data/vocabulary';

/** Whole numbers below this are small: 4 bytes each, up to the largest that occurs. */
export const SMALL = 1 << 20;

/** The small ids that have been seen. */
export class SmallIds {
  /** Each one's number + 1; 0 where it is new. */
  private known = new Int32Array(1 << 10);

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly ids: 'string' | 'number',
  ) {}

  /**
   * Replaces the ids in `column[from, to)` by vocabulary numbers, in order; a negative entry is the complement of a
   * number already known.
   */
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

// Maps the bytes of an id to its number without building a string: an open-addressing hash table (linear probing). Ids
// of up to eight bytes are stored and compared as two words; longer ones are compared with a copy of their bytes. It
// caches a vocabulary: two spellings of one id, such as 7 and 007 as numbers, are two entries. The default hash is fast
// but predictable; when ids collide more than chance explains, a hash with a random key per process replaces it.

/** Words per entry: two of the id, its length (or, negative, the offset of its bytes), its number + 1; 0 marks an empty entry. */
const ENTRY = 4;
const SHORT = 8;
/** Odd multipliers that spread over all bits: 2^32 / golden ratio, and one of MurmurHash3. */
const SPREAD = 0x9e3779b1;
const MIX = 0x85ebca6b;

/** Half of the entries are empty, so a probe this long occurs only for ids chosen to collide. */
const LONGEST_PROBE = 256;

/** The ids seen so far. */
export class ByteIds {
  private entries = new Int32Array(ENTRY << 10);
  /** The upper bits of the hash select an entry. */
  private shift = 22;
  private count = 0;
  /** The words of the last id looked up. */
  private high = 0;
  private low = 0;
  private long = new Uint8Array(0);
  private longEnd = 0;
  /** Whether the keyed hash is in use. */
  private isKeyed = false;

  /** The number of the id at [start, end) of `bytes`; -1 if it is new. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length > SHORT) return this.findLong(bytes, start, end);
    const { entries } = this;
    const last = entries.length - 1;
    let high = 0;
    let low = 0;
    for (let at = start; at < end; at++) {
      high = (high << 8) | (low >>> 24);
      low = (low << 8) | bytes[at]!;
    }
    for (let at = this.home(high, low); ; at = (at + ENTRY) & last) {
      const number = entries[at + 3]!;
      if (number === 0) {
        this.high = high;
        this.low = low;
        return -1;
      }
      if (entries[at + 1] === low && entries[at] === high && entries[at + 2] === length) return number - 1;
    }
  }

  /** Stores the number of the id that the last `find` did not find. */
  add(bytes: Uint8Array, start: number, end: number, number: number): void {
    if (++this.count * 2 > this.entries.length / ENTRY) {
      this.rehash(this.entries.length * 2);
      // The words of a long id depend on the hash in use.
      this.find(bytes, start, end);
    }
    const length = end - start;
    const place = length > SHORT ? -1 - this.keep(bytes, start, end) : length;
    if (this.put(this.high, this.low, place, number + 1)) return;
    this.isKeyed = true;
    this.rehash(this.entries.length, true);
    this.find(bytes, start, end);
    this.put(this.high, this.low, place, number + 1);
  }

  private findLong(bytes: Uint8Array, start: number, end: number): number {
    const { entries } = this;
    const last = entries.length - 1;
    // Two polynomial hashes with different multipliers.
    let high = 0;
    let low = 0;
    if (this.isKeyed) {
      high = keyedHash(bytes, start, end, 0);
      low = keyedHash(bytes, start, end, 1);
    } else {
      for (let at = start; at < end; at++) {
        high = (Math.imul(high, 31) + bytes[at]!) | 0;
        low = Math.imul(low, SPREAD) ^ bytes[at]!;
      }
    }
    for (let at = this.home(high, low); ; at = (at + ENTRY) & last) {
      const number = entries[at + 3]!;
      if (number === 0) {
        this.high = high;
        this.low = low;
        return -1;
      }
      if (entries[at + 1] !== low || entries[at] !== high || entries[at + 2]! >= 0) continue;
      if (this.isKept(-1 - entries[at + 2]!, bytes, start, end)) return number - 1;
    }
  }

  private home(high: number, low: number): number {
    const hash = this.isKeyed ? keyedHashOfWords(high, low) : Math.imul(Math.imul(high, MIX) ^ low, SPREAD);
    return (hash >>> this.shift) * ENTRY;
  }

  /** Fills an empty entry; false if the probe is too long for the predictable hash. */
  private put(high: number, low: number, length: number, number: number): boolean {
    const { entries } = this;
    let at = this.home(high, low);
    for (let probes = 0; entries[at + 3] !== 0; probes++) {
      if (probes > LONGEST_PROBE && !this.isKeyed) return false;
      at = (at + ENTRY) & (entries.length - 1);
    }
    entries[at] = high;
    entries[at + 1] = low;
    entries[at + 2] = length;
    entries[at + 3] = number;
    return true;
  }

  /** Moves all entries to a table of the given length; `isNewHash`: the words of long ids must be recomputed. */
  private rehash(length: number, isNewHash = false): void {
    const old = this.entries;
    this.entries = new Int32Array(length);
    this.shift = Math.clz32(length / ENTRY) + 1;
    for (let at = 0; at < old.length; at += ENTRY) {
      if (old[at + 3] === 0) continue;
      let [high, low, place] = [old[at]!, old[at + 1]!, old[at + 2]!];
      if (isNewHash && place < 0) {
        const start = 3 - place;
        const end = start + this.lengthAt(-1 - place);
        high = keyedHash(this.long, start, end, 0);
        low = keyedHash(this.long, start, end, 1);
      }
      if (this.put(high, low, place, old[at + 3]!)) continue;
      this.entries = old;
      this.isKeyed = true;
      this.rehash(length, true);
      return;
    }
  }

  /** Stores an id after its length; returns the offset. */
  private keep(bytes: Uint8Array, start: number, end: number): number {
    const at = this.longEnd;
    this.longEnd = at + 4 + end - start;
    if (this.longEnd > this.long.length) {
      const larger = new Uint8Array(Math.max(1 << 12, this.longEnd, this.long.length * 2));
      larger.set(this.long);
      this.long = larger;
    }
    for (let i = 0; i < 4; i++) this.long[at + i] = (end - start) >>> (8 * i);
    this.long.set(bytes.subarray(start, end), at + 4);
    return at;
  }

  private isKept(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { long } = this;
    const length = this.lengthAt(at);
    if (length !== end - start) return false;
    for (let i = 0; i < length; i++) if (long[at + 4 + i] !== bytes[start + i]) return false;
    return true;
  }

  /** The length of the id stored at `at`. */
  private lengthAt(at: number): number {
    const { long } = this;
    return long[at]! | (long[at + 1]! << 8) | (long[at + 2]! << 16) | (long[at + 3]! << 24);
  }
}

/** HalfSipHash-2-4 of two words (Aumasson and Bernstein, "SipHash", INDOCRYPT 2012; the variant of 32-bit words). */
function keyedHashOfWords(high: number, low: number): number {
  start(0);
  absorb(high);
  absorb(low);
  return finish();
}

/** The same for bytes; `which` selects one of two keys. */
function keyedHash(bytes: Uint8Array, from: number, to: number, which: 0 | 1): number {
  start(which);
  let word = 0;
  for (let at = from; at < to; at++) {
    word = (word << 8) | bytes[at]!;
    if (((at - from) & 3) === 3) absorb(word);
  }
  absorb(word);
  absorb(to - from);
  return finish();
}

let [v0, v1, v2, v3] = [0, 0, 0, 0];

function start(which: 0 | 1): void {
  const key = secret();
  v0 = key[0]! ^ which;
  v1 = key[1]!;
  v2 = key[2]! ^ 0x6c796765;
  v3 = key[3]! ^ 0x74656462;
}

function absorb(word: number): void {
  v3 ^= word;
  round();
  round();
  v0 ^= word;
}

function finish(): number {
  v2 ^= 0xff;
  for (let k = 0; k < 4; k++) round();
  return v1 ^ v3;
}

function round(): void {
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
}
